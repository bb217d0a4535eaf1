// SPDX-License-Identifier: LGPL-2.1-or-later
// Codec by viewer: who cannot decode H.264 gets VP8 from a second encoder, which is there only as long as they are; the others notice nothing.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Stage, freePort, healthy, need, password, showing, sleep, until } from './harness.mjs';
import { keepConnections } from './page-connections.mjs';

need('Xvfb');
const { VITRINE: vitrine, VITRINE_TEST_PLUGINS: plugins, SCENE_WINDOW: scenes } = process.env;
assert.ok(vitrine && scenes, 'run by `meson test`, which sets VITRINE and SCENE_WINDOW');
const firefox = ['/usr/bin/firefox-esr', '/usr/bin/firefox'].find(existsSync);

// One small program: shells and what they start are the first to stand still while browsers start.
const motion = ['sh', '-c', '{ echo video; sleep infinity; } | "$SCENE_WINDOW" "$DISPLAY"'];
const stage = new Stage();
let port, session, chromium, first, usual = 0;

/** Watches a page's pictures from its start. */
function watch() {
  window.frameTimes = [];
  addEventListener('DOMContentLoaded', () => {
    const screen = document.getElementById('screen');
    const onFrame = (now) => {
      window.frameTimes.push(now);
      screen.requestVideoFrameCallback(onFrame);
    };
    if ('requestVideoFrameCallback' in screen) screen.requestVideoFrameCallback(onFrame);
  });
  window.playing = async () => {
    const stats = await window.connections.at(-1)?.getStats() ?? new Map();
    for (const report of stats.values())
      if (report.type === 'inbound-rtp' && report.kind === 'video' && report.codecId) return stats.get(report.codecId)?.mimeType;
    return undefined;
  };
}

async function open(...wishes) {
  const scripts = wishes.filter((wish) => typeof wish === 'function'), to = wishes.find(Number) ?? port;
  const context = await chromium.newContext({ viewport: { width: 640, height: 480 }, httpCredentials: { username: 'user', password } });
  await keepConnections(context);
  for (const script of [watch, ...scripts]) await context.addInitScript(script);
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  await page.goto(`http://127.0.0.1:${to}/${wishes.find((wish) => typeof wish === 'string') ?? ''}`);
  return page;
}

const codec = (page) => page.evaluate(() => window.playing());

async function streams() {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { Authorization: `Basic ${Buffer.from(`user:${password}`).toString('base64')}` } });
  return (await answer.text()).split('\n').filter((line) => line.startsWith('vitrine_stream_frames_total{')).length;
}

/** The longest time in ms that the first viewer sees no new picture while `run` does what it does. */
async function longestGap(run) {
  const from = await first.evaluate(() => performance.now());
  await run();
  const shown = (await first.evaluate(() => window.frameTimes)).filter((time) => time > from);
  assert.ok(shown.length > 10, `${shown.length} pictures`);
  return Math.max(...shown.slice(1).map((time, i) => time - shown[i]));
}

/** The first viewer's pictures go on while `run` does what it does: a browser that starts takes its processor time, a second encoder no more. */
async function undisturbed(run) {
  const gap = await longestGap(run);
  console.log(`longest gap ${gap.toFixed(0)} ms; when others come that need nothing of their own, ${usual.toFixed(0)} ms`);
  assert.ok(gap < Math.max(1000, 2 * usual), `no picture for ${gap} ms`);
  assert.equal(await first.evaluate(() => window.connections.length), 1, 'its media connection has lasted');
  assert.match(await codec(first), /H264/);
}

async function playsH264(page) {
  await until('H.264', async () => /H264/.test(await codec(page)));
}

before(async () => {
  port = await freePort();
  session = stage.start(vitrine, ['--virtual=640x480', `--port=${port}`, '--framerate=15', '--no-audio', '--', ...motion],
    { env: { DISPLAY: '', XAUTHORITY: '', VITRINE_PASSWORD: password, XDG_RUNTIME_DIR: stage.folder(), GST_DEBUG: process.env.CODEC_DEBUG ?? 'vitrine:4', GST_DEBUG_NO_COLOR: '1' } });
  await healthy(port, session);
  chromium = await stage.chromium();
  first = await open();
  await showing(first, 3);
  await playsH264(first);
  assert.equal(await streams(), 1);
});
after(async () => {
  if (process.env.CODEC_DEBUG) console.log(session.log);
  await stage.close();
});

/** By WebRTC. Until its encoder is there the picture may come by WebSocket. */
async function playsVp8(page) {
  await until('VP8', async () => /VP8/.test(await codec(page)) && (await page.evaluate(() => window.vitrine.way)) === 'webrtc');
}

async function goesAgain() {
  await until('the second encoder to go', async () => await streams() === 1, 15000);
}

function withoutH264() {
  const all = RTCRtpReceiver.getCapabilities.bind(RTCRtpReceiver);
  RTCRtpReceiver.getCapabilities = (kind) => {
    const capabilities = all(kind);
    return { ...capabilities, codecs: capabilities.codecs.filter(({ mimeType }) => !/H264/i.test(mimeType)) };
  };
}

test('two browsers with H.264 share the first encoder', async () => {
  usual = await longestGap(async () => {
    for (const page of [await open(), await open()]) {
      await showing(page, 5);
      await playsH264(page);
      assert.equal(await streams(), 1);
      await page.context().close();
    }
  });
});

test('a browser without H.264 gets VP8, two of them from one encoder', async () => {
  await undisturbed(async () => {
    const [one, other] = [await open(withoutH264), await open(withoutH264)];
    for (const page of [one, other]) {
      await showing(page, 5);
      await playsVp8(page);
      assert.deepEqual(page.problems, []);
    }
    assert.equal(await streams(), 2);
    await one.context().close();
    await sleep(4000);
    assert.equal(await streams(), 2, 'one still needs it');
    await other.context().close();
    await goesAgain();
  });
});

test('a browser that names H.264 and then rejects it gets VP8', async () => {
  await undisturbed(async () => {
    const page = await open(() => {
      // The answer of a browser that has H.264, but not this profile of it.
      const send = WebSocket.prototype.send;
      WebSocket.prototype.send = function reject(data) {
        const message = typeof data === 'string' ? JSON.parse(data) : {};
        if (message.type === 'answer' && /H264/.test(message.sdp)) message.sdp = message.sdp.replace(/m=video \d+/, 'm=video 0');
        send.call(this, message.type === 'answer' ? JSON.stringify(message) : data);
      };
    });
    await showing(page, 3);
    await playsVp8(page);
    await page.context().close();
    await goesAgain();
  });
});

/** A browser whose WebRTC has AV1 alone. */
function withAv1Only() {
  RTCRtpReceiver.getCapabilities = () => ({ codecs: [{ mimeType: 'video/AV1', clockRate: 90000 }], headerExtensions: [] });
}

test('a browser with none of the codecs is told so', async () => {
  const page = await open(withAv1Only, () => {
    delete window.VideoDecoder;
  });
  await until('the refusal', () => page.evaluate(() => document.documentElement.dataset.state === 'refused'));
  assert.match(await page.textContent('#state-text'), /does not play H264/);
  await page.context().close();
  assert.equal(await streams(), 1);
});

test('a browser that decodes H.264 by WebSocket alone gets that, without a second encoder', async () => {
  await undisturbed(async () => {
    const page = await open(withAv1Only);
    await showing(page, 5);
    await sleep(3000);
    assert.equal(await page.evaluate(() => window.connections.length), 0, 'there is no offer to it');
    assert.equal(await streams(), 1);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });
});

test('a browser that takes WebSocket alone and does not decode H.264 gets VP8 by it', async () => {
  await undisturbed(async () => {
    const page = await open('?transport=websocket', () => {
      const supported = VideoDecoder.isConfigSupported.bind(VideoDecoder);
      VideoDecoder.isConfigSupported = (config) => /^avc/.test(config.codec) ? Promise.resolve({ supported: false, config }) : supported(config);
    });
    await showing(page, 5);
    assert.equal(await page.evaluate(() => window.vitrine.way), 'websocket');
    assert.equal(await streams(), 2);
    assert.deepEqual(page.problems, []);
    await page.context().close();
    await goesAgain();
  });
});

test('Firefox, whose H.264 comes from a download, gets VP8 beside Chromium', { skip: firefox ? false : 'Firefox is not installed' }, async () => {
  const { default: puppeteer } = await import('puppeteer-core');
  await undisturbed(async () => {
    const browser = await puppeteer.launch({ browser: 'firefox', executablePath: firefox, headless: true });
    stage.defer(() => browser.close());
    const page = await browser.newPage();
    await page.goto(`http://user:${password}@127.0.0.1:${port}/`);
    await showing(page, 5);
    await until('its own stream', async () => await streams() === 2);
    await browser.close();
    await goesAgain();
  });
});

test('when no encoder of the codec works any more, another codec takes over in the same session', { skip: plugins ? false : 'run by `meson test`' }, async () => {
  const folder = stage.folder(), orders = path.join(folder, 'orders'), own = await freePort();
  const profile = readFileSync(new URL('keeper.profile', import.meta.url), 'utf8').replaceAll('@ORDERS@', orders);
  writeFileSync(path.join(folder, 'keeper.profile'), profile);
  // What VP8 inherits goes by another name: H.264 in software would rightly come before another codec.
  const shipped = (name) => readFileSync(path.join(process.env.VITRINE_PROFILE_DIR, `${name}.profile`), 'utf8');
  writeFileSync(path.join(folder, 'base.profile'), shipped('software-h264'));
  writeFileSync(path.join(folder, 'software-vp8.profile'), shipped('software-vp8').replace('inherits=software-h264', 'inherits=base'));
  const handle = stage.start(vitrine, ['--virtual=640x480', `--port=${own}`, '--profile=keeper', '--no-audio', '--', ...motion], {
    env: {
      DISPLAY: '', XAUTHORITY: '', VITRINE_PASSWORD: password, XDG_RUNTIME_DIR: folder, XDG_CONFIG_HOME: folder, GST_DEBUG: 'vitrine:3', GST_DEBUG_NO_COLOR: '1',
      GST_PLUGIN_PATH: `${process.env.GST_PLUGIN_PATH}:${plugins}`, GST_REGISTRY: path.join(folder, 'registry.bin'), VITRINE_PROFILE_DIR: folder,
    },
  });
  await healthy(own, handle);
  const page = await open(own);
  await showing(page, 3);
  await playsH264(page);
  const viewer = await page.evaluate(() => window.vitrine.peer);
  for (let failures = 1; failures <= 3; ++failures) {
    writeFileSync(orders, 'error\n');
    await until('the next encoder', () => handle.log.split('goes on after').length > failures, 15000);
  }
  await until('VP8', async () => /VP8/.test(await codec(page)), 15000);
  await showing(page, 10);
  assert.equal(await page.evaluate(() => window.vitrine.peer), viewer, 'the session has lasted');
  await page.context().close();
  await handle.end();
});

test('after all that the session is as it was', async () => {
  assert.equal(session.status, undefined);
  assert.deepEqual(first.problems, []);
  assert.doesNotMatch(session.log, /failed|CRITICAL/);
});
