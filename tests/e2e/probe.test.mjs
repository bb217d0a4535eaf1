// SPDX-License-Identifier: LGPL-2.1-or-later
// Who starts vitrine for the first time knows nothing of the probe: it runs beside the session, and the session goes over to what it found
// while somebody watches. Also where nothing can be written, as in many containers.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { Stage, freePort, healthy, need, password, showing, sleep, until } from './harness.mjs';

need('Xvfb', 'xterm');
const { VITRINE: vitrine, VITRINE_PROFILE_DIR: shipped } = process.env;
assert.ok(vitrine && shipped, 'run by `meson test`, which sets VITRINE and VITRINE_PROFILE_DIR');

const stage = new Stage();
after(() => stage.close());

/** Shows the log of a session whose test fails. */
async function logged({ session }, run) {
  try {
    await run();
  } catch (error) {
    console.log(session.log.split('\n').slice(-40).join('\n'));
    throw error;
  }
}

/** Two encoders, the slow one first, so that only a measurement finds the other. */
function profiles() {
  const folder = stage.folder();
  const text = readFileSync(path.join(shipped, 'software-h264.profile'), 'utf8');
  writeFileSync(path.join(folder, 'software-h264.profile'), text.replace(/^encoder=.*$/m, 'encoder=slow;x264enc;openh264enc') +
    '\n[encoder slow]\n@element=x264enc\nspeed-preset=slow\ntune=zerolatency\nbitrate={bitrate}\nkey-int-max=2147483647\nthreads=1\n' +
    '@caps=video/x-h264,profile=main,stream-format=byte-stream,alignment=au\n@bitrate=bitrate*1\n');
  return folder;
}

async function start(folder, cache, env = {}) {
  const port = await freePort();
  const began = performance.now();
  const session = stage.start(vitrine, ['--virtual=640x480', '--size=640x480', '--resize=off', '--no-audio', '--transport=webrtc', `--port=${port}`, '--framerate=30', '--',
    'xterm', '-e', 'sh', '-c', 'while :; do date +%N; sleep 0.05; done'], {
    env: {
      DISPLAY: '', XAUTHORITY: '', VITRINE_PASSWORD: password, VITRINE_PROBE: 'now', VITRINE_PROFILE_DIR: folder, XDG_CACHE_HOME: cache,
      XDG_CONFIG_HOME: folder, GST_DEBUG: 'vitrine:4', GST_DEBUG_NO_COLOR: '1', ...env,
    },
  });
  await healthy(port, session);
  return { port, session, took: performance.now() - began };
}

async function watch({ port, session }) {
  const page = await stage.page(await stage.chromium(), port);
  await showing(page, 5);
  const peer = await page.evaluate(() => window.vitrine.peer);
  await page.evaluate(() => {
    window.frameTimes = [];
    window.states = [];
    const screen = document.getElementById('screen');
    const onFrame = (now) => {
      window.frameTimes.push(now);
      screen.requestVideoFrameCallback(onFrame);
    };
    screen.requestVideoFrameCallback(onFrame);
    new MutationObserver(() => window.states.push(document.documentElement.dataset.state)).observe(document.documentElement, { attributeFilter: ['data-state'] });
  });
  await until('the probe', () => /best on this machine: software-h264 \((x264enc|openh264enc)\)/.test(session.log) || session.status !== undefined, 90000);
  assert.equal(session.status, undefined, session.log);
  await until('the better encoder', () => /video_0: (x264enc|openh264enc) takes over/.test(session.log));
  const seen = await page.evaluate(() => performance.now());
  await until('pictures', () => page.evaluate((t) => window.frameTimes.filter((time) => time > t).length >= 10, seen));
  const { gaps, states, now } = await page.evaluate(() => ({
    gaps: window.frameTimes.slice(1).map((time, i) => time - window.frameTimes[i]).sort((a, b) => b - a), states: window.states, now: window.vitrine.peer,
  }));
  console.log(`# longest times without a picture: ${gaps.slice(0, 5).map(Math.round).join(', ')} ms`);
  assert.deepEqual(states, []);
  assert.equal(now, peer);
  assert.deepEqual(page.problems, []);
  // A few tens of ms for the change; what is as long as a restart would be none.
  assert.ok(gaps[0] < Math.max(1000, 3 * gaps[5]), `${gaps[0]} ms without a picture`);
}

test('the first session goes over to the better encoder, and the next starts with it', { timeout: 240000 }, async () => {
  const folder = profiles(), cache = stage.folder();
  const first = await start(folder, cache);
  await logged(first, () => watch(first));
  await first.session.end();
  const next = await start(folder, cache);
  await until('where to look', () => next.session.log.includes('http://'));
  // Nothing is left to find out.
  await sleep(4000);
  assert.doesNotMatch(next.session.log, /best on this machine/);
  assert.equal(JSON.parse(readFileSync(path.join(cache, 'vitrine/probe.json'), 'utf8')).version, 1);
  await next.session.end();
});

test('where nothing can be kept the session knows it all the same', { timeout: 240000 }, async () => {
  const only = await start(profiles(), '/proc/nowhere');
  await logged(only, () => watch(only));
  await only.session.end();
});
