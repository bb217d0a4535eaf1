// SPDX-License-Identifier: LGPL-2.1-or-later
// Fingers on the page are a pointer on the desktop; positions are right on screens of any pixel ratio; keys on the page.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { Stage, desktopLine, freePort, need, password, showing, sleep, until } from './harness.mjs';

need('Xvfb', 'gst-launch-1.0', 'xev', 'xwininfo');

const stage = new Stage();
let browser, display, port, xev;

before(async () => {
  ({ display } = await stage.xserver('800x600'));
  port = await freePort();
  await stage.gstLaunch(desktopLine(display, port, { framerate: 10 }), port);
  browser = await stage.chromium();
  xev = stage.x(display, 'xev', ['-geometry', '800x600+0+0', '-event', 'button', '-event', 'keyboard']);
  await until('xev to be there', () => /Event Tester/.test(spawnSync('xwininfo', ['-root', '-tree', '-display', display], { encoding: 'utf8' }).stdout));
});
after(() => stage.close());

/** What xev saw: "+1@x,y" and "-1@x,y" for buttons, "+name" and "-name" for keys. */
function seen() {
  const pattern = /(Button|Key)(Press|Release) event[^\n]*\n[^\n]*root:\((\d+),(\d+)\),\s*\n?\s*state 0x[0-9a-f]+, (?:button (\d+)|keycode \d+ \(keysym 0x[0-9a-f]+, (\w+)\))/g;
  return [...xev.log.matchAll(pattern)].map(([, kind, way, x, y, button, key]) =>
    `${way === 'Press' ? '+' : '-'}${kind === 'Button' ? `${button}@${x},${y}` : key}`);
}

async function open(more = {}) {
  const context = await browser.newContext({
    httpCredentials: { username: 'user', password }, viewport: { width: 1000, height: 700 }, hasTouch: true, ...more,
  });
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  await page.goto(`http://127.0.0.1:${port}/`);
  await showing(page, 2);
  // The page of the test before may be leaving yet.
  await until('control', () => page.evaluate(() => window.vitrine.control));
  const protocol = await context.newCDPSession(page);
  const { left, top, scale } = await page.evaluate(() => {
    // A canvas until WebRTC has taken over.
    const screen = document.getElementById('screen'), box = screen.getBoundingClientRect();
    const width = screen.videoWidth ?? screen.width, height = screen.videoHeight ?? screen.height;
    const size = Math.min(box.width / width, box.height / height);
    return { left: box.left + (box.width - width * size) / 2, top: box.top + (box.height - height * size) / 2, scale: size };
  });
  const place = (x, y) => ({ x: left + (x + 0.5) * scale, y: top + (y + 0.5) * scale });
  const fingers = (type, ...points) => protocol.send('Input.dispatchTouchEvent', {
    type, touchPoints: points.map(([x, y], id) => ({ ...place(x, y), id })),
  });
  xev.log = '';
  return { context, page, place, fingers };
}
const near = (event, what, x, y) => {
  const match = new RegExp(`^${what.replace('+', '\\+')}@(\\d+),(\\d+)$`).exec(event ?? '');
  assert.ok(match && Math.abs(match[1] - x) <= 1 && Math.abs(match[2] - y) <= 1, `${event} is not ${what}@${x},${y}`);
};

test('tap, double tap, long press, drag', async () => {
  const { context, page, fingers } = await open();
  await fingers('touchStart', [200, 150]);
  await fingers('touchEnd');
  await until('a click', () => seen().length >= 2);
  near(seen()[0], '+1', 200, 150);
  near(seen()[1], '-1', 200, 150);
  await sleep(600);
  xev.log = '';
  await fingers('touchStart', [300, 250]);
  await sleep(700);
  await fingers('touchEnd');
  await until('a right click', () => seen().length >= 2);
  near(seen()[0], '+3', 300, 250);
  await sleep(200);
  assert.equal(seen().length, 2, 'a long press is nothing else too');
  xev.log = '';
  await fingers('touchStart', [100, 100]);
  for (let step = 1; step <= 8; step++)
    await fingers('touchMove', [100 + 25 * step, 100 + 12 * step]);
  await fingers('touchEnd');
  await until('a drag', () => seen().length >= 2);
  near(seen()[0], '+1', 100, 100);
  near(seen()[1], '-1', 300, 196);
  assert.deepEqual(page.problems, []);
  await context.close();
});

test('two fingers scroll, a pinch is Control and the wheel', async () => {
  const { context, fingers } = await open();
  const two = (y) => [[300, y], [360, y]];
  await fingers('touchStart', ...two(400));
  for (let y = 390; y >= 250; y -= 10) {
    await fingers('touchMove', ...two(y));
    await sleep(10);
  }
  await sleep(150);
  await fingers('touchEnd');
  await until('scrolling down', () => seen().filter((event) => event.startsWith('-5')).length >= 2);
  assert.ok(seen().every((event) => /^[+-]5@/.test(event)), `only the wheel turns, ${seen()}`);
  xev.log = '';
  const apart = (far) => [[400 - far, 300], [400 + far, 300]];
  await fingers('touchStart', ...apart(30));
  for (let far = 40; far <= 120; far += 10)
    await fingers('touchMove', ...apart(far));
  await fingers('touchEnd');
  await until('Control to be up again', () => seen().includes('-Control_L'));
  const pinch = seen();
  assert.equal(pinch[0], '+Control_L');
  assert.equal(pinch.at(-1), '-Control_L');
  assert.ok(pinch.filter((event) => event.startsWith('+4')).length >= 5, `twice and again as far, ${pinch}`);
  await context.close();
});

for (const deviceScaleFactor of [1, 1.5, 2, 3])
  test(`clicks are where they were made with ${deviceScaleFactor} pixels to a CSS pixel`, async () => {
    const { context, page, place } = await open({ deviceScaleFactor, hasTouch: false, viewport: { width: 900, height: 777 } });
    for (const [x, y] of [[0, 0], [799, 599], [123, 456]]) {
      xev.log = '';
      const at = place(x, y);
      await page.mouse.click(at.x, at.y);
      await until('a click', () => seen().length >= 2);
      assert.equal(seen()[0], `+1@${x},${y}`);
    }
    await context.close();
  });

test('clicks are where they were made on a page that is scaled and shifted', async () => {
  const { context, page } = await open({ hasTouch: false });
  // What shows the first frames, which come by WebSocket, is another element.
  await until('WebRTC', () => page.evaluate(() => document.getElementById('screen') instanceof HTMLVideoElement));
  await page.evaluate(() => Object.assign(document.getElementById('screen').style, { inset: 'auto', left: '130px', top: '70px', width: '611px', height: '333px' }));
  const box = await page.locator('#screen').boundingBox();
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  await until('a click', () => seen().length >= 2);
  near(seen()[0], '+1', 400, 300);
  await context.close();
});

test('keys that browsers keep are on the page, modifiers hold for one key', async () => {
  const { context, page } = await open({ hasTouch: false });
  await page.mouse.click(500, 350);
  await until('the click', () => seen().length >= 2);
  await page.evaluate(() => document.getElementById('keys-toggle').click());
  xev.log = '';
  await page.getByRole('button', { name: 'Ctrl+Alt+Del' }).click();
  await until('the combination', () => seen().length >= 6);
  assert.deepEqual(seen(), ['+Control_L', '+Alt_L', '+Delete', '-Delete', '-Control_L', '-Alt_L']);
  xev.log = '';
  await page.getByRole('button', { name: 'Super', exact: true }).click();
  assert.equal(await page.getByRole('button', { name: 'Super', exact: true }).getAttribute('aria-pressed'), 'true');
  await page.keyboard.press('e');
  await until('Super and e', () => seen().length >= 4);
  assert.deepEqual(seen().slice(0, 2), ['+Super_L', '+e']);
  assert.ok(seen().includes('-Super_L'));
  assert.equal(await page.getByRole('button', { name: 'Super', exact: true }).getAttribute('aria-pressed'), 'false');
  if (process.env.VITRINE_SCREENSHOTS) await page.screenshot({ path: `${process.env.VITRINE_SCREENSHOTS}/keys.png` });
  await context.close();
});
