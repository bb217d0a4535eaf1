// SPDX-License-Identifier: LGPL-2.1-or-later
// The latency budget, as a ratio: input to photon of the stream against the floor of an echo by the same server in the same browser, pressed by turns
// and seen by the same eyes (press-probe, echo-page). A slow or busy machine slows both.
import assert from 'node:assert/strict';
import { availableParallelism, loadavg } from 'node:os';
import { after, before, test } from 'node:test';
import { openEcho } from './echo-page.mjs';
import { Stage, need, password, showing, skip, sleep } from './harness.mjs';
import { flashWindow, press, pressProbe, quantile, streamFlashes } from './press-probe.mjs';

/** docs/latency.md says how they were chosen. */
const kMost = { webrtc: 2.5, websocket: 3 };
const kPresses = 8, kRounds = 2, kRoundsMost = 6, kPatienceMs = 120000;
/** With so many programs waiting for each processor, what fails says nothing of us: our own are less than half of that. */
const kLoadMost = 4;

need('Xvfb', 'gst-launch-1.0');
const flash = flashWindow() ?? skip('flash-window is not built');
const stage = new Stage();
let browser, port;

before(async () => {
  port = await streamFlashes(stage, flash);
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
  const medians = { echo: [], webrtc: [], websocket: [] };
  const stages = {};
  let ratios = {};
  const within = () => Object.entries(kMost).every(([way, most]) => ratios[way] <= most);
  // More rounds only where a few were not enough to tell noise from delay.
  const begin = performance.now();
  for (let round = 0; round < kRoundsMost && !(round >= kRounds && (within() || performance.now() - begin > kPatienceMs)); round++) {
    for (const what of Object.keys(medians)) {
      const measured = await measure(what, round >= kRounds);
      medians[what].push(quantile(measured.took, 0.5));
      stages[what] = measured.stages;
    }
    // The best round of each: what else the machine does comes and goes, a delay of ours is in all of them.
    const best = (what) => Math.min(...medians[what]);
    ratios = Object.fromEntries(Object.keys(kMost).map((way) => [way, best(way) / best('echo')]));
    console.log(`round ${round + 1}: ${Object.entries(medians).map(([what, all]) => `${what} ${all.at(-1).toFixed(1)} ms`).join(', ')}; ${
      Object.entries(ratios).map(([way, ratio]) => `${way} ${ratio.toFixed(2)} times the echo`).join(', ')}`);
  }
  const load = loadavg()[0] / availableParallelism();
  if (!within() && load > kLoadMost) {
    await stage.close();
    skip(`the machine is too busy to measure delays: ${load.toFixed(1)} programs for each processor`);
  }
  const told = (of) => Object.entries(of).map(([stage, { p50 }]) => `${stage} ${p50.toFixed(1)}`).join(', ');
  for (const [way, most] of Object.entries(kMost))
    assert.ok(ratios[way] <= most, `${way}: ${ratios[way].toFixed(2)} times the echo, at most ${most}; the meter's stages, ms: ${told(stages[way])}`);
});
