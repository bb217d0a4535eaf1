// SPDX-License-Identifier: LGPL-2.1-or-later
// The picture by WebSocket through a thin link: the bitrate follows what acknowledgements tell, the queue stays small, and few pictures are left out.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Stage, freePort, healthy, need, password, showing, sleep, until } from './harness.mjs';
import { startTcpLink } from './tcp-link.mjs';

need('Xvfb', 'gst-launch-1.0');
const stage = new Stage();
after(() => stage.close());

const p95 = (values) => [...values].sort((a, b) => a - b)[Math.floor(0.95 * values.length)];

test('4 Mbit/s by WebSocket', async () => {
  const port = await freePort(), door = await freePort();
  const link = await startTcpLink(stage, door, port, { rate: 20e6 });
  const { display } = await stage.xserver('640x360', ['-shmem']);
  stage.x(display, 'gst-launch-1.0', ['-q', ...('videotestsrc is-live=true pattern=snow ! video/x-raw,width=640,height=360,framerate=30/1'
    + ' ! videoconvert ! ximagesink').split(' ')]);
  const server = stage.start(process.env.VITRINE, ['--display', display, '--port', String(port), '--listen', '127.0.0.1', '--no-audio', '--bitrate', '12000',
    '--transport', 'websocket', '--profile', 'software-h264'], { env: { VITRINE_PASSWORD: password } });
  await healthy(port, server);
  const page = await stage.page(await stage.chromium(), door);
  await showing(page, 10);
  assert.equal(await page.evaluate(() => window.vitrine.way), 'websocket');
  const headers = { Authorization: `Basic ${Buffer.from(`user:${password}`).toString('base64')}` };
  const figures = async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
    const value = (name) => Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1]);
    return {
      bps: value('vitrine_viewer_rate_bits'), frames: value('vitrine_viewer_frames_total'), dropped: value('vitrine_viewer_dropped_frames_total'),
      keyframes: value('vitrine_keyframe_requests_total'),
    };
  };
  await until('a rate above 5 Mbit/s while the link carries it', async () => (await figures()).bps > 5e6, 20000);

  link.setRate(4e6);
  await sleep(5000);
  const before = await figures(), queues = [], rates = [];
  for (let i = 0; i < 100; i++) {
    await sleep(80);
    queues.push(link.queueMs());
    if (i % 10 === 0) rates.push((await figures()).bps);
  }
  const now = await figures();
  const passed = now.frames - before.frames, dropped = now.dropped - before.dropped;
  console.log(`4 Mbit/s by WebSocket: queue p95 ${Math.round(p95(queues))} ms, most ${Math.round(Math.max(...queues))} ms; target ${(rates.sort((a, b) => a - b)[5] / 1e6).toFixed(1)}`
    + ` Mbit/s; ${passed} pictures went, ${dropped} were left out, ${now.keyframes - before.keyframes} keyframes`);
  assert.ok(p95(queues) < 100, `queue p95 ${p95(queues)} ms`);
  assert.ok(now.bps > 1e6 && now.bps < 4.6e6, `${now.bps} bit/s`);
  assert.ok(passed > 80, `${passed} pictures in 8 s`);
  assert.ok(dropped < 0.1 * passed, `${dropped} pictures left out beside ${passed}`);

  link.setRate(20e6);
  await until('the rate to grow again', async () => (await figures()).bps > 6e6, 20000);
});
