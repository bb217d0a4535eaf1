// SPDX-License-Identifier: LGPL-2.1-or-later
// After motion the picture becomes sharp: text scrolls past, stops, and what the page shows is compared with the display itself, by the brightness of
// each pixel. Over a wide and a narrow link; prints how sharp it was and when.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { Stage, freePort, healthy, need, password, setVisibility, showing, skip, sleep, until } from './harness.mjs';

need('Xvfb', 'xterm', 'xwd');
const { VITRINE: vitrine, LINK_FORWARDER: forwarder } = process.env;
if (!vitrine || !forwarder) skip('VITRINE and LINK_FORWARDER are not set');

const size = { width: 1280, height: 720 };
const moments = [100, 200, 300, 500, 1000, 2000];
let stage, browser;
const all = new Stage();
before(async () => {
  browser = await all.chromium();
});
after(() => all.close());
afterEach(() => stage.close());

/** Brightness of each pixel of a display, 0 to 255. */
function displayed(display) {
  const { stdout } = spawnSync('xwd', ['-root', '-silent', '-display', display], { maxBuffer: 64 << 20 });
  const field = (index) => stdout.readUInt32BE(4 * index);
  const [width, height, stride, start] = [field(4), field(5), field(12), field(0) + 12 * field(19)];
  assert.deepEqual([width, height, field(11)], [size.width, size.height, 32]);
  const luma = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = start + y * stride + 4 * x;
      luma[y * width + x] = 0.0722 * stdout[at] + 0.7152 * stdout[at + 1] + 0.2126 * stdout[at + 2];
    }
  return luma;
}

/** The same of what the page shows now. */
async function shown(page) {
  const text = await page.evaluate(() => {
    const screen = document.getElementById('screen');
    const canvas = new OffscreenCanvas(screen.videoWidth, screen.videoHeight), context = canvas.getContext('2d');
    context.drawImage(screen, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height), luma = new Uint8Array(data.length / 4);
    for (let i = 0; i < luma.length; i++) luma[i] = 0.2126 * data[4 * i] + 0.7152 * data[4 * i + 1] + 0.0722 * data[4 * i + 2];
    let bytes = '';
    for (let i = 0; i < luma.length; i += 32768) bytes += String.fromCharCode(...luma.subarray(i, i + 32768));
    return btoa(bytes);
  });
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/** Peak signal to noise, dB. */
function psnr(a, b) {
  assert.equal(a.length, b.length);
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += (a[i] - b[i]) ** 2;
  return squares === 0 ? 99 : 10 * Math.log10((255 ** 2 * a.length) / squares);
}

/** A page that shows a desktop behind a link; three seconds of text scroll past there once `go` is called. */
async function scrolling(link) {
  stage = new Stage();
  const port = await freePort(), door = await freePort();
  const child = spawn(forwarder, [String(door), String(port)], { stdio: ['pipe', 'ignore', 'inherit'] });
  stage.defer(() => child.stdin.end());
  child.stdin.write(`${link}\n`);
  const { display } = await stage.xserver(`${size.width}x${size.height}`, ['-shmem']);
  const folder = stage.folder(), go = path.join(folder, 'go'), stopped = path.join(folder, 'stopped');
  // Three seconds of text, all of it different, as fast as somebody scrolls.
  const script = `until [ -e ${go} ]; do sleep 0.05; done; i=0; while [ $i -lt 150 ]; do i=$((i+1)); echo "$i $(head -c 90 /dev/urandom | base64 -w 0)"; sleep 0.02; done; touch ${stopped}; sleep 1000`;
  stage.x(display, 'xterm', ['-fullscreen', '-geometry', '210x55+0+0', '-uc', '-e', 'sh', '-c', script]);
  const server = stage.start(vitrine, ['--display', display, '--port', String(port), '--public-address', `127.0.0.1:${door}`, '--no-audio', '--resize=off', '--framerate', '30'],
    { env: { VITRINE_PASSWORD: password } });
  await healthy(port, server);
  const context = await browser.newContext({ httpCredentials: { username: 'user', password }, viewport: size });
  stage.defer(() => context.close());
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${port}/?transport=webrtc`);
  await showing(page);
  await sleep(2000);  // the link is known by then
  const stop = () => until('the text to stop', () => existsSync(stopped), 20000);
  return { display, page, go: () => spawnSync('touch', [go]), stop };
}

async function sharpness(link) {
  const { display, page, go, stop } = await scrolling(link);
  go();
  await sleep(1500);
  const moving = await shown(page);
  await stop();
  const begin = performance.now(), pictures = [];
  for (const moment of moments) {
    await sleep(Math.max(0, moment - (performance.now() - begin)));
    pictures.push([Math.round(performance.now() - begin), await shown(page)]);
  }
  const truth = displayed(display);
  if (process.env.VITRINE_SCREENSHOTS) await page.screenshot({ path: `${process.env.VITRINE_SCREENSHOTS}/sharp.png` });
  assert.ok(psnr(moving, truth) < 20, 'while it moves it is another picture');
  return pictures.map(([at, picture]) => [at, psnr(picture, truth)]);
}

for (const [name, link, wanted] of [
  ['20 Mbit/s', 'rate=20000000 delay=10 queue=250000', { at: 1000, db: 36 }],
  ['2 Mbit/s', 'rate=2000000 delay=10 queue=100000', { at: 2000, db: 22 }],
])
  test(`text that has scrolled past is sharp soon after it stops, at ${name}`, { timeout: 90000 }, async () => {
    const seen = await sharpness(link);
    console.log(`# ${name}: ${seen.map(([at, db]) => `${db.toFixed(1)} dB after ${at} ms`).join(', ')}`);
    const [, db] = seen[moments.indexOf(wanted.at)];
    assert.ok(db >= wanted.db, `${db.toFixed(1)} dB after ${wanted.at} ms`);
  });

test('what changed while the page was hidden is sharp soon after it is seen again', { timeout: 90000 }, async () => {
  const { display, page, go, stop } = await scrolling('rate=20000000 delay=10 queue=250000');
  await setVisibility(page, 'hidden');
  await sleep(500);
  go();
  await stop();
  await sleep(2000);
  await setVisibility(page, 'visible');
  await sleep(2000);
  const db = psnr(await shown(page), displayed(display));
  console.log(`# hidden meanwhile: ${db.toFixed(1)} dB after 2000 ms`);
  assert.ok(db >= 36, `${db.toFixed(1)} dB`);
});
