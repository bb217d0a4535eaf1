// SPDX-License-Identifier: LGPL-2.1-or-later
// The browser shows the pointer of the desktop: each shape, none when a program hides it; who watches sees where it is.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { Stage, desktopLine, freePort, need, showing, until } from './harness.mjs';

need('Xvfb', 'gst-launch-1.0');

const stage = new Stage();
let browser, display, page, port, program;

before(async () => {
  ({ display } = await stage.xserver('1280x720'));
  program = spawn(process.env.PATTERN_WINDOW, ['pointer'], { env: { ...process.env, DISPLAY: display }, stdio: ['pipe', 'ignore', 'inherit'] });
  stage.defer(() => program.kill());
  port = await freePort();
  await stage.gstLaunch(desktopLine(display, port).replace('w.control_src !', 'w.control_src ! tee name=t !') +
    ` t. ! x11desktop display-name=${display} resize=off ! w.control_sink`, port);
  browser = await stage.chromium();
  page = await stage.page(browser, port);
  await showing(page);
  await until('control', () => page.evaluate(() => window.vitrine.control));
  await page.mouse.move(640, 360);
});
after(() => stage.close());

const cursor = (of = page) => of.evaluate(() => getComputedStyle(document.getElementById('screen')).cursor);

/** Size of the picture in a CSS cursor, and its hot spot. */
async function picture(of = page) {
  const css = await cursor(of);
  const parts = /url\("(data:[^"]+)"\).*?\)\s+(\d+)\s+(\d+)/.exec(css);
  if (!parts) return null;
  const size = await of.evaluate(async (url) => {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    return [image.naturalWidth, image.naturalHeight, ...context.getImageData(1, 1, 1, 1).data];
  }, parts[1]);
  return { size, hot: [Number(parts[2]), Number(parts[3])] };
}

test('shapes arrive, with their hot spots', async () => {
  program.stdin.write('large\n');
  await until('a red square of 64 pixels', async () => {
    const shown = await picture();
    return shown && shown.size.join() === '64,64,255,0,0,255' && shown.hot.join() === '32,16';
  });
  program.stdin.write('cross\n');
  const cross = await until('another shape', async () => {
    const shown = await picture();
    return shown && shown.size[0] < 64 && (await cursor());
  });
  program.stdin.write('arrow\n');
  await until('a third one', async () => (await picture()) && (await cursor()) !== cross);
  program.stdin.write('cross\n');
  await until('the second one again', async () => (await cursor()) === cross);
});

test('it is hidden when a program hides it', async () => {
  program.stdin.write('none\n');
  await until('no pointer', async () => (await cursor()) === 'none');
  program.stdin.write('large\n');
  await until('it comes back', async () => (await picture())?.size[0] === 64);
});

test('in a smaller window it is smaller, like the picture', async () => {
  await page.setViewportSize({ width: 640, height: 360 });
  await until('a pointer of half the size', async () => {
    const shown = await picture();
    return shown && shown.size[0] === 32 && shown.hot.join() === '16,8';
  });
  await page.setViewportSize({ width: 1280, height: 720 });
});

test('who watches sees it where the holder moves it', async () => {
  const watcher = await stage.page(browser, port);
  await showing(watcher);
  const place = () => watcher.evaluate(() => {
    const image = document.getElementById('pointer'), box = image.getBoundingClientRect();
    return image.hidden ? null : [box.left, box.top, box.width].map(Math.round).join();
  });
  await page.bringToFront();
  await page.mouse.move(300, 200);
  await until('the pointer at 300, 200', async () => (await place()) === '268,184,64');
  await page.mouse.move(500, 100);
  await until('the pointer at 500, 100', async () => (await place()) === '468,84,64');
  assert.equal(await cursor(watcher), 'auto');
  await watcher.context().close();
});
