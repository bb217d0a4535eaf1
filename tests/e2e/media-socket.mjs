// SPDX-License-Identifier: LGPL-2.1-or-later
// A viewer without a browser, for what browsers do not do: WebSockets that stop reading, lie, or send rubbish (RFC 6455 by hand).
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { password, until } from './harness.mjs';

/** One WebSocket. `messages` collects what came: strings and Buffers. */
export class RawSocket {
  messages = [];
  closed = null;
  #socket;
  #rest = Buffer.alloc(0);

  /** Resolves with an open one, or throws with the HTTP status. */
  static async open(port, path, protocol, { user = 'user', secret = password, origin = `http://127.0.0.1:${port}` } = {}) {
    const raw = new RawSocket();
    const socket = connect(port, '127.0.0.1');
    raw.#socket = socket;
    const authorization = secret === null ? '' : `Authorization: Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}\r\n`;
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nOrigin: ${origin}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${authorization}` +
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ${protocol}\r\n` +
      'Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n');
    raw.head = await new Promise((resolve, reject) => {
      let head = Buffer.alloc(0);
      const read = (data) => {
        head = Buffer.concat([head, data]);
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        socket.off('data', read);
        raw.#rest = head.subarray(end + 4);
        resolve(head.subarray(0, end).toString());
      };
      socket.on('data', read);
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('closed')));
    });
    socket.removeAllListeners('error').on('error', () => {});
    const status = Number(raw.head.split(' ')[1]);
    if (status !== 101) {
      socket.destroy();
      throw new Error(`status ${status}`);
    }
    socket.on('data', (data) => raw.#read(data));
    socket.on('close', () => { raw.closed ??= { code: 1006, reason: '' }; });
    raw.#read(Buffer.alloc(0));
    return raw;
  }

  send(data, opcode = typeof data === 'string' ? 1 : 2) {
    const bytes = Buffer.from(data), mask = randomBytes(4);
    const head = bytes.length < 126 ? Buffer.from([0x80 | opcode, 0x80 | bytes.length])
      : Buffer.from([0x80 | opcode, 0x80 | 126, bytes.length >> 8, bytes.length & 255]);
    this.#socket.write(Buffer.concat([head, mask, bytes.map((byte, i) => byte ^ mask[i % 4])]));
  }

  say(message) {
    this.send(JSON.stringify(message));
  }

  /** The texts as objects, of one type. */
  texts(type) {
    return this.messages.filter((m) => typeof m === 'string').map((m) => JSON.parse(m)).filter((m) => m.type === type);
  }

  get frames() {
    return this.messages.filter((m) => typeof m !== 'string');
  }

  /** Reads no more: what the server sends stays in the kernel's buffers. */
  stall() {
    this.#socket.pause();
  }

  destroy() {
    this.#socket.destroy();
  }

  #read(data) {
    let rest = Buffer.concat([this.#rest, data]);
    for (;;) {
      if (rest.length < 2) break;
      const opcode = rest[0] & 15;
      let length = rest[1] & 127, at = 2;
      if (length === 126) { if (rest.length < 4) break; length = rest.readUInt16BE(2); at = 4; }
      else if (length === 127) { if (rest.length < 10) break; length = Number(rest.readBigUInt64BE(2)); at = 10; }
      if (rest.length < at + length) break;
      const payload = Buffer.from(rest.subarray(at, at + length));
      rest = rest.subarray(at + length);
      if (opcode === 1) this.messages.push(payload.toString());
      else if (opcode === 2) this.messages.push(payload);
      else if (opcode === 8) this.closed = { code: length >= 2 ? payload.readUInt16BE(0) : 1005, reason: payload.subarray(2).toString() };
      else if (opcode === 9) this.send(payload, 10);
    }
    this.#rest = rest;
  }
}

/** A session with a media socket: { session, media, token }. */
export async function watch(port, decodes = ['H264', 'VP8'], access = {}) {
  const session = await RawSocket.open(port, '/ws', 'vitrine.1', access);
  session.say({ type: 'hello', version: 1, codecs: [], decodes, transports: ['websocket'] });
  const { token } = await until('a welcome', () => session.texts('welcome')[0]);
  const media = await RawSocket.open(port, '/media', 'vitrine-media.1', access);
  media.say({ type: 'attach', token });
  await until('a frame', () => media.frames.length > 0);
  return { session, media, token };
}

/** What a good viewer says to frames. */
export function acksOf(frames, { queue = 0 } = {}) {
  const out = Buffer.alloc(4 + 16 * frames.length);
  out.writeUInt8(1, 0);
  out.writeUInt8(3, 1);
  out.writeUInt16BE(frames.length, 2);
  frames.forEach((frame, i) => {
    frame.copy(out, 4 + 16 * i, 4, 12);
    out.writeUInt32BE(Number(process.hrtime.bigint() / 1000n % 4294967296n), 12 + 16 * i);
    out.writeUInt16BE(queue, 16 + 16 * i);
  });
  return out;
}
