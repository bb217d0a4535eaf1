// SPDX-License-Identifier: LGPL-2.1-or-later
// The latency budget, as a ratio: input to photon of the stream against the floor of an echo by the same server in the same browser, pressed by turns
// and seen by the same eyes (press-probe, echo-page). A slow or busy machine slows both.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openEcho } from './echo-page.mjs';
import { Stage, freePort, need, password, showing, skip, sleep, until } from './harness.mjs';
import { flashWindow, press, pressProbe, quantile } from './press-probe.mjs';

/** docs/latency.md says how they were chosen. */
const kMost = { webrtc: 2.5, websocket: 3 };
const kPresses = 8, kRounds = 2, kRoundsMost = 6;

need('Xvfb', 'gst-launch-1.0');
const flash = flashWindow() ?? skip('flash-window is not built');
const stage = new Stage();
let browser, port;

before(async () => {
  const { display } = await stage.xserver('640x360', ['-shmem']);
  const window = stage.x(display, flash, ['640', '360']);
  await until('flash-window', () => /ready/.test(window.log));
  port = await freePort();
  await stage.gstLaunch(`ximagesrc-shm display-name=${display} show-pointer=false ! video/x-raw,format=I420,framerate=60/1
    ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=8000 key-int-max=6000 ! video/x-h264,profile=constrained-baseline
    ! webrtcsignallerbin name=w port=${port} password=${password} w.control_src ! x11inputsink display-name=${display}`, port);
  browser = await stage.chromium();
});
after(() => stage.close());

/** One page at a time, so that no other takes the processor. */
async function measure(what, explain) {
  const context = await browser.newContext({ httpCredentials: { username: 'user', password }, viewport: { width: 640, height: 360 } });
  let page;
  if (what === 'echo') {
    page = await openEcho(context, port);
  } else {
    await context.addInitScript(pressProbe);
    page = await context.newPage();
    await page.goto(`http://127.0.0.1:${port}/?transport=${what}`);
    await showing(page);
  }
  await press(page, 2);  // whatever the first ones wake
  const took = await press(page, kPresses);
  // The meter has a frame when the ping after it is back.
  if (explain && what !== 'echo') await sleep(2500);
  const stages = what === 'echo' ? {} : await page.evaluate(() => window.vitrine.latency().stages);
  await context.close();
  return { took, stages };
}

test('input to photon stays within its multiple of an echo', async () => {
  const took = { echo: [], webrtc: [], websocket: [] };
  const stages = {};
  let ratios = {};
  const within = () => Object.entries(kMost).every(([way, most]) => ratios[way] <= most);
  // More rounds only where a few were not enough to tell noise from delay.
  for (let round = 0; round < kRoundsMost && !(round >= kRounds && within()); round++) {
    for (const what of Object.keys(took)) {
      const measured = await measure(what, round >= kRounds);
      took[what].push(...measured.took);
      stages[what] = measured.stages;
    }
    const floor = quantile(took.echo, 0.5);
    ratios = Object.fromEntries(Object.keys(kMost).map((way) => [way, quantile(took[way], 0.5) / floor]));
    console.log(`round ${round + 1}: echo ${floor.toFixed(1)} ms; ${Object.entries(ratios).map(([way, ratio]) =>
      `${way} ${quantile(took[way], 0.5).toFixed(1)} ms, ratio ${ratio.toFixed(2)}`).join('; ')}`);
  }
  const medians = (of) => Object.entries(of).map(([stage, { p50 }]) => `${stage} ${p50.toFixed(1)}`).join(', ');
  for (const [way, most] of Object.entries(kMost))
    assert.ok(ratios[way] <= most, `${way}: ${ratios[way].toFixed(2)} times the echo, at most ${most}; the meter's stages, ms: ${medians(stages[way])}`);
});
