// SPDX-License-Identifier: LGPL-2.1-or-later
// The signalling protocol of the desktops that came before, as notes on their server describe it, in few words: shares no code with ours.
// HELLO with metadata, sessions of two, rooms; pings; paths as theirs; whoever loses its partner is closed.
import { WebSocketServer } from 'ws';

const kPingMs = 30_000;

/** Listens on `port` of 127.0.0.1. `peers` maps names to sockets; `authorization`, if given, is what a request has to show. */
export function startDemoServer(port, { authorization, pingMs = kPingMs } = {}) {
  const server = new WebSocketServer({
    port, host: '127.0.0.1', perMessageDeflate: false,
    verifyClient: ({ req }) => (!authorization || req.headers.authorization === authorization) && /^\/ws\/?$|\/signalling\/?$/.test(req.url),
  });
  const peers = new Map(), rooms = new Map();
  server.on('connection', (socket) => {
    let name, partner, room;
    const pings = setInterval(() => socket.ping(), pingMs);
    const others = () => [...rooms.get(room)].filter((id) => id !== name);
    const tell = (id, text) => peers.get(id).socket.send(text);
    const inRoom = (text) => {
      const [, to, message] = /^ROOM_PEER_MSG (\S+) ([^]*)$/.exec(text) ?? [];
      if (text === 'ROOM_PEER_LIST') socket.send(`ROOM_PEER_LIST ${others().join(' ')}`);
      else if (to === undefined) socket.send('ERROR invalid msg, already in room');
      else if (!rooms.get(room).has(to)) socket.send(`ERROR peer '${to}' not found`);
      else tell(to, `ROOM_PEER_MSG ${name} ${message}`);
    };
    socket.on('message', (data) => {
      const text = data.toString();
      if (!name) {
        const words = /^HELLO (\S+)(?: (\S+))?$/.exec(text);
        if (!words || peers.has(words[1])) {
          socket.close(1002, words ? 'invalid peer uid' : 'invalid protocol');
          return;
        }
        name = words[1];
        peers.set(name, { socket, meta: words[2], join: (other) => (partner = other), busy: () => partner !== undefined || room !== undefined });
        socket.send('HELLO');
      } else if (partner) {
        partner.send(text);
      } else if (room) {
        inRoom(text);
      } else if (text.startsWith('SESSION ')) {
        const callee = peers.get(text.slice(8));
        if (!callee) socket.send(`ERROR peer '${text.slice(8)}' not found`);
        else if (callee.busy()) socket.send(`ERROR peer '${text.slice(8)}' busy`);
        else {
          partner = callee.socket;
          callee.join(socket);
          socket.send(`SESSION_OK ${callee.meta ?? ''}`);
        }
      } else if (text.startsWith('ROOM ')) {
        room = text.slice(5);
        if (!rooms.has(room)) rooms.set(room, new Set());
        socket.send(`ROOM_OK ${others().join(' ')}`);
        for (const id of others()) tell(id, `ROOM_PEER_JOINED ${name}`);
        rooms.get(room).add(name);
      }
    });
    socket.on('close', () => {
      clearInterval(pings);
      if (room) {
        rooms.get(room).delete(name);
        for (const id of others()) tell(id, `ROOM_PEER_LEFT ${name}`);
      }
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
