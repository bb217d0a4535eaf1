// SPDX-License-Identifier: LGPL-2.1-or-later
// Files: dropped on the page and arriving, offered and fetched, while the picture goes on; and everything that can go wrong with them.
// VITRINE_FILE_MIB=1024 makes the large one that large (96 otherwise).
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync, createReadStream, existsSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync, writeSync,
} from 'node:fs';
import { connect as dial, createServer } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pipeline } from 'node:stream/promises';
import { Stage, freePort, healthy, need, password, showing, sleep, until } from './harness.mjs';

need('gst-launch-1.0', 'openssl');
const kLargeMib = Number(process.env.VITRINE_FILE_MIB ?? 96);
const stage = new Stage();
const authorization = (user = 'user', secret = password) => ({ Authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}` });
let browser, folder, up, down, port, server;

function serverLine(on, properties) {
  return `videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=30/1 ! x264enc tune=zerolatency speed-preset=ultrafast
    bitrate=2000 key-int-max=6000 ! video/x-h264,profile=constrained-baseline
    ! webrtcsignallerbin name=w port=${on} user=user password=${password} ${properties}`;
}

before(async () => {
  folder = stage.folder();
  [up, down] = ['up', 'down'].map((name) => path.join(folder, name));
  const accounts = path.join(folder, 'accounts');
  writeFileSync(accounts, 'guest:looking:view\n');
  port = await freePort();
  server = await stage.gstLaunch(serverLine(port, `upload-folder=${up} download-folder=${down} upload-limit=4000 accounts-file=${accounts}`), port);
  assert.ok(existsSync(up) && existsSync(down), 'folders that are not there are made');
  browser = await stage.chromium();
});
after(() => stage.close());

async function sha256(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** A file of random bytes. */
function makeFile(name, mib, where = stage.folder()) {
  const file = path.join(where, name), fd = openSync(file, 'w'), block = randomBytes(1 << 20);
  for (let i = 0; i < mib; i++) {
    block.writeUInt32LE(i, (i * 4093) % (1 << 19));
    writeSync(fd, block);
  }
  closeSync(fd);
  return file;
}

const id = () => randomBytes(16).toString('hex');
const put = (name, body, { on = port, upload = id(), size = body.length, offset = 0, headers = {} } = {}) =>
  fetch(`http://127.0.0.1:${on}/files/upload/${upload}?${new URLSearchParams({ name, size, offset })}`, { method: 'PUT', body, headers: { ...authorization(), ...headers } });

/** Files from this machine's disk, dropped as by hand. */
async function drop(page, files, { at = [300, 300], leave = false } = {}) {
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
const lines = (page) => page.$$eval('#files > div:first-of-type ul.files > li', (items) => items.map((item) => ({
  name: item.querySelector('.name').textContent, state: item.dataset.state, text: item.querySelector('.detail').textContent,
  sent: item.querySelector('progress').value,
})));
const ended = (page, count, state = 'done', timeout = 20000) => until(`${count} files to be ${state}`, async () => {
  const all = await lines(page);
  if (all.filter((line) => line.state === state).length !== count) throw new Error(JSON.stringify(all));
  return true;
}, timeout);

async function open(options) {
  const page = await stage.page(browser, port, options);
  await showing(page, 3);
  return page;
}

test('files that are dropped arrive, whatever they are called', async () => {
  const page = await open();
  const from = stage.folder();
  const names = ['plain.txt', 'grün & 図 100%.txt', '.hidden', 'quote"<b>.html', `${'x'.repeat(240)}.tar`, 'empty'];
  const contents = new Map(names.map((name) => [name, name === 'empty' ? Buffer.alloc(0) : randomBytes(1000 + Math.floor(Math.random() * 3e6))]));
  for (const [name, bytes] of contents) writeFileSync(path.join(from, name), bytes);
  await drop(page, names.map((name) => path.join(from, name)));
  await ended(page, names.length);
  const expected = ['plain.txt', 'grün & 図 100%.txt', 'hidden', 'quote"<b>.html', `${'x'.repeat(196)}.tar`, 'empty'];
  assert.deepEqual(readdirSync(up).sort(), [...expected].sort());
  names.forEach((name, i) => assert.ok(readFileSync(path.join(up, expected[i])).equals(contents.get(name)), name));
  assert.match((await lines(page)).find(({ name }) => name === '.hidden').text, /arrived as hidden/);
  // Once more: nothing is written over.
  await page.setInputFiles('#files input[type=file]', path.join(from, 'plain.txt'));
  await ended(page, names.length + 1);
  assert.ok(existsSync(path.join(up, 'plain (2).txt')));
  // What is over can be taken off the list, and the keyboard does not get lost with it.
  await page.locator('#files li .dismiss').first().focus();
  await page.keyboard.press('Enter');
  await until('one line less', async () => (await lines(page)).length === names.length);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'files-send');
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test('folders are refused, and a drag that ends elsewhere leaves nothing', async () => {
  const page = await open();
  const from = stage.folder();
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
  const context = await browser.newContext({ httpCredentials: { username: 'user', password }, viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true });
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${port}/`);
  await showing(page, 3);
  // The bar's edge shows; touched, it comes down.
  const edge = await page.locator('#bar').boundingBox();
  await page.touchscreen.tap(edge.x + edge.width / 2, 5);
  await page.tap('#files-toggle');
  const chooser = page.waitForEvent('filechooser');
  await page.tap('#files-send');
  await (await chooser).setFiles({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer: randomBytes(100000) });
  await ended(page, 1);
  assert.equal(statSync(path.join(up, 'photo.jpg')).size, 100000);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than the screen');
  if (process.env.VITRINE_SCREENSHOTS) await page.screenshot({ path: path.join(process.env.VITRINE_SCREENSHOTS, 'files-phone.png') });
  await context.close();
});

test('the keyboard reaches all of it', async () => {
  const page = await open();
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

/** Notes when pictures are shown; gaps(page) gives the times between them since the last call. */
const watchFrames = (page) => page.evaluate(() => {
  window.shown = [];
  const video = document.getElementById('screen');
  const note = (now) => {
    window.shown.push(now);
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
});
async function gaps(page) {
  const times = await page.evaluate(() => window.shown.splice(0));
  return times.slice(1).map((time, i) => time - times[i]).sort((a, b) => a - b);
}
const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
const told = (name, sorted) => console.log(`  frame gaps ${name}: ${sorted.length} frames, median ${quantile(sorted, 0.5).toFixed(1)} ms, p95 ${quantile(sorted, 0.95).toFixed(1)} ms, `
  + `p99 ${quantile(sorted, 0.99).toFixed(1)} ms, longest ${sorted.at(-1).toFixed(0)} ms`);
const memory = () => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))[1]) / 1024;

/** A TCP tunnel to the server that can be cut. */
async function tunnel() {
  const front = await freePort(), pairs = new Set();
  let whole = true;
  const listener = createServer((near) => {
    if (!whole) return near.destroy();
    const far = dial(port, '127.0.0.1'), pair = { near, far };
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
  stage.defer(() => {
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

test(`a file of ${kLargeMib} MiB arrives whole over a connection that breaks, and the picture goes on`, { timeout: 1200000 }, async () => {
  const file = makeFile('large.bin', kLargeMib), bytes = kLargeMib * 2 ** 20;
  const line = await tunnel();
  const page = await stage.page(browser, line.front);
  await showing(page, 30);
  await watchFrames(page);
  await sleep(4000);
  const without = await gaps(page), before = memory();
  let most = before, samples = 0;
  const sampling = setInterval(() => {
    most = Math.max(most, memory());
    samples++;
  }, 100);
  const started = Date.now();
  await drop(page, [file]);
  const sent = async () => (await lines(page)).find(({ name }) => name === 'large.bin')?.sent ?? 0;
  await until('a third to be there', async () => (await sent()) > bytes / 3, 600000);
  const during = await gaps(page);
  const atCut = await sent();
  line.cut();
  await until('the loss to show', async () => (await lines(page)).some(({ state }) => state === 'waiting'), 30000);
  line.mend();
  const mended = Date.now();
  await until('it to go on', async () => (await sent()) > atCut || (await lines(page))[0].state === 'done', 30000);
  const back = Date.now() - mended;
  await until('the page to be connected', () => page.evaluate(() => window.vitrine.state === 'connected'), 30000);
  await gaps(page);
  await ended(page, 1, 'done', 900000);
  const took = (Date.now() - started) / 1000;
  during.push(...await gaps(page));
  during.sort((a, b) => a - b);
  clearInterval(sampling);
  assert.equal(await sha256(path.join(up, 'large.bin')), await sha256(file));
  assert.deepEqual(readdirSync(up).filter((name) => name.startsWith('.')), [], 'nothing is left over');
  console.log(`  ${kLargeMib} MiB in ${took.toFixed(1)} s with one disconnect at ${(atCut / 2 ** 20).toFixed(0)} MiB, on again after ${back} ms; `
    + `server's memory ${before.toFixed(1)} MiB before, ${most.toFixed(1)} MiB at most (${samples} samples)`);
  told('without', without);
  if (during.length) told('during', during);
  assert.ok(most - before < 48, `memory grew by ${(most - before).toFixed(1)} MiB`);
  // The picture went on: a machine that is busy with other things too may make it jerk, but not stand.
  assert.ok(during.length === 0 || quantile(during, 0.95) < Math.max(250, 5 * quantile(without, 0.95)), 'the picture stood');

  // And back again, by a link.
  renameSync(path.join(up, 'large.bin'), path.join(down, 'large.bin'));
  await until('it to be offered', () => page.isVisible('#files a[download="large.bin"]'), 15000);
  await gaps(page);
  const start = Date.now(), downloading = page.waitForEvent('download');
  let mostBack = memory();
  const watching = setInterval(() => (mostBack = Math.max(mostBack, memory())), 100);
  await page.click('#files a[download="large.bin"]');
  const copy = await (await downloading).path();
  clearInterval(watching);
  const fetching = await gaps(page);
  console.log(`  fetched in ${((Date.now() - start) / 1000).toFixed(1)} s, memory ${mostBack.toFixed(1)} MiB at most`);
  if (fetching.length > 10) told('while it is fetched', fetching);
  assert.equal(await sha256(copy), await sha256(file));
  assert.ok(mostBack - before < 48, `memory grew by ${(mostBack - before).toFixed(1)} MiB`);
  rmSync(path.join(down, 'large.bin'));
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test('one that is given up leaves nothing', async () => {
  const page = await open();
  const hold = await tunnel();
  await page.goto(`http://127.0.0.1:${hold.front}/`);
  await showing(page, 3);
  await drop(page, [makeFile('given-up.bin', 64)]);
  await until('some of it to be there', async () => readdirSync(up).some((name) => name.startsWith('.vitrine-upload-')));
  await page.click('#files li .cancel');
  await until('it to be gone', async () => (await lines(page)).length === 0 && !readdirSync(up).some((name) => name.startsWith('.') || name.startsWith('given-up')));
  await page.context().close();
});

test('a folder that has vanished: a clear word, the picture goes on, and on again when it is back', async () => {
  const page = await open();
  const aside = `${up}-aside`;
  renameSync(up, aside);
  await drop(page, [makeFile('patient.bin', 2)]);
  await ended(page, 1, 'refused');
  assert.match((await lines(page))[0].text, /The folder for files is not there/);
  const shown = await page.evaluate(() => window.vitrine.framesPresented);
  await until('more pictures', () => page.evaluate((n) => window.vitrine.framesPresented > n + 5, shown));
  renameSync(aside, up);
  if (process.env.VITRINE_SCREENSHOTS) await page.screenshot({ path: path.join(process.env.VITRINE_SCREENSHOTS, 'files-refused.png') });
  await page.click('#files li .retry');
  await ended(page, 1);
  renameSync(down, `${down}-aside`);
  await until('the list to say it', async () => /The folder for files is not there/.test(await page.textContent('#files > div:last-of-type')), 15000);
  renameSync(`${down}-aside`, down);
  await until('the list to be back', async () => !/is not there/.test(await page.textContent('#files > div:last-of-type')), 15000);
  await page.context().close();
});

test('a disk that is full: a clear word, and on again from there when there is room', async (context) => {
  const small = path.join(folder, 'small');
  mkdirSync(small);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'none', small]).status !== 0) return context.skip('no tmpfs can be mounted here');
  stage.defer(() => spawnSync('umount', ['-l', small]));
  const on = await freePort();
  const tiny = await stage.gstLaunch(serverLine(on, `upload-folder=${small}`), on);
  const page = await stage.page(browser, on);
  await showing(page, 3);
  // Too large from the start.
  await drop(page, [makeFile('much.bin', 40)]);
  await ended(page, 1, 'refused');
  assert.match((await lines(page))[0].text, /There is no room for this file/);
  assert.deepEqual(readdirSync(small), []);
  await page.click('#files li .dismiss');
  // Full on the way.
  const upload = id(), piece = randomBytes(1 << 20);
  assert.equal((await put('half', piece, { on, upload, size: 4 << 20 })).status, 200);
  makeFile('filler', 22, small);
  const full = await put('half', piece, { on, upload, size: 4 << 20, offset: 1 << 20 });
  assert.equal(full.status, 507);
  assert.equal(full.headers.get('upload-offset'), String(1 << 20));
  await drop(page, [makeFile('later.bin', 3)]);
  await ended(page, 1, 'refused');
  const shown = await page.evaluate(() => window.vitrine.framesPresented);
  await until('more pictures', () => page.evaluate((n) => window.vitrine.framesPresented > n + 5, shown));
  rmSync(path.join(small, 'filler'));
  await page.click('#files li .retry');
  await ended(page, 1);
  for (let i = 1; i < 4; i++) assert.equal((await put('half', piece, { on, upload, size: 4 << 20, offset: i << 20 })).status, i < 3 ? 200 : 201);
  assert.equal(statSync(path.join(small, 'half')).size, 4 << 20);
  await page.context().close();
  await tiny.end('SIGINT');
});

test('hostile names and paths are made safe or refused', async () => {
  const names = async (name) => {
    const answer = await put(name, Buffer.from('x'));
    return answer.status === 201 ? (await answer.json()).name : answer.status;
  };
  assert.equal(await names('../../../escaped'), 'escaped');
  assert.equal(await names('..\\..\\escaped.ini'), 'escaped.ini');
  assert.equal(await names('/etc/cron.d/job'), 'job');
  assert.equal(await names('..'), 'upload');
  assert.equal(await names('a\0b'), 400);
  assert.equal(await names('a\r\nX-Injected: 1'), 'aX-Injected: 1');
  assert.equal((await names(`${'n'.repeat(300)}.txt`)).length, 200);
  assert.equal(await names('.ssh'), 'ssh');
  assert.ok(!existsSync(path.join(folder, 'escaped')));
  // A link in the way, of the file's name or of the unfinished file's own.
  const precious = path.join(folder, 'precious');
  writeFileSync(precious, 'precious');
  symlinkSync(precious, path.join(up, 'link'));
  assert.equal(await names('link'), 'link (2)');
  const upload = id();
  symlinkSync(precious, path.join(up, `.vitrine-upload-${upload}`));
  assert.equal((await put('a', Buffer.from('bad'), { upload })).status, 403);
  assert.equal(readFileSync(precious, 'utf8'), 'precious');
  rmSync(path.join(up, `.vitrine-upload-${upload}`));

  // What is offered is what lies in the folder, nothing else.
  symlinkSync(precious, path.join(down, 'link'));
  writeFileSync(path.join(down, 'page.html'), '<script>alert(1)</script>');
  writeFileSync(path.join(down, '.hidden'), 'x');
  const get = (name, headers = {}) => fetch(`http://127.0.0.1:${port}/files/download/${name}`, { headers: { ...authorization(), ...headers } });
  for (const name of ['..%2fprecious', '%2e%2e%2fprecious', '../precious', 'link', '.hidden', '', '%00', 'page.html%00', 'missing', '%2fetc%2fpasswd'])
    assert.ok([400, 403, 404].includes((await get(name)).status), name);
  const list = await (await fetch(`http://127.0.0.1:${port}/files/`, { headers: authorization() })).json();
  assert.deepEqual(list.files.map(({ name, size }) => [name, size]), [['page.html', 25]]);
  const page = await get('page.html');
  assert.equal(page.headers.get('content-type'), 'application/octet-stream');
  assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(page.headers.get('content-disposition'), "attachment; filename*=UTF-8''page.html");
  assert.equal(page.headers.get('content-security-policy'), 'sandbox');
  assert.equal(await (await get('page.html', { Range: 'bytes=8-13' })).text(), 'alert(');
  for (const name of ['link', 'page.html', '.hidden']) rmSync(path.join(down, name));
});

test('only the page itself, and only who may control, gets at files', async () => {
  const target = `http://127.0.0.1:${port}/files/`;
  const status = async (way, where, headers = {}, body) => (await fetch(where, { method: way, headers, body, redirect: 'manual' })).status;
  const upload = `${target}upload/${id()}?name=a&size=1&offset=0`;
  // Nobody, and somebody who may look.
  for (const [way, where, body] of [['GET', target], ['GET', `${target}download/a`], ['PUT', upload, 'x'], ['DELETE', upload], ['HEAD', upload]]) {
    assert.equal(await status(way, where, {}, body), 401, `${way} ${where}`);
    assert.equal(await status(way, where, authorization('guest', 'looking'), body), 403, `${way} ${where}`);
  }
  const guest = await open({ user: 'guest', secret: 'looking' });
  assert.ok(await guest.isHidden('#files-toggle'));
  const protocol = await guest.context().newCDPSession(guest);
  const data = { items: [], files: [makeFile('unwanted', 1)], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) await protocol.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
  assert.ok(await guest.isHidden('#drop'));
  assert.equal(guest.url(), `http://127.0.0.1:${port}/`, 'the file does not take the place of the page');
  await guest.context().close();
  // Another site, with the user's password or without.
  for (const headers of [{ Origin: 'http://evil.example' }, { Origin: 'null' }, { 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' }]) {
    assert.equal(await status('PUT', upload, { ...authorization(), ...headers }, 'x'), 403);
    assert.equal(await status('GET', target, { ...authorization(), ...headers }), 403);
  }
  assert.equal(await status('OPTIONS', upload, { ...authorization(), Origin: 'http://evil.example', 'Access-Control-Request-Method': 'PUT' }), 403);
  const elsewhere = createServer((socket) => socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello')));
  await new Promise((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  stage.defer(() => elsewhere.close());
  const page = await open();
  await page.goto(`http://localhost:${elsewhere.address().port}/`);
  assert.equal(await page.evaluate((where) => fetch(where, { method: 'PUT', body: 'x', credentials: 'include' }).then(() => 'answered', () => 'refused'), upload), 'refused');
  await page.context().close();
  assert.ok(!existsSync(path.join(up, 'a')));
});

/** Sends raw bytes; what comes back until the connection ends or 5 s have passed. */
function raw(text, { more = 0 } = {}) {
  return new Promise((resolve) => {
    let got = '', sent = 0;
    const socket = dial(port, '127.0.0.1', () => socket.write(text, pour));
    const pour = () => {
      while (sent < more && !socket.destroyed) {
        sent += 1 << 20;
        if (!socket.write(Buffer.alloc(1 << 20))) return socket.once('drain', pour);
      }
    };
    const end = () => {
      clearTimeout(late);
      socket.destroy();
      resolve({ got, sent });
    };
    const late = setTimeout(end, 5000);
    socket.on('data', (data) => {
      got += data;
      if (/\r\n\r\n/.test(got) && !more) end();
    }).on('error', end).on('close', end);
  });
}

test('rubbish, and bodies that nobody asked for, cost nothing', async () => {
  const key = authorization().Authorization;
  const head = (line, ...headers) => `${line} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: ${key}\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n`;
  const first = ({ got }) => Number(/^HTTP\/1\.1 (\d+)/.exec(got)?.[1]);
  assert.equal(first(await raw(head(`PUT /files/upload/${id()}?name=a&size=5&offset=0`, 'Transfer-Encoding: chunked') + '1\r\nx\r\n0\r\n\r\n')), 413);
  assert.equal(first(await raw(head(`PUT /files/upload/${id()}?name=a&size=9223372036854775807&offset=0`, 'Content-Length: 1') + 'x')), 413);
  assert.equal(first(await raw(head(`PUT /files/upload/${id()}?name=%ff%00&size=1&offset=0`, 'Content-Length: 1') + 'x')), 400);
  assert.equal(first(await raw(head('PUT /files/upload/zz?name=a&size=1&offset=0', 'Content-Length: 1') + 'x')), 400);
  assert.equal(first(await raw(head(`DELETE /files/upload/${id()}`))), 404);
  assert.equal(first(await raw(head('POST /', 'Content-Length: 1') + 'x')), 405);
  const before = memory();
  for (const line of ['GET /', 'PUT /', 'PUT /files/other', `PUT /files/upload/${id()}?name=a&size=1&offset=0`]) {
    const { sent } = await raw(`${line} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000000\r\n\r\n`, { more: 2 ** 30 });
    assert.ok(sent < 2 ** 28, `${line} ends soon, not after ${sent} bytes`);
  }
  assert.ok(memory() - before < 16, 'and nothing of it is kept');
  // Who begins and never ends: others are told to come back later, and get their turn.
  const open = Array.from({ length: 8 }, () => dial(port, '127.0.0.1', function begin() {
    this.write(head(`PUT /files/upload/${id()}?name=a&size=100&offset=0`, 'Content-Length: 100'));
  }).on('error', () => {}));
  await until('no place to be left', async () => (await put('b', Buffer.from('x'))).status === 429);
  for (const socket of open) socket.destroy();
  await until('a place again', async () => (await put('c', Buffer.from('x'))).status === 201);
});

test('a session that was not asked for files has none of it', async () => {
  const on = await freePort();
  const plain = await stage.gstLaunch(serverLine(on, ''), on);
  const page = await stage.page(browser, on);
  await showing(page, 3);
  assert.ok(await page.isHidden('#files-toggle'));
  assert.equal((await put('a', Buffer.from('x'), { on })).status, 404);
  for (const where of ['files/', 'files/download/a']) assert.equal((await fetch(`http://127.0.0.1:${on}/${where}`, { headers: authorization() })).status, 404);
  await page.context().close();
  assert.equal(await plain.end('SIGINT'), 0);
});

test('with TLS and below a path of its own', async () => {
  const at = stage.folder(), on = await freePort(), target = path.join(at, 'in');
  spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1',
    '-keyout', path.join(at, 'key.pem'), '-out', path.join(at, 'cert.pem')]);
  await stage.gstLaunch(serverLine(on, `upload-folder=${target} download-folder=${target} base-path=/team/desk tls-certificate=${at}/cert.pem tls-key=${at}/key.pem`), on);
  // What Chromium fetches to disk does not go by what its page may ignore.
  const trusting = await stage.chromium(['--ignore-certificate-errors']);
  const context = await trusting.newContext({ httpCredentials: { username: 'user', password } });
  const page = await context.newPage();
  await page.goto(`https://127.0.0.1:${on}/team/desk/`);
  await showing(page, 3);
  const file = makeFile('secret.bin', 5);
  await drop(page, [file]);
  await ended(page, 1);
  assert.equal(await sha256(path.join(target, 'secret.bin')), await sha256(file));
  await until('it to be offered', () => page.isVisible('#files a[download="secret.bin"]'), 15000);
  if (process.env.VITRINE_SCREENSHOTS) await page.screenshot({ path: path.join(process.env.VITRINE_SCREENSHOTS, 'files.png') });
  const downloading = page.waitForEvent('download');
  await page.click('#files a[download="secret.bin"]');
  assert.equal(await sha256(await (await downloading).path()), await sha256(file));
  await context.close();
});

test('the launcher takes folders by option and variable, and a bad one is told and ends nothing', async () => {
  const at = stage.folder(), on = await freePort();
  writeFileSync(path.join(at, 'file'), 'x');
  const session = stage.start(process.env.VITRINE, ['--virtual=640x480', `--port=${on}`, `--upload-folder=${at}/in`, '--upload-limit=1', '--', 'sleep', '600'], {
    env: { DISPLAY: '', XAUTHORITY: '', VITRINE_PASSWORD: password, XDG_RUNTIME_DIR: at, VITRINE_DOWNLOAD_FOLDER: path.join(at, 'file', 'below') },
  });
  await healthy(on, session);
  assert.equal((await put('a', Buffer.from('x'), { on })).status, 201);
  assert.equal(readFileSync(path.join(at, 'in', 'a'), 'utf8'), 'x');
  assert.equal((await put('b', Buffer.from('x'), { on, size: (1 << 20) + 1 })).status, 413);
  assert.equal((await fetch(`http://127.0.0.1:${on}/files/`, { headers: authorization() })).status, 503);
  await until('a word on it', () => /cannot be made/.test(session.log));
  assert.match(session.log, /download-folder: '.*' cannot be made: Not a directory/);
  assert.equal(await session.end('SIGTERM'), 0);
});
