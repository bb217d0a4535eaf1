#!/usr/bin/env node
// SPDX-License-Identifier: LGPL-2.1-or-later
// Congestion control in a real session: the launcher, x264 and headless Chromium, with the emulated link between server and browser.
// usage: rate-session.mjs [--json FILE] [CASE…]; needs VITRINE and LINK_FORWARDER (scripts/bench sets them). Figures are of this machine at this
// moment; what the control itself does is better seen in bench-rate, which simulates time.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { Stage, freePort, healthy, need, password, showing, skip, sleep } from '../e2e/harness.mjs';

need('Xvfb', 'gst-launch-1.0');
const { VITRINE: vitrine, LINK_FORWARDER: forwarder } = process.env;
if (!vitrine || !forwarder) skip('VITRINE and LINK_FORWARDER are not set');

const link = (mbit, queueMs = 300, more = '') => `rate=${mbit * 1e6} delay=10 queue=${Math.round((mbit * 1e6 / 8) * (queueMs / 1000))} ${more}`;
// steps: second → what the link becomes; the figures are of the time from `from` on.
const cases = {
  video: { from: 4, seconds: 12, steps: [[0, link(8)]] },
  loss: { title: '5 % loss, RTT 40 ms', from: 4, seconds: 12, steps: [[0, link(10, 300, 'delay=20 loss=0.05')]] },
  fall: { title: '10 → 2 Mbit/s', from: 9, seconds: 16, steps: [[0, link(10)], [8, 'rate=2000000']] },
  rise: { title: '2 → 10 Mbit/s', from: 11, seconds: 16, steps: [[0, link(2)], [8, link(10)]] },
  tcp: { title: 'TCP (simulated) beside us', from: 12, seconds: 20, steps: [[0, link(8, 200)], [8, 'tcp=1']] },
  bufferbloat: { title: 'bufferbloat, 1 s', from: 4, seconds: 12, steps: [[0, link(3, 1000)]] },
};
const at = process.argv.indexOf('--json');
const jsonFile = at < 0 ? undefined : process.argv.splice(at, 2)[1];
const wanted = process.argv.slice(2);
for (const name of wanted)
  if (!cases[name]) {
    console.error(`rate-session.mjs: there is no case '${name}'; there are ${Object.keys(cases).join(', ')}`);
    process.exit(2);
  }

const quantile = (values, q) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] : NaN;
};

/** Runs in the page: the times between presented pictures. */
const watchGaps = () => {
  const video = document.getElementById('screen');
  window.gaps = [];
  let last;
  const onFrame = (now) => {
    if (last !== undefined) window.gaps.push(now - last);
    last = now;
    video.requestVideoFrameCallback(onFrame);
  };
  video.requestVideoFrameCallback(onFrame);
};

async function run(name) {
  const { title = name, from, seconds, steps } = cases[name];
  const stage = new Stage();
  try {
    const port = await freePort(), door = await freePort();
    const relay = spawn(forwarder, [String(door), String(port)], { stdio: ['pipe', 'pipe', 'inherit'] });
    stage.defer(() => relay.stdin.end());
    const samples = [];
    relay.stdout.on('data', (text) => {
      for (const line of String(text).split('\n'))
        if (line.startsWith('t=')) samples.push({ at: performance.now(), ...Object.fromEntries(line.split(' ').map((w) => w.split('=')).map(([k, v]) => [k, Number(v)])) });
    });
    relay.stdin.write(`${steps[0][1]}\n`);
    const { display } = await stage.xserver('1280x720', ['-shmem']);
    stage.x(display, 'gst-launch-1.0', ['-q', ...('videotestsrc is-live=true pattern=smpte horizontal-speed=7 ! video/x-raw,width=1280,height=720,framerate=30/1'
      + ' ! videoconvert ! ximagesink').split(' ')]);
    const server = stage.start(vitrine, ['--display', display, '--port', String(port), '--public-address', `127.0.0.1:${door}`, '--no-audio',
      '--bitrate', '12000'], { env: { VITRINE_PASSWORD: password } });
    await healthy(port, server);
    const page = await stage.page(await stage.chromium(), port);
    await showing(page, 2);
    const begin = performance.now();
    const headers = { Authorization: `Basic ${Buffer.from(`user:${password}`).toString('base64')}` };
    const metric = async (metricName) => {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
      return Number(new RegExp(`^${metricName}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1]);
    };
    let keyframes = 0, watching = false;
    const estimates = [], left = steps.slice(1);
    while (performance.now() - begin < seconds * 1000) {
      await sleep(100);
      const now = (performance.now() - begin) / 1000;
      if (left.length && now >= left[0][0]) relay.stdin.write(`${left.shift()[1]}\n`);
      if (now >= from) {
        estimates.push(await metric('vitrine_viewer_rate_bits'));
        if (!watching) {
          watching = true;
          keyframes = await metric('vitrine_keyframe_requests_total');
          await page.evaluate(watchGaps);
        }
      }
    }
    const kept = samples.filter((sample) => sample.at - begin >= from * 1000);
    const span = (kept.at(-1).at - kept[0].at) / 1000;
    const gaps = await page.evaluate(() => window.gaps);
    return {
      case: title, simulated: false, estimate_mbit: quantile(estimates, 0.5) / 1e6, received_mbit: ((kept.at(-1).sent - kept[0].sent) * 8) / 1e6 / span,
      tcp_mbit: ((kept.at(-1).tcp - kept[0].tcp) * 8) / 1e6 / span, queue_p95_ms: quantile(kept.map((s) => s.queue), 0.95),
      queue_peak_ms: Math.max(...samples.filter((s) => s.at - begin > 3000).map((s) => s.queue)), longest_gap_ms: Math.max(...gaps),
      keyframes: (await metric('vitrine_keyframe_requests_total')) - keyframes,
    };
  } finally {
    await stage.close();
  }
}

const results = [];
const columns = ['estimate_mbit', 'received_mbit', 'tcp_mbit', 'queue_p95_ms', 'queue_peak_ms', 'longest_gap_ms', 'keyframes'];
console.log(['case'.padEnd(28), ...columns.map((column) => column.padStart(15))].join(''));
for (const name of wanted.length ? wanted : Object.keys(cases)) {
  const result = await run(name);
  results.push(result);
  console.log([result.case.padEnd(28), ...columns.map((column) => result[column].toFixed(column.endsWith('mbit') ? 2 : 0).padStart(15))].join(''));
}
if (jsonFile) writeFileSync(jsonFile, `${JSON.stringify(results, null, 1)}\n`);
