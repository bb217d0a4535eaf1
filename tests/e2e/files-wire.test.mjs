// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests for files as others than the page make them: hostile names, strangers, other sites, rubbish; TLS, paths, and the launcher.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect as dial, createServer } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { FilesStage, authorization, drop, ended, id, put, serverLine, sha256 } from './files-kit.mjs';
import { freePort, healthy, need, password, showing, until } from './harness.mjs';

need('gst-launch-1.0', 'openssl', 'Xvfb');
const kit = new FilesStage();
before(() => kit.begin());
after(() => kit.close());

test('hostile names and paths are made safe or refused', async () => {
  const names = async (name) => {
    const answer = await put(kit.port, name, Buffer.from('x'));
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
  assert.ok(!existsSync(path.join(kit.root, 'escaped')));
  // A link in the way, of the file's name or of the unfinished file's own.
  const precious = path.join(kit.root, 'precious');
  writeFileSync(precious, 'precious');
  symlinkSync(precious, path.join(kit.up, 'link'));
  assert.equal(await names('link'), 'link (2)');
  const upload = id();
  symlinkSync(precious, path.join(kit.up, `.vitrine-upload-${upload}`));
  assert.equal((await put(kit.port, 'a', Buffer.from('bad'), { upload })).status, 403);
  assert.equal(readFileSync(precious, 'utf8'), 'precious');
  rmSync(path.join(kit.up, `.vitrine-upload-${upload}`));

  // What is offered is what lies in the folder, nothing else.
  symlinkSync(precious, path.join(kit.down, 'link'));
  writeFileSync(path.join(kit.down, 'page.html'), '<script>alert(1)</script>');
  writeFileSync(path.join(kit.down, '.hidden'), 'x');
  const get = (name, headers = {}) => fetch(`http://127.0.0.1:${kit.port}/files/download/${name}`, { headers: { ...authorization(), ...headers } });
  for (const name of ['..%2fprecious', '%2e%2e%2fprecious', '../precious', 'link', '.hidden', '', '%00', 'page.html%00', 'missing', '%2fetc%2fpasswd'])
    assert.ok([400, 403, 404].includes((await get(name)).status), name);
  const list = await (await fetch(`http://127.0.0.1:${kit.port}/files/`, { headers: authorization() })).json();
  assert.deepEqual(list.files.map(({ name, size }) => [name, size]), [['page.html', 25]]);
  const page = await get('page.html');
  assert.equal(page.headers.get('content-type'), 'application/octet-stream');
  assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(page.headers.get('content-disposition'), "attachment; filename*=UTF-8''page.html");
  assert.equal(page.headers.get('content-security-policy'), 'sandbox');
  assert.equal(await (await get('page.html', { Range: 'bytes=8-13' })).text(), 'alert(');
  for (const name of ['link', 'page.html', '.hidden']) rmSync(path.join(kit.down, name));
});

test('only the page itself, and only who may control, gets at files', async () => {
  const target = `http://127.0.0.1:${kit.port}/files/`;
  // A connection that ends behind a refused body may just have been taken for the next request: that is asked again, as browsers do.
  const status = async (way, where, headers = {}, body) => {
    const ask = () => fetch(where, { method: way, headers, body, redirect: 'manual' });
    return (await ask().catch(ask)).status;
  };
  const upload = `${target}upload/${id()}?name=a&size=1&offset=0`;
  // Nobody, and somebody who may look.
  for (const [way, where, body] of [['GET', target], ['GET', `${target}download/a`], ['PUT', upload, 'x'], ['DELETE', upload], ['HEAD', upload]]) {
    assert.equal(await status(way, where, {}, body), 401, `${way} ${where}`);
    assert.equal(await status(way, where, authorization('guest', 'looking'), body), 403, `${way} ${where}`);
  }
  const guest = await kit.open({ user: 'guest', secret: 'looking' });
  assert.ok(await guest.isHidden('#files-toggle'));
  const protocol = await guest.context().newCDPSession(guest);
  const data = { items: [], files: [kit.makeFile('unwanted', 1)], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) await protocol.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
  assert.ok(await guest.isHidden('#drop'));
  assert.equal(guest.url(), `http://127.0.0.1:${kit.port}/`, 'the file does not take the place of the page');
  await guest.context().close();
  // Another site, with the user's password or without.
  for (const headers of [{ Origin: 'http://evil.example' }, { Origin: 'null' }, { 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' }]) {
    assert.equal(await status('PUT', upload, { ...authorization(), ...headers }, 'x'), 403);
    assert.equal(await status('GET', target, { ...authorization(), ...headers }), 403);
  }
  assert.equal(await status('OPTIONS', upload, { ...authorization(), Origin: 'http://evil.example', 'Access-Control-Request-Method': 'PUT' }), 403);
  const elsewhere = createServer((socket) => socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello')));
  await new Promise((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  kit.defer(() => elsewhere.close());
  const page = await kit.open();
  await page.goto(`http://localhost:${elsewhere.address().port}/`);
  assert.equal(await page.evaluate((where) => fetch(where, { method: 'PUT', body: 'x', credentials: 'include' }).then(() => 'answered', () => 'refused'), upload), 'refused');
  await page.context().close();
  assert.ok(!existsSync(path.join(kit.up, 'a')));
});

/** Sends raw bytes; what comes back until the connection ends or 5 s have passed. */
function raw(text, { more = 0 } = {}) {
  return new Promise((resolve) => {
    let got = '', sent = 0;
    const socket = dial(kit.port, '127.0.0.1', () => socket.write(text, pour));
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
  const head = (line, ...headers) => `${line} HTTP/1.1\r\nHost: 127.0.0.1:${kit.port}\r\nAuthorization: ${key}\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n`;
  const first = ({ got }) => Number(/^HTTP\/1\.1 (\d+)/.exec(got)?.[1]);
  assert.equal(first(await raw(head(`PUT /files/upload/${id()}?name=a&size=5&offset=0`, 'Transfer-Encoding: chunked') + '1\r\nx\r\n0\r\n\r\n')), 413);
  assert.equal(first(await raw(head(`PUT /files/upload/${id()}?name=a&size=9223372036854775807&offset=0`, 'Content-Length: 1') + 'x')), 413);
  assert.equal(first(await raw(head(`PUT /files/upload/${id()}?name=%ff%00&size=1&offset=0`, 'Content-Length: 1') + 'x')), 400);
  assert.equal(first(await raw(head('PUT /files/upload/zz?name=a&size=1&offset=0', 'Content-Length: 1') + 'x')), 400);
  assert.equal(first(await raw(head(`DELETE /files/upload/${id()}`))), 404);
  assert.equal(first(await raw(head('POST /', 'Content-Length: 1') + 'x')), 405);
  const before = kit.memory();
  for (const line of ['GET /', 'PUT /', 'PUT /files/other', `PUT /files/upload/${id()}?name=a&size=1&offset=0`]) {
    const { sent } = await raw(`${line} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000000\r\n\r\n`, { more: 2 ** 30 });
    assert.ok(sent < 2 ** 28, `${line} ends soon, not after ${sent} bytes`);
  }
  assert.ok(kit.memory() - before < 16, 'and nothing of it is kept');
  // Who begins and never ends: others are told to come back later, and get their turn.
  const open = Array.from({ length: 8 }, () => dial(kit.port, '127.0.0.1', function begin() {
    this.write(head(`PUT /files/upload/${id()}?name=a&size=100&offset=0`, 'Content-Length: 100'));
  }).on('error', () => {}));
  await until('no place to be left', async () => (await put(kit.port, 'b', Buffer.from('x'))).status === 429);
  for (const socket of open) socket.destroy();
  await until('a place again', async () => (await put(kit.port, 'c', Buffer.from('x'))).status === 201);
});

test('a session that was not asked for files has none of it', async () => {
  const on = await freePort();
  const plain = await kit.gstLaunch(serverLine(on, ''), on);
  const page = await kit.page(kit.browser, on);
  await showing(page, 3);
  assert.ok(await page.isHidden('#files-toggle'));
  assert.equal((await put(on, 'a', Buffer.from('x'))).status, 404);
  for (const where of ['files/', 'files/download/a']) assert.equal((await fetch(`http://127.0.0.1:${on}/${where}`, { headers: authorization() })).status, 404);
  await page.context().close();
  assert.equal(await plain.end('SIGINT'), 0);
});

test('with TLS and below a path of its own', async () => {
  const at = kit.folder(), on = await freePort(), target = path.join(at, 'in');
  spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1',
    '-keyout', path.join(at, 'key.pem'), '-out', path.join(at, 'cert.pem')]);
  await kit.gstLaunch(serverLine(on, `upload-folder=${target} download-folder=${target} base-path=/team/desk tls-certificate=${at}/cert.pem tls-key=${at}/key.pem`), on);
  // What Chromium fetches to disk does not go by what its page may ignore.
  const trusting = await kit.chromium(['--ignore-certificate-errors']);
  const context = await trusting.newContext({ httpCredentials: { username: 'user', password } });
  const page = await context.newPage();
  await page.goto(`https://127.0.0.1:${on}/team/desk/`);
  await showing(page, 3);
  const file = kit.makeFile('secret.bin', 5);
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
  const at = kit.folder(), on = await freePort();
  writeFileSync(path.join(at, 'file'), 'x');
  const session = kit.start(process.env.VITRINE, ['--virtual=640x480', `--port=${on}`, `--upload-folder=${at}/in`, '--upload-limit=1', '--', 'sleep', '600'], {
    env: { DISPLAY: '', XAUTHORITY: '', VITRINE_PASSWORD: password, XDG_RUNTIME_DIR: at, VITRINE_DOWNLOAD_FOLDER: path.join(at, 'file', 'below') },
  });
  await healthy(on, session);
  assert.equal((await put(on, 'a', Buffer.from('x'))).status, 201);
  assert.equal(readFileSync(path.join(at, 'in', 'a'), 'utf8'), 'x');
  assert.equal((await put(on, 'b', Buffer.from('x'), { size: (1 << 20) + 1 })).status, 413);
  assert.equal((await fetch(`http://127.0.0.1:${on}/files/`, { headers: authorization() })).status, 503);
  await until('a word on it', () => /cannot be made/.test(session.log));
  assert.match(session.log, /download-folder: '.*' cannot be made: Not a directory/);
  assert.equal(await session.end('SIGTERM'), 0);
});
