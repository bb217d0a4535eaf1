// SPDX-License-Identifier: LGPL-2.1-or-later
// What the tests of files have in common: a server with folders, files, dropping them on the page, and what its panel says.
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, createReadStream, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { connect as dial, createServer } from 'node:net';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Stage, freePort, password, showing, until } from './harness.mjs';

export const authorization = (user = 'user', secret = password) => ({ Authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}` });

export function serverLine(on, properties, { bitrate = 2000, pattern = 'ball' } = {}) {
  return `videotestsrc is-live=true pattern=${pattern} ! video/x-raw,width=640,height=360,framerate=30/1 ! x264enc tune=zerolatency speed-preset=ultrafast
    bitrate=${bitrate} key-int-max=6000 ! video/x-h264,profile=constrained-baseline
    ! webrtcsignallerbin name=w port=${on} user=user password=${password} ${properties}`;
}

export class FilesStage extends Stage {
  /** A server with an upload and a download folder, and a browser. There is a guest, password "looking", who may only look. */
  async begin() {
    this.root = this.folder();
    [this.up, this.down] = ['up', 'down'].map((name) => path.join(this.root, name));
    const accounts = path.join(this.root, 'accounts');
    writeFileSync(accounts, 'guest:looking:view\n');
    this.port = await freePort();
    this.server = await this.gstLaunch(serverLine(this.port, `upload-folder=${this.up} download-folder=${this.down} upload-limit=4000 accounts-file=${accounts}`), this.port);
    this.browser = await this.chromium();
  }

  async open(options) {
    const page = await this.page(this.browser, this.port, options);
    await showing(page, 3);
    return page;
  }

  /** What the server's process holds, in MiB. */
  memory() {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.server.child.pid}/status`, 'utf8'))[1]) / 1024;
  }

  /** A file of random bytes. */
  makeFile(name, mib, where = this.folder()) {
    const file = path.join(where, name), fd = openSync(file, 'w'), block = randomBytes(1 << 20);
    for (let i = 0; i < mib; i++) {
      block.writeUInt32LE(i, (i * 4093) % (1 << 19));
      writeSync(fd, block);
    }
    closeSync(fd);
    return file;
  }

  /** A TCP tunnel to the server that can be cut. */
  async tunnel() {
    const front = await freePort(), pairs = new Set();
    let whole = true;
    const listener = createServer((near) => {
      if (!whole) return near.destroy();
      const far = dial(this.port, '127.0.0.1'), pair = { near, far };
      pairs.add(pair);
      const end = () => {
        near.destroy();
        far.destroy();
        pairs.delete(pair);
      };
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) socket.on('error', end).on('close', end);
    });
    await new Promise((resolve) => listener.listen(front, '127.0.0.1', resolve));
    this.defer(() => {
      listener.close();
      for (const { near, far } of pairs) near.destroy(), far.destroy();
    });
    return {
      front,
      cut() {
        whole = false;
        for (const { near, far } of [...pairs]) near.destroy(), far.destroy();
      },
      mend() {
        whole = true;
      },
    };
  }
}

export async function sha256(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

export const id = () => randomBytes(16).toString('hex');
/** A piece of a file, as the page sends it. */
export const put = (port, name, body, { upload = id(), size = body.length, offset = 0, headers = {} } = {}) =>
  fetch(`http://127.0.0.1:${port}/files/upload/${upload}?${new URLSearchParams({ name, size, offset })}`, { method: 'PUT', body, headers: { ...authorization(), ...headers } });

/** Files from this machine's disk, dropped as by hand. */
export async function drop(page, files, { at = [300, 300], leave = false } = {}) {
  const protocol = await page.context().newCDPSession(page);
  const event = (type) => protocol.send('Input.dispatchDragEvent', { type, x: at[0], y: at[1], data: { items: [], files, dragOperationsMask: 1 } });
  await event('dragEnter');
  await event('dragOver');
  await until('the overlay', () => page.isVisible('#drop'));
  if (leave) await protocol.send('Input.dispatchDragEvent', { type: 'dragCancel', x: 0, y: 0, data: { items: [], files: [], dragOperationsMask: 1 } });
  else await event('drop');
  await until('the overlay to go', () => page.isHidden('#drop'));
}

/** The lines of the panel: name, state and text. */
export const lines = (page) => page.$$eval('#files > div:first-of-type ul.files > li', (items) => items.map((item) => ({
  name: item.querySelector('.name').textContent, state: item.dataset.state, text: item.querySelector('.detail').textContent,
  sent: item.querySelector('progress').value,
})));
export const ended = (page, count, state = 'done', timeout = 20000) => until(`${count} files to be ${state}`, async () => {
  const all = await lines(page);
  if (all.filter((line) => line.state === state).length !== count) throw new Error(JSON.stringify(all));
  return true;
}, timeout);

/** Notes when pictures are shown; gaps(page) gives the times between them since the last call. */
export const watchFrames = (page) => page.evaluate(() => {
  window.shown = [];
  const video = document.getElementById('screen');
  const note = (now) => {
    window.shown.push(now);
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
});
export async function gaps(page) {
  const times = await page.evaluate(() => window.shown.splice(0));
  return times.slice(1).map((time, i) => time - times[i]).sort((a, b) => a - b);
}
export const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
export const told = (name, sorted) => console.log(`  frame gaps ${name}: ${sorted.length} frames, median ${quantile(sorted, 0.5).toFixed(1)} ms, p95 ${quantile(sorted, 0.95).toFixed(1)} ms, `
  + `p99 ${quantile(sorted, 0.99).toFixed(1)} ms, longest ${sorted.at(-1).toFixed(0)} ms`);
