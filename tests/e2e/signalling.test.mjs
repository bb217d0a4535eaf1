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
import { Stage, freePort, need, password, until } from './harness.mjs';

need('gst-launch-1.0', 'openssl');
const stage = new Stage();
after(() => stage.close());
const browser = await stage.chromium(['--autoplay-policy=no-user-gesture-required']);
const address = await serveDemoPage(stage, await freePort());
const basic = `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;

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
    const url = `ws://127.0.0.1:${server.port}/`;
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
