// SPDX-License-Identifier: LGPL-2.1-or-later
// What gets lost on the way: what retransmission repairs costs no keyframe; where it does not, the browser asks for one and the picture goes on.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Stage, freePort, need, password, sleep, until } from './harness.mjs';
import { keepConnections } from './page-connections.mjs';

need('Xvfb', 'gst-launch-1.0');
const { LINK_FORWARDER: forwarder } = process.env;
assert.ok(forwarder, 'run by `meson test`, which sets LINK_FORWARDER');

const stage = new Stage();
let browser, link, page, port;

const presented = () => page.evaluate(() => window.vitrine.framesPresented);
const received = () => page.evaluate(async () => {
  const reports = await window.connections.at(-1).getStats();
  const { keyFramesDecoded, pliCount, nackCount } = [...reports.values()].find((one) => one.type === 'inbound-rtp' && one.kind === 'video');
  return { keyframes: keyFramesDecoded, plis: pliCount, nacks: nackCount };
});
async function asked() {
  const headers = { Authorization: `Basic ${Buffer.from(`user:${password}`).toString('base64')}` };
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
  return Number(/^vitrine_keyframe_requests_total(?:\{[^}]*\})? (\d+)$/m.exec(text)[1]);
}

/** Of the link's trace: video packets that were lost, and retransmissions. */
function readTrace(file) {
  const rtp = readFileSync(file, 'utf8').split('\n').map((line) => line.split(' ')).filter((words) => words[3] === 'r');
  const counts = new Map();
  for (const words of rtp) counts.set(words[4], (counts.get(words[4]) ?? 0) + 1);
  const [video] = [...counts].sort((a, b) => b[1] - a[1])[0];
  return { lost: rtp.filter((words) => words[4] === video && words[9] === '0').length, repeats: rtp.filter((words) => words[4] !== video).length };
}

before(async () => {
  port = await freePort();
  const door = await freePort();
  link = spawn(forwarder, [String(door), String(port)], { stdio: ['pipe', 'ignore', 'inherit'] });
  stage.defer(() => link.stdin.end());
  link.stdin.write('rate=20000000 delay=20 queue=500000 loss=0\n');
  await stage.gstLaunch(`videotestsrc is-live=true pattern=snow ! video/x-raw,width=640,height=360,framerate=25/1 ! videoconvert
    ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=3000 key-int-max=6000 ! video/x-h264,profile=constrained-baseline
    ! webrtcsignallerbin name=w port=${port} user=user password=${password} public-address=127.0.0.1:${door}`, port);
  browser = await stage.chromium();
  const context = await browser.newContext({ httpCredentials: { username: 'user', password } });
  await keepConnections(context);
  page = await context.newPage();
  await page.goto(`http://127.0.0.1:${port}/?transport=webrtc`);
  await until('the stream', () => page.evaluate(() => window.vitrine?.framesPresented >= 50), 30000);
});
after(() => stage.close());

test('what is repaired costs no keyframe', async () => {
  const [requests, from, shown] = [await asked(), await received(), await presented()];
  const folder = mkdtempSync(path.join(tmpdir(), 'vitrine-loss-')), trace = path.join(folder, 'link.trace');
  stage.defer(() => rmSync(folder, { recursive: true }));
  link.stdin.write(`loss=0.05 trace=${trace}\n`);
  await sleep(8000);
  link.stdin.write('loss=0\n');
  await sleep(1000);
  const to = await received();
  console.log(`# ${(await asked()) - requests} requests, ${to.nacks - from.nacks} NACKs, ${to.plis - from.plis} PLIs, ${(await presented()) - shown} pictures`);
  assert.ok(to.nacks > from.nacks, 'packets were lost');
  assert.equal(await asked(), requests);
  // One that got lost itself would be asked for again only after 100 ms.
  link.stdin.write('trace=/dev/null\n');
  await sleep(100);
  const { lost, repeats } = readTrace(trace), each = repeats / lost;
  assert.ok(each > 1.4, `what was lost was sent again ${each.toFixed(2)} times`);
});

for (const [title, seconds] of [['a second', 1], ['five seconds', 5]])
  test(`nothing comes for ${title}: then the picture goes on`, async () => {
    const [requests, from] = [await asked(), await received()];
    link.stdin.write('loss=1\n');
    await sleep(seconds * 1000);
    const stood = await presented(), since = performance.now();
    link.stdin.write('loss=0\n');
    await until('the picture', async () => (await presented()) > stood + 10, 15000);
    const after = (performance.now() - since) / 1000, to = await received();
    console.log(`# ${after.toFixed(1)} s; ${(await asked()) - requests} requests, ${to.plis - from.plis} PLIs, ${to.keyframes - from.keyframes} keyframes`);
    assert.ok(after < 3, `the picture stood for ${after.toFixed(1)} s more`);
    await sleep(2000);
    assert.ok((await asked()) - requests <= 3, 'each loss is answered, not each request');
  });

test('a still desktop costs no keyframes', async () => {
  await page.context().close();
  const { display } = await stage.xserver('640x480');
  const other = await freePort();
  await stage.gstLaunch(`ximagesrc-shm display-name=${display} ! video/x-raw,framerate=30/1 ! videoconvert
    ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=3000 key-int-max=6000 ! video/x-h264,profile=constrained-baseline
    ! webrtcsignallerbin name=w port=${other} user=user password=${password}`, other);
  port = other;
  page = await (await browser.newContext({ httpCredentials: { username: 'user', password } })).newPage();
  await page.goto(`http://127.0.0.1:${port}/?transport=webrtc`);
  await until('the picture', () => page.evaluate(() => window.vitrine?.framesPresented >= 1), 20000);
  await sleep(2000);
  const requests = await asked();
  await sleep(12000);
  console.log(`# ${(await asked()) - requests} requests in 12 s of stillness`);
  assert.equal(await asked(), requests);
});
