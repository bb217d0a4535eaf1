// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests that no client of good will sends.
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

/** Asks for a WebSocket; the status of the answer. */
export function upgradeStatus(port, path, headers) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed without an answer')));
    socket.on('data', (data) => {
      resolve(Number(data.subarray(9, 12).toString()));
      socket.destroy();
    });
    const lines = Object.entries({
      Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Protocol': 'vitrine.1',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'), ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  });
}

/** Sends `most` bytes of body for as long as they are taken; how many left this side before the other closed or stood still. */
export async function floodBody(port, first, most) {
  const socket = connect(port, '127.0.0.1');
  let closed = false, sent = 0;
  socket.on('error', () => {});
  socket.on('close', () => (closed = true));
  socket.on('data', () => {});
  socket.write(`${first} HTTP/1.1\r\nHost: desk.example\r\nContent-Length: ${most}\r\n\r\n`);
  const chunk = Buffer.alloc(1 << 20);
  while (sent < most && !closed) {
    const taken = await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), 2000);
      socket.write(chunk, (error) => {
        clearTimeout(timer);
        resolve(!error);
      });
    });
    if (!taken) break;
    sent += chunk.length;
  }
  socket.destroy();
  return sent;
}

/** Sends a whole request and resets the connection at once. */
export function resetRequest(port, text) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text, () => socket.resetAndDestroy()));
    socket.on('error', () => {});
    socket.on('close', resolve);
  });
}
