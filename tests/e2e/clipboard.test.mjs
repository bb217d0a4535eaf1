// SPDX-License-Identifier: LGPL-2.1-or-later
// What is copied on the desktop can be pasted in the browser's world, and the other way: long texts, HTML, pictures.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { Stage, desktopLine, freePort, need, password, showing, until } from './harness.mjs';

need('Xvfb', 'gst-launch-1.0', 'xclip');

const stage = new Stage();
let browser, display, folder, port;

before(async () => {
  ({ display } = await stage.xserver('1280x720'));
  folder = stage.folder();
  port = await freePort();
  await stage.gstLaunch(desktopLine(display, port).replace('w.control_src !', 'w.control_src ! tee name=t !') +
    ` t. ! x11desktop display-name=${display} resize=off ! w.control_sink`, port);
  browser = await stage.chromium();
});
after(() => stage.close());

const env = () => ({ ...process.env, DISPLAY: display });

/** What a program on the desktop would paste. */
function pasted(target) {
  return spawnSync('xclip', ['-selection', 'clipboard', '-o', '-t', target], { env: env(), maxBuffer: 1 << 28, timeout: 5000 }).stdout;
}

/** A program on the desktop copies a file's content; it goes on owning the selection until the next one does. */
function copy(file, target) {
  const owner = spawn('xclip', ['-selection', 'clipboard', '-quiet', '-loops', '0', '-t', target, '-i', file], { env: env(), stdio: 'ignore' });
  stage.defer(() => owner.kill());
  return owner;
}

async function open(permissions) {
  const context = await browser.newContext({ httpCredentials: { username: 'user', password }, viewport: { width: 1280, height: 720 } });
  await context.grantPermissions(permissions, { origin: `http://127.0.0.1:${port}` });
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${port}/`);
  await showing(page);
  await until('control', () => page.evaluate(() => window.vitrine.control));
  await page.bringToFront();
  return page;
}

/** The browser's clipboard, as a page reads it: text, or a hash of a picture's pixels. */
const browserText = (page) => page.evaluate(() => navigator.clipboard.readText());

const hash = (data) => createHash('sha256').update(data).digest('hex');

/** Ten million bytes of UTF-8 in which no two pieces are the same. */
function longText() {
  let text = '';
  for (let i = 0; text.length < 9_700_000; i++) text += `${i} Grüße, Ελλάδα, 漢字 🙂 ${(i * 2654435761) >>> 0}\n`;
  return Buffer.from(text);
}

/** A PNG of noise, which does not shrink. */
function noisePng(width, height) {
  const rows = Buffer.alloc(height * (width * 3 + 1));
  let state = 1;
  for (let i = 0; i < rows.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    rows[i] = i % (width * 3 + 1) === 0 ? 0 : state >>> 24;
  }
  const crcTable = Array.from({ length: 256 }, (_, n) => {
    for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    return n >>> 0;
  });
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    let crc = 0xffffffff;
    for (const byte of body) crc = crcTable[(crc ^ byte) & 255] ^ (crc >>> 8);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length);
    body.copy(out, 4);
    out.writeUInt32BE((crc ^ 0xffffffff) >>> 0, body.length + 4);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header), chunk('IDAT', deflateSync(rows, { level: 1 })), chunk('IEND', Buffer.alloc(0))]);
}

/** Size and hash of the pixels of a PNG, decoded by the browser: it encodes pictures anew. */
const pixelsOf = (page, base64) => page.evaluate(async (text) => {
  const blob = text === null
    ? await (await navigator.clipboard.read())[0].getType('image/png')
    : new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], { type: 'image/png' });
  const bitmap = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d');
  context.drawImage(bitmap, 0, 0);
  const digest = await crypto.subtle.digest('SHA-256', context.getImageData(0, 0, bitmap.width, bitmap.height).data);
  return `${bitmap.width}x${bitmap.height} ${[...new Uint8Array(digest)].map((b) => b.toString(16)).join(' ')}`;
}, base64);

/** Copies in the browser's world, as if in another tab: the page then gets the focus. */
async function copyInBrowser(page, write, argument) {
  await page.evaluate(write, argument);
  await page.evaluate(() => window.dispatchEvent(new Event('focus')));
}

test('a short text goes both ways and does not come back', async () => {
  const page = await open(['clipboard-read', 'clipboard-write']);
  writeFileSync(path.join(folder, 'short'), 'from the desktop, äöü €');
  copy(path.join(folder, 'short'), 'UTF8_STRING');
  await until('the text in the browser', async () => (await browserText(page)) === 'from the desktop, äöü €');
  await page.evaluate(() => window.dispatchEvent(new Event('focus')));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const owner = spawnSync('xclip', ['-selection', 'clipboard', '-o', '-t', 'TARGETS'], { env: env(), encoding: 'utf8' }).stdout;
  assert.doesNotMatch(owner, /text\/plain;charset=utf-8/, 'the program on the desktop still owns its selection');

  await copyInBrowser(page, (text) => navigator.clipboard.writeText(text), 'from the browser, ñ 漢字 🙂');
  await until('the text on the desktop', () => pasted('UTF8_STRING').toString() === 'from the browser, ñ 漢字 🙂');
  assert.equal(pasted('STRING').toString('latin1'), 'from the browser, \xf1 ?? ?');
  await page.context().close();
});

test('ten megabytes of text, both ways', async () => {
  const page = await open(['clipboard-read', 'clipboard-write']);
  const text = longText();
  assert.ok(text.length > 10_000_000);
  const file = path.join(folder, 'long');
  writeFileSync(file, text);
  copy(file, 'UTF8_STRING');
  await until('the text in the browser', async () => hash(Buffer.from(await browserText(page))) === hash(text), 20000);

  const other = Buffer.concat([Buffer.from('now from the browser\n'), text]);
  await copyInBrowser(page, (value) => navigator.clipboard.writeText(value), other.toString());
  await until('the text on the desktop', () => hash(pasted('UTF8_STRING')) === hash(other), 20000);
  await page.context().close();
});

test('a picture of five megabytes, both ways', async () => {
  const page = await open(['clipboard-read', 'clipboard-write']);
  const picture = noisePng(1400, 1250);
  assert.ok(picture.length > 5_000_000);
  const file = path.join(folder, 'picture.png');
  writeFileSync(file, picture);
  copy(file, 'image/png');
  const wanted = await pixelsOf(page, picture.toString('base64'));
  await until('the picture in the browser', async () => (await pixelsOf(page, null)) === wanted, 20000);

  const other = noisePng(1250, 1400);
  await copyInBrowser(page, async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': new Blob([bytes], { type: 'image/png' }) })]);
  }, other.toString('base64'));
  const there = await pixelsOf(page, other.toString('base64'));
  await until('the picture on the desktop', async () => {
    const got = pasted('image/png');
    return got.length > 5_000_000 && (await pixelsOf(page, got.toString('base64'))) === there;
  }, 20000);
  await page.context().close();
});

test('HTML keeps its form, with the text beside it', async () => {
  const page = await open(['clipboard-read', 'clipboard-write']);
  await copyInBrowser(page, () => navigator.clipboard.write([new ClipboardItem({
    'text/html': new Blob(['<p>bold: <b>äöü</b></p>'], { type: 'text/html' }), 'text/plain': new Blob(['bold: äöü'], { type: 'text/plain' }),
  })]));
  await until('HTML on the desktop', () => /<b[^>]*>äöü<\/b>/.test(pasted('text/html').toString()));
  assert.equal(pasted('UTF8_STRING').toString(), 'bold: äöü');
  await page.context().close();
});

test('without leave to read, the paste key brings the text along', async () => {
  const page = await open([]);
  const writer = await browser.newContext();
  await writer.grantPermissions(['clipboard-write']);
  const other = await writer.newPage();
  await other.goto(`http://127.0.0.1:${port}/health`);
  await other.evaluate(() => navigator.clipboard.writeText('by the paste key'));
  await writer.close();
  await page.bringToFront();
  await page.mouse.click(600, 300);
  await page.keyboard.press('Control+KeyV');
  await until('the text on the desktop', () => pasted('UTF8_STRING').toString() === 'by the paste key');
  await page.context().close();
});

test('who does not hold control has no say over the clipboard', async () => {
  const page = await open(['clipboard-read', 'clipboard-write']);
  await copyInBrowser(page, (text) => navigator.clipboard.writeText(text), 'of the holder');
  await until('the text on the desktop', () => pasted('UTF8_STRING').toString() === 'of the holder');
  const answers = await page.evaluate(async () => {
    const socket = new WebSocket(new URL('ws', location.href).href.replace(/^http/, 'ws'), 'vitrine.1');
    const got = [];
    await new Promise((resolve) => { socket.onopen = resolve; });
    socket.onmessage = ({ data }) => typeof data === 'string' && got.push(JSON.parse(data).type);
    const say = (message) => socket.send(JSON.stringify(message));
    say({ type: 'hello', version: 1, codecs: ['H264', 'VP8'] });
    say({ type: 'desktop/clipboard', id: 1, items: [{ type: 'text/plain', size: 4 }] });
    say({ type: 'desktop/clipboard-data', id: 1, offset: 0, data: btoa('evil') });
    say({ type: 'desktop/session', holder: 'me', viewers: ['me'] });
    return new Promise((resolve) => setTimeout(() => { socket.close(); resolve(got); }, 500));
  });
  assert.ok(answers.includes('desktop/state'));
  assert.ok(!answers.some((type) => type.startsWith('desktop/clipboard')));
  assert.equal(pasted('UTF8_STRING').toString(), 'of the holder');
  await page.context().close();
});
