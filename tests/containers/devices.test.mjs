// SPDX-License-Identifier: LGPL-2.1-or-later
// Sound and gamepads of a locked-down container without /dev/uinput or a sound device, in a real Chromium whose gamepads are fake.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { fakeGamepads, pad, xbox } from '../e2e/fake-gamepads.mjs';
import { until } from '../e2e/harness.mjs';
import { SoundStage, hearing } from '../e2e/sound-stage.mjs';
import { dropouts, frequency, heard, total } from '../e2e/sound-tools.mjs';
import { Container } from './podman.mjs';

const skip = (process.env.VITRINE_IMAGES ?? '').split(' ').includes('app') ? false : 'only for app';
const kSeconds = 5;
// jstest is started once there is a gamepad, as a user does; the reader waits for orders that never come.
const program = `tail -f /dev/null | pad-reader >/tmp/sdl & until grep -q '^+ 3' /tmp/sdl; do sleep 0.1; done; exec stdbuf -oL jstest --event /dev/input/js0 >/tmp/jstest`;

const stage = new SoundStage();
let container, page;
before(async () => {
  if (skip) return;
  container = await Container.start(stage, 'test-devices', { args: ['sh', '-c', program] });
  page = await stage.open(await stage.soundBrowser(), container, '', fakeGamepads);
  await page.waitForFunction(() => window.vitrine.control);
});
after(async () => {
  await stage.endTest();
  await stage.close();
});

const printed = (name) => container.exec('cat', `/tmp/${name}`).out;
const line = (wanted) => until(wanted, () => printed('sdl').split('\n').includes(wanted), 20000);

test('four gamepads reach SDL2 and jstest: buttons, axes, hats, hot-plug', { skip }, async () => {
  assert.match(container.exec('ls', '/dev/uinput').error, /No such file/);
  for (const index of [0, 1, 2, 3]) {
    await pad(page, 'plug', index);
    await line(xbox(index));
  }
  await pad(page, 'press', 0, 0);
  await line('b 0 0 1');
  await pad(page, 'move', 1, 1, -1);
  await line('a 1 1 -32767');
  await pad(page, 'press', 2, 12);
  await line('h 2 0 1');
  await pad(page, 'press', 3, 7, 1);
  await line('a 3 5 32767');
  await until('jstest to see the first', () => printed('jstest').includes('has 8 axes'));
  await pad(page, 'press', 0, 1);
  await until('the button in jstest', () => /type 1, time \d+, number 1, value 1/.test(printed('jstest')));
  await pad(page, 'unplug', 3);
  await line('- 3');
});

test('a tone of 440 Hz that a program plays is heard', { skip }, async () => {
  const tone = `print pack "s<", 16000 * sin(2 * 3.14159265358979 * 440 * $_ / 48000) for 0 .. 48000 * ${kSeconds + 5}`;
  assert.ok(container.onDisplay(`(perl -e '${tone}' | pacat --rate=48000 --channels=1 --format=s16le) >/tmp/pacat 2>&1 &`).ok);
  await hearing(page);
  await heard(page);
  await new Promise((resolve) => setTimeout(resolve, kSeconds * 1000));
  const { samples } = await heard(page);
  const gaps = dropouts(samples), pitch = frequency(samples);
  console.log(`# ${(samples.length / 48000).toFixed(1)} s of ${pitch.toFixed(2)} Hz, ${gaps.length} gaps of ${Math.round(total(gaps))} ms in all`);
  assert.ok(samples.length > 0.5 * 48000 * kSeconds);
  assert.ok(Math.abs(pitch - 440) < 2, `${pitch} Hz`);
});
