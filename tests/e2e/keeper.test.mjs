// SPDX-License-Identifier: LGPL-2.1-or-later
// What dies is rebuilt while the viewer stays: encoders that fail on demand, the X server, the program, the sound server. Prints how long each took to
// come back, as the viewer saw it. `scripts/bench keeper` is the long run, of 100 rounds; some do in every run. KEEPER_KINDS=hangs,killed chooses among them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Stage, freePort, healthy, need, password, showing, skip, sleep, until } from './harness.mjs';
import { keepConnections } from './page-connections.mjs';

need('Xvfb', 'xterm', 'pgrep', 'pulseaudio', 'pactl');
const { VITRINE: vitrine, VITRINE_TEST_PLUGINS: plugins } = process.env;
assert.ok(vitrine && plugins, 'run by `meson test`, which sets VITRINE and VITRINE_TEST_PLUGINS');
if (spawnSync('gst-inspect-1.0', ['--exists', 'pulsesrc']).status !== 0) skip('there is no pulsesrc');

const rounds = Number(process.env.KEEPER_ROUNDS ?? 3);
/** In ms. What is measured holds the time of a frame, too. */
const limits = { encoder: 1000, display: 3000, program: 1000, sound: 1000 };
/** How long an encoder is waited for that has been quick so far, in ms, with the time between two looks. */
const usualPatience = 600;
/** The longest time between two of 30 pictures per second, where nothing disturbs them: one may be a frame late. */
const quietGap = 67;

/** Of the browser's pages. */
const windowSize = [1280, 720];

const stage = new Stage();
let page, session, folder, orders, sound, peer;

/** A sound server, with something to hear: silence is not sent. */
function startSound({ silent = false } = {}) {
  sound = stage.start('pulseaudio', ['-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no', '-L', `module-native-protocol-unix socket=${folder}/native auth-anonymous=1`,
    '-L', 'module-null-sink norewinds=1', ...silent ? [] : ['-L', 'module-sine frequency=440']], { env: { PULSE_RUNTIME_PATH: folder, HOME: folder }, signal: 'SIGKILL' });
}

before(async () => {
  folder = stage.folder();
  orders = path.join(folder, 'orders');
  const profile = path.join(folder, 'keeper.profile');
  const text = readFileSync(new URL('keeper.profile', import.meta.url), 'utf8');
  writeFileSync(profile, text.replaceAll('@ORDERS@', orders));
  startSound();
  const port = await freePort();
  session = stage.start(vitrine, ['--virtual=640x480', `--port=${port}`, `--profile=${profile}`, '--framerate=30', '--',
    'xterm', '-e', 'sh', '-c', 'while :; do date +%N; sleep 0.03; done'], {
    env: {
      DISPLAY: '', XAUTHORITY: '', VITRINE_PASSWORD: password, XDG_RUNTIME_DIR: folder, PULSE_RUNTIME_PATH: folder, GST_DEBUG: process.env.KEEPER_DEBUG ?? 'vitrine:3', GST_DEBUG_NO_COLOR: '1',
      GST_PLUGIN_PATH: `${process.env.GST_PLUGIN_PATH}:${plugins}`, GST_REGISTRY: path.join(folder, 'registry.bin'),
      // No other profiles, so that nothing but what can be made to fail takes over.
      VITRINE_PROFILE_DIR: folder,
    },
  });
  await healthy(port, session);
  const browser = await stage.chromium(['--autoplay-policy=no-user-gesture-required']);
  const context = await browser.newContext({ httpCredentials: { username: 'user', password } });
  await keepConnections(context);
  await context.addInitScript(() => {
    window.soundPackets = async () => {
      let packets = 0;
      for (const report of (await window.connections.at(-1).getStats()).values())
        if (report.type === 'inbound-rtp' && report.kind === 'audio') packets = report.packetsReceived;
      return packets;
    };
    // Times at which pictures were shown, and every change of the session's state.
    window.frameTimes = [];
    window.states = [];
    addEventListener('DOMContentLoaded', () => {
      const screen = document.getElementById('screen');
      const onFrame = (now) => {
        window.frameTimes.push(now);
        screen.requestVideoFrameCallback(onFrame);
      };
      screen.requestVideoFrameCallback(onFrame);
      new MutationObserver(() => window.states.push(document.documentElement.dataset.state))
        .observe(document.documentElement, { attributeFilter: ['data-state'] });
      new MutationObserver((changes) => {
        for (const change of changes) for (const node of change.addedNodes) window.states.push(`notice: ${node.textContent}`);
      }).observe(document.getElementById('notices'), { childList: true });
    });
  });
  page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  await page.goto(`http://127.0.0.1:${port}/`);
  await showing(page, 5);
  peer = await page.evaluate(() => window.vitrine.peer);
  await until('the desktop to have the size of the window', async () => String(await size()) === String(windowSize));
  await until('sound', async () => await page.evaluate(() => window.soundPackets()) > 10);
});
after(async () => {
  if (process.env.KEEPER_DEBUG) console.log(session.log);
  await stage.close();
});

const servers = () => spawnSync('pgrep', ['-P', String(session.child.pid), '-x', 'Xvfb'], { encoding: 'utf8' }).stdout.trim().split('\n').filter(Boolean);

/** Whether there was one. */
function killServers() {
  let killed = false;
  for (const pid of servers()) {
    try {
      killed = process.kill(Number(pid), 'SIGKILL') || killed;
    } catch (error) {
      // It ended between the two.
      if (error.code !== 'ESRCH') throw error;
    }
  }
  return killed;
}

const times = (what) => session.log.split(what).length - 1;

/** The session's process as the system sees it. */
function resources() {
  const { pid } = session.child;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    fds: readdirSync(`/proc/${pid}/fd`).length,
    threads: readdirSync(`/proc/${pid}/task`).length,
    rssMb: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024),
  };
}

/** Waits for pictures after an event, and returns the longest time without one, in ms. */
async function longestGap(done) {
  const from = await page.evaluate(() => {
    window.frameTimes.splice(0, window.frameTimes.length - 1);
    return performance.now();
  });
  await done();
  const seen = await page.evaluate(() => performance.now());
  await until('pictures', () => page.evaluate((t) => window.frameTimes.filter((time) => time > t).length >= 3, seen), 15000);
  const shown = await page.evaluate(() => window.frameTimes);
  let longest = 0;
  for (let i = 1; i < shown.length; ++i) if (shown[i] > from) longest = Math.max(longest, shown[i] - shown[i - 1]);
  return longest;
}

/** How many times as long as on a machine with nothing else to do pictures take: 1, or more where other tests run beside us. */
async function slowness() {
  const gaps = [];
  for (let i = 0; i < 5; ++i) gaps.push(await longestGap(() => sleep(300)));
  return Math.max(1, gaps.sort((a, b) => a - b)[2] / quietGap);
}

async function stillTheSameSession() {
  assert.equal(session.status, undefined, session.log);
  assert.equal(await page.evaluate(() => window.vitrine.peer), peer, 'the session has lasted');
  assert.deepEqual(await page.evaluate(() => window.states.filter((state) => /^(lost|refused|connecting)$/.test(state))), []);
  assert.equal(await page.evaluate(() => window.connections.length), 1, 'the media connection has lasted');
  assert.deepEqual(page.problems, []);
}

/** Of the pictures. */
const size = () => page.evaluate(() => {
  const { videoWidth, videoHeight } = document.getElementById('screen');
  return [videoWidth, videoHeight];
});

function report(what, took, before_) {
  const sorted = [...took].sort((a, b) => a - b);
  const at = (q) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]);
  const now = resources();
  console.log(`# ${what}: ${took.length} times, back after p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, at most ${at(1)} ms; ` +
    `fds ${before_.fds} → ${now.fds}, threads ${before_.threads} → ${now.threads}, RSS ${before_.rssMb} → ${now.rssMb} MB`);
}

/** Nothing may grow with the number of rounds; what is only being cleared away yet gets time. */
async function bounded(before_, rssMb = 40) {
  await until('threads, files and memory to be given back', () => {
    const now = resources();
    return now.fds <= before_.fds + 4 && now.threads <= before_.threads + 4 && now.rssMb < before_.rssMb + rssMb;
  }, 10000).catch((error) => assert.fail(`${error.message}: ${JSON.stringify({ before: before_, now: resources() })}`));
}

async function many(...args) {
  try {
    await measured(...args);
  } catch (error) {
    console.log(session.log.split('\n').slice(-40).join('\n'));
    throw error;
  }
}

/** `pause`: work in between, in ms, or the limit of restarts would rightly end it; as long as what earns another one. */
async function measured(what, limit, pause, once) {
  await once();  // what is only made the first time does not count as a leak
  const resourcesBefore = resources();
  const took = [];
  for (let round = 0; round < rounds; ++round) {
    took.push(await once());
    await stillTheSameSession();
    await sleep(pause);
  }
  report(what, took, resourcesBefore);
  // The limit is for the usual case; what is far beyond it is a fault. Where pictures come late anyway, so does what is measured by them.
  const allowed = limit * await slowness();
  const sorted = [...took].sort((a, b) => a - b);
  assert.ok(sorted[sorted.length >> 1] <= allowed, `${what}: back after ${Math.round(sorted[sorted.length >> 1])} ms, allowed are ${Math.round(allowed)}`);
  assert.ok(sorted.at(-1) <= 3 * allowed, `${what}: once back only after ${Math.round(sorted.at(-1))} ms`);
  await bounded(resourcesBefore);
}

const longTime = 60000 + rounds * 15000;
const kinds = process.env.KEEPER_KINDS?.split(',');
const chosen = (what) => !kinds || kinds.some((kind) => what.includes(kind));

for (const [order, what, log] of [
  ['error', 'encoder fails', /reports an error/],
  ['refuse', 'encoder refuses pictures', /refuses pictures/],
  ['stall', 'encoder stalls', /takes pictures and gives none/],
  ['hang', 'encoder hangs', /it hangs/],
])
  test(`${what}: the next takes over`, { timeout: longTime, skip: !chosen(what) }, async () => {
    await many(what, limits.encoder, 500, async () => {
      const so_far = times('goes on after'), written = session.log.length;
      const gap = await longestGap(async () => {
        writeFileSync(`${orders}.new`, `${order}\n`);
        renameSync(`${orders}.new`, orders);
        await until('an encoder to take over', () => times('goes on after') > so_far, 15000);
      });
      // An encoder that was slow before, on a busy machine, is waited for ten times as long: see EncoderWatch.
      const waited = Number(/no access unit for (\d+) ms/.exec(session.log.slice(written))?.[1] ?? 0);
      // The desktop does not change its size under the viewer.
      assert.deepEqual(await size(), windowSize);
      return gap - Math.max(0, waited - usualPatience);
    });
    assert.match(session.log, log);
    assert.match((await page.evaluate(() => window.states)).join('\n'), /notice: The encoder is being restarted…/);
    await until('the notice to go', () => page.evaluate(() => document.getElementById('notices').textContent === ''));
  });

test('X server killed: the display comes back, and the program on it', { timeout: longTime, skip: !chosen('X server killed') }, async () => {
  const programs = () => spawnSync('pgrep', ['-P', String(session.child.pid), '-x', 'xterm'], { encoding: 'utf8' }).stdout.trim();
  await many('X server killed', limits.display, 1000, async () => {
    const took = await longestGap(async () => {
      const so_far = times('the display is back');
      assert.ok(killServers());
      await until('the display to come back', () => times('the display is back') > so_far, 15000);
    });
    await until('one X server', () => servers().length === 1);
    await until('the program', () => programs() !== '');
    await until(`the desktop to have its size again, ${windowSize}`, async () => String(await size()) === String(windowSize), limits.display)
      .catch(async (error) => assert.fail(`${error.message}; it is ${await size()}`));
    return took;
  });
  assert.match((await page.evaluate(() => window.states)).join('\n'), /notice: The display is being restarted…/);
});

test('program crashes: it is started again', { timeout: longTime, skip: !chosen('program crashes') }, async () => {
  const program = () => Number(spawnSync('pgrep', ['-P', String(session.child.pid), '-x', 'xterm'], { encoding: 'utf8' }).stdout);
  // A few crashes may come at once; ten seconds of work earn another one.
  await many('program crashes', limits.program, rounds < 4 ? 300 : 10000, () => longestGap(async () => {
    const crashed = program();
    process.kill(crashed, 'SIGSEGV');
    await until('the program', () => program() !== 0 && program() !== crashed);
  }));
  assert.match(session.log, /xterm: ended with status \d+; it is started again/);
  assert.match((await page.evaluate(() => window.states)).join('\n'), /notice: The program has crashed and is being started again…/);
  await until('the notice to go', () => page.evaluate(() => document.getElementById('notices').textContent === ''));
});

test('sound server killed: pictures go on, and the sound comes back with it', { timeout: longTime, skip: !chosen('sound server killed') }, async () => {
  await many('sound server killed', limits.sound, 500, async () => {
    sound.child.kill('SIGKILL');
    await sound.exited;
    await until('the sound to stop', async () => {
      const packets = await page.evaluate(() => window.soundPackets());
      await sleep(200);
      return packets === await page.evaluate(() => window.soundPackets());
    });
    const packets = await page.evaluate(() => window.soundPackets());
    const gap = await longestGap(() => sleep(200));
    // Measured only where it matters: it takes seconds.
    if (gap >= 500) {
      const allowed = 500 * await slowness();
      assert.ok(gap < allowed, `pictures paused for ${gap} ms, allowed are ${allowed}`);
    }
    const began = performance.now();
    startSound();
    await until('sound', async () => await page.evaluate(() => window.soundPackets()) > packets, 15000);
    return performance.now() - began;
  });
});

test('silence is not sent', async () => {
  sound.child.kill('SIGKILL');
  await sound.exited;
  startSound({ silent: true });
  await until('the sound to be back', () => spawnSync('pactl', ['list', 'short', 'source-outputs'],
    { encoding: 'utf8', env: { ...process.env, PULSE_SERVER: `unix:${folder}/native` } }).stdout.trim() !== '');
  const packets = await until('the silence not to be sent', async () => {
    const before_ = await page.evaluate(() => window.soundPackets());
    await sleep(1000);
    return before_ === await page.evaluate(() => window.soundPackets()) && before_;
  });
  spawnSync('pactl', ['load-module', 'module-sine'], { env: { ...process.env, PULSE_SERVER: `unix:${folder}/native` } });
  await until('sound', async () => await page.evaluate(() => window.soundPackets()) > packets + 10);
});

test('what cannot be kept ends with a status and a reason', async () => {
  const lines = () => session.log.split('\n').filter((line) => line.startsWith('vitrine: '));
  assert.deepEqual(lines(), []);
  assert.ok(killServers());
  // Whatever is started from now on dies: a file system without room for its lock would do the same.
  const killer = setInterval(killServers, 20);
  assert.equal(await session.exited, 3);
  clearInterval(killer);
  assert.deepEqual(lines(), ['vitrine: the private X server ends again and again']);
});
