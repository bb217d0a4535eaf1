// SPDX-License-Identifier: LGPL-2.1-or-later
// Measures from a press in the page to the changed pixel in it, without the client's help: flash-window turns from dark to bright or back on
// each press, and the page looks at the middle of what #screen shows once per refresh.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromiumPath, freePort, password, sleep, until } from './harness.mjs';

/** The helper program of the benchmarks; undefined if it is not built. */
export function flashWindow() {
  const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
  return process.env.FLASH_WINDOW ?? readdirSync(root).filter((name) => name.startsWith('build'))
    .map((name) => path.join(root, name, 'tests/bench/flash-window')).find(existsSync);
}

/** A server that streams flash-window on a display of its own; returns the port. */
export async function streamFlashes(stage, flash) {
  const { display } = await stage.xserver('640x360', ['-shmem']);
  const window = stage.x(display, flash, ['640', '360']);
  await until('flash-window', () => /ready/.test(window.log));
  const port = await freePort();
  await stage.gstLaunch(`ximagesrc-shm display-name=${display} show-pointer=false ! video/x-raw,format=I420,framerate=60/1
    ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=8000 key-int-max=6000 ! video/x-h264,profile=constrained-baseline
    ! webrtcsignallerbin name=w port=${port} password=${password} w.control_src ! x11inputsink display-name=${display}`, port);
  return port;
}

/** Runs in the page, from its beginning. window.probe: `first`, when the first picture was seen, and for each press its time and that of its change. */
export function pressProbe() {
  window.probe = { presses: [] };
  let wanted, context;
  const look = () => {
    requestAnimationFrame(look);
    const screen = document.getElementById('screen');
    const width = screen?.videoWidth ?? screen?.width, height = screen?.videoHeight ?? screen?.height;
    if (!width || (window.vitrine && !(window.vitrine.framesPresented > 0))) return;
    window.probe.first ??= performance.now();
    context ??= new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    context.drawImage(screen, Math.floor(width / 2), Math.floor(height / 2), 1, 1, 0, 0, 1, 1);
    const bright = context.getImageData(0, 0, 1, 1).data[0] > 128;
    if (wanted && bright === wanted.bright) {
      window.probe.presses.push({ at: wanted.at, took: performance.now() - wanted.at, seen: performance.timeOrigin + performance.now() });
      wanted = undefined;
    }
    window.probe.bright = bright;
  };
  requestAnimationFrame(look);
  addEventListener('pointerdown', (event) => {
    wanted = { at: event.timeStamp, bright: !window.probe.bright };
  }, { capture: true });
}

/** Presses `count` times, each after the one before has shown, and at no fixed distance; returns how long each took, ms. */
export async function press(page, count) {
  const { width, height } = page.viewportSize();
  const before = await page.evaluate(() => window.probe.presses.length);
  for (let i = 0; i < count; i++) {
    await page.mouse.click(width / 2, height / 2);
    await until('the pixel to change', () => page.evaluate((n) => window.probe.presses.length > n, before + i));
    await sleep(40 + Math.random() * 60);
  }
  return page.evaluate((n) => window.probe.presses.slice(n).map((one) => one.took), before);
}

/** A browser's context that fills a display, seen as by a person. */
export async function openVisible(stage, display, width, height) {
  const { chromium } = await import('playwright-core');
  const context = await chromium.launchPersistentContext(stage.folder(), {
    executablePath: chromiumPath(), headless: false, viewport: null, httpCredentials: { username: 'user', password }, env: { ...process.env, DISPLAY: display },
    args: ['--no-sandbox', '--disable-gpu', '--kiosk', '--window-position=0,0', `--window-size=${width},${height}`, '--no-first-run'],
  });
  stage.defer(() => context.close());
  return context;
}

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] : NaN;
}
