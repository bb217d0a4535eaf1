// SPDX-License-Identifier: LGPL-2.1-or-later
// A link too thin for the desktop's size: the picture gets smaller after quality and framerate have been given, fills the page as before, takes the
// pointer where it points, and is whole again once the link carries it. Each change costs one keyframe and shows nothing black.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { Stage, freePort, healthy, need, password, skip, until } from './harness.mjs';
import { keepConnections } from './page-connections.mjs';

need('Xvfb', 'gst-launch-1.0', 'xdotool');
const { VITRINE: vitrine, LINK_FORWARDER: forwarder } = process.env;
if (!vitrine || !forwarder) skip('VITRINE and LINK_FORWARDER are not set');

const size = { width: 1920, height: 1080 };
const wide = 'rate=20000000 delay=10 queue=250000', thin = 'rate=200000 delay=10 queue=25000';
const stage = new Stage();
let display, link, page, port, server;

/** Runs in the page: what is presented, from the first picture on. */
const watch = () => {
  const video = document.getElementById('screen');
  const context = new OffscreenCanvas(16, 9).getContext('2d', { willReadFrequently: true });
  window.seen = { sizes: [], darkest: 255, pictures: 0 };
  const look = () => {
    const text = `${video.videoWidth}x${video.videoHeight}`;
    if (window.seen.sizes.at(-1) !== text) window.seen.sizes.push(text);
    context.drawImage(video, 0, 0, 16, 9);
    const { data } = context.getImageData(0, 0, 16, 9);
    let sum = 0;
    for (let i = 0; i < data.length; i += 4) sum += data[i + 1];
    window.seen.darkest = Math.min(window.seen.darkest, sum / (data.length / 4));
    window.seen.pictures++;
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
};
const seen = () => page.evaluate(() => window.seen);
const width = () => page.evaluate(() => document.getElementById('screen').videoWidth);
const box = () => page.evaluate(() => {
  const { left, top, width: w, height: h } = document.getElementById('screen').getBoundingClientRect();
  return [left, top, w, h];
});
const keyframes = () => page.evaluate(async () => {
  const reports = await window.connections.at(-1).getStats();
  return [...reports.values()].find((one) => one.type === 'inbound-rtp' && one.kind === 'video').keyFramesDecoded;
});
/** Keyframes that somebody asked for: a link that becomes thin at once loses packets. */
async function asked() {
  const headers = { Authorization: `Basic ${Buffer.from(`user:${password}`).toString('base64')}` };
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
  return Number(/^vitrine_keyframe_requests_total(?:\{[^}]*\})? (\d+)$/m.exec(text)[1]);
}
function pointer() {
  const { stdout } = spawnSync('xdotool', ['getmouselocation'], { env: { ...process.env, DISPLAY: display }, encoding: 'utf8' });
  return /x:(\d+) y:(\d+)/.exec(stdout)?.slice(1).map(Number);
}
async function points() {
  for (const [x, y] of [[3, 1077], [961, 541], [1897, 901], [701, 333]]) {
    await page.mouse.move(x, y);
    await until(`the pointer at ${x},${y}`, () => pointer()?.join() === `${x},${y}`).catch((error) => {
      throw new Error(`${error.message}: it is at ${pointer()}`);
    });
  }
}

before(async () => {
  port = await freePort();
  const door = await freePort();
  link = spawn(forwarder, [String(door), String(port)], { stdio: ['pipe', 'ignore', 'inherit'] });
  stage.defer(() => link.stdin.end());
  link.stdin.write(`${wide}\n`);
  ({ display } = await stage.xserver(`${size.width}x${size.height}`, ['-shmem']));
  stage.x(display, 'gst-launch-1.0', ['-q', ...(`videotestsrc is-live=true pattern=smpte horizontal-speed=9
    ! video/x-raw,width=${size.width},height=${size.height},framerate=12/1 ! videoconvert ! ximagesink`).split(/\s+/)]);
  server = stage.start(vitrine, ['--display', display, '--port', String(port), '--public-address', `127.0.0.1:${door}`, '--no-audio', '--framerate', '12'],
    { env: { VITRINE_PASSWORD: password, GST_DEBUG: 'vitrine:4' } });
  await healthy(port, server);
  const context = await (await stage.chromium()).newContext({ httpCredentials: { username: 'user', password }, viewport: size });
  await keepConnections(context);
  page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  await page.goto(`http://127.0.0.1:${port}/?transport=webrtc`);
  // A whole desktop by software, on whatever machine.
  await until('the stream', () => page.evaluate(() => window.vitrine?.framesPresented >= 2), 60000);
  await page.evaluate(watch);
});
after(() => stage.close());

test('smaller on a thin link, whole again on a wide one', async () => {
  assert.equal(await width(), size.width);
  const place = await box(), whole = await keyframes(), before = await asked();
  await points();

  link.stdin.write(`${thin}\n`);
  await until('a smaller picture', async () => (await width()) < size.width, 45000);
  const small = await seen();
  assert.deepEqual(await box(), place, 'it fills the page as before');
  await points();
  const unasked = async () => (await keyframes()) - whole - ((await asked()) - before);
  assert.ok((await unasked()) <= small.sizes.length - 1, `${await unasked()} keyframes that nobody asked for, for the sizes ${small.sizes}`);

  link.stdin.write(`${wide}\n`);
  await until('the whole picture', async () => (await width()) === size.width, 30000);
  const { sizes, darkest, pictures } = await seen();
  console.log(`sizes ${sizes.join(', ')}; ${(await keyframes()) - whole} keyframes, ${(await asked()) - before} of them asked for, ${pictures} pictures, the darkest ${darkest.toFixed(0)}`);
  assert.ok(sizes.length <= 5, `it does not flap: ${sizes}`);
  assert.ok((await unasked()) <= sizes.length - 1, 'one keyframe for each size');
  assert.ok(darkest > 40, 'nothing black was shown');
  await points();
  assert.doesNotMatch(server.log, /failed:/, 'no encoder was given up');
  assert.deepEqual(page.problems, []);
});
