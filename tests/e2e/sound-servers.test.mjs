// SPDX-License-Identifier: LGPL-2.1-or-later
// Sound and microphone on a sound server that is not ours: the user's own PulseAudio, and PipeWire, which speaks the same protocol. Neither
// has a device, as on a server. What is not installed is skipped by name.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { need, sleep, until } from './harness.mjs';
import { SoundStage, hearing, needElements, pactl, silent, speak } from './sound-stage.mjs';
import { frequency, heard, loudest, tone, writeWave } from './sound-tools.mjs';

need('Xvfb', 'pulseaudio', 'pactl', 'parec', 'gst-launch-1.0');
assert.ok(process.env.VITRINE, 'run by `meson test`, which sets VITRINE');
needElements('pulsesrc', 'pulsesink', 'opusdec');

const stage = new SoundStage();
let browser;
before(async () => {
  const file = path.join(stage.folder(), 'tone.wav');
  writeWave(file, tone(440));
  browser = await stage.soundBrowser(file);
});
after(() => stage.close());
afterEach(() => stage.endTest());

const answers = (address) => until('the sound server', () => pactl({ address }, 'info').includes('Default Sink:') && !/Default Sink: *\n/.test(pactl({ address }, 'info')), 15000);
const has = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

/** As a user has it: only what makes a sink where there is none is added to the protocol. */
async function userPulseAudio() {
  const folder = stage.folder(), script = path.join(folder, 'user.pa'), address = `unix:${folder}/native`;
  writeFileSync(script, `load-module module-native-protocol-unix socket=${folder}/native auth-cookie-enabled=0\nload-module module-always-sink\n`);
  stage.start('pulseaudio', ['-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no', '--realtime=no', '--high-priority=no', '-F', script], {
    env: { HOME: folder, PULSE_RUNTIME_PATH: folder, PULSE_STATE_PATH: folder, DBUS_SESSION_BUS_ADDRESS: 'disabled:' },
  });
  await answers(address);
  return { address };
}

/** PipeWire with its session manager on a bus of its own. */
async function userPipeWire() {
  const folder = stage.folder(), address = `unix:${folder}/pulse/native`;
  chmodSync(folder, 0o700);
  const env = { HOME: folder, XDG_RUNTIME_DIR: folder, XDG_CONFIG_HOME: `${folder}/config`, XDG_STATE_HOME: `${folder}/state`, PULSE_SERVER: '' };
  const bus = stage.start('dbus-daemon', ['--session', '--nofork', '--print-address'], { env });
  env.DBUS_SESSION_BUS_ADDRESS = (await until('the bus', () => /^unix:.*$/m.exec(bus.log)))[0];
  stage.start('pipewire', [], { env });
  await until('PipeWire', () => existsSync(path.join(folder, 'pipewire-0')));
  for (const program of ['wireplumber', 'pipewire-pulse']) stage.start(program, [], { env });
  await answers(address);
  return { address };
}

for (const [name, begin, programs] of [
  ['PulseAudio', userPulseAudio, []],
  ['PipeWire', userPipeWire, ['pipewire', 'wireplumber', 'pipewire-pulse', 'dbus-daemon']],
])
  test(`${name} of the user: sound out, the microphone in, neither in the other, and nothing left behind`, { timeout: 120000 }, async (context) => {
    const missing = programs.find((program) => !has(program));
    if (missing) return context.skip(`${missing} is not installed`);
    const server = await begin(), modules = () => pactl(server, 'list', 'short', 'modules').split('\n').filter((line) => /module-(null-sink|remap-source).*vitrine/.test(line));
    assert.deepEqual(modules(), []);
    const session = await stage.session([], { PULSE_SERVER: server.address });
    const page = await stage.open(browser, session, '?transport=webrtc');
    stage.play(session, 'is-live=true freq=660 volume=0.5');
    await hearing(page);
    const pitchHeard = async () => {
      await heard(page);
      await sleep(1000);
      return frequency((await heard(page)).samples);
    };
    await until('the desktop\'s tone', async () => Math.abs((await pitchHeard()) - 660) < 3, 15000);

    await speak(page);
    const recording = stage.record(session, 'vitrine_microphone');
    const pitchSaid = async () => {
      recording.heard();
      await sleep(1000);
      return frequency(recording.heard().samples);
    };
    await until('the viewer\'s tone', async () => Math.abs((await pitchSaid()) - 440) < 3, 15000);
    assert.match(pactl(server, 'info'), /Default Source: vitrine_microphone/);
    assert.doesNotMatch(pactl(server, 'info'), /Default Sink: vitrine_talk/, 'programs play to the loudspeaker, not to the microphone');
    await until('the desktop\'s tone, as before', async () => Math.abs((await pitchHeard()) - 660) < 3, 15000);
    assert.ok(loudest(recording.heard().samples) > 0.1);
    await page.click('#microphone-toggle');
    await silent(recording);
    assert.deepEqual(page.problems, []);
    await session.handle.end();
    await until('what the session made to be gone', () => modules().length === 0);
  });
