// SPDX-License-Identifier: LGPL-2.1-or-later
// Firefox: the picture by VP8 (its H.264 comes from a download), and typing.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Stage, close, desktopLine, freePort, need, password, pixel, showing, skip, until } from './harness.mjs';

need('Xvfb', 'gst-launch-1.0', 'xterm', 'xsetroot');
const firefox = ['/usr/bin/firefox-esr', '/usr/bin/firefox'].find(existsSync) ?? skip('Firefox is not installed');

const stage = new Stage();
let display, page;

before(async () => {
  ({ display } = await stage.xserver('1280x720'));
  await stage.x(display, 'xsetroot', ['-solid', '#2060c0']).exited;
  const port = await freePort();
  await stage.gstLaunch(desktopLine(display, port, { encoder: 'vp8' }), port);
  const { default: puppeteer } = await import('puppeteer-core');
  const browser = await puppeteer.launch({ browser: 'firefox', executablePath: firefox, headless: true });
  stage.defer(() => browser.close());
  page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 720 });
  await page.goto(`http://user:${password}@127.0.0.1:${port}/`);
});
after(() => stage.close());

test('the page shows the desktop', async () => {
  await showing(page, 3);
  await until('a blue desktop', async () => close(await pixel(page, 100, 100), [0x20, 0x60, 0xc0]));
});

test('a typed line arrives in xterm', async () => {
  const file = path.join(stage.folder(), 'line');
  const xterm = stage.x(display, 'xterm', ['-geometry', '80x24+100+100', '-e', 'sh', '-c', `echo ready > ${file}; IFS= read -r line; printf %s "$line" > ${file}`]);
  await until('xterm to be there', () => existsSync(file));
  await page.mouse.click(200, 200);
  await page.keyboard.type('Hello, Firefox 123!', { delay: 5 });
  await page.keyboard.press('Enter');
  await xterm.exited;
  assert.equal(readFileSync(file, 'utf8'), 'Hello, Firefox 123!');
});
