// SPDX-License-Identifier: LGPL-2.1-or-later
// Seeing the desktop: the picture, who may see it, coming back, several viewers, no UDP.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Stage, close, desktopLine, freePort, need, password, pixel, setVisibility, showing, sleep, until } from './harness.mjs';

need('Xvfb', 'gst-launch-1.0', 'xterm', 'xsetroot');

const stage = new Stage();
let browser, display, port;

const authorization = `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;
const metrics = async () => (await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { Authorization: authorization } })).text();

before(async () => {
  ({ display } = await stage.xserver('1280x720'));
  await stage.x(display, 'xsetroot', ['-solid', '#2060c0']).exited;
  // A red square with its upper left corner at 400,200, and something that moves.
  stage.x(display, 'xterm', ['-geometry', '30x10+400+200', '-bg', '#c01010', '-fg', '#c01010', '-b', '0', '-bw', '0', '+sb', '-e', 'sleep 600']);
  stage.x(display, 'xclock', ['-update', '1', '-geometry', '100x100+1100+600']);
  port = await freePort();
  await stage.gstLaunch(desktopLine(display, port), port);
  browser = await stage.chromium();
});
after(() => stage.close());

test('the page shows the desktop, each colour at its place', async () => {
  const page = await stage.page(browser, port);
  await showing(page, 3);
  const size = await page.evaluate(() => {
    const screen = document.getElementById('screen');
    return [screen.videoWidth ?? screen.width, screen.videoHeight ?? screen.height];
  });
  assert.deepEqual(size, [1280, 720]);
  await until('a blue desktop', async () => close(await pixel(page, 100, 100), [0x20, 0x60, 0xc0]));
  await until('a red window', async () => close(await pixel(page, 420, 220), [0xc0, 0x10, 0x10]));
  assert.ok(close(await pixel(page, 390, 190), [0x20, 0x60, 0xc0]), 'left of and above the window is desktop');
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test('a wrong password is refused, and no password gets nothing but /health', async () => {
  const wrong = `Basic ${Buffer.from('user:wrong').toString('base64')}`;
  assert.equal((await fetch(`http://127.0.0.1:${port}/`, { headers: { Authorization: wrong } })).status, 401);
  for (const path of ['/', '/ws', '/metrics', '/account', '/assets/', '/../etc/passwd'])
    assert.equal((await fetch(`http://127.0.0.1:${port}${path}`)).status, 401, path);
  assert.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 200);
});

test('a reload in the middle recovers', async () => {
  const page = await stage.page(browser, port);
  await showing(page);
  for (let i = 0; i < 3; i++) {
    await page.reload();
    await showing(page);
  }
  await page.context().close();
});

test('a second viewer sees the picture, and the first goes on', async () => {
  const first = await stage.page(browser, port);
  const second = await stage.page(browser, port);
  await showing(first);
  await showing(second, 3);
  await until('a red window in the second', async () => close(await pixel(second, 420, 220), [0xc0, 0x10, 0x10]));
  assert.deepEqual(await Promise.all([first, second].map((p) => p.evaluate(() => window.vitrine.control))), [true, false]);
  const before = await first.evaluate(() => window.vitrine.framesPresented);
  await sleep(1000);
  assert.ok((await first.evaluate(() => window.vitrine.framesPresented)) > before);
  // Control moves on when its holder leaves.
  await first.context().close();
  await until('the second to get control', () => second.evaluate(() => window.vitrine.control));
  await second.context().close();
});

test('a browser that may not use UDP connects by TCP on the same port', async () => {
  const tcp = await stage.chromium(['--webrtc-ip-handling-policy=disable_non_proxied_udp', '--force-webrtc-ip-handling-policy=disable_non_proxied_udp']);
  const page = await stage.page(tcp, port);
  await showing(page, 3);
  // By WebSocket at first, where that shows a picture sooner.
  await until('TCP', () => page.evaluate(() => window.vitrine.stats()?.transport === 'tcp'));
  await page.context().close();
});

test('metrics count the viewers', async () => {
  const page = await stage.page(browser, port);
  await showing(page, 3);
  // Viewers of the tests before may be leaving yet, and the first frames come by WebSocket.
  await until('one viewer, by UDP', async () => {
    const text = await metrics();
    return /^vitrine_viewers 1$/m.test(text) && /^vitrine_viewer_frames_total\{viewer="[0-9a-f]+",transport="udp"\} [1-9]/m.test(text)
      && /^vitrine_viewer_feedback_refused_total\{viewer="[0-9a-f]+",reason="malformed"\} 0$/m.test(text);
  });
  assert.deepEqual(await (await fetch(`http://127.0.0.1:${port}/account`, { headers: { Authorization: authorization } })).json(), { role: 'control' });
  await page.context().close();
});

test('nothing is encoded while nobody watches, and who comes then sees the newest picture', async () => {
  const number = async (name) => Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)$`, 'm').exec(await metrics())[1]);
  const encoded = () => number('vitrine_stream_frames_total');
  await until('the last viewer to leave', async () => (await number('vitrine_viewers')) === 0);
  await sleep(1500);
  const [before, leftOut] = [await encoded(), await number('vitrine_stream_pictures_left_out_total')];
  await stage.x(display, 'xsetroot', ['-solid', '#20a040']).exited;
  await sleep(2000);
  assert.equal(await encoded(), before);
  assert.equal(await number('vitrine_stream_pictures_left_out_total'), leftOut, 'nobody missed them');
  const page = await stage.page(browser, port);
  await showing(page, 3);
  await until('a green desktop', async () => close(await pixel(page, 100, 100), [0x20, 0xa0, 0x40]));
  assert.ok((await encoded()) > before);
  // Who has the page in another tab does not watch either.
  await setVisibility(page, 'hidden');
  await sleep(1000);
  const hidden = await encoded();
  await stage.x(display, 'xsetroot', ['-solid', '#c0a020']).exited;
  await sleep(1500);
  assert.equal(await encoded(), hidden);
  await setVisibility(page, 'visible');
  await until('a yellow desktop', async () => close(await pixel(page, 100, 100), [0xc0, 0xa0, 0x20]));
  await page.context().close();
});
