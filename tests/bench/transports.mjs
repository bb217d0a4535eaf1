#!/usr/bin/env node
// SPDX-License-Identifier: LGPL-2.1-or-later
// WebRTC and WebSocket side by side, by turns in one run: time to the first picture, and from a click in the page to the changed pixel in it.
// The desktop changes colour on a click; the page looks at what #screen shows once per refresh, whichever element that is.
// usage: transports.mjs [--rounds N] [--presses N] [--json]; FLASH_WINDOW as for session.mjs.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Stage, freePort, need, password, showing, sleep, until } from '../e2e/harness.mjs';

const option = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const rounds = option('--rounds', 5), presses = option('--presses', 40);
const kWidth = 1280, kHeight = 720;
need('Xvfb', 'gst-launch-1.0');
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const flashWindow = process.env.FLASH_WINDOW ?? readdirSync(root).filter((name) => name.startsWith('build'))
  .map((name) => path.join(root, name, 'tests/bench/flash-window')).find(existsSync);
if (!flashWindow) {
  console.error('transports.mjs: no flash-window found; build first, or set FLASH_WINDOW');
  process.exit(2);
}

const quantile = (values, q) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] : NaN;
};

/** Runs in the page: notes when the middle of what #screen shows turns from dark to bright or back, looking once per screen refresh. */
function probe() {
  window.probe = { presses: [] };
  let wanted, context;
  const look = () => {
    requestAnimationFrame(look);
    if (!(window.vitrine?.framesPresented > 0)) return;
    window.probe.first ??= performance.now();
    const screen = document.getElementById('screen');
    const width = screen.videoWidth ?? screen.width, height = screen.videoHeight ?? screen.height;
    context ??= new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    context.drawImage(screen, width / 2, height / 2, 1, 1, 0, 0, 1, 1);
    const bright = context.getImageData(0, 0, 1, 1).data[0] > 128;
    if (wanted && bright === wanted.bright) {
      window.probe.presses.push(performance.now() - wanted.at);
      wanted = undefined;
    }
    window.probe.bright = bright;
  };
  requestAnimationFrame(look);
  addEventListener('pointerdown', (event) => {
    wanted = { at: event.timeStamp, bright: !window.probe.bright };
  }, { capture: true });
}

const stage = new Stage(), result = {};
try {
  const { display } = await stage.xserver(`${kWidth}x${kHeight}`, ['-shmem']);
  const flash = stage.x(display, flashWindow, [String(kWidth), String(kHeight)]);
  await until('flash-window', () => /ready/.test(flash.log));
  const port = await freePort(), blocked = await freePort();
  const line = (on, extra) => `ximagesrc display-name=${display} use-damage=false show-pointer=false ! video/x-raw,framerate=60/1 ! videoconvert
    ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=20000 key-int-max=6000 ! video/x-h264,profile=constrained-baseline
    ! webrtcsignallerbin name=w port=${on} password=${password} ${extra} w.control_src ! x11inputsink display-name=${display}`;
  const browser = await stage.chromium();
  const open = async (on, query) => {
    const context = await browser.newContext({ httpCredentials: { username: 'user', password }, viewport: { width: kWidth, height: kHeight } });
    await context.addInitScript(probe);
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${on}/${query}`);
    const first = await until('the first picture', () => page.evaluate(() => window.probe.first));
    return { context, page, first };
  };
  const cases = [['webrtc', port, '?transport=webrtc'], ['websocket', port, '?transport=websocket']];
  for (const [name] of cases) result[name] = { first: [], press: [] };
  result['WebRTC blocked'] = { first: [], press: [] };
  const server = await stage.gstLaunch(line(port, ''), port);
  // By turns, so that whatever else the machine does hits all alike.
  for (let round = 0; round < rounds; round++)
    for (const [name, on, query] of cases) {
      const { context, page, first } = await open(on, query);
      result[name].first.push(first);
      await showing(page, 3);
      const count = Math.ceil(presses / rounds);
      for (let press = 0; press < count; press++) {
        await page.mouse.click(kWidth / 2, kHeight / 2);
        await until('the pixel to change', () => page.evaluate((n) => window.probe.presses.length > n, press));
        await sleep(40 + Math.random() * 60);
      }
      result[name].press.push(...await page.evaluate(() => window.probe.presses));
      await context.close();
    }
  await server.end();
  await stage.gstLaunch(line(blocked, 'enable-udp=false enable-tcp=false'), blocked);
  for (let round = 0; round < rounds; round++) {
    const { context, first } = await open(blocked, '');
    result['WebRTC blocked'].first.push(first);
    await context.close();
  }
} finally {
  await stage.close();
}

if (process.argv.includes('--json')) {
  console.log(JSON.stringify(result));
} else {
  console.log(`${kWidth}×${kHeight}, x264, 60 Hz, Chromium headless, loopback; milliseconds`);
  const row = (what, values) => values.length && console.log(
    `${what.padEnd(44)} p50 ${quantile(values, 0.5).toFixed(1).padStart(7)}  p95 ${quantile(values, 0.95).toFixed(1).padStart(7)}  n ${values.length}`);
  for (const [name, { first, press }] of Object.entries(result)) {
    row(`${name}: first picture after asking for the page`, first);
    row(`${name}: click to changed pixel`, press);
  }
  const ratio = (what) => (quantile(result.websocket[what], 0.5) / quantile(result.webrtc[what], 0.5)).toFixed(2);
  console.log(`WebSocket to WebRTC: first picture ${ratio('first')}, click to changed pixel ${ratio('press')}`);
}
