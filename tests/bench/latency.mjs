#!/usr/bin/env node
// SPDX-License-Identifier: LGPL-2.1-or-later
// The latency meter against an independent measurement of the same presses, on both transports, by turns in one run; and what the meter costs.
// Input to photon: the page looks at the pixel once per refresh (press-probe). Capture to photon: flash-window says when it had drawn, and the same look
// when that was seen; both clocks are this machine's. Click to photon: click-photon presses in a visible browser on a display of its own, and looks at
// that display. usage: latency.mjs [--rounds N] [--presses N] [--json]; FLASH_WINDOW as for session.mjs, with click-photon beside it.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { openEcho } from '../e2e/echo-page.mjs';
import { Stage, freePort, need, password, showing, sleep, until } from '../e2e/harness.mjs';
import { flashWindow, openVisible, press, pressProbe, quantile } from '../e2e/press-probe.mjs';

const option = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const rounds = option('--rounds', 4), presses = option('--presses', 20), kWidth = 1280, kHeight = 720;
need('Xvfb', 'gst-launch-1.0');
const flashProgram = flashWindow();
if (!flashProgram) {
  console.error('latency.mjs: no flash-window found; build first, or set FLASH_WINDOW');
  process.exit(2);
}

/** Wall clock in ms of a time on the monotonic clock in µs. */
const wall = (() => {
  const before = process.hrtime.bigint(), now = performance.timeOrigin + performance.now();
  return (us) => now + us / 1e3 - Number(before / 1000n) / 1e3;
})();

const stage = new Stage();
const result = { echo: { seen: [] } };
try {
  const { display } = await stage.xserver(`${kWidth}x${kHeight}`, ['-shmem']);
  const flash = stage.x(display, flashProgram, [String(kWidth), String(kHeight)]);
  await until('flash-window', () => /ready/.test(flash.log));
  const drawn = () => [...flash.log.matchAll(/^drawn (\d+)$/gm)].map((match) => wall(Number(match[1])));
  const port = await freePort();
  const server = await stage.gstLaunch(`ximagesrc-shm display-name=${display} show-pointer=false ! video/x-raw,format=I420,framerate=60/1
    ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=20000 key-int-max=6000 ! video/x-h264,profile=constrained-baseline
    ! webrtcsignallerbin name=w port=${port} password=${password} w.control_src ! x11inputsink display-name=${display}`, port);
  const browser = await stage.chromium();
  const context = () => browser.newContext({ httpCredentials: { username: 'user', password }, viewport: { width: kWidth, height: kHeight } });
  const cpu = () => {
    const fields = readFileSync(`/proc/${server.child.pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;  // ms, at 100 ticks per second
  };
  const ways = ['webrtc', 'websocket'];
  for (const way of ways) result[way] = { seen: [], drawnToSeen: [], meter: { input: [], capture: [] } };
  for (let round = 0; round < rounds; round++) {
    const floor = await context();
    const echo = await openEcho(floor, port);
    await press(echo, 2);
    result.echo.seen.push(...await press(echo, Math.ceil(presses / 2)));
    await floor.close();
    for (const way of ways) {
      const one = await context();
      await one.addInitScript(pressProbe);
      const page = await one.newPage();
      await page.goto(`http://127.0.0.1:${port}/?transport=${way}`);
      await showing(page);
      const before = drawn().length;
      result[way].seen.push(...await press(page, presses));
      await sleep(2500);
      const { all } = await page.evaluate(() => ({ all: window.probe.presses }));
      const times = drawn().slice(before);
      all.forEach(({ seen }, i) => result[way].drawnToSeen.push(seen - times[i]));
      const summary = await page.evaluate(() => window.vitrine.latency());
      result[way].meter.input.push(summary.inputToPhoton);
      result[way].meter.capture.push(summary.captureToPhoton);
      result[way].stages = summary.stages;
      result[way].uncertainty = summary.uncertainty;
      await one.close();
    }
  }
  // Before the browser's own display.
  const clicker = path.join(path.dirname(flashProgram), 'click-photon');
  if (existsSync(clicker))
    for (const way of ways) {
      const { display: before } = await stage.xserver(`${kWidth}x${kHeight}`);
      const visible = await openVisible(stage, before, kWidth, kHeight);
      const page = visible.pages()[0];
      await page.goto(`http://127.0.0.1:${port}/?transport=${way}`);
      await showing(page);
      const clicks = stage.x(before, clicker, [String(rounds * presses)]);
      if (await clicks.exited !== 0) throw new Error(clicks.log);
      result[way].photon = clicks.log.trim().split(/\s+/).map((us) => Number(us) / 1e3);
      await sleep(2500);
      const { inputToPhoton, stages } = await page.evaluate(() => window.vitrine.latency());
      result[way].beside = { inputToPhoton, stages };
      await visible.close();
    }
  // What it costs: a part of the screen changes 60 times per second; bytes of the messages about frames, and the server's CPU with a viewer that wants them and without.
  await flash.end();
  const motion = stage.x(display, 'gst-launch-1.0', ['-q', ...('videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=60/1'
    + ' ! videoconvert ! ximagesink').split(' ')]);
  for (const way of ways) {
    const cost = { with: [], without: [] };
    for (let round = 0; round < rounds; round++)
      for (const wanted of [true, false]) {
        const one = await context();
        // A viewer that does not ask for them, as one without a meter.
        await one.addInitScript((wants) => {
          const send = WebSocket.prototype.send;
          WebSocket.prototype.send = function (data) {
            send.call(this, typeof data === 'string' && !wants ? data.replace(',"frames":true', '') : data);
          };
        }, wanted);
        const page = await one.newPage();
        let down = 0, up = 0;
        page.on('websocket', (socket) => {
          socket.on('framereceived', ({ payload }) => { if (String(payload).startsWith('{"type":"frames"')) down += payload.length + 4; });
          socket.on('framesent', ({ payload }) => { if (String(payload).startsWith('{"type":"latency"')) up += payload.length + 8; });
        });
        await page.goto(`http://127.0.0.1:${port}/?transport=${way}`);
        await showing(page);
        await until('pictures to flow', () => page.evaluate(() => window.vitrine.framesPresented > 30), 60000);
        const begin = { at: performance.now(), cpu: cpu(), down, up, frames: await page.evaluate(() => window.vitrine.framesPresented) };
        await sleep(5000);
        const seconds = (performance.now() - begin.at) / 1000;
        cost[wanted ? 'with' : 'without'].push({
          cpu: (cpu() - begin.cpu) / seconds / 10, down: (down - begin.down) / seconds, up: (up - begin.up) / seconds,
          fps: ((await page.evaluate(() => window.vitrine.framesPresented)) - begin.frames) / seconds,
        });
        await one.close();
      }
    const median = (which, of) => quantile(cost[which].map((each) => each[of]), 0.5);
    result[way].cost = {
      bytesDown: median('with', 'down'), bytesUp: median('with', 'up'), fps: median('with', 'fps'), cpuWith: median('with', 'cpu'), cpuWithout: median('without', 'cpu'),
    };
  }
  await motion.end();
} finally {
  await stage.close();
}

if (process.argv.includes('--json')) {
  console.log(JSON.stringify(result));
} else {
  console.log(`${kWidth}×${kHeight}, x264, 60 Hz, Chromium headless, loopback; milliseconds`);
  const row = (what, p50, p95) => console.log(`${what.padEnd(60)} p50 ${p50.toFixed(1).padStart(7)}  p95 ${p95.toFixed(1).padStart(7)}`);
  const seenRow = (what, values) => row(what, quantile(values, 0.5), quantile(values, 0.95));
  const meterRow = (what, of) => row(what, quantile(of.map((q) => q.p50), 0.5), quantile(of.map((q) => q.p95), 0.5));
  const floor = quantile(result.echo.seen, 0.5);
  seenRow('echo: press to changed pixel, seen', result.echo.seen);
  for (const way of ['webrtc', 'websocket']) {
    const { seen, drawnToSeen, meter, stages, uncertainty, cost } = result[way];
    seenRow(`${way}: press to changed pixel, seen`, seen);
    meterRow(`${way}: input to photon, meter`, meter.input);
    console.log(`${''.padEnd(60)} difference of medians ${(quantile(seen, 0.5) - quantile(meter.input.map((q) => q.p50), 0.5)).toFixed(1)}`);
    seenRow(`${way}: drawn to changed pixel, seen`, drawnToSeen);
    meterRow(`${way}: capture to photon, meter`, meter.capture);
    console.log(`${''.padEnd(60)} difference of medians ${(quantile(drawnToSeen, 0.5) - quantile(meter.capture.map((q) => q.p50), 0.5)).toFixed(1)}`);
    if (result[way].photon) {
      const { photon, beside } = result[way];
      seenRow(`${way}: click to changed pixel of a visible browser's display`, photon);
      row(`${way}: input to photon, meter, in that browser`, beside.inputToPhoton.p50, beside.inputToPhoton.p95);
      console.log(`${''.padEnd(60)} difference of medians ${(quantile(photon, 0.5) - beside.inputToPhoton.p50).toFixed(1)}`);
    }
    console.log(`  stages: ${Object.entries(stages).map(([name, { p50 }]) => `${name} ${p50.toFixed(1)}`).join(', ')}; clocks within ${uncertainty.toFixed(2)}`);
    console.log(`  ${(quantile(seen, 0.5) / floor).toFixed(2)} times the echo`);
    console.log(`  cost at ${cost.fps.toFixed(0)} frames/s: ${cost.bytesDown.toFixed(0)} B/s down, ${cost.bytesUp.toFixed(0)} B/s up; `
      + `server CPU ${cost.cpuWith.toFixed(1)} % with, ${cost.cpuWithout.toFixed(1)} % without`);
  }
}
