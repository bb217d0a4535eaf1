// SPDX-License-Identifier: LGPL-2.1-or-later
// What the tests of sound have in common: sessions with a sound server, pages with ears, and what is played and recorded on the desktop.
import { spawnSync } from 'node:child_process';
import { Stage, freePort, healthy, password, showing, skip, sleep, until } from './harness.mjs';
import { heard, installEar, loudest, record } from './sound-tools.mjs';

export function needElements(...elements) {
  for (const element of elements)
    if (spawnSync('gst-inspect-1.0', ['--exists', element]).status !== 0) skip(`there is no ${element}`);
}

export class SoundStage extends Stage {
  #ofTest = [];

  /** To be done at the end of the test, or the next one would hear it. */
  later(end) {
    this.#ofTest.push(end);
  }

  async endTest() {
    for (const end of this.#ofTest.splice(0)) await end();
  }

  /** A session; its own sound server unless `env` names one. */
  async session(options = [], env = {}) {
    const port = await freePort();
    const handle = this.start(process.env.VITRINE, ['--virtual=320x240', `--port=${port}`, '--resize=off', '--profile=software-vp8', '--framerate=60',
      `--sound-server=${env.PULSE_SERVER ? 'shared' : 'private'}`, ...options, '--', 'sh', '-c', 'echo "at $PULSE_SERVER $DISPLAY $XAUTHORITY"; exec sleep 1000'], {
      env: { DISPLAY: '', XAUTHORITY: '', PULSE_SERVER: '', VITRINE_PASSWORD: password, GST_DEBUG: process.env.SOUND_DEBUG ?? 'vitrine:3', GST_DEBUG_NO_COLOR: '1', ...env },
    });
    await healthy(port, handle);
    const [, address, display, authority] = await until('the program', () => /^at (\S+) (\S+) (\S+)$/m.exec(handle.log));
    return { handle, port, address, env: { ...env, DISPLAY: display, XAUTHORITY: authority, PULSE_SERVER: address } };
  }

  /** Chromium with a microphone that hears `wave`, a WAV file. */
  soundBrowser(wave, args = ['--autoplay-policy=no-user-gesture-required']) {
    return this.chromium([...args, ...(wave ? ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', `--use-file-for-fake-audio-capture=${wave}`] : [])]);
  }

  /** A page of a session that can be listened to. */
  async open(browser, session, query = '', script = null) {
    const page = await this.openUntouched(browser, session, query, script);
    await showing(page);
    await until('the way', () => page.evaluate(() => window.vitrine.way));
    return page;
  }

  /** The same, but not waited for: what Playwright evaluates counts as a user's gesture. */
  async openUntouched(browser, session, query = '', script = null) {
    const context = await browser.newContext({ httpCredentials: { username: 'user', password }, bypassCSP: true, permissions: ['microphone'] });
    await context.addInitScript(installEar);
    if (script) await context.addInitScript(script);
    const page = await context.newPage();
    page.problems = [];
    page.on('pageerror', (error) => page.problems.push(String(error)));
    this.later(() => context.close());
    // Chromium gives up a page when a network interface comes or goes on the machine.
    await until('the page', () => page.goto(`http://127.0.0.1:${session.port}/${query}`));
    return page;
  }

  /** A GStreamer pipeline on the session's desktop. */
  program({ env }, line) {
    const program = this.start('gst-launch-1.0', ['-q', ...line.trim().split(/\s+/)], { env, signal: 'SIGINT' });
    this.later(() => program.end());
    return program;
  }

  play(session, source) {
    return this.program(session, `audiotestsrc ${source} ! audio/x-raw,rate=48000,channels=2 ! pulsesink buffer-time=40000 latency-time=10000`);
  }

  /** What a program on the desktop records. */
  record({ address }, source = '@DEFAULT_SOURCE@') {
    const recording = record(this, address, source);
    this.later(() => recording.child.kill('SIGKILL'));
    return recording;
  }
}

export const pactl = ({ address }, ...args) => spawnSync('pactl', args, { encoding: 'utf8', env: { ...process.env, PULSE_SERVER: address } }).stdout;

/** Listens to a page once there is something to hear. */
export async function hearing(page) {
  await until('the track', () => page.evaluate(() => window.vitrine.way === 'websocket' || document.getElementById('sound').srcObject));
  await page.evaluate(() => window.listen());
  await until('something to hear', async () => loudest((await heard(page)).samples) > 0.1, 15000);
}

export const microphoneIs = (page, state) => page.evaluate((wanted) => window.vitrine.microphone === wanted, state);

/** As a user switches the microphone on. What makes speech of a tone is switched off. */
export async function speak(page) {
  await until('control', () => page.evaluate(() => window.vitrine.control));
  await page.click('#sound-toggle');
  await page.uncheck('#microphone-processing');
  await page.click('#microphone-toggle');
  await until('the microphone to be on', () => microphoneIs(page, 'on'));
}

/** Nothing is recorded any more. */
export const silent = (recording) => until('silence', async () => {
  recording.heard();
  await sleep(300);
  return loudest(recording.heard().samples) < 0.001;
});
