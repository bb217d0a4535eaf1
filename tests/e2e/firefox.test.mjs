// SPDX-License-Identifier: LGPL-2.1-or-later
// Firefox: the picture by VP8 (its H.264 comes from a download), typing, the clipboard both ways, a locked pointer, files both ways.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { authorization, ended } from './files-kit.mjs';
import { Stage, close, desktopLine, freePort, need, password, pixel, showing, skip, sleep, until } from './harness.mjs';

need('Xvfb', 'gst-launch-1.0', 'xterm', 'xsetroot', 'xclip', 'xdotool');
const firefox = ['/usr/bin/firefox-esr', '/usr/bin/firefox'].find(existsSync) ?? skip('Firefox is not installed');

const stage = new Stage();
let browser, display, page, port, up, down;

before(async () => {
  ({ display } = await stage.xserver('1280x720'));
  await stage.x(display, 'xsetroot', ['-solid', '#2060c0']).exited;
  port = await freePort();
  [up, down] = ['up', 'down'].map((name) => path.join(stage.folder(), name));
  await stage.gstLaunch(desktopLine(display, port, { encoder: 'vp8', bin: `upload-folder=${up} download-folder=${down}` }).replace('w.control_src !', 'w.control_src ! tee name=t !') +
    ` t. ! x11desktop display-name=${display} resize=off ! w.control_sink`, port);
  const { default: puppeteer } = await import('puppeteer-core');
  browser = await puppeteer.launch({ browser: 'firefox', executablePath: firefox, headless: true });
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

/** A tab of its own with a place for typing: the browser's world beside the desktop. */
async function beside(run) {
  const tab = await browser.newPage();
  await tab.goto(`http://127.0.0.1:${port}/health`);
  await tab.evaluate(() => {
    document.body.append(document.createElement('textarea'));
  });
  await tab.bringToFront();
  await tab.click('textarea');
  const result = await run(tab);
  await tab.close();
  await page.bringToFront();
  return result;
}

async function combination(tab, key) {
  await tab.keyboard.down('Control');
  await tab.keyboard.press(key);
  await tab.keyboard.up('Control');
}

const desktopEnv = () => ({ ...process.env, DISPLAY: display });

test('what is copied in Firefox comes with the paste key', async () => {
  const text = 'Firefox copied: Grüße, Ελλάδα, 漢字 🙂';
  await beside(async (tab) => {
    await tab.$eval('textarea', (area, value) => {
      area.value = value;
      area.select();
    }, text);
    await combination(tab, 'c');
  });
  await page.mouse.click(900, 600);
  await combination(page, 'v');
  await until('the text on the desktop', () =>
    spawnSync('xclip', ['-selection', 'clipboard', '-o', '-t', 'UTF8_STRING'], { env: desktopEnv(), encoding: 'utf8', timeout: 5000 }).stdout === text);
});

test('what is copied on the desktop can be pasted in Firefox after the next click', async () => {
  const text = 'The desktop copied: ñ € 漢字 🙂', file = path.join(stage.folder(), 'copied');
  writeFileSync(file, text);
  stage.x(display, 'xclip', ['-selection', 'clipboard', '-quiet', '-loops', '0', '-t', 'UTF8_STRING', '-i', file]);
  await until('the text in the panel', () => page.evaluate((wanted) => document.getElementById('clipboard-text').value === wanted, text));
  await page.mouse.click(900, 600);
  await until('the text in Firefox', async () => await beside(async (tab) => {
    await combination(tab, 'v');
    return tab.$eval('textarea', (area) => area.value);
  }) === text);
});

test('a locked pointer sends movements', async () => {
  const position = () => /x:(\d+) y:(\d+)/.exec(spawnSync('xdotool', ['getmouselocation'], { env: desktopEnv(), encoding: 'utf8' }).stdout)?.slice(1).map(Number);
  await page.bringToFront();
  await page.mouse.move(400, 300);
  await until('the pointer in the middle', () => position().join() === '400,300');
  await page.click('#lock-pointer');
  await until('the lock', () => page.evaluate(() => document.pointerLockElement?.id === 'screen'));
  const [x, y] = position();
  for (let i = 1; i <= 20; i++) await page.mouse.move(600 + 5 * i, 300 + 3 * i);
  await until('the pointer to have moved', () => {
    const [nowX, nowY] = position();
    return Math.abs(nowX - x) >= 50 && Math.abs(nowY - y) >= 30;
  });
  await page.evaluate(() => document.exitPointerLock());
});

test('the latency meter tells of pictures', async () => {
  await page.bringToFront();
  const summary = await until('pictures to be measured', async () => {
    await sleep(300);
    const now = await page.evaluate(() => window.vitrine.latency());
    return now.sure && now.captureToPhoton?.count >= 5 && now;
  }, 30000);
  console.log(`Firefox: capture to photon ${summary.captureToPhoton.p50.toFixed(1)} ms; ${Object.entries(summary.stages).map(([stage, { p50 }]) => `${stage} ${p50.toFixed(1)}`).join(', ')}`);
  for (const stage of ['encode', 'send', 'present']) assert.ok(summary.stages[stage].p50 >= 0, stage);
  assert.ok(summary.captureToPhoton.p50 > 0 && summary.captureToPhoton.p50 < 5000);
});

test('a file that is dropped arrives, one that is offered can be fetched', async () => {
  const bytes = Uint8Array.from({ length: 3 << 20 }, (_, i) => (i * 7919) >> 5);
  await page.bringToFront();
  await page.evaluate((length) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from({ length }, (_, i) => (i * 7919) >> 5)], 'Grüße.bin'));
    for (const type of ['dragenter', 'dragover', 'drop'])
      document.getElementById('screen').dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: transfer }));
  }, bytes.length);
  await ended(page, 1);
  assert.deepEqual(new Uint8Array(readFileSync(path.join(up, 'Grüße.bin'))), bytes);

  writeFileSync(path.join(down, 'from the desktop'), 'taken along');
  if (await page.evaluate(() => document.getElementById('files').hidden)) await page.click('#files-toggle');
  const href = await until('the link', () => page.evaluate(() => document.querySelector('#files a[download]')?.href), 15000);
  const fetched = await page.evaluate(async (from) => (await fetch(from)).text(), href);
  assert.equal(fetched, 'taken along');
  assert.equal((await fetch(href)).status, 401);
  assert.equal((await fetch(href, { headers: authorization() })).status, 200);
});
