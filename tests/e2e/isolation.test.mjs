// SPDX-License-Identifier: LGPL-2.1-or-later
// One viewer's trouble is its own: a stalled browser, and hostile messages of every kind.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { createSocket } from 'node:dgram';
import { after, before, test } from 'node:test';
import { floodBody, upgradeStatus } from './raw-http.mjs';
import { Stage, desktopLine, freePort, need, password, showing, sleep, until } from './harness.mjs';

need('Xvfb', 'gst-launch-1.0', 'xclock');

const stage = new Stage();
let browser, port, server, watcher;
const authorization = `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;

before(async () => {
  const { display } = await stage.xserver('1280x720');
  stage.x(display, 'xclock', ['-update', '0.1', '-geometry', '700x700+0+0']);
  port = await freePort();
  server = await stage.gstLaunch(desktopLine(display, port), port);
  browser = await stage.chromium();
  watcher = await stage.page(browser, port);
  await showing(watcher, 3);
});
after(() => stage.close());

/** Pids of the processes with `word` in their command line, and of all their descendants. */
function processTree(word) {
  const parents = new Map();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const found = new Set(execFileSync('pgrep', ['-f', '--', word], { encoding: 'utf8' }).trim().split('\n').map(Number));
  found.delete(process.pid);
  for (let grown = true; grown;) {
    grown = false;
    for (const [pid, parent] of parents)
      if (found.has(parent) && !found.has(pid)) grown = Boolean(found.add(pid));
  }
  return [...found];
}

const frames = (page) => page.evaluate(() => window.vitrine.framesPresented);

/** The watcher goes on, by most of the frames it should get in the time. */
async function watcherGoesOn(what) {
  const before = await frames(watcher);
  await sleep(1000);
  const got = (await frames(watcher)) - before;
  assert.ok(got >= 15, `${what}: the watcher got ${got} frames in a second`);
  assert.equal(server.status, undefined, `${what}: the server lives`);
}

test('a stalled browser costs the others no frame', async () => {
  const stalled = await stage.chromium(['--webrtc-ip-handling-policy=disable_non_proxied_udp', '--force-webrtc-ip-handling-policy=disable_non_proxied_udp']);
  const page = await stage.page(stalled, port);
  await showing(page, 3);
  const pids = processTree('disable_non_proxied_udp');
  assert.ok(pids.length > 3, 'the browser is several processes');
  const before = await watcher.evaluate(() => [window.vitrine.framesPresented, window.vitrine.stats()?.framesDropped ?? 0]);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  await sleep(5000);
  const after = await watcher.evaluate(() => [window.vitrine.framesPresented, window.vitrine.stats()?.framesDropped ?? 0]);
  for (const pid of pids) process.kill(pid, 'SIGCONT');
  assert.ok(after[0] - before[0] >= 5 * 25, `the watcher got ${after[0] - before[0]} frames in 5 s`);
  // And it comes back by itself.
  const resumed = await frames(page);
  await until('the stalled browser to go on', async () => (await frames(page)) > resumed + 10, 15000);
  await stalled.close();
});

/** A raw WebSocket session; resolves with the close code and the text frames that came. */
function session(play) {
  return new Promise((resolve, reject) => {
    // Node's own WebSocket cannot send Authorization, so the cookie of a first request is used.
    fetch(`http://127.0.0.1:${port}/`, { headers: { Authorization: authorization } }).then(async (answer) => {
      const cookie = answer.headers.get('set-cookie').split(';')[0];
      await answer.arrayBuffer();
      const socket = connect(port, '127.0.0.1');
      const received = [];
      let buffered = Buffer.alloc(0), upgraded = false;
      socket.write(`GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: vitrine.1\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`);
      const frame = (opcode, payload) => {
        const data = Buffer.from(payload);
        const mask = randomBytes(4);
        const head = data.length < 126 ? Buffer.from([0x80 | opcode, 0x80 | data.length])
          : data.length < 65536 ? Buffer.from([0x80 | opcode, 0x80 | 126, data.length >> 8, data.length & 255])
          : Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | 127, 0, 0, 0, 0]), (() => { const b = Buffer.alloc(4); b.writeUInt32BE(data.length); return b; })()]);
        return Buffer.concat([head, mask, data.map((byte, i) => byte ^ mask[i & 3])]);
      };
      const api = { text: (t) => socket.write(frame(1, t)), binary: (b) => socket.write(frame(2, b)), raw: (b) => socket.write(b), received, socket };
      socket.on('data', (data) => {
        buffered = Buffer.concat([buffered, data]);
        if (!upgraded) {
          const end = buffered.indexOf('\r\n\r\n');
          if (end < 0) return;
          upgraded = true;
          received.status = Number(buffered.subarray(9, 12).toString());
          buffered = buffered.subarray(end + 4);
          if (received.status === 101) play(api);
        }
        while (buffered.length >= 2) {
          let length = buffered[1] & 127, offset = 2;
          if (length === 126) { length = buffered.readUInt16BE(2); offset = 4; }
          if (buffered.length < offset + length) break;
          const payload = buffered.subarray(offset, offset + length);
          if ((buffered[0] & 15) === 1) received.push(JSON.parse(payload.toString()));
          if ((buffered[0] & 15) === 8) received.code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
          buffered = buffered.subarray(offset + length);
        }
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(received));
      globalThis.setTimeout(() => socket.destroy(), 8000).unref();
    }, reject);
  });
}

const hello = JSON.stringify({ type: 'hello', version: 1, codecs: ['H264', 'VP8'], client: 'test' });
const answer = (sdp) => (api) => {
  api.text(hello);
  const timer = setInterval(() => {
    const offer = api.received.find((m) => m.type === 'offer');
    if (offer) {
      clearInterval(timer);
      api.text(JSON.stringify({ type: 'answer', id: offer.id, sdp }));
    }
  }, 20);
};
const hostile = {
  'text that is no JSON': (api) => api.text('hello?'),
  'an array': (api) => api.text('[]'),
  'deep nesting': (api) => api.text('['.repeat(30000)),
  'a message before hello': (api) => api.text('{"type":"ping","t":1}'),
  'hello without codecs': (api) => api.text('{"type":"hello","version":1}'),
  'hello of another version': (api) => api.text('{"type":"hello","version":2,"codecs":[]}'),
  'hello with codecs that are numbers': (api) => api.text('{"type":"hello","version":1,"codecs":[1]}'),
  'hello twice': (api) => { api.text(hello); api.text(hello); },
  'an answer without fingerprint': answer('v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n'),
  'an answer of noise': answer('\u0001\u0002'),
  'an answer with too few sections': answer('v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:aaaa\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa\r\na=fingerprint:sha-256 AA\r\n'),
  'a binary message before hello': (api) => api.binary(Buffer.from([1, 6, 0, 0])),
  'a cut input record': (api) => { api.text(hello); api.binary(Buffer.from([1, 6, 0, 0])); },
  'input of another version': (api) => { api.text(hello); api.binary(Buffer.alloc(16, 9)); },
  'too much at once': (api) => api.text('x'.repeat(200000)),
  'a flood of messages': (api) => { api.text(hello); for (let i = 0; i < 2000; i++) api.text('{"type":"ping","t":1}'); },
  'unmasked frames': (api) => api.raw(Buffer.from([0x81, 2, 0x68, 0x69])),
  'reserved bits': (api) => api.raw(Buffer.from([0xf1, 0x80, 0, 0, 0, 0])),
};
for (const [what, play] of Object.entries(hostile))
  test(`${what} ends that session alone`, async () => {
    const received = await session(play);
    assert.equal(received.status, 101);
    const error = received.find((m) => m.type === 'error');
    // What is not a message at all is closed by the WebSocket layer without one, and a flood may be cut off before it is read.
    if (!/frames|bits|at once|flood/.test(what)) assert.ok(error, `an error message, got ${JSON.stringify(received)}`);
    assert.equal(server.status, undefined);
  });

test('the others never noticed', () => watcherGoesOn('after hostile sessions'));

test('a WebSocket from another site is refused', async () => {
  const answer = await fetch(`http://127.0.0.1:${port}/ws`, { headers: { Authorization: authorization, Origin: 'http://evil.example' } });
  assert.equal(answer.status, 403);
});

test('a page behind a proxy that ends TLS is the same site', async () => {
  const status = (origin) => upgradeStatus(port, '/ws', { Host: 'desk.example', Origin: origin, Authorization: authorization });
  assert.equal(await status('https://desk.example'), 101);
  assert.equal(await status('http://desk.example'), 101);
  for (const other of ['https://evil.example', 'https://desk.example.evil.example', 'https://desk.example:8443', 'null'])
    assert.equal(await status(other), 403, other);
});

test('no other path is a way to the WebSocket', async () => {
  for (const path of ['/ws/x', '/wsx', '/media/x', '/mediax', '/health', '/ws/', '/%77s/x', '/x/../ws'])
    assert.notEqual(await upgradeStatus(port, path, { Host: 'desk.example', Origin: 'http://evil.example', Authorization: authorization }), 101, path);
});

test('connections that say nothing keep nobody out', async () => {
  const silent = [];
  for (let i = 0; i < 300; i++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    // Half of them with half a STUN header.
    if (i % 2) socket.write(Buffer.from([0, 1]));
    silent.push(socket);
  }
  await sleep(500);
  assert.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 200);
  for (const socket of silent) socket.destroy();
});

test('a body that nobody asked for is not kept, whatever the request', async () => {
  const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))[1]) / 1024;
  const before = memory();
  for (const first of ['OPTIONS *', 'POST /%2e%2e/', 'POST /', `GET http://desk.example/`]) {
    const sent = await floodBody(port, first, 64 << 20);
    assert.ok(sent < 16 << 20, `${first}: ${sent} bytes were taken`);
  }
  assert.ok(memory() - before < 30, `${before} MiB before, ${memory()} after`);
});

test('noise on the port is survived', async () => {
  for (let i = 0; i < 200; i++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    const kind = i % 4;
    if (kind === 0) socket.write(randomBytes(1 + (i % 50)));
    if (kind === 1) socket.write(Buffer.concat([Buffer.from([0, 20, 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]), randomBytes(100)]));
    if (kind === 2) socket.write('GET / HTTP/9.9\r\n' + 'X: y\r\n'.repeat(200));
    if (kind === 3) socket.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
    await sleep(2);
    socket.destroy();
  }
  const udp = createSocket('udp4');
  for (let i = 0; i < 500; i++)
    await new Promise((resolve) => udp.send(i % 2 ? randomBytes(1 + (i % 1200)) :
      Buffer.concat([Buffer.from([0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42]), randomBytes(20)]), port, '127.0.0.1', resolve));
  udp.close();
  await watcherGoesOn('after noise');
});
