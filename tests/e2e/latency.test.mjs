// SPDX-License-Identifier: LGPL-2.1-or-later
// The latency meter in a real browser, on both transports: it agrees with what is seen, is silent when nothing happens, believes nobody.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Stage, need, password, showing, skip, sleep, until } from './harness.mjs';
import { RawSocket } from './media-socket.mjs';
import { flashWindow, press, pressProbe, quantile, streamFlashes } from './press-probe.mjs';

need('Xvfb', 'gst-launch-1.0');
const flash = flashWindow() ?? skip('flash-window is not built');
const stage = new Stage();
let browser, port;
const authorization = { Authorization: `Basic ${Buffer.from(`user:${password}`).toString('base64')}` };

before(async () => {
  port = await streamFlashes(stage, flash);
  browser = await stage.chromium();
});
after(() => stage.close());

const get = (path, headers = authorization) => fetch(`http://127.0.0.1:${port}${path}`, { headers });
const latency = (page) => page.evaluate(() => window.vitrine.latency());

/** A page that sees the stream; `heard` and `said` count its messages about frames. */
async function open(way, script = () => {}) {
  const context = await browser.newContext({ httpCredentials: { username: 'user', password }, viewport: { width: 640, height: 360 } });
  await context.addInitScript(pressProbe);
  await context.addInitScript(script);
  const page = await context.newPage();
  const count = { heard: 0, said: 0, bytes: 0 };
  page.on('websocket', (socket) => {
    const counter = (name, type) => ({ payload }) => {
      if (typeof payload !== 'string' || !payload.startsWith(`{"type":"${type}"`)) return;
      count[name]++;
      count.bytes += payload.length;
    };
    socket.on('framereceived', counter('heard', 'frames'));
    socket.on('framesent', counter('said', 'latency'));
  });
  await page.goto(`http://127.0.0.1:${port}/?transport=${way}`);
  await showing(page);
  return { context, page, count };
}

for (const way of ['webrtc', 'websocket'])
  test(`by ${way}: agrees with the pixel that is seen, tells stages, metrics and scripts, and is silent when nothing happens`, async () => {
    const { context, page, count } = await open(way);
    const seen = [];
    let summary;
    for (let round = 0; round < 6 && !(summary?.inputToPhoton?.count >= 8); round++) {
      seen.push(...await press(page, 10));
      // A frame is measured once a ping after it has come back.
      summary = await until('presses to be measured', async () => {
        const now = await latency(page);
        return now.inputToPhoton?.count > (summary?.inputToPhoton?.count ?? 0) && now;
      });
      await sleep(1500);
      summary = await latency(page);
    }
    const { inputToPhoton, captureToPhoton, stages, sure, uncertainty } = summary;
    assert.ok(inputToPhoton.count >= 8, `${inputToPhoton.count} of ${seen.length} presses were measured`);
    assert.ok(sure && uncertainty >= 0 && uncertainty <= 25, `the clocks of one machine agree: ${uncertainty}`);
    const truth = quantile(seen, 0.5);
    console.log(`${way}: input to photon ${inputToPhoton.p50.toFixed(1)} ms by the meter, ${truth.toFixed(1)} ms seen; capture to photon ${captureToPhoton.p50.toFixed(1)} ms`);
    // The page looks once per refresh, and its looking takes time.
    assert.ok(inputToPhoton.p50 <= truth * 1.5 + 10, `the meter says ${inputToPhoton.p50} ms, ${truth} ms were seen`);
    assert.ok(inputToPhoton.p50 >= truth * 0.4 - 5, `the meter says ${inputToPhoton.p50} ms, ${truth} ms were seen`);
    assert.ok(captureToPhoton.p50 < inputToPhoton.p50);
    for (const stage of ['input', 'program', 'capture', 'encode', 'send', 'network', 'decode', 'present'])
      assert.ok(stages[stage]?.count > 0 && stages[stage].p50 >= 0, `stage ${stage}`);

    const transport = way === 'webrtc' ? 'udp' : 'websocket';
    const peer = await page.evaluate(() => window.vitrine.peer);
    const metrics = await (await get('/metrics')).text();
    for (const name of ['vitrine_viewer_capture_to_photon_seconds', 'vitrine_viewer_input_to_photon_seconds']) {
      const value = (suffix, more = '') => Number(new RegExp(`^${name}_${suffix}\\{viewer="${peer}",transport="${transport}"${more}\\} (\\S+)$`, 'm').exec(metrics)?.[1]);
      assert.ok(value('count') >= 8, name);
      assert.equal(value('bucket', ',le="\\+Inf"'), value('count'), name);
      assert.ok(value('sum') > 0 && value('sum') / value('count') < 5, name);
    }
    assert.match(metrics, new RegExp(`^vitrine_viewer_latency_stage_seconds_count\\{viewer="${peer}",transport="${transport}",stage="network"\\} [1-9]`, 'm'));
    const statistics = await (await get('/stats.json')).json();
    const ours = statistics.viewers.find((viewer) => viewer.peer === peer);
    assert.ok(ours.latency.transports[transport].input_to_photon.count >= 8);
    assert.equal(ours.latency.refused, 0, 'an honest viewer is believed');
    assert.equal((await get('/stats.json', {})).status, 401);

    await page.click('#panel-toggle');
    await until('the panel to tell', async () => /Input to photon[\s\S]*Network[\s\S]*Clocks agree within/.test(await page.locator('#latency').innerText()));
    await page.click('#panel-toggle');
    // Nothing happens on the desktop: nothing more is told, nothing more is said.
    await sleep(2500);
    const still = { ...count };
    await sleep(2000);
    assert.deepEqual(count, still, 'silent while idle');
    await context.close();
  });

test('a clock that jumps makes the meter unsure, and nothing else; then it is sure again', async () => {
  const { context, page } = await open('webrtc', () => {
    const now = performance.now.bind(performance);
    window.jump = 0;
    performance.now = () => now() + window.jump;
  });
  await until('the clocks to agree', async () => (await latency(page)).sure);
  // Back: forth would be a machine that slept, for which the session connects anew.
  await page.evaluate(() => (window.jump = -3000));
  await until('the meter to be unsure', async () => !(await latency(page)).sure);
  assert.equal((await press(page, 2)).length, 2, 'control goes on');
  await until('the clocks to agree again', async () => (await latency(page)).sure);
  await context.close();
});

test('what a viewer makes up is refused and counted, and its session goes on', async () => {
  const socket = await RawSocket.open(port, '/ws', 'vitrine.1');
  const say = (message) => socket.say(message);
  const heard = (type) => until(type, () => socket.texts(type).at(-1));
  say({ type: 'hello', version: 1, codecs: [], decodes: ['H264'], transports: ['websocket'], frames: true });
  const { peer } = await heard('welcome');
  const rows = [[0, 1, 2, 3], [1, 0, 0, 5000], [7, -5, -5, -5, -5], [4294967295, 1, 1, 1], [99999999999, 1, 1, Number.MAX_SAFE_INTEGER]];
  for (let i = 0; i < 30; i++) say({ type: 'latency', sure: true, uncertainty: 1e300, frames: rows });
  const refused = await until('the refusals to be counted', async () => {
    const { viewers } = await (await get('/stats.json')).json();
    const { latency: counted } = viewers.find((viewer) => viewer.peer === peer);
    assert.deepEqual(counted.transports, {}, 'nothing of it was believed');
    return counted.refused >= 20 * rows.length && counted.refused;
  });
  assert.ok(refused >= 20 * rows.length);
  say({ type: 'ping', t: 5 });
  await heard('pong');
  say({ type: 'latency', sure: true, uncertainty: 0, frames: [['x', 0, 0, 0]] });
  assert.equal((await heard('error')).code, 'protocol', 'what is malformed ends the session, as in every message');
  socket.destroy();
});
