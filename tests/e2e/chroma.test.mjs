// SPDX-License-Identifier: LGPL-2.1-or-later
// --chroma=444: thin coloured lines keep their colours, by H.264 and VP9, by WebRTC and WebSocket; who does not decode it gets VP8.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Stage, freePort, healthy, need, password, pixel, showing, until } from './harness.mjs';

need('Xvfb', 'xsetroot');
const { VITRINE: vitrine } = process.env;
assert.ok(vitrine, 'run by `meson test`, which sets VITRINE');

const stage = new Stage();
let browser, display;

before(async () => {
  ({ display } = await stage.xserver('640x480'));
  // Columns one pixel wide, red and blue by turns: at a quarter of the colour resolution all are the same purple.
  const bitmap = path.join(stage.folder(), 'columns.xbm');
  writeFileSync(bitmap, '#define columns_width 8\n#define columns_height 1\nstatic unsigned char columns_bits[] = {\n  0x55 };\n');
  assert.equal(await stage.x(display, 'xsetroot', ['-bitmap', bitmap, '-fg', 'red', '-bg', 'blue']).exited, 0);
  browser = await stage.chromium();
});
after(() => stage.close());

async function serve(...options) {
  const port = await freePort();
  const session = stage.start(vitrine, [`--display=${display}`, `--port=${port}`, '--no-audio', '--resize=off', ...options], { env: { VITRINE_PASSWORD: password } });
  await healthy(port, session);
  return { port, session };
}

/** How far apart in red two columns beside each other are on the page, of 255. */
async function contrast(page) {
  const [left, right] = [await pixel(page, 100, 100), await pixel(page, 101, 100)];
  return Math.abs(left[0] - right[0]);
}

async function ends({ page, session }) {
  assert.deepEqual(page.problems, []);
  await page.context().close();
  await session.end();
}

for (const [name, sharp, ...options] of [
  ['H.264 as usual', false],
  ['H.264', true, '--chroma=444'],
  ['VP9', true, '--chroma=444', '--profile=software-vp9'],
  ['H.264 by WebSocket', true, '--chroma=444', '--transport=websocket'],
])
  test(`${name}: thin lines ${sharp ? 'keep' : 'lose'} their colours`, async () => {
    const { port, session } = await serve(...options);
    const page = await stage.page(browser, port);
    await showing(page);
    if (sharp)
      await until('sharp colours', async () => await contrast(page) > 200);
    else
      assert.ok(await contrast(page) < 60);
    await ends({ page, session });
  });

test('a profile that cannot says so, and goes on', async () => {
  const { port, session } = await serve('--chroma=444', '--profile=software-vp8');
  assert.match(session.log, /software-vp8\.profile: .*4:2:0/);
  const page = await stage.page(browser, port);
  await showing(page);
  await ends({ page, session });
});

test('a browser that refuses 4:4:4 gets VP8', async () => {
  const { port, session } = await serve('--chroma=444');
  const context = await browser.newContext({ httpCredentials: { username: 'user', password } });
  // A stand-in for the answer of a browser without High 4:4:4.
  await context.addInitScript(() => {
    const { send } = WebSocket.prototype, Connection = RTCPeerConnection;
    WebSocket.prototype.send = function reject(data) {
      const message = typeof data === 'string' ? JSON.parse(data) : {};
      if (message.type === 'answer') message.sdp = message.sdp.replace(/m=video \d+(?=[^]*profile-level-id=f4001f)/, 'm=video 0');
      send.call(this, message.type === 'answer' ? JSON.stringify(message) : data);
    };
    window.RTCPeerConnection = class extends Connection {
      constructor(...args) {
        super(...args);
        window.connection = this;
      }
    };
    delete globalThis.VideoDecoder;
  });
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  await page.goto(`http://127.0.0.1:${port}/`);
  await showing(page);
  assert.equal(await page.evaluate(async () => {
    const stats = await window.connection.getStats();
    const video = [...stats.values()].find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
    return stats.get(video.codecId).mimeType;
  }), 'video/VP8');
  await ends({ page, session });
});
