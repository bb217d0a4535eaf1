// SPDX-License-Identifier: LGPL-2.1-or-later
// A locked pointer sends movements, unaccelerated and without loss; a pen draws with each of its points; every button has its number.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { Stage, desktopLine, freePort, need, showing, until } from './harness.mjs';

need('Xvfb', 'gst-launch-1.0', 'xev', 'xwininfo', 'xdotool');

const size = { width: 800, height: 600 };
const stage = new Stage();
let display, page, protocol, xev;

before(async () => {
  ({ display } = await stage.xserver(`${size.width}x${size.height}`));
  const port = await freePort();
  await stage.gstLaunch(desktopLine(display, port, { framerate: 10 }), port);
  xev = stage.x(display, 'xev', ['-geometry', `${size.width}x${size.height}+0+0`, '-event', 'button', '-event', 'mouse']);
  await until('xev to be there', () => /Event Tester/.test(spawnSync('xwininfo', ['-root', '-tree', '-display', display], { encoding: 'utf8' }).stdout));
  const browser = await stage.chromium();
  // One pixel of the page is one of the desktop.
  page = await stage.page(browser, port, size);
  await showing(page, 2);
  protocol = await page.context().newCDPSession(page);
});
after(() => stage.close());

/** Where the desktop's pointer is: [x, y]. */
function position() {
  const { stdout } = spawnSync('xdotool', ['getmouselocation'], { env: { ...process.env, DISPLAY: display }, encoding: 'utf8' });
  return /x:(\d+) y:(\d+)/.exec(stdout).slice(1).map(Number);
}

/** What xev saw: "+1@x,y" and "-1@x,y" for buttons, "x,y" for moves. */
function seen() {
  const pattern = /(ButtonPress|ButtonRelease|MotionNotify) event[^\n]*\n[^\n]*root:\((\d+),(\d+)\),\s*\n?\s*state 0x[0-9a-f]+, (?:button (\d+))?/g;
  return [...xev.log.matchAll(pattern)].map(([, kind, x, y, button]) =>
    button ? `${kind === 'ButtonPress' ? '+' : '-'}${button}@${x},${y}` : `${x},${y}`);
}

test('a locked pointer sends each movement as it is', async () => {
  await page.mouse.move(400, 300);
  await until('the pointer in the middle', () => position().join() === '400,300');
  await page.evaluate(() => document.getElementById('lock-pointer').click());
  await until('the lock', () => page.evaluate(() => document.pointerLockElement?.id === 'screen'));
  // Much further than the screen is wide, in both directions, fast and slow: an accelerated or a clamped pointer would end elsewhere.
  let at = [400, 300];
  for (const [dx, dy, times] of [[1, 0, 40], [0, -1, 40], [-30, 10, 8], [35, 5, 6], [-10, -20, 10], [3, 7, 20]])
    for (let i = 0; i < times; i++) {
      at = [at[0] + dx, at[1] + dy];
      await page.mouse.move(...at);
    }
  await until(`the pointer at ${at}`, () => position().join() === at.join());

  xev.log = '';
  await page.mouse.down();
  await page.mouse.up();
  await until('a click', () => seen().length >= 2);
  assert.deepEqual(seen(), [`+1@${at}`, `-1@${at}`], 'a click goes where the pointer is, and moves nothing');
  assert.deepEqual(page.problems, []);
});

test('without the lock the pointer is where it points again', async () => {
  await page.evaluate(() => document.exitPointerLock());
  await until('the lock to go', () => page.evaluate(() => document.pointerLockElement === null));
  await page.mouse.move(123, 456);
  await until('the pointer there', () => position().join() === '123,456');
});

test('a pen draws with each of its points, its eraser and its side button press', async () => {
  xev.log = '';
  const pen = (type, x, y, more = {}) => protocol.send('Input.dispatchMouseEvent', {
    type, x, y, button: 'none', buttons: 0, pointerType: 'pen', force: 0.5, tiltX: 20, tiltY: -10, ...more,
  });
  const stroke = Array.from({ length: 30 }, (_, i) => [100 + 15 * i, Math.round(300 + 120 * Math.sin(i / 3))]);
  await pen('mouseMoved', ...stroke[0]);
  await pen('mousePressed', ...stroke[0], { button: 'left', buttons: 1, clickCount: 1 });
  for (const point of stroke.slice(1)) await pen('mouseMoved', ...point, { button: 'left', buttons: 1 });
  await pen('mouseReleased', ...stroke.at(-1), { button: 'left', clickCount: 1 });
  await until('the stroke', () => seen().includes(`-1@${stroke.at(-1)}`));
  const events = seen(), from = events.indexOf(`+1@${stroke[0]}`);
  assert.notEqual(from, -1, events.join(' '));
  const drawn = events.slice(from + 1, events.indexOf(`-1@${stroke.at(-1)}`));
  assert.deepEqual(drawn.filter((event, i) => event !== drawn[i - 1]), stroke.slice(1).map(String), 'no point is left out, none is made up');

  xev.log = '';
  await pen('mousePressed', 200, 200, { button: 'right', buttons: 2, clickCount: 1 });
  await pen('mouseReleased', 200, 200, { button: 'right', clickCount: 1 });
  await until('the side button', () => seen().includes('-3@200,200'));
});

test('five buttons have the numbers of X', async () => {
  for (const [button, bit, number] of [['left', 1, 1], ['middle', 4, 2], ['right', 2, 3], ['back', 8, 8], ['forward', 16, 9]]) {
    xev.log = '';
    await protocol.send('Input.dispatchMouseEvent', { type: 'mousePressed', x: 250, y: 250, button, buttons: bit, clickCount: 1 });
    await protocol.send('Input.dispatchMouseEvent', { type: 'mouseReleased', x: 250, y: 250, button, buttons: 0, clickCount: 1 });
    await until(`button ${number}`, () => seen().includes(`-${number}@250,250`));
    assert.ok(seen().includes(`+${number}@250,250`));
  }
  assert.deepEqual(page.problems, []);
});
