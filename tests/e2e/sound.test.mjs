// SPDX-License-Identifier: LGPL-2.1-or-later
// The desktop's sound as a browser plays it: pitch, gaps, delay, and that it fits the picture; by WebRTC and by WebSocket, from the private
// sound server. Prints what it measured. SOUND_SECONDS=60 is the long run.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { need, showing, sleep, until } from './harness.mjs';
import { SoundStage, hearing, needElements, pactl } from './sound-stage.mjs';
import { dropouts, frequency, heard, loudest, median, offsets, onsets, total } from './sound-tools.mjs';

need('Xvfb', 'pulseaudio', 'pactl', 'parec', 'gst-launch-1.0');
assert.ok(process.env.VITRINE, 'run by `meson test`, which sets VITRINE');
needElements('pulsesrc');

const seconds = Number(process.env.SOUND_SECONDS ?? 5);
const stage = new SoundStage();
let session, browser;

before(async () => {
  session = await stage.session();
  browser = await stage.soundBrowser();
});
after(async () => {
  if (process.env.SOUND_DEBUG) console.log(session.handle.log);
  await stage.close();
});
afterEach(() => stage.endTest());

const open = (query) => stage.open(browser, session, query);
const play = (source) => stage.play(session, source);
const sinkState = () => /vitrine\t.*\t(\w+)$/m.exec(pactl(session, 'list', 'short', 'sinks'))?.[1];

/** How far beep and flash may be apart once the browser has found how much sound it has to hold back, and for how long it may look for that; ms. */
const inStep = 60, settling = 45000;
/** From the sink to the loudspeaker. */
const late = 150;

/** CPU time of a process, ms. */
const spent = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /s, '').split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
};

for (const [way, query] of [['webrtc', '?transport=webrtc'], ['websocket', '?transport=websocket']])
  test(`a tone of 440 Hz by ${way}: its pitch, without gaps`, { timeout: 60000 + 2000 * seconds }, async () => {
    const page = await open(query);
    play('is-live=true freq=440 volume=0.5');
    await hearing(page);
    assert.equal(await page.evaluate(() => window.vitrine.way), way);
    await sleep(2000);  // the browser's buffer finds its size
    const played = stage.record(session, 'vitrine.monitor');
    await until('the recording', () => loudest(played.heard().samples) > 0.1);
    await heard(page);
    await sleep(1000 * seconds);
    const { samples } = await heard(page);
    const gaps = dropouts(samples), pitch = frequency(samples), ofSource = total(dropouts(played.heard().samples));
    console.log(`# ${way}: ${(samples.length / 48000).toFixed(1)} s of ${pitch.toFixed(2)} Hz, loudest ${loudest(samples).toFixed(2)}, ` +
      `${gaps.length} gaps of ${total(gaps).toFixed(0)} ms in all, ${ofSource.toFixed(0)} ms of them in what was played`);
    assert.ok(samples.length > 0.5 * 48000 * seconds);
    assert.ok(Math.abs(pitch - 440) < 2, `${pitch} Hz`);
    assert.ok(loudest(samples) > 0.3);
    // On a busy machine the program that plays has gaps of its own.
    assert.ok(total(gaps) - ofSource < 50 * seconds, `gaps of ${gaps.map(Math.round)} ms`);
    assert.deepEqual(page.problems, []);
  });

for (const [way, query] of [['webrtc', '?transport=webrtc'], ['websocket', '?transport=websocket']])
  test(`a clip of flashes and beeps by ${way}: the delay, and picture and sound together`, { timeout: 90000 }, async () => {
    const page = await open(query);
    const played = stage.record(session, 'vitrine.monitor');
    // One pipeline, so one clock: a picture turns white or black and a tick is heard at every second.
    stage.program(session, `videotestsrc pattern=blink ! video/x-raw,width=320,height=240,framerate=1/1 ! ximagesink
      audiotestsrc wave=ticks tick-interval=1000000000 sine-periods-per-tick=40 freq=1000 volume=0.8 ! audio/x-raw,rate=48000,channels=2
      ! pulsesink buffer-time=40000 latency-time=10000`);
    await hearing(page);
    await page.evaluate(() => {
      const probe = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
      let light = -1, before = -1;
      window.flashes = [];
      const look = () => {
        const screen = document.getElementById('screen'), count = window.vitrine.framesPresented;
        if (count !== before) {
          before = count;
          probe.drawImage(screen, 0, 0, 1, 1);
          const now = probe.getImageData(0, 0, 1, 1).data[0] > 128 ? 1 : 0;
          if (light >= 0 && now !== light) window.flashes.push(performance.timeOrigin + performance.now());
          light = now;
        }
        requestAnimationFrame(look);
      };
      look();
    });
    await until('sound in step with the picture, and soon', async () => {
      await heard(page);
      played.heard();
      await page.evaluate(() => window.flashes.splice(0));
      await sleep(5500);
      const beeps = onsets(await heard(page)), flashes = await page.evaluate(() => window.flashes), source = onsets(played.heard());
      const delays = offsets(beeps, source), apart = offsets(beeps, flashes);
      if (delays.length < 3 || apart.length < 3) throw new Error(JSON.stringify({ beeps, flashes, source }));
      const told = `sound is heard ${median(delays).toFixed(0)} ms after it was played (${delays.map(Math.round).join(' ')}); ` +
        `beep ${median(apart).toFixed(0)} ms after its flash (${apart.map(Math.round).join(' ')})`;
      if (Math.abs(median(apart)) > inStep || median(delays) > late) throw new Error(told);
      console.log(`# ${way}: ${told}`);
      return true;
    }, settling);
    assert.deepEqual(page.problems, []);
  });

test('a page that is loaded anew finds the sound still being recorded, and without a viewer nothing is', { timeout: 60000 }, async () => {
  const recordings = () => pactl(session, 'list', 'source-outputs').split(/^Source Output #/m).filter((text) => text.includes('Vitrine'))
    .map((text) => [Number.parseInt(text, 10), /Corked: (\w+)/.exec(text)[1]]);
  const page = await open('?transport=webrtc');
  play('is-live=true freq=440 volume=0.5');
  await hearing(page);
  const [[id, corked]] = recordings();
  assert.equal(corked, 'no');
  await page.reload();
  await showing(page);
  await hearing(page);
  assert.deepEqual(recordings(), [[id, 'no']]);
  await page.close();
  await until('it to pause', () => JSON.stringify(recordings()) === JSON.stringify([[id, 'yes']]));
});

test('loudness is the user\'s, and lasts', { timeout: 60000 }, async () => {
  const page = await open('?transport=websocket');
  play('is-live=true freq=440 volume=0.5');
  await hearing(page);
  await page.click('#sound-toggle');
  await page.fill('#sound-volume', '0.25');
  const loudness = async () => {
    await heard(page);
    await sleep(400);
    return median([...(await heard(page)).samples].map(Math.abs));
  };
  await until('a quarter of it', async () => Math.abs((await loudness()) - 0.25 * 0.5 * 0.707) < 0.02);
  await page.click('#sound-mute');
  await until('nothing', async () => (await loudness()) === 0);
  await page.goto(page.url().replace('websocket', 'webrtc'));
  await showing(page);
  const element = () => page.evaluate(() => { const { muted, volume } = document.getElementById('sound'); return { muted, volume }; });
  assert.deepEqual(await element(), { muted: true, volume: 0.25 });
  await page.click('#sound-toggle');
  await page.click('#sound-mute');
  assert.deepEqual(await element(), { muted: false, volume: 0.25 });
  assert.deepEqual(page.problems, []);
});

test('a short sound out of silence is heard; silence costs nothing', async () => {
  const page = await open('?transport=webrtc');
  const server = Number(spawnSync('pgrep', ['-P', String(session.handle.child.pid), '-x', 'pulseaudio'], { encoding: 'utf8' }).stdout);
  await until('the sound server to sleep', () => sinkState() === 'SUSPENDED', 15000);
  const before_ = spent(server);
  await sleep(2000);
  console.log(`# silence, with a viewer: the sound server takes ${((spent(server) - before_) / 20).toFixed(2)} % of a core`);
  assert.ok(spent(server) - before_ <= 10);
  assert.equal(sinkState(), 'SUSPENDED');
  await until('the track', () => page.evaluate(() => document.getElementById('sound').srcObject));
  await page.evaluate(() => window.listen());
  await sleep(300);
  await heard(page);
  await play('num-buffers=30 samplesperbuffer=480 freq=440 volume=0.5').exited;
  await sleep(1000);
  const { samples } = await heard(page);
  const loud = samples.filter((value) => Math.abs(value) > 0.05).length / 48;
  console.log(`# of 300 ms after silence ${loud.toFixed(0)} ms are heard`);
  assert.ok(loud > 150, `${loud} ms`);
  assert.deepEqual(page.problems, []);
});

for (const way of ['webrtc', 'websocket'])
  test(`a browser that wants a click before it plays sound, by ${way}: a button for that`, { timeout: 60000 }, async () => {
    const strict = await stage.soundBrowser(null, ['--autoplay-policy=document-user-activation-required']);
    stage.later(() => strict.close());
    const page = await stage.openUntouched(strict, session, `?transport=${way}`), protocol = await page.context().newCDPSession(page);
    const untouched = async (expression) => (await protocol.send('Runtime.evaluate', { expression, returnByValue: true })).result.value;
    play('is-live=true freq=440 volume=0.5');
    await until('the button', () => untouched('document.getElementById("sound-on").checkVisibility()'), 20000);
    const playing = way === 'webrtc' ? '!document.getElementById("sound").paused' : 'graphs.at(-1).context.state === "running"';
    assert.equal(await untouched('navigator.userActivation.hasBeenActive'), false);
    assert.equal(await untouched(playing), false, 'nothing is played before');
    if (process.env.VITRINE_SCREENSHOTS) await page.screenshot({ path: `${process.env.VITRINE_SCREENSHOTS}/sound-on-${way}.png` });
    await page.click('#sound-on');
    await until('the button to go', () => page.isHidden('#sound-on'));
    await hearing(page);
    assert.equal(await untouched(playing), true);
    assert.deepEqual(page.problems, []);
  });
