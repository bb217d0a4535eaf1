// SPDX-License-Identifier: LGPL-2.1-or-later
// One end of a plain TCP tunnel between two machines that share nothing but a folder. usage: tunnel-end.mjs FROM TO, each a port of 127.0.0.1 or a path.
import { createConnection, createServer } from 'node:net';

const place = (word) => (/^\d+$/.test(word) ? { host: '127.0.0.1', port: Number(word) } : { path: word });
const [from, to] = process.argv.slice(2).map(place);
createServer((near) => {
  const far = createConnection(to);
  for (const [socket, other] of [[near, far], [far, near]]) {
    socket.pipe(other);
    socket.on('error', () => other.destroy());
    socket.on('close', () => other.destroy());
  }
}).listen(from, () => console.log('ready'));
