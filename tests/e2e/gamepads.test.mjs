// SPDX-License-Identifier: LGPL-2.1-or-later
// Gamepads from a real Chromium to programs of a session that has no /dev/uinput: SDL2 and jstest. The browser's Gamepad API is a fake,
// for no gamepad can be plugged into a headless browser.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fakeGamepads, pad, xbox } from './fake-gamepads.mjs';
import { Stage, freePort, healthy, need, password, showing, skip, until } from './harness.mjs';

need('Xvfb', 'jstest', 'stdbuf');
const { VITRINE: vitrine, PAD_READER: reader } = process.env;
assert.ok(vitrine, 'run by `meson test`, which sets VITRINE');
if (!reader) skip('built without SDL2');

const stage = new Stage();
let browser;
before(async () => {
  browser = await stage.chromium();
});
after(() => stage.close());

async function desktop({ args = [], env = {} } = {}) {
  const folder = stage.folder(), port = await freePort();
  const file = (name) => path.join(folder, name);
  writeFileSync(file('orders'), '');
  // What it reads it gets as lines are added to a file.
  const program = `tail -n +1 -f ${file('orders')} | ${reader} >${file('sdl')} 2>&1 & sleep 600`;
  const session = stage.start(vitrine, ['--virtual=640x480', `--port=${port}`, '--no-audio', ...args, '--', 'sh', '-c', program],
    { env: { DISPLAY: '', XAUTHORITY: '', VITRINE_PASSWORD: password, XDG_RUNTIME_DIR: folder, ...env } });
  await healthy(port, session);
  const lines = (name) => (existsSync(file(name)) ? readFileSync(file(name), 'utf8').split('\n') : []);
  const line = (wanted, name = 'sdl') => until(`${wanted} in ${name}`, () => lines(name).includes(wanted), 20000);
  return { port, session, folder, lines, line, order: (text) => appendFileSync(file('orders'), `${text}\n`) };
}

async function open(port) {
  const page = await stage.page(browser, port);
  await page.addInitScript(fakeGamepads);
  await page.reload();
  await showing(page);
  await page.waitForFunction(() => window.vitrine.control);
  return page;
}

test('four gamepads reach SDL2 and jstest: buttons, axes, hats, hot-plug, rumble; all is let go with the viewer', async () => {
  const { port, session, folder, lines, line, order } = await desktop({ args: ['--gamepads=preload'] });
  await line('ready');
  const page = await open(port);
  for (const index of [0, 1, 2]) await pad(page, 'plug', index);
  await pad(page, 'plug', 3, { mapping: '', buttons: 200, axes: 6, id: 'Enormous' });
  for (const number of [0, 1, 2]) await line(xbox(number));
  await line('+ 3 Vitrine gamepad buttons=32 axes=6 hats=0 mapped=0 rumble=1');

  await pad(page, 'press', 0, 0);
  await line('b 0 0 1');
  await pad(page, 'press', 1, 12);
  await line('h 1 0 1');
  await pad(page, 'move', 2, 1, -1);
  await line('a 2 1 -32767');
  await pad(page, 'press', 2, 7, 1);
  await line('a 2 5 32767');
  await pad(page, 'press', 3, 31);
  await line('b 3 31 1');

  // The panel says what is there, and what of it is too much.
  const shown = await until('the list', async () => {
    const texts = await page.locator('#gamepads li').allTextContents();
    return texts.length === 4 && texts;
  });
  assert.deepEqual(shown.slice(0, 3), ['1: Pad 0', '2: Pad 1', '3: Pad 2']);
  assert.equal(shown[3], '4: Enormous (32 of 200 buttons, 6 of 6 axes)');
  await page.click('#panel-toggle');
  if (process.env.VITRINE_SCREENSHOTS) await page.screenshot({ path: `${process.env.VITRINE_SCREENSHOTS}/gamepads.png` });

  // A held button outlives the silence after which the server lets go.
  await page.waitForTimeout(3000);
  assert.ok(!lines('sdl').includes('b 0 0 0'));

  order('rumble 1 65535 0 400');
  const rumbles = await until('rumble and its end', async () => {
    const list = await page.evaluate(() => window.pads.rumbles);
    return list.some(({ type }) => type === 'reset') && list;
  });
  assert.deepEqual(rumbles[0], { index: 1, type: 'dual-rumble', startDelay: 0, duration: 1000, strongMagnitude: 1, weakMagnitude: 0 });

  // jstest, started by the user in the same session: with the environment that its programs have.
  const environment = programEnvironment(session.child.pid);
  const jstest = stage.start('stdbuf', ['-oL', 'jstest', '--event', '/dev/input/js0'], { env: environment });
  await until('jstest to see it', () => jstest.log.includes('has 8 axes') && jstest.log.includes('type 129'));
  await pad(page, 'press', 0, 1);
  await until('the button', () => /type 1, time \d+, number 1, value 1/.test(jstest.log));

  await pad(page, 'unplug', 1);
  await line('- 1');
  await pad(page, 'plug', 1);
  await line(xbox(4));

  // The viewer goes: buttons up at once, gamepads away after a while.
  await page.close();
  await line('b 0 0 0');
  await line('a 2 1 0');
  await line('- 0');
  await line('- 4');
  await session.end();
  assert.deepEqual(readdirSync(folder).filter((name) => name.startsWith('vitrine-')), [], 'nothing is left behind');
});

/** The variables of the program that a session runs. */
function programEnvironment(pid) {
  const children = spawnSync('pgrep', ['-P', String(pid), '-x', 'sh'], { encoding: 'utf8' }).stdout.trim().split('\n');
  const variables = readFileSync(`/proc/${children[0]}/environ`, 'utf8').split('\0').filter(Boolean);
  return Object.fromEntries(variables.map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]));
}

test('a page that is loaded anew finds its gamepads still plugged in, another viewer does not play them', async () => {
  const { port, lines, line } = await desktop();
  await line('ready');
  const page = await open(port);
  await pad(page, 'plug', 0);
  await line(xbox(0));
  const other = await open2(port);
  await pad(other, 'plug', 0);
  await pad(other, 'press', 0, 3);
  await pad(page, 'press', 0, 2);
  await line('b 0 2 1');
  await page.evaluate(() => window.pads.press(0, 2, 0));
  await line('b 0 2 0');
  assert.ok(!lines('sdl').includes('b 0 3 1'), 'who has no control plays nothing');
  // The first one goes; the second takes control, and with it the gamepad.
  await page.close();
  await other.bringToFront();
  await line('b 0 3 1');
  assert.ok(!lines('sdl').includes('- 0'), 'the same gamepad was not unplugged');
});

/** A viewer beside the one that has control. */
async function open2(port) {
  const page = await stage.page(browser, port);
  await page.addInitScript(fakeGamepads);
  await page.reload();
  await showing(page);
  return page;
}

test('switched off, nothing is preloaded and the page says so', async () => {
  const { port, session } = await desktop({ args: ['--gamepads=off'] });
  const page = await open(port);
  await pad(page, 'plug', 0);
  await until('the list', async () => (await page.locator('#gamepads li').allTextContents())[0] === 'Pad 0: the desktop takes no gamepads');
  const environment = programEnvironment(session.child.pid);
  assert.equal(environment.LD_PRELOAD ?? '', process.env.LD_PRELOAD ?? '');
  assert.equal(environment.VITRINE_GAMEPAD_FOLDER, undefined);
});

test('uinput that was asked for by name and cannot be opened is an error with a reason', async (t) => {
  if (existsSync('/dev/uinput')) {
    t.skip('there is a /dev/uinput here');
    return;
  }
  const session = stage.start(vitrine, ['--virtual', `--port=${await freePort()}`, '--gamepads=uinput', '--', 'true'], { env: { DISPLAY: '' } });
  assert.equal(await session.exited, 2);
  assert.match(session.log, /--gamepads=uinput: \/dev\/uinput: No such file or directory/);
});
