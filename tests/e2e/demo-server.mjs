// SPDX-License-Identifier: LGPL-2.1-or-later
// The protocol of GStreamer's WebRTC demos as its own documents describe it, in few words: a server that shares no code with ours.
import { WebSocketServer } from 'ws';

/** Listens on `port` of 127.0.0.1. `peers` maps names to sockets; `authorization`, if given, is what a request has to show. */
export function startDemoServer(port, { authorization } = {}) {
  const server = new WebSocketServer({
    port, host: '127.0.0.1', perMessageDeflate: false,
    verifyClient: ({ req }) => !authorization || req.headers.authorization === authorization,
  });
  const peers = new Map();
  server.on('connection', (socket) => {
    let name, partner;
    socket.on('message', (data) => {
      const text = data.toString();
      if (!name) {
        const words = /^HELLO (\S+)(?: (\S+))?$/.exec(text);
        if (!words || peers.has(words[1])) {
          socket.close(1002, words ? 'invalid peer uid' : 'invalid protocol');
          return;
        }
        name = words[1];
        peers.set(name, { socket, meta: words[2], join: (other) => (partner = other), busy: () => partner !== undefined });
        socket.send('HELLO');
      } else if (partner) {
        partner.send(text);
      } else if (text.startsWith('SESSION ')) {
        const callee = peers.get(text.slice(8));
        if (!callee) socket.send(`ERROR peer '${text.slice(8)}' not found`);
        else if (callee.busy()) socket.send(`ERROR peer '${text.slice(8)}' busy`);
        else {
          partner = callee.socket;
          callee.join(socket);
          socket.send(`SESSION_OK ${callee.meta ?? ''}`);
        }
      }
    });
    socket.on('close', () => {
      if (name) peers.delete(name);
      partner?.close();
    });
  });
  return {
    peers,
    close: () => new Promise((resolve) => {
      for (const socket of server.clients) socket.terminate();
      server.close(resolve);
    }),
  };
}
