// SPDX-License-Identifier: LGPL-2.1-or-later
// Files dropped on the page and chosen, what becomes of them, and what the user is told when something is wrong.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { FilesStage, drop, ended, id, lines, put, serverLine } from './files-kit.mjs';
import { freePort, need, password, showing, sleep, until } from './harness.mjs';

need('gst-launch-1.0');
const kit = new FilesStage();
before(() => kit.begin());
after(() => kit.close());

test('files that are dropped arrive, whatever they are called', async () => {
  const page = await kit.open();
  const from = kit.folder();
  const names = ['plain.txt', 'grün & 図 100%.txt', '.hidden', 'quote"<b>.html', `${'x'.repeat(240)}.tar`, 'empty'];
  const contents = new Map(names.map((name) => [name, name === 'empty' ? Buffer.alloc(0) : randomBytes(1000 + Math.floor(Math.random() * 3e6))]));
  for (const [name, bytes] of contents) writeFileSync(path.join(from, name), bytes);
  await drop(page, names.map((name) => path.join(from, name)));
  await ended(page, names.length);
  const expected = ['plain.txt', 'grün & 図 100%.txt', 'hidden', 'quote"<b>.html', `${'x'.repeat(196)}.tar`, 'empty'];
  assert.deepEqual(readdirSync(kit.up).sort(), [...expected].sort());
  names.forEach((name, i) => assert.ok(readFileSync(path.join(kit.up, expected[i])).equals(contents.get(name)), name));
  assert.match((await lines(page)).find(({ name }) => name === '.hidden').text, /arrived as hidden/);
  // Once more: nothing is written over.
  await page.setInputFiles('#files input[type=file]', path.join(from, 'plain.txt'));
  await ended(page, names.length + 1);
  assert.ok(existsSync(path.join(kit.up, 'plain (2).txt')));
  // What is over can be taken off the list, and the keyboard does not get lost with it.
  await page.locator('#files li .dismiss').first().focus();
  await page.keyboard.press('Enter');
  await until('one line less', async () => (await lines(page)).length === names.length);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'files-send');
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test('folders are refused, and a drag that ends elsewhere leaves nothing', async () => {
  const page = await kit.open();
  const from = kit.folder();
  mkdirSync(path.join(from, 'folder'));
  writeFileSync(path.join(from, 'beside'), 'x');
  await drop(page, [path.join(from, 'folder'), path.join(from, 'beside')]);
  await until('a notice', async () => /Folders cannot be sent/.test(await page.textContent('#notices')));
  await ended(page, 1);
  await drop(page, [path.join(from, 'beside')], { leave: true });
  assert.equal((await lines(page)).length, 1);
  await page.context().close();
});

test('on a touch screen files are chosen in a dialog', async () => {
  const context = await kit.browser.newContext({ httpCredentials: { username: 'user', password }, viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true });
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${kit.port}/`);
  await showing(page, 3);
  // The bar's edge shows; touched, it comes down.
  const edge = await page.locator('#bar').boundingBox();
  await page.touchscreen.tap(edge.x + edge.width / 2, 5);
  await page.tap('#files-toggle');
  const chooser = page.waitForEvent('filechooser');
  await page.tap('#files-send');
  await (await chooser).setFiles({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer: randomBytes(100000) });
  await ended(page, 1);
  assert.equal(statSync(path.join(kit.up, 'photo.jpg')).size, 100000);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than the screen');
  if (process.env.VITRINE_SCREENSHOTS) await page.screenshot({ path: path.join(process.env.VITRINE_SCREENSHOTS, 'files-phone.png') });
  await context.close();
});

test('the keyboard reaches all of it', async () => {
  const page = await kit.open();
  await page.keyboard.press('Control+Alt+Shift+M');
  await page.focus('#files-toggle');
  await page.keyboard.press('Enter');
  await until('the first button to have the focus', () => page.evaluate(() => document.activeElement.id === 'files-send'));
  let chosen = false;
  page.on('filechooser', () => (chosen = true));
  await until('the dialog', async () => {
    if (!chosen) await page.keyboard.press('Enter');
    await sleep(200);
    return chosen;
  });
  await page.context().close();
});

test('one that is given up leaves nothing', async () => {
  const page = await kit.open();
  const hold = await kit.tunnel();
  await page.goto(`http://127.0.0.1:${hold.front}/`);
  await showing(page, 3);
  await drop(page, [kit.makeFile('given-up.bin', 64)]);
  await until('some of it to be there', async () => readdirSync(kit.up).some((name) => name.startsWith('.vitrine-upload-')));
  await page.click('#files li .cancel');
  await until('it to be gone', async () => (await lines(page)).length === 0 && !readdirSync(kit.up).some((name) => name.startsWith('.') || name.startsWith('given-up')));
  await page.context().close();
});

test('a folder that has vanished: a clear word, the picture goes on, and on again when it is back', async () => {
  const page = await kit.open();
  const aside = `${kit.up}-aside`;
  renameSync(kit.up, aside);
  await drop(page, [kit.makeFile('patient.bin', 2)]);
  await ended(page, 1, 'refused');
  assert.match((await lines(page))[0].text, /The folder for files is not there/);
  const shown = await page.evaluate(() => window.vitrine.framesPresented);
  await until('more pictures', () => page.evaluate((n) => window.vitrine.framesPresented > n + 5, shown));
  renameSync(aside, kit.up);
  if (process.env.VITRINE_SCREENSHOTS) await page.screenshot({ path: path.join(process.env.VITRINE_SCREENSHOTS, 'files-refused.png') });
  await page.click('#files li .retry');
  await ended(page, 1);
  renameSync(kit.down, `${kit.down}-aside`);
  await until('the list to say it', async () => /The folder for files is not there/.test(await page.textContent('#files > div:last-of-type')), 15000);
  renameSync(`${kit.down}-aside`, kit.down);
  await until('the list to be back', async () => !/is not there/.test(await page.textContent('#files > div:last-of-type')), 15000);
  await page.context().close();
});

test('a disk that is full: a clear word, and on again from there when there is room', async (context) => {
  const small = path.join(kit.root, 'small');
  mkdirSync(small);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'none', small]).status !== 0) return context.skip('no tmpfs can be mounted here');
  kit.defer(() => spawnSync('umount', ['-l', small]));
  const on = await freePort();
  const tiny = await kit.gstLaunch(serverLine(on, `upload-folder=${small}`), on);
  const page = await kit.page(kit.browser, on);
  await showing(page, 3);
  // Too large from the start.
  await drop(page, [kit.makeFile('much.bin', 40)]);
  await ended(page, 1, 'refused');
  assert.match((await lines(page))[0].text, /There is no room for this file/);
  assert.deepEqual(readdirSync(small), []);
  await page.click('#files li .dismiss');
  // Full on the way.
  const upload = id(), piece = randomBytes(1 << 20);
  assert.equal((await put(on, 'half', piece, { upload, size: 4 << 20 })).status, 200);
  kit.makeFile('filler', 22, small);
  const full = await put(on, 'half', piece, { upload, size: 4 << 20, offset: 1 << 20 });
  assert.equal(full.status, 507);
  assert.equal(full.headers.get('upload-offset'), String(1 << 20));
  await drop(page, [kit.makeFile('later.bin', 3)]);
  await ended(page, 1, 'refused');
  const shown = await page.evaluate(() => window.vitrine.framesPresented);
  await until('more pictures', () => page.evaluate((n) => window.vitrine.framesPresented > n + 5, shown));
  rmSync(path.join(small, 'filler'));
  await page.click('#files li .retry');
  await ended(page, 1);
  for (let i = 1; i < 4; i++) assert.equal((await put(on, 'half', piece, { upload, size: 4 << 20, offset: i << 20 })).status, i < 3 ? 200 : 201);
  assert.equal(statSync(path.join(small, 'half')).size, 4 << 20);
  await page.context().close();
  await tiny.end('SIGINT');
});
