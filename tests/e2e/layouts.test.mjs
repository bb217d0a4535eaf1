// SPDX-License-Identifier: LGPL-2.1-or-later
// What viewers type on keyboards of many layouts, by input methods and by dead keys arrives in real programs, character for character.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Stage, desktopLine, freePort, need, showing, skip, sleep, until } from './harness.mjs';
import { ViewerKeyboard, layouts } from './viewer-keyboard.mjs';

need('Xvfb', 'gst-launch-1.0', 'xterm');
// Debian's own, which has Debian's modules.
const python = '/usr/bin/python3';
if (spawnSync(python, ['-c', 'import gi; gi.require_version("Gtk", "3.0")']).status !== 0) skip('GTK for Python is not installed');

const stage = new Stage();
let browser, display, port, page, keyboard;

before(async () => {
  ({ display } = await stage.xserver('800x600'));
  port = await freePort();
  await stage.gstLaunch(desktopLine(display, port, { framerate: 10 }), port);
  browser = await stage.chromium();
  page = await stage.page(browser, port, { width: 800, height: 600 });
  await showing(page, 3);
  keyboard = await ViewerKeyboard.of(page);
});
after(() => stage.close());

/** Types it all into a program; `read` says what arrived so far, `enter` ends a line and returns what that adds. */
async function typeAll(t, read, enter) {
  /** What `type` adds to the program's text. */
  const adds = (name, expected, type, patience = 8000) => t.test(name, async () => {
    const before = await read();
    await type();
    await until(name, async () => (await read()).length >= before.length + expected.length, patience).catch(() => {});
    assert.equal((await read()).slice(before.length), expected);
  });
  for (const [name, [, , , text]] of Object.entries(layouts))
    await adds(`layout ${name}`, text + enter.adds, async () => {
      await keyboard.type(name, text);
      await enter.press();
    });
  await adds('input method: Chinese, Japanese, Korean', '你好日本語한글', async () => {
    await keyboard.compose(['n', 'ni', 'nih', 'nihao'], '你好');
    await keyboard.compose(['に', 'にほ', 'にほん', '日本'], '日本語');
    await keyboard.compose(['ㅎ', '하', '한'], '한글');
  });
  const inserted = '😀🎉 ½→∞ ไทย';
  await adds('emoji and characters beyond the layout, inserted as text', inserted, () => page.keyboard.insertText(inserted));
  await adds('a dead key and its letter', 'é', async () => {
    await keyboard.tap({ key: 'Dead', code: 'Equal' });
    await keyboard.tap({ key: 'é', code: 'KeyE' });
  });
  const many = Array.from({ length: 300 }, (_, i) => String.fromCodePoint(0x4e00 + i * 7)).join('');
  await adds('three hundred characters that no key has, at once', many, () => page.keyboard.insertText(many), 20000);
  assert.deepEqual(page.problems, []);
}

test('into a GTK entry', async (t) => {
  const program = stage.x(display, python, [path.join(path.dirname(fileURLToPath(import.meta.url)), 'typing-window.py')]);
  t.after(() => program.end());
  await until('the window', () => /"ready"/.test(program.log));
  await page.mouse.click(400, 400);
  await sleep(300);
  const read = () => JSON.parse(program.log.trim().split('\n').filter((line) => line.includes('"text"')).at(-1) ?? '{"text":""}').text;
  await typeAll(t, read, { adds: '', press: () => {} });
});

test('into xterm', async (t) => {
  const file = path.join(stage.folder(), 'typed');
  const xterm = stage.start('xterm', ['-u8', '-geometry', '80x24+0+0', '-e', 'sh', '-c', `stty -icanon -echo; cat > ${file}`], {
    env: { DISPLAY: display, LC_ALL: 'C.UTF-8' },
  });
  t.after(() => xterm.end());
  await until('xterm to be ready', () => readFileSync(file, 'utf8') === '');
  await sleep(300);
  await page.mouse.click(200, 200);
  const read = () => readFileSync(file, 'utf8');
  await typeAll(t, read, { adds: '\n', press: () => page.keyboard.press('Enter') });
});
