// SPDX-License-Identifier: LGPL-2.1-or-later
// TURN credentials: what /turn answers and to whom, a configuration file taken over live, a REST service that fails and comes back, secrets.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { after, test } from 'node:test';
import { Stage, freePort, need, password, showing, until } from './harness.mjs';
import { keepConnections } from './page-connections.mjs';

need('gst-launch-1.0');
const stage = new Stage();
after(() => stage.close());
const basic = { Authorization: `Basic ${Buffer.from(`user:${password}`).toString('base64')}` };
const turnOf = async (port) => (await fetch(`http://127.0.0.1:${port}/turn`, { headers: basic })).json();

async function serve(properties, env = {}) {
  const port = await freePort();
  const handle = await stage.gstLaunch(`videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=30/1 ! x264enc tune=zerolatency
    speed-preset=ultrafast ! video/x-h264,profile=constrained-baseline
    ! webrtcsignallerbin name=w port=${port} user=user password=${password} ${properties}`, port, env);
  return { port, handle };
}

test('/turn answers authenticated callers with credentials that a TURN server computes the same', async () => {
  const { port, handle } = await serve('stun-server=stun.example turn-servers=turn:relay.example:3478,turns:relay.example:443 turn-shared-secret=hunter2 turn-lifetime=3600',
    { GST_DEBUG: 'webrtc*:9,nice*:9' });
  assert.equal((await fetch(`http://127.0.0.1:${port}/turn`)).status, 401);
  const answer = await turnOf(port);
  assert.equal(answer.lifetimeDuration, '3600s');
  assert.deepEqual(answer.iceServers.map((server) => server.urls),
    [['stun:stun.example:3478'], ['turn:relay.example:3478?transport=udp', 'turns:relay.example:443?transport=tcp']]);
  const { username, credential } = answer.iceServers[1];
  const [expiry, name] = username.split(':');
  assert.equal(name, 'user');
  assert.ok(Math.abs(Number(expiry) - Date.now() / 1000 - 3600) < 30);
  assert.equal(credential, createHmac('sha1', 'hunter2').update(username).digest('base64'));
  assert.doesNotMatch(handle.log, /hunter2/, 'the secret is in no log');
  assert.ok(!handle.log.includes(credential), 'nor is a credential');
});

test('a configuration file is taken over while viewers watch; a broken one changes nothing', async () => {
  const file = path.join(stage.folder(), 'rtc.json');
  const write = (text) => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  const configuration = (host) => JSON.stringify({ iceServers: [{ urls: [`turn:${host}:3478`], username: 'u', credential: 'c' }] });
  write(configuration('one.example'));
  const { port, handle } = await serve(`rtc-config-file=${file} ice-mode=lite`, { GST_DEBUG: 'webrtc*:3' });
  const browser = await stage.chromium();
  const context = await browser.newContext({ httpCredentials: { username: 'user', password } });
  await keepConnections(context);
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${port}/`);
  await showing(page, 3);
  const servers = () => page.evaluate(() => window.connections.map((c) => c.getConfiguration().iceServers[0]?.urls).flat());
  assert.deepEqual(await servers(), ['turn:one.example:3478?transport=udp']);
  write(configuration('two.example'));
  await until('the viewer to be told', async () => (await servers()).includes('turn:two.example:3478?transport=udp'), 5000);
  assert.equal(await page.evaluate(() => window.connections.length), 1, 'a connection that needs no relay goes on');
  write('{"iceServers": [{"urls": "turn:three.example"');
  await until('a warning', () => /rtc-config-file: .*the last good configuration stays/.test(handle.log));
  assert.equal((await turnOf(port)).iceServers[0].urls[0], 'turn:two.example:3478?transport=udp');
  write(configuration('four.example'));
  await until('the next good file', async () => (await turnOf(port)).iceServers[0].urls[0] === 'turn:four.example:3478?transport=udp', 5000);
  await context.close();
});

test('a TURN REST service is asked with user and protocol, by its ttl again, and with back-off while it fails', async () => {
  const asked = [];
  let broken = true;
  const service = createServer((request, response) => {
    asked.push({ url: new URL(request.url, 'http://x'), headers: request.headers });
    if (broken) {
      response.writeHead(503).end('not yet');
      return;
    }
    response.writeHead(200, { 'Content-Type': 'application/json' })
      .end(JSON.stringify({ username: `${asked.length}:u`, password: 'p', ttl: 4, uris: ['turn:rest.example:3478?transport=tcp'] }));
  });
  const at = await freePort();
  await new Promise((resolve) => service.listen(at, '127.0.0.1', resolve));
  stage.defer(() => service.close());
  const { port } = await serve(`turn-rest-uri=http://asker:hunter2@127.0.0.1:${at}/rtc?key=1 turn-rest-user=pod-7 turn-rest-protocol=tcp`);
  await until('the first question', () => asked.length > 0);
  assert.deepEqual(Object.fromEntries(asked[0].url.searchParams), { key: '1', service: 'turn', username: 'pod-7', protocol: 'tcp', tls: 'false' });
  assert.equal(asked[0].headers.authorization, `Basic ${Buffer.from('asker:hunter2').toString('base64')}`);
  assert.equal(asked[0].headers['x-auth-user'], 'pod-7');
  assert.deepEqual((await turnOf(port)).iceServers, []);
  broken = false;
  const first = await until('an answer after back-off', async () => (await turnOf(port)).iceServers[0], 6000);
  assert.equal(first.urls[0], 'turn:rest.example:3478?transport=tcp');
  const before = first.username;
  await until('new credentials before the old ones expire', async () => {
    const now = (await turnOf(port)).iceServers[0];
    assert.ok(now, 'there is no moment without');
    return now.username !== before;
  }, 6000);
});

test('vitrine turn-rest answers who has the password, with servers of the kind asked for', async () => {
  need('openssl');
  const port = await freePort();
  const service = stage.start(process.env.VITRINE, ['turn-rest', '--listen', '127.0.0.1', '--port', String(port),
    '--turn-servers', 'turn:relay.example:3478,turn:relay.example:3478?transport=tcp,turns:relay.example:443'],
    { env: { VITRINE_PASSWORD: password, VITRINE_TURN_SHARED_SECRET: 'hunter2', VITRINE_TURN_LIFETIME: '600' } });
  await until('the service', async () => {
    if (service.status !== undefined) throw Object.assign(new Error(service.log), { fatal: true });
    return (await fetch(`http://127.0.0.1:${port}/health`)).ok;
  });
  const ask = async (query, headers = {}) => {
    const answer = await fetch(`http://127.0.0.1:${port}/${query}`, { headers: { ...basic, ...headers } });
    assert.equal(answer.status, 200);
    const { iceServers, lifetimeDuration } = await answer.json();
    assert.equal(lifetimeDuration, '600s');
    const { username, credential, urls } = iceServers[0];
    assert.equal(credential, createHmac('sha1', 'hunter2').update(username).digest('base64'));
    return { name: username.split(':')[1], urls };
  };
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 401);
  assert.equal((await ask('')).urls.length, 3);
  assert.deepEqual(await ask('?service=turn&username=pod-7&protocol=tcp&tls=false'), { name: 'pod-7', urls: ['turn:relay.example:3478?transport=tcp'] });
  assert.deepEqual(await ask('', { 'x-auth-user': 'pod-8', 'x-turn-tls': 'true' }), { name: 'pod-8', urls: ['turns:relay.example:443?transport=tcp'] });
  assert.equal((await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers: basic })).status, 405);
  assert.equal(await service.end(), 0);
  assert.doesNotMatch(service.log, /hunter2/);

  const half = stage.start(process.env.VITRINE, ['turn-rest', '--port', String(port), '--turn-servers', 'turn:relay.example'], { env: { VITRINE_PASSWORD: password } });
  assert.equal(await half.exited, 2);
  assert.match(half.log, /turn-servers: needs turn-user and turn-password, or turn-shared-secret/);
});
