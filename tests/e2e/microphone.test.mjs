// SPDX-License-Identifier: LGPL-2.1-or-later
// What a viewer says, as a program on the desktop records it: pitch and delay, by WebRTC and by WebSocket; who may speak; and that bytes
// which are no sound end nothing. Chromium's fake microphone sings. Prints what it measured.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { need, sleep, until } from './harness.mjs';
import { RawSocket, watch } from './media-socket.mjs';
import { SoundStage, microphoneIs, needElements, pactl, silent, speak } from './sound-stage.mjs';
import { dropouts, frequency, heard, loudest, median, offsets, onsets, rate, ticks, tone, total, writeWave } from './sound-tools.mjs';

need('Xvfb', 'pulseaudio', 'pactl', 'parec');
assert.ok(process.env.VITRINE, 'run by `meson test`, which sets VITRINE');
needElements('pulsesink', 'opusdec');

const pitch = 440;
const stage = new SoundStage();
let session, browser;

before(async () => {
  const file = path.join(stage.folder(), 'tone.wav');
  writeWave(file, tone(pitch));
  session = await stage.session();
  browser = await stage.soundBrowser(file);
});
after(async () => {
  if (process.env.SOUND_DEBUG) console.log(session.handle.log);
  await stage.close();
});
afterEach(() => stage.endTest());

const open = (query, { on = session, script } = {}) => stage.open(browser, on, query, script);
/** The microphone as a program on the desktop hears it: its default source. */
const listen = () => stage.record(session);

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
    await page.evaluate(() => window.listen('microphone'));
    await heard(page, 'microphone');
    recording.heard();
    await sleep(4000);
    const { samples } = recording.heard(), gaps = dropouts(samples), ofSource = total(dropouts((await heard(page, 'microphone')).samples));
    console.log(`# ${way}: ${(samples.length / rate).toFixed(1)} s of ${frequency(samples).toFixed(2)} Hz, loudest ${loudest(samples).toFixed(2)}, ` +
      `${gaps.length} gaps of ${total(gaps).toFixed(0)} ms in all, ${ofSource.toFixed(0)} ms of them in what the browser hears`);
    assert.ok(Math.abs(frequency(samples) - pitch) < 2, `${frequency(samples)} Hz`);
    assert.ok(loudest(samples) > 0.1);
    // On a busy machine the browser's fake microphone has gaps of its own.
    assert.ok(total(gaps) - ofSource < 200, `gaps of ${gaps.map(Math.round)} ms`);

    await page.click('#microphone-toggle');
    assert.ok(await microphoneIs(page, 'off'));
    await silent(recording);
    recording.child.kill('SIGKILL');
    await until('the microphone to sleep', () => /vitrine_talk\t.*SUSPENDED/.test(pactl(session, 'list', 'short', 'sinks')), 15000);
    assert.deepEqual(page.problems, []);
  });

/** From the browser's microphone to a program that records, ms. */
const late = 200;
for (const [way, query] of [['webrtc', '?transport=webrtc'], ['websocket', '?transport=websocket']])
  test(`how long what is said takes to the desktop by ${way}`, { timeout: 90000 }, async () => {
    const file = path.join(stage.folder(), 'ticks.wav');
    writeWave(file, ticks(1000));
    const ticking = await stage.soundBrowser(file), page = await stage.open(ticking, session, query), recording = listen();
    stage.later(() => ticking.close());
    await speak(page);
    assert.equal(await page.evaluate(() => window.vitrine.way), way);
    await page.evaluate(() => window.listen('microphone'));
    await until('it to be heard soon', async () => {
      await heard(page, 'microphone');
      recording.heard();
      await sleep(5500);
      const said = onsets(await heard(page, 'microphone')), arrived = onsets(recording.heard());
      const delays = offsets(arrived, said);
      if (delays.length < 3) throw new Error(JSON.stringify({ said, arrived }));
      const told = `what is said is recorded ${median(delays).toFixed(0)} ms later (${delays.map(Math.round).join(' ')})`;
      if (median(delays) > late) throw new Error(told);
      console.log(`# ${way}: ${told}`);
      return true;
    }, 45000);
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
  await until('the microphone to be off', () => microphoneIs(first, 'off'));
  await silent(recording);
  await until('the other one\'s button', () => second.evaluate(() => document.getElementById('microphone-toggle').checkVisibility()));
});

test('a server may forbid it', async () => {
  const deaf = await stage.session(['--no-microphone']);
  const page = await open('', { on: deaf });
  await until('control', () => page.evaluate(() => window.vitrine.control));
  await page.click('#sound-toggle');
  assert.equal(await page.evaluate(() => document.getElementById('microphone-toggle').checkVisibility()), false);
  await page.context().close();
  const raw = await RawSocket.open(deaf.port, '/ws', 'vitrine.1');
  raw.say({ type: 'hello', version: 1, codecs: ['VP8'] });
  await until('the welcome', () => raw.texts('welcome').length > 0);
  assert.equal(raw.texts('welcome')[0].microphone, undefined);
  raw.say({ type: 'microphone', on: true });
  await until('the refusal', () => raw.texts('microphone').length > 0);
  assert.deepEqual(raw.texts('microphone')[0], { type: 'microphone', on: false, reason: 'forbidden' });
  raw.destroy();
  await deaf.handle.end();
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
  assert.equal(session.handle.status, undefined, session.handle.log);
  assert.equal(await page.evaluate(() => window.vitrine.peer), peer, 'the session has lasted');
  assert.deepEqual(page.problems, []);
});

test('bytes that are no sound, by WebSocket: the session goes on', async () => {
  const { session: viewer, media } = await watch(session.port);
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
  assert.equal(session.handle.status, undefined, session.handle.log);
  const page = await open();
  assert.deepEqual(page.problems, []);
});
