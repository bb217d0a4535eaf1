// SPDX-License-Identifier: LGPL-2.1-or-later
// One real session over the emulated link: launcher, encoder, headless Chromium, and a display on which scenes play. What comes out is a row of
// points over time, as the simulation's, and what the viewer saw.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Stage, freePort, healthy, password, showing, sleep, until } from '../e2e/harness.mjs';
import { keepConnections } from '../e2e/page-connections.mjs';

export const size = { width: 960, height: 540 };
const kBitrate = 25000, kSampleMs = 100;

/** Runs in the page: when pictures were presented, ms since it was called. */
const watchPictures = () => {
  const video = document.getElementById('screen');
  window.pictures = [];
  const begin = performance.now();
  const onPicture = (now) => {
    window.pictures.push(now - begin);
    video.requestVideoFrameCallback(onPicture);
  };
  video?.requestVideoFrameCallback?.(onPicture);
};

const readStatistics = async () => {
  const reports = await window.connections.at(-1)?.getStats();
  const video = [...(reports?.values() ?? [])].find((one) => one.type === 'inbound-rtp' && one.kind === 'video') ?? {};
  return { keyframes: video.keyFramesDecoded ?? 0 };
};

/** The forwarder with its settings; `samples` grow every 50 ms. */
function startLink(stage, listen, server) {
  const child = spawn(process.env.LINK_FORWARDER, [String(listen), String(server)], { stdio: ['pipe', 'pipe', 'inherit'] });
  stage.defer(() => child.stdin.end());
  const link = { samples: [], rate: 0 };
  createInterface(child.stdout).on('line', (line) => {
    const sample = Object.fromEntries(line.split(' ').map((word) => word.split('=')).map(([key, value]) => [key, Number(value)]));
    link.samples.push({ at: performance.now(), rate: link.rate, ...sample });
  });
  link.set = (settings) => {
    link.rate = Number(/rate=(\d+)/.exec(settings)?.[1] ?? link.rate);
    child.stdin.write(`${settings}\n`);
  };
  return link;
}

/** What /metrics tells that changes from moment to moment. */
async function readMetrics(port) {
  const headers = { Authorization: `Basic ${Buffer.from(`user:${password}`).toString('base64')}` };
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
  const sum = (name) => [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce((all, [, value]) => all + Number(value), 0);
  return { estimate: sum('vitrine_viewer_rate_bits'), photons: sum('vitrine_viewer_capture_to_photon_seconds_sum'), counted: sum('vitrine_viewer_capture_to_photon_seconds_count') };
}

/** `steps`: [second, what]: settings of the link as a text, or {scene} or {join: true}. Returns {points, pictures, keyframes}. */
export async function run({ steps, seconds, framerate = 60 }, control) {
  const stage = new Stage();
  try {
    const port = await freePort(), door = await freePort();
    const link = startLink(stage, door, port);
    const { display } = await stage.xserver(`${size.width}x${size.height}`, ['-shmem']);
    const scene = spawn(process.env.SCENE_WINDOW, [display], { stdio: ['pipe', 'inherit', 'inherit'] });
    stage.defer(() => scene.stdin.end());
    const browser = await stage.chromium();
    const open = async () => {
      const context = await browser.newContext({ httpCredentials: { username: 'user', password }, viewport: size });
      await keepConnections(context);
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${port}/?transport=webrtc`);
      return page;
    };
    const left = [...steps];
    const take = async (step) => {
      if (typeof step === 'string') link.set(step);
      else if (step.scene) scene.stdin.write(`${step.scene}\n`);
      else if (step.join) await open();
    };
    while (left.length && left[0][0] === 0) await take(left.shift()[1]);
    const server = stage.start(process.env.VITRINE, ['--display', display, '--port', String(port), '--public-address', `127.0.0.1:${door}`, '--no-audio',
      '--bitrate', String(kBitrate), '--framerate', String(framerate), '--congestion-control', control], { env: { VITRINE_PASSWORD: password } });
    await healthy(port, server);
    const page = await open();
    // Uncontrolled, a link may be so full from the beginning that nothing is ever seen: that is a result.
    await showing(page, 2).catch((error) => {
      if (control === 'desktop' || server.status !== undefined) throw error;
    });
    await page.evaluate(watchPictures);
    const first = await page.evaluate(readStatistics);
    const begin = performance.now(), points = [];
    let before = await readMetrics(port), latency = 0, used = link.samples.length;
    while (performance.now() - begin < seconds * 1000) {
      await sleep(kSampleMs);
      const now = (performance.now() - begin) / 1000;
      while (left.length && now >= left[0][0]) await take(left.shift()[1]);
      const metrics = await readMetrics(port);
      if (metrics.counted > before.counted) latency = (1000 * (metrics.photons - before.photons)) / (metrics.counted - before.counted);
      before = metrics;
      for (; used < link.samples.length; used++) {
        const sample = link.samples[used], last = link.samples[used - 1] ?? sample;
        const perSecond = (name) => (sample.t > last.t ? (8 * (sample[name] - last[name])) / (sample.t - last.t) : 0);
        points.push({ seconds: (sample.at - begin) / 1000, link: sample.rate, target: metrics.estimate, received: perSecond('sent'), tcp: perSecond('tcp'), queue: sample.queue, late: sample.late, latency });
      }
    }
    const last = await page.evaluate(readStatistics);
    const pictures = await until('what was shown', () => page.evaluate(() => window.pictures));
    return { points, pictures, keyframes: last.keyframes - first.keyframes };
  } finally {
    await stage.close();
  }
}
