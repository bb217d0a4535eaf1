// SPDX-License-Identifier: LGPL-2.1-or-later
// What every end-to-end test needs: a private X server, the server under test, and a real browser. Everything started is ended.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export { sleep };
export const password = 'correct-horse';

/** Ends the test file as skipped, which Meson prints with the reason. */
export function skip(reason) {
  console.log(`SKIP: ${reason}`);
  process.exit(77);
}

export function need(...programs) {
  for (const program of programs)
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) skip(`${program} is not installed`);
}

/** Polls until `check` returns something true; the value, or an error that says what was waited for. */
export async function until(what, check, timeoutMs = 10000) {
  const deadline = Date.now() + timeoutMs;
  let last;
  for (;;) {
    try {
      const value = await check();
      if (value) return value;
      last = undefined;
    } catch (error) {
      if (error.fatal) throw error;
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for: ${what}${last ? ` (${last.message})` : ''}`);
    await sleep(25);
  }
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** A set of processes, folders and browsers that end together. */
export class Stage {
  #cleanups = [];

  defer(cleanup) {
    this.#cleanups.push(cleanup);
  }

  async close() {
    const errors = [];
    for (const cleanup of this.#cleanups.reverse()) {
      try {
        await cleanup();
      } catch (error) {
        errors.push(error);
      }
    }
    this.#cleanups = [];
    if (errors.length) throw errors[0];
  }

  folder() {
    const folder = mkdtempSync(path.join(tmpdir(), 'vitrine-e2e-'));
    this.defer(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  /** Starts a process. `log` collects what it prints; `end()` stops it and returns its exit status. */
  start(command, args, { env = {}, signal = 'SIGTERM' } = {}) {
    // Nothing is measured beside tests but where it is what is tested.
    const child = spawn(command, args, { env: { ...process.env, VITRINE_PROBE: 'off', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const handle = { child, log: '', status: undefined };
    const collect = (data) => {
      handle.log += data;
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => {
      handle.log += String(error);
    });
    handle.exited = new Promise((resolve) => {
      child.on('close', (code, name) => {
        handle.status = code ?? name;
        resolve(handle.status);
      });
    });
    handle.end = async (how = signal) => {
      if (handle.status === undefined) child.kill(how);
      const late = setTimeout2(10000, () => child.kill('SIGKILL'));
      const status = await handle.exited;
      clearTimeout(late);
      return status;
    };
    this.defer(() => handle.end());
    return handle;
  }

  /** A private Xvfb; returns its DISPLAY. */
  async xserver(size = '1280x720', args = []) {
    const server = this.start('Xvfb', ['-displayfd', '1', '-screen', '0', `${size}x24`, '-nolisten', 'tcp', '-noreset', ...args]);
    const number = await until('Xvfb to name its display', () => /^(\d+)$/m.exec(server.log)?.[1]);
    return { display: `:${number}`, server };
  }

  x(display, command, args) {
    return this.start(command, args, { env: { DISPLAY: display } });
  }

  /** gst-launch-1.0 with `line`; waits until `port` answers. */
  async gstLaunch(line, port, env = {}) {
    const handle = this.start('gst-launch-1.0', ['-q', ...line.trim().split(/\s+/)], { env, signal: 'SIGINT' });
    await healthy(port, handle);
    return handle;
  }

  async chromium(args = []) {
    const { chromium } = await import('playwright-core');
    const browser = await chromium.launch({
      executablePath: chromiumPath(),
      args: [
        '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
        '--disable-background-networking', '--disable-component-update', '--disable-sync', ...args,
      ],
    });
    this.defer(() => browser.close());
    return browser;
  }

  async page(browser, port, { host = '127.0.0.1', user = 'user', secret = password, width = 1280, height = 720 } = {}) {
    const context = await browser.newContext({
      httpCredentials: secret === null ? undefined : { username: user, password: secret },
      viewport: { width, height },
    });
    const page = await context.newPage();
    page.problems = [];
    page.on('pageerror', (error) => page.problems.push(String(error)));
    await page.goto(`http://${host}:${port}/`);
    return page;
  }
}

const setTimeout2 = (ms, run) => globalThis.setTimeout(run, ms);

export function chromiumPath() {
  const found = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
  return found ?? skip('Chromium is not installed');
}

export async function healthy(port, handle) {
  await until(`the server on port ${port}`, async () => {
    if (handle.status !== undefined)
      throw Object.assign(new Error(`the server ended with ${handle.status}: ${handle.log}`), { fatal: true });
    const answer = await fetch(`http://127.0.0.1:${port}/health`);
    return answer.ok;
  }, 20000);
}

/** The page shows the stream: connected, and at least `frames` pictures presented. */
export async function showing(page, frames = 1) {
  await until('the page to show the stream', () =>
    page.evaluate((n) => document.documentElement.dataset.state === 'connected' && window.vitrine.framesPresented >= n, frames), 15000);
}

/** The page believes that it is 'visible' or 'hidden', as behind another tab. */
export function setVisibility(page, state) {
  return page.evaluate((value) => {
    Object.defineProperty(document, 'visibilityState', { value, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
}

/** The colour [r, g, b] that the page shows at a pixel of the stream. */
export function pixel(page, x, y) {
  return page.evaluate(([px, py]) => {
    const screen = document.getElementById('screen');
    const canvas = document.createElement('canvas');
    canvas.width = screen.videoWidth ?? screen.width;
    canvas.height = screen.videoHeight ?? screen.height;
    const context = canvas.getContext('2d');
    context.drawImage(screen, 0, 0);
    return [...context.getImageData(px, py, 1, 1).data.slice(0, 3)];
  }, [x, y]);
}

/** Whether two colours are the same but for what 4:2:0 video does to them. */
export function close(a, b, tolerance = 12) {
  return a.every((value, i) => Math.abs(value - b[i]) <= tolerance);
}

/** The launch line of README.md's example, on `display` and `port`. */
export function desktopLine(display, port, { encoder = 'h264', bin = '', framerate = 30 } = {}) {
  const encoders = {
    h264: 'x264enc tune=zerolatency speed-preset=ultrafast bitrate=8000 key-int-max=6000 ! video/x-h264,profile=constrained-baseline',
    vp8: 'vp8enc deadline=1 cpu-used=6 target-bitrate=8000000 keyframe-max-dist=6000',
    vp9: 'vp9enc deadline=1 cpu-used=8 target-bitrate=8000000 keyframe-max-dist=6000',
  };
  return `ximagesrc display-name=${display} use-damage=false show-pointer=false ! video/x-raw,framerate=${framerate}/1 ! videoconvert
    ! ${encoders[encoder]} ! webrtcsignallerbin name=w port=${port} user=user password=${password} ${bin}
    w.control_src ! x11inputsink display-name=${display}`;
}
