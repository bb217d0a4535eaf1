// SPDX-License-Identifier: LGPL-2.1-or-later
// Typing, clicking and dragging in the page arrives in real X programs, where it was made.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Stage, desktopLine, freePort, need, showing, until } from './harness.mjs';

need('Xvfb', 'gst-launch-1.0', 'xterm', 'xev');

const stage = new Stage();
let browser, display, port;

before(async () => {
  ({ display } = await stage.xserver('1280x720'));
  port = await freePort();
  await stage.gstLaunch(desktopLine(display, port), port);
  browser = await stage.chromium();
});
after(() => stage.close());

/** Where a pixel of the stream is on the page: the video is letterboxed into the window. */
async function place(page, x, y) {
  return page.evaluate(([px, py]) => {
    const video = document.getElementById('screen');
    const box = video.getBoundingClientRect();
    const width = video.videoWidth ?? video.width, height = video.videoHeight ?? video.height;  // a canvas until WebRTC has taken over
    const scale = Math.min(box.width / width, box.height / height);
    return [
      box.left + (box.width - width * scale) / 2 + (px + 0.5) * scale,
      box.top + (box.height - height * scale) / 2 + (py + 0.5) * scale,
    ];
  }, [x, y]);
}

test('a typed line arrives in xterm', async () => {
  const file = path.join(stage.folder(), 'line');
  const xterm = stage.x(display, 'xterm', ['-geometry', '80x24+100+100', '-e', 'sh', '-c', `IFS= read -r line; printf %s "$line" > ${file}`]);
  const page = await stage.page(browser, port);
  await showing(page, 3);
  const [x, y] = await place(page, 200, 200);
  await page.mouse.move(x, y);
  await page.mouse.click(x, y);
  // xterm takes the keyboard when the pointer is over it; it may still be starting.
  await until('xterm to be there', () => /xterm/.test(listWindows()));
  const line = 'The quick Brown fox, 0123456789 - #@!%&*()[]{}<>?/|~^_+="\'';
  await page.keyboard.type(line, { delay: 5 });
  await page.keyboard.press('Enter');
  await xterm.exited;
  assert.equal(readFileSync(file, 'utf8'), line);
  await page.context().close();
});

function listWindows() {
  return spawnSync('xwininfo', ['-root', '-tree', '-display', display], { encoding: 'utf8' }).stdout;
}

/** Positions in the root window of the events of one kind that xev printed. */
function events(xev, kind) {
  const pattern = new RegExp(`${kind} event[^\\n]*\\n[^\\n]*root:\\((\\d+),(\\d+)\\),\\s*state 0x[0-9a-f]+, button (\\d+)`, 'g');
  return [...xev.log.matchAll(pattern)].map((m) => ({ x: Number(m[1]), y: Number(m[2]), button: Number(m[3]) }));
}

for (const [width, height] of [[1280, 720], [900, 800], [1600, 500]])
  test(`click and drag arrive where they were made, window ${width}×${height}`, async (t) => {
    const xev = stage.x(display, 'xev', ['-geometry', '1280x720+0+0', '-event', 'mouse', '-event', 'button']);
    t.after(() => xev.end());
    await until('xev to be there', () => /Event Tester/.test(listWindows()));
    const page = await stage.page(browser, port, { width, height });
    await showing(page, 3);

    await page.mouse.click(...(await place(page, 321, 123)));
    await until('a click', () => events(xev, 'ButtonRelease').length >= 1);
    assert.deepEqual(events(xev, 'ButtonPress')[0], { x: 321, y: 123, button: 1 });

    xev.log = '';
    await page.mouse.move(...(await place(page, 600, 300)));
    await page.mouse.down();
    await page.mouse.move(...(await place(page, 700, 350)), { steps: 5 });
    await page.mouse.move(...(await place(page, 801, 402)), { steps: 5 });
    await page.mouse.up();
    await until('the drag to end', () => events(xev, 'ButtonRelease').length >= 1);
    assert.deepEqual(events(xev, 'ButtonPress')[0], { x: 600, y: 300, button: 1 });
    assert.deepEqual(events(xev, 'ButtonRelease')[0], { x: 801, y: 402, button: 1 });

    xev.log = '';
    await page.mouse.click(...(await place(page, 50, 60)), { button: 'right' });
    await until('a right click', () => events(xev, 'ButtonRelease').length >= 1);
    assert.deepEqual(events(xev, 'ButtonPress')[0], { x: 50, y: 60, button: 3 });

    xev.log = '';
    await page.mouse.wheel(0, 240);
    await until('scrolling down', () => events(xev, 'ButtonRelease').filter((e) => e.button === 5).length >= 2);
    await page.mouse.wheel(0, -120);
    await until('scrolling up', () => events(xev, 'ButtonRelease').some((e) => e.button === 4));
    await page.context().close();
  });

test('keys held when the page goes are released', async (t) => {
  const xev = stage.x(display, 'xev', ['-geometry', '1280x720+0+0', '-event', 'keyboard', '-event', 'button']);
  t.after(() => xev.end());
  await until('xev to be there', () => /Event Tester/.test(listWindows()));
  const page = await stage.page(browser, port);
  await showing(page, 3);
  await page.mouse.click(...(await place(page, 640, 360)));
  await page.keyboard.down('Shift');
  await page.keyboard.down('KeyA');
  await until('the key to be down', () => /KeyPress event[^]*keysym 0x41/.test(xev.log));
  await page.context().close();
  await until('both keys to be up', () => (xev.log.match(/KeyRelease event/g) ?? []).length >= 2, 5000);
});
