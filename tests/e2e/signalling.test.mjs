// SPDX-License-Identifier: LGPL-2.1-or-later
// Viewers that come by an external signalling server: `vitrine signalling`, and one that shares no code with it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import WebSocket from 'ws';
import { openDemoPage, serveDemoPage } from './demo-page.mjs';
import { startDemoServer } from './demo-server.mjs';
import { floodBody, resetRequest, upgradeStatus } from './raw-http.mjs';
import { Stage, freePort, need, password, showing, until } from './harness.mjs';

need('gst-launch-1.0', 'openssl');
const stage = new Stage();
after(() => stage.close());
const browser = await stage.chromium(['--autoplay-policy=no-user-gesture-required']);
const address = await serveDemoPage(stage, await freePort());
const basic = `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;

const signallingPassword = 'stands-between';
function passwordFile() {
  const file = path.join(stage.folder(), 'password');
  writeFileSync(file, `${signallingPassword}\n`);
  return file;
}

async function desktop(properties) {
  const port = await freePort();
  const handle = await stage.gstLaunch(`videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=30/1 ! x264enc tune=zerolatency
    speed-preset=ultrafast key-int-max=6000 ! video/x-h264,profile=constrained-baseline
    ! webrtcsignallerbin name=w port=${port} user=user password=${password} ${properties}
    audiotestsrc is-live=true ! opusenc ! w.audio_0`, port, { GST_DEBUG: 'webrtcsignaller*:5' });
  return { handle, port };
}

const registered = async (port, id) => {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { Authorization: basic } })).text();
  return metrics.includes(`vitrine_signalling_registered{id="${id}"} 1`);
};

async function ours(extra = [], env = {}) {
  const port = await freePort();
  const handle = stage.start(process.env.VITRINE, ['signalling', '--listen', '127.0.0.1', '--port', String(port), ...extra], { env });
  await until('the signalling server', () => {
    if (handle.status !== undefined) throw Object.assign(new Error(handle.log), { fatal: true });
    return handle.log.includes(String(port));
  });
  return { port, handle, close: () => handle.end() };
}

async function theirs() {
  const port = await freePort();
  const server = startDemoServer(port);
  stage.defer(() => server.close());
  return { port, close: () => server.close() };
}

async function plays(page, what) {
  await until(`${what} to play`, () => page.evaluate(() => window.seen.frames > 5 && window.seen.audio), 20000)
    .catch(async (error) => {
      throw new Error(`${error.message}; ${JSON.stringify(await page.evaluate(() => window.seen))} ${page.problems}`);
    });
  assert.deepEqual(page.problems, []);
}

for (const [who, start] of [['vitrine signalling', () => ours(['--no-auth'])], ["another's server", theirs]]) {
  test(`${who}: a plain page plays, whoever offers and whoever calls`, async () => {
    const server = await start();
    const url = `ws://127.0.0.1:${server.port}/webrtc/signalling/`;
    const { port, handle } = await desktop(`signalling-server=${url} signalling-id=desk,0`);
    await until('both names to be registered', async () => await registered(port, 'desk') && await registered(port, '0'));
    const asks = await openDemoPage(browser, address, { url, name: 'anna', peer: 'desk', how: 'asks' });
    await plays(asks, 'the page that asks for an offer');
    // The name is taken while somebody watches; another name is free.
    const offers = await openDemoPage(browser, address, { url, name: 'bert', peer: 'desk', how: 'offers' });
    await until('a busy name', () => offers.evaluate(() => window.seen.errors[0]?.includes('busy')));
    await asks.context().close();
    await plays(offers, 'the page that offers, once the other has gone');
    assert.ok(await offers.evaluate(() => window.seen.answered));
    const second = await openDemoPage(browser, address, { url, name: 'carla', peer: '0', how: 'offers' });
    await plays(second, 'a second page by another name');
    await second.context().close();
    await offers.context().close();
    await handle.end('SIGINT');

    const calling = await desktop(`signalling-server=${url} signalling-id=0 signalling-peer=1`);
    await until('the desktop to be there', () => registered(calling.port, '0'));
    const called = await openDemoPage(browser, address, { url, name: '1', how: 'called' });
    await plays(called, 'the page that is called');
    await called.context().close();
    await calling.handle.end('SIGINT');
    await server.close();
  });
}

/** A client of few words: what it is told, line by line. */
async function speaker(url) {
  const socket = new WebSocket(url);
  const said = [];
  const client = { socket, said, closed: undefined, say: (text) => socket.send(text), next: () => until('a line', () => said.shift()) };
  socket.on('message', (data) => said.push(data.toString()));
  socket.on('close', (code, reason) => (client.closed = `${code} ${reason}`));
  socket.on('error', () => {});
  await until('a connection', () => socket.readyState === WebSocket.OPEN);
  return client;
}

for (const [who, start] of [['vitrine signalling', () => ours(['--no-auth'])], ["another's server", theirs]]) {
  test(`${who}: says what the seeds' server is described to say`, async () => {
    const server = await start();
    const url = `ws://127.0.0.1:${server.port}/ws`;
    const hello = async (line) => {
      const client = await speaker(url);
      client.say(line);
      return client;
    };
    const meta = Buffer.from('{"res":"1920x1080","scale":1.25}').toString('base64');
    const app = await hello('HELLO 0'), browserSide = await hello(`HELLO 1 ${meta}`), third = await hello('HELLO 2');
    for (const client of [app, browserSide, third]) assert.equal(await client.next(), 'HELLO');
    const twice = await hello('HELLO 1');
    await until('the second of a name to be closed', () => twice.closed);
    assert.equal(twice.closed, '1002 invalid peer uid');
    const wrong = await hello('GOODBYE');
    await until('who says no HELLO to be closed', () => wrong.closed);
    assert.equal(wrong.closed, '1002 invalid protocol');
    app.say('SESSION 9');
    assert.equal(await app.next(), "ERROR peer '9' not found");
    app.say('SESSION 1');
    assert.equal(await app.next(), `SESSION_OK ${meta}`);
    third.say('SESSION 1');
    assert.equal(await third.next(), "ERROR peer '1' busy");
    const line = '{"ice":{"candidate":"candidate:1 1 UDP 1 192.0.2.1 9 typ host","sdpMLineIndex":0}}';
    app.say(line);
    assert.equal(await browserSide.next(), line, 'which is the first word that the callee hears');
    browserSide.say('any text');
    assert.equal(await app.next(), 'any text');
    browserSide.socket.close();
    await until('the partner to be closed', () => app.closed);

    third.say('ROOM lobby');
    assert.equal(await third.next(), 'ROOM_OK ');
    const fourth = await hello('HELLO 4');
    assert.equal(await fourth.next(), 'HELLO');
    fourth.say('ROOM lobby');
    assert.equal(await fourth.next(), 'ROOM_OK 2');
    assert.equal(await third.next(), 'ROOM_PEER_JOINED 4');
    fourth.say('ROOM_PEER_MSG 2 hello there');
    assert.equal(await third.next(), 'ROOM_PEER_MSG 4 hello there');
    third.say('ROOM_PEER_LIST');
    assert.equal(await third.next(), 'ROOM_PEER_LIST 4');
    third.say('nonsense');
    assert.equal(await third.next(), 'ERROR invalid msg, already in room');
    fourth.socket.close();
    assert.equal(await third.next(), 'ROOM_PEER_LEFT 4');
    third.socket.close();
    await server.close();
  });
}

for (const role of ['view', 'control']) {
  test(`our own page, served by vitrine signalling, has the whole session as far as the role ${role} goes`, async () => {
    const server = await ours(['--user', 'anna', '--password-file', passwordFile()]);
    const url = `ws://127.0.0.1:${server.port}/ws`;
    const { port, handle } = await desktop(`signalling-server=${url} signalling-id=desk signalling-user=anna signalling-password=${signallingPassword} signalling-role=${role}`);
    await until('the desktop to be there', () => registered(port, 'desk'));
    const context = await browser.newContext({ httpCredentials: { username: 'anna', password: signallingPassword } });
    const page = await context.newPage();
    page.problems = [];
    page.on('pageerror', (error) => page.problems.push(String(error)));
    await page.goto(`http://127.0.0.1:${server.port}/?peer=desk`);
    await showing(page, 10);
    const seen = await page.evaluate(() => ({ control: window.vitrine.control, transport: window.vitrine.stats()?.transport }));
    assert.equal(seen.control, role === 'control');
    await page.mouse.move(100, 100);
    await page.keyboard.press('a');
    const records = async () => Number(/vitrine_viewer_input_records_total\{[^}]*\} (\d+)/.exec(
      await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { Authorization: basic } })).text())?.[1] ?? 0);
    if (role === 'control') await until('key down and up to arrive', async () => await records() >= 3);
    // The desktop is away for a moment: the page comes back by itself.
    await handle.end('SIGINT');
    await until('the page to notice', () => page.evaluate(() => window.vitrine.state !== 'connected'));
    const again = await desktop(`signalling-server=${url} signalling-id=desk signalling-user=anna signalling-password=${signallingPassword}`);
    const shown = await page.evaluate(() => window.vitrine.framesPresented);
    await until('pictures again', () => page.evaluate((n) => window.vitrine.state === 'connected' && window.vitrine.framesPresented > n + 5, shown), 20000);
    assert.deepEqual(page.problems, []);
    await context.close();
    await again.handle.end('SIGINT');
    await server.close();
  });
}

test('a server that goes away and comes back has the desktop again; one that does not answer holds nobody up', async () => {
  const port = await freePort(), url = `ws://127.0.0.1:${port}/ws`;
  const desk = await desktop(`signalling-server=${url} signalling-id=desk`);
  await until('a warning', () => /signalling-server: .* trying again in/.test(desk.handle.log));
  for (const round of [1, 2]) {
    const server = startDemoServer(port);
    await until(`the desktop to register, round ${round}`, () => server.peers.has('desk'), 20000);
    const page = await openDemoPage(browser, address, { url, name: 'anna', peer: 'desk', how: 'asks' });
    await plays(page, 'the page');
    await page.context().close();
    await server.close();
    await until('the desktop to notice', async () => !await registered(desk.port, 'desk'));
  }
  await desk.handle.end('SIGINT');
});

test('vitrine signalling asks for the password, over TLS, and lets in no other site; the launcher brings both from files', async () => {
  const folder = stage.folder();
  const file = (name) => path.join(folder, name);
  const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-keyout', file('key.pem'),
    '-out', file('cert.pem'), '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']);
  assert.equal(made.status, 0, String(made.stderr));
  writeFileSync(file('password'), 'hunter2\n');
  const server = await ours(['--tls-cert', file('cert.pem'), '--tls-key', file('key.pem'), '--password-file', file('password')]);
  const url = `wss://127.0.0.1:${server.port}/webrtc/signalling/`;
  const open = (headers) => new Promise((resolve) => {
    const socket = new WebSocket(url, { rejectUnauthorized: false, headers });
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
    socket.on('open', () => {
      resolve(101);
      socket.close();
    });
    socket.on('error', () => {});
  });
  const right = `Basic ${Buffer.from('user:hunter2').toString('base64')}`;
  assert.equal(await open({}), 401);
  assert.equal(await open({ Authorization: right }), 101);
  assert.equal(await open({ Authorization: right, Origin: 'https://elsewhere.example' }), 403);
  assert.equal(await open({ Authorization: right, Origin: `https://127.0.0.1:${server.port}` }), 101);

  const { display } = await stage.xserver('320x240');
  const port = await freePort();
  const desk = stage.start(process.env.VITRINE, ['--display', display, '--port', String(port), '--listen', '127.0.0.1', '--no-audio', '--framerate', '15',
    '--signalling-server', url, '--signalling-id', 'desk', '--signalling-user', 'user', '--signalling-password-file', file('password'),
    '--signalling-ca-file', file('cert.pem'), '--profile', 'software-h264'], { env: { VITRINE_PASSWORD: password } });
  await until('the desktop to register', () => {
    if (desk.status !== undefined) throw Object.assign(new Error(desk.log), { fatal: true });
    return registered(port, 'desk');
  }, 20000);
  const arguments_ = spawnSync('ps', ['-o', 'args=', '-p', String(desk.child.pid)]).stdout.toString();
  assert.doesNotMatch(desk.log + arguments_, /hunter2/);
  assert.equal(await desk.end(), 0);
  assert.equal(await server.close(), 0);

  const half = stage.start(process.env.VITRINE, ['--display', display, '--port', String(port), '--signalling-peer', '1'], { env: { VITRINE_PASSWORD: password } });
  await half.exited;
  assert.notEqual(half.status, 0);
  assert.match(half.log, /signalling-peer: needs signalling-server too/);
});

test('nobody gets in beside the password, fills its memory, or ends it', async () => {
  const server = await ours([], { VITRINE_PASSWORD: password });
  for (const path of ['/', '/health', '/health/x']) {
    const status = await upgradeStatus(server.port, path, { Host: 'x' });
    assert.equal(status, path === '/health' ? 200 : 401, path);
  }
  assert.equal(await upgradeStatus(server.port, '/', { Host: 'x', Authorization: basic }), 101);
  assert.ok(await floodBody(server.port, 'POST /', 64 << 20) < 16 << 20);
  for (let i = 0; i < 50; i++) await resetRequest(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.equal((await fetch(`http://127.0.0.1:${server.port}/health`)).status, 200);
  assert.equal(server.handle.status, undefined, server.handle.log);
  await server.close();
});
