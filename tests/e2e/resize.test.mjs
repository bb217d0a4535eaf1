// SPDX-License-Identifier: LGPL-2.1-or-later
// The desktop takes the size of the window, and each of its pixels is one of the screen's.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Stage, freePort, healthy, need, password, showing, until } from './harness.mjs';

need('Xvfb');

const stage = new Stage();
let browser, judge, page, server;

before(async () => {
  const port = await freePort();
  server = stage.start(process.env.VITRINE, ['--virtual=1280x720', `--port=${port}`, '--listen=127.0.0.1', '--no-audio',
    '--bitrate=20000', '--', process.env.PATTERN_WINDOW], { env: { VITRINE_PASSWORD: password, DISPLAY: '' } });
  await healthy(port, server);
  browser = await stage.chromium(['--hide-scrollbars']);
  page = await stage.page(browser, port, { width: 1280, height: 720 });
  judge = await (await browser.newContext()).newPage();
  await page.bringToFront();
  await showing(page);
  await page.evaluate(() => {
    for (const id of ['bar', 'notices', 'state']) document.getElementById(id).style.display = 'none';
  });
});
after(() => stage.close());

/** The share of a screenshot's pattern that is not what pattern-window drew; 1 if it is of another size. */
async function wrongShare(width, height) {
  const shot = await page.screenshot({ type: 'png', scale: 'device' });
  return judge.evaluate(async ([base64, w, h]) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d');
    context.drawImage(bitmap, 0, 0);
    // An odd window has one pixel more than the desktop, at its right or lower edge.
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    if (bitmap.width - w > 1 || bitmap.height - h > 1) return 1;
    const starts = (size) => [0, size - 64, Math.floor(size / 2) - 32];
    let wrong = 0, all = 0;
    for (const top of starts(h))
      for (const left of starts(w))
        for (let y = top; y < top + 64; y++)
          for (let x = left; x < left + 64; x++) {
            const dark = (((x >> 4) + (y >> 4)) & 1 ? x : y) & 1;
            const value = data[(y * bitmap.width + x) * 4 + 1];
            all++;
            wrong += dark ? value > 100 : value < 156;
          }
    return wrong / all;
  }, [shot.toString('base64'), width, height]);
}

async function follows(width, height, ratio = 1) {
  const [w, h] = [Math.floor(width * ratio) & ~1, Math.floor(height * ratio) & ~1];
  await until(`a desktop of ${w}×${h}`, () => page.evaluate(([x, y]) => {
    const { lastFrame } = window.vitrine;
    return lastFrame.width === x && lastFrame.height === y;
  }, [w, h]));
  let share = 1;
  await until(`a sharp picture of ${w}×${h}`, async () => (share = await wrongShare(w, h)) < 0.002, 8000)
    .catch((error) => assert.fail(`${error.message}: ${(100 * share).toFixed(1)} % of the pixels are wrong`));
}

test('fifty sizes of the window, each pixel for pixel', async () => {
  let state = 20260101;
  const random = (least, most) => least + (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % (most - least);
  for (let i = 0; i < 50; i++) {
    const width = random(400, 1400), height = random(300, 900);
    await page.setViewportSize({ width, height });
    await follows(width, height);
  }
});

test('a screen of fine pixels gets them all', async () => {
  const context = await browser.newContext({
    httpCredentials: { username: 'user', password }, viewport: { width: 700, height: 400 }, deviceScaleFactor: 1.5,
  });
  const fine = await context.newPage();
  await page.evaluate(() => window.vitrine.control);
  const url = page.url();
  await page.context().close();
  page = fine;
  await page.goto(url);
  await showing(page);
  await page.evaluate(() => {
    for (const id of ['bar', 'notices', 'state']) document.getElementById(id).style.display = 'none';
  });
  await follows(700, 400, 1.5);
});

test('wishes without sense change nothing, and the session goes on', async () => {
  await page.setViewportSize({ width: 640, height: 360 });
  await follows(640, 360, 1.5);
  assert.equal(server.status, undefined);
});
