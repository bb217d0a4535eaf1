#!/usr/bin/env node
// SPDX-License-Identifier: LGPL-2.1-or-later
// What a session costs in time, in real Chromium on loopback: first frame, ICE and DTLS, hold inside webrtcbin, input to pixel.
// usage: session.mjs [--rounds N] [--presses N] [--json]; FLASH_WINDOW names the helper program, else it is looked for in build*/.
import { Stage, freePort, need, password, showing, sleep, until } from '../e2e/harness.mjs';
import { flashWindow, quantile } from '../e2e/press-probe.mjs';

const option = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const rounds = option('--rounds', 7), presses = option('--presses', 60);
need('Xvfb', 'gst-launch-1.0');

const flashProgram = flashWindow();
if (!flashProgram) {
  console.error('session.mjs: no flash-window found; build first, or set FLASH_WINDOW');
  process.exit(2);
}

/** Runs in the page before its own scripts: notes when things happen, without the client's help. */
function probe() {
  window.probe = { presses: [] };
  const Connection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Connection {
    setRemoteDescription(description) {
      window.probe.offer ??= performance.now();
      this.addEventListener('connectionstatechange', () => {
        if (this.connectionState === 'connected') window.probe.connected ??= performance.now();
      });
      return super.setRemoteDescription(description);
    }
  };
  let canvas, wanted;
  const brightness = (video) => {
    canvas ??= new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    canvas.drawImage(video, Math.floor(video.videoWidth / 2), Math.floor(video.videoHeight / 2), 1, 1, 0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data[0];
  };
  const onFrame = (video) => () => {
    window.probe.first ??= performance.now();
    const bright = brightness(video) > 128;
    if (wanted && bright === wanted.bright) {
      window.probe.presses.push(performance.now() - wanted.at);
      wanted = undefined;
    }
    window.probe.bright = bright;
    video.requestVideoFrameCallback(onFrame(video));
  };
  addEventListener('pointerdown', (event) => {
    wanted = { at: event.timeStamp, bright: !window.probe.bright };
  }, { capture: true });
  const watch = setInterval(() => {
    const video = document.getElementById('screen');
    if (video?.requestVideoFrameCallback) {
      clearInterval(watch);
      video.requestVideoFrameCallback(onFrame(video));
    }
  }, 1);
}

const stage = new Stage();
const result = { width: 1920, height: 1080, rounds };
try {
  const { display } = await stage.xserver('1920x1080', ['-shmem']);
  const flash = stage.x(display, flashProgram, ['1920', '1080']);
  await until('flash-window', () => /ready/.test(flash.log));
  const capture = process.env.CAPTURE ?? `ximagesrc display-name=${display} use-damage=false show-pointer=false
    ! video/x-raw,framerate=60/1 ! videoconvert`;
  const line = (port) => `${capture.replaceAll('DISPLAY', display)}
    ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=20000 key-int-max=6000 ! video/x-h264,profile=constrained-baseline
    ! webrtcsignallerbin name=w port=${port} password=${password} w.control_src ! x11inputsink display-name=${display}`;
  const browser = await stage.chromium();

  const port = await freePort();
  await stage.gstLaunch(line(port), port);
  const first = [], connect = [];
  for (let round = 0; round < rounds; round++) {
    const context = await browser.newContext({ httpCredentials: { username: 'user', password }, viewport: { width: 1920, height: 1080 } });
    await context.addInitScript(probe);
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
    const times = await until('the first frame', () => page.evaluate(() => window.probe.first && window.probe));
    first.push(times.first);
    connect.push(times.connected - times.offer);
    if (round === rounds - 1) {
      await showing(page);
      for (let press = 0; press < presses; press++) {
        await page.mouse.click(960, 540);
        await until('the pixel to change', () => page.evaluate((n) => window.probe.presses.length > n, press));
        await sleep(40 + Math.random() * 60);
      }
      result.input_to_pixel_ms = await page.evaluate(() => window.probe.presses);
      // The server measures how long webrtcbin holds a frame's last packet.
      const headers = { Authorization: `Basic ${Buffer.from(`user:${password}`).toString('base64')}` };
      const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
      const hold = (suffix) => Number(new RegExp(`^vitrine_viewer_hold_seconds${suffix} (\\S+)$`, 'm').exec(metrics)[1]);
      result.hold_ms = { p50: 1000 * hold('\\{.*quantile="0.5"\\}'), p95: 1000 * hold('\\{.*quantile="0.95"\\}'), n: hold('_count\\{.*\\}') };
    }
    await context.close();
  }
  result.first_frame_ms = first;
  result.ice_dtls_ms = connect;

} finally {
  await stage.close();
}

if (process.argv.includes('--json')) {
  console.log(JSON.stringify(result));
} else {
  const print = (what, { p50, p95, n }, bound) => console.log(
    `${what.padEnd(44)} p50 ${p50.toFixed(2).padStart(8)}  p95 ${p95.toFixed(2).padStart(8)}  n ${String(n).padStart(5)}  ${bound}`);
  const row = (what, values, bound) => print(what, { p50: quantile(values, 0.5), p95: quantile(values, 0.95), n: values.length }, bound);
  console.log(`1920×1080, x264, Chromium headless, loopback; milliseconds`);
  row('first frame after the page is asked for', result.first_frame_ms, 'p50 must be ≤ 700');
  row('ICE and DTLS', result.ice_dtls_ms, 'p50 must be ≤ 400');
  print('packet hold inside webrtcbin', result.hold_ms, 'p50 must be ≤ 0.5');
  row('input to changed pixel', result.input_to_pixel_ms, 'reported');
}
