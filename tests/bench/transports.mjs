#!/usr/bin/env node
// SPDX-License-Identifier: LGPL-2.1-or-later
// WebRTC and WebSocket side by side, by turns in one run: time to the first picture, and from a click in the page to the changed pixel in it.
// The desktop changes colour on a click; the page looks at what #screen shows once per refresh, whichever element that is.
// usage: transports.mjs [--rounds N] [--presses N] [--json]; FLASH_WINDOW as for session.mjs.
import { Stage, freePort, need, password, showing, until } from '../e2e/harness.mjs';
import { flashWindow, press, pressProbe, quantile } from '../e2e/press-probe.mjs';

const option = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const rounds = option('--rounds', 5), presses = option('--presses', 40);
const kWidth = 1280, kHeight = 720;
need('Xvfb', 'gst-launch-1.0');
const flashProgram = flashWindow();
if (!flashProgram) {
  console.error('transports.mjs: no flash-window found; build first, or set FLASH_WINDOW');
  process.exit(2);
}

const stage = new Stage(), result = {};
try {
  const { display } = await stage.xserver(`${kWidth}x${kHeight}`, ['-shmem']);
  const flash = stage.x(display, flashProgram, [String(kWidth), String(kHeight)]);
  await until('flash-window', () => /ready/.test(flash.log));
  const port = await freePort(), blocked = await freePort();
  const line = (on, extra) => `ximagesrc display-name=${display} use-damage=false show-pointer=false ! video/x-raw,framerate=60/1 ! videoconvert
    ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=20000 key-int-max=6000 ! video/x-h264,profile=constrained-baseline
    ! webrtcsignallerbin name=w port=${on} password=${password} ${extra} w.control_src ! x11inputsink display-name=${display}`;
  const browser = await stage.chromium();
  const open = async (on, query) => {
    const context = await browser.newContext({ httpCredentials: { username: 'user', password }, viewport: { width: kWidth, height: kHeight } });
    await context.addInitScript(pressProbe);
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
      result[name].press.push(...await press(page, Math.ceil(presses / rounds)));
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
