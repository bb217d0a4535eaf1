// SPDX-License-Identifier: LGPL-2.1-or-later
// What a viewer says, as a program on the desktop records it: pitch and delay, by WebRTC and by WebSocket; who may speak; and that bytes
// which are no sound end nothing. Chromium's fake microphone sings. Prints what it measured.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { Stage, freePort, healthy, need, password, showing, skip, sleep, until } from './harness.mjs';
import { RawSocket, watch } from './media-socket.mjs';
import { dropouts, frequency, loudest, rate, record } from './sound-tools.mjs';

need('Xvfb', 'pulseaudio', 'pactl', 'parec');
const { VITRINE: vitrine } = process.env;
assert.ok(vitrine, 'run by `meson test`, which sets VITRINE');
for (const element of ['pulsesink', 'opusdec'])
  if (spawnSync('gst-inspect-1.0', ['--exists', element]).status !== 0) skip(`there is no ${element}`);

const pitch = 440;
const busy = loadavg()[0] > cpus().length;
const stage = new Stage();
let session, port, browser, address;

/** A tone of 10 s as a WAV file; Chromium plays it again and again. */
function writeTone(file) {
  const count = 10 * rate, wave = Buffer.alloc(44 + 2 * count);
  wave.write('RIFF', 0);
  wave.writeUInt32LE(36 + 2 * count, 4);
  wave.write('WAVEfmt ', 8);
  wave.writeUInt32LE(16, 16);
  wave.writeUInt16LE(1, 20);
  wave.writeUInt16LE(1, 22);
  wave.writeUInt32LE(rate, 24);
  wave.writeUInt32LE(2 * rate, 28);
  wave.writeUInt16LE(2, 32);
  wave.writeUInt16LE(16, 34);
  wave.write('data', 36);
  wave.writeUInt32LE(2 * count, 40);
  for (let i = 0; i < count; i++) wave.writeInt16LE(Math.round(16000 * Math.sin((2 * Math.PI * pitch * i) / rate)), 44 + 2 * i);
  writeFileSync(file, wave);
}

async function begin(...options) {
  const free = await freePort();
  const handle = stage.start(vitrine, ['--virtual=320x240', `--port=${free}`, '--sound-server=private', '--profile=software-vp8', ...options, '--',
    'sh', '-c', 'echo "at $PULSE_SERVER"; exec sleep 1000'], {
    env: { DISPLAY: '', XAUTHORITY: '', PULSE_SERVER: '', VITRINE_PASSWORD: password, GST_DEBUG: process.env.SOUND_DEBUG ?? 'vitrine:3', GST_DEBUG_NO_COLOR: '1' },
  });
  await healthy(free, handle);
  const [, server] = await until('the program', () => /^at (\S+)$/m.exec(handle.log));
  return { handle, free, server };
}

before(async () => {
  const tone = path.join(stage.folder(), 'tone.wav');
  writeTone(tone);
  ({ handle: session, free: port, server: address } = await begin());
  browser = await stage.chromium(['--autoplay-policy=no-user-gesture-required', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-audio-capture=${tone}`]);
});
after(async () => {
  if (process.env.SOUND_DEBUG) console.log(session.log);
  await stage.close();
});

let started = [];
afterEach(async () => {
  for (const end of started.splice(0)) await end();
});

async function open(query = '', { on = port, script } = {}) {
  const context = await browser.newContext({ httpCredentials: { username: 'user', password }, permissions: ['microphone'] });
  if (script) await context.addInitScript(script);
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  started.push(() => context.close());
  // Chromium gives up a page when a network interface comes or goes on the machine.
  await until('the page', () => page.goto(`http://127.0.0.1:${on}/${query}`));
  await showing(page);
  return page;
}

const is = (page, state) => page.evaluate((wanted) => window.vitrine.microphone === wanted, state);

/** As a user does it. What makes speech of a tone is switched off. */
async function speak(page) {
  await until('control', () => page.evaluate(() => window.vitrine.control));
  await page.click('#sound-toggle');
  await page.uncheck('#microphone-processing');
  await page.click('#microphone-toggle');
  await until('the microphone to be on', () => is(page, 'on'));
}

/** The microphone as a program on the desktop hears it: its default source. */
function listen(server = address) {
  const recording = record(stage, server, '@DEFAULT_SOURCE@');
  started.push(() => recording.child.kill('SIGKILL'));
  return recording;
}

const sinks = () => spawnSync('pactl', ['list', 'short', 'sinks'], { encoding: 'utf8', env: { ...process.env, PULSE_SERVER: address } }).stdout;

for (const [way, query] of [['webrtc', '?transport=webrtc'], ['websocket', '?transport=websocket']])
  test(`what is sung into the browser is heard on the desktop by ${way}, while the microphone is on`, { timeout: 60000 }, async () => {
    const page = await open(query);
    const recording = listen();
    await sleep(500);
    assert.ok(loudest(recording.heard().samples) < 0.001, 'nobody is heard who has not asked for it');
    await speak(page);
    await until('the tone', () => loudest(recording.heard().samples) > 0.1, 15000);
    assert.equal(await page.evaluate(() => window.vitrine.way), way);
    await sleep(1500);
    recording.heard();
    await sleep(4000);
    const { samples } = recording.heard(), gaps = dropouts(samples);
    console.log(`# ${way}: ${(samples.length / rate).toFixed(1)} s of ${frequency(samples).toFixed(2)} Hz, loudest ${loudest(samples).toFixed(2)}, ` +
      `${gaps.length} gaps of ${gaps.reduce((sum, gap) => sum + gap, 0).toFixed(0)} ms in all`);
    assert.ok(Math.abs(frequency(samples) - pitch) < 2, `${frequency(samples)} Hz`);
    assert.ok(loudest(samples) > 0.1);
    assert.ok(gaps.reduce((sum, gap) => sum + gap, 0) < (busy ? 2800 : 200), `gaps of ${gaps.map(Math.round)} ms`);

    await page.click('#microphone-toggle');
    assert.ok(await is(page, 'off'));
    await until('silence', async () => {
      recording.heard();
      await sleep(300);
      return loudest(recording.heard().samples) < 0.001;
    });
    recording.child.kill('SIGKILL');
    await until('the microphone to sleep', () => /vitrine_talk\t.*SUSPENDED/.test(sinks()), 15000);
    assert.deepEqual(page.problems, []);
  });

test('only who has control is heard; the microphone goes off when control goes', { timeout: 60000 }, async () => {
  const first = await open(), recording = listen();
  await speak(first);
  await until('the tone', () => loudest(recording.heard().samples) > 0.1, 15000);
  const second = await open();
  await second.click('#sound-toggle');
  assert.equal(await second.evaluate(() => document.getElementById('microphone-toggle').checkVisibility()), false, 'no button without control');
  await second.click('#control-ask');
  // A holder who has not touched anything for a while is not asked.
  await until('control to move', async () => {
    if (await first.isVisible('#control-grant')) await first.click('#control-grant');
    return second.evaluate(() => window.vitrine.control);
  });
  await until('the microphone to be off', () => is(first, 'off'));
  await until('silence', async () => {
    recording.heard();
    await sleep(300);
    return loudest(recording.heard().samples) < 0.001;
  });
  await until('the other one\'s button', () => second.evaluate(() => document.getElementById('microphone-toggle').checkVisibility()));
});

test('a server may forbid it', async () => {
  const { handle, free } = await begin('--no-microphone');
  const page = await open('', { on: free });
  await until('control', () => page.evaluate(() => window.vitrine.control));
  await page.click('#sound-toggle');
  assert.equal(await page.evaluate(() => document.getElementById('microphone-toggle').checkVisibility()), false);
  await page.context().close();
  const raw = await RawSocket.open(free, '/ws', 'vitrine.1');
  raw.say({ type: 'hello', version: 1, codecs: ['VP8'] });
  await until('the welcome', () => raw.texts('welcome').length > 0);
  assert.equal(raw.texts('welcome')[0].microphone, undefined);
  raw.say({ type: 'microphone', on: true });
  await until('the refusal', () => raw.texts('microphone').length > 0);
  assert.deepEqual(raw.texts('microphone')[0], { type: 'microphone', on: false, reason: 'forbidden' });
  raw.destroy();
  await handle.end();
});

test('bytes that are no sound, by WebRTC: nothing ends, and good ones are heard again', { timeout: 60000 }, async () => {
  // Frames are spoilt after they were encoded, as by a browser that lies.
  const page = await open('?transport=webrtc', {
    script: () => {
      window.spoil = 0;
      window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(configuration) {
          super({ ...configuration, encodedInsertableStreams: true });
        }
        setLocalDescription(...args) {
          for (const { sender, receiver } of this.getTransceivers()) {
            for (const end of [sender, receiver]) {
              if (end.tapped) continue;
              end.tapped = true;
              const { readable, writable } = end.createEncodedStreams();
              readable.pipeThrough(new TransformStream({
                transform(frame, out) {
                  if (end === sender && window.spoil) {
                    const bytes = new Uint8Array(window.spoil === 1 ? 600 : Math.floor(600 * Math.random()) + 1);
                    crypto.getRandomValues(bytes);
                    frame.data = bytes.buffer;
                    window.spoilt = (window.spoilt ?? 0) + 1;
                  }
                  out.enqueue(frame);
                },
              })).pipeTo(writable).catch(() => {});
            }
          }
          return super.setLocalDescription(...args);
        }
      };
    },
  });
  const recording = listen(), peer = await page.evaluate(() => window.vitrine.peer);
  await speak(page);
  await until('the tone', () => loudest(recording.heard().samples) > 0.1, 15000);
  await page.evaluate(() => (window.spoil = 2));
  await until('spoilt frames to be sent', () => page.evaluate(() => window.spoilt > 100), 15000);
  await page.evaluate(() => (window.spoil = 0));
  recording.heard();
  await until('the tone again', async () => {
    await sleep(500);
    const { samples } = recording.heard();
    return loudest(samples) > 0.1 && Math.abs(frequency(samples) - pitch) < 5;
  }, 15000);
  assert.equal(session.status, undefined, session.log);
  assert.equal(await page.evaluate(() => window.vitrine.peer), peer, 'the session has lasted');
  assert.deepEqual(page.problems, []);
});

test('bytes that are no sound, by WebSocket: the session goes on', async () => {
  const { session: viewer, media } = await watch(port);
  viewer.say({ type: 'control-request' });
  await until('control', () => viewer.texts('control').some(({ you }) => you));
  viewer.say({ type: 'microphone', on: true });
  await until('leave to speak', () => viewer.texts('microphone').some(({ on }) => on));
  for (let i = 0; i < 400; i++) {
    const bytes = Buffer.alloc(5 + (i * 7) % 1800);
    for (let at = 4; at < bytes.length; at++) bytes[at] = (i * 31 + at * 17) % 256;
    bytes.writeUInt32BE(0x01040000, 0);
    media.send(bytes);
    if (i % 50 === 0) await sleep(50);
  }
  viewer.say({ type: 'ping', t: 7 });
  await until('the session to go on', () => viewer.texts('pong').length > 0);
  assert.equal(media.closed, null, 'the media socket too');
  viewer.destroy();
  assert.equal(session.status, undefined, session.log);
  const page = await open();
  assert.deepEqual(page.problems, []);
});
