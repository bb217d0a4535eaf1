// SPDX-License-Identifier: LGPL-2.1-or-later
// Behind proxies: nginx with a path of its own and TLS at the proxy, whom X-Forwarded-* is believed, and a plain TCP tunnel.
import assert from 'node:assert/strict';
import { connect as dial, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { Stage, freePort, need, password, showing, until } from './harness.mjs';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

need('gst-launch-1.0', 'nginx');
const stage = new Stage();
const basic = { Authorization: `Basic ${Buffer.from(`user:${password}`).toString('base64')}` };
let browser;

function serverLine(port, properties = '') {
  return `videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=30/1 ! x264enc tune=zerolatency speed-preset=ultrafast
    ! video/x-h264,profile=constrained-baseline ! webrtcsignallerbin name=w port=${port} user=user password=${password} ${properties}`;
}

async function nginx(port, location) {
  const folder = stage.folder();
  writeFileSync(path.join(folder, 'nginx.conf'), `daemon off; master_process off; pid ${folder}/pid; error_log stderr warn;
events {}
http {
  access_log off; client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  server { listen 127.0.0.1:${port}; ${location} }
}
`);
  const handle = stage.start('nginx', ['-p', folder, '-c', path.join(folder, 'nginx.conf')], { signal: 'SIGQUIT' });
  await until('nginx', () => fetch(`http://127.0.0.1:${port}/nothing`).then(() => true));
  return handle;
}

before(async () => {
  browser = await stage.chromium();
});
after(() => stage.close());

test('nginx passes a path on: the page, its files and the WebSocket work below it', async () => {
  const port = await freePort(), front = await freePort();
  const server = await stage.gstLaunch(serverLine(port, 'base-path=/team/desk/ trusted-proxies=127.0.0.1'), port);
  await nginx(front, `location /team/desk/ { proxy_pass http://127.0.0.1:${port}; proxy_http_version 1.1; proxy_set_header Host $proxy_host;
    proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto https; }`);
  const answer = await fetch(`http://127.0.0.1:${front}/team/desk/`, { headers: basic });
  assert.equal(answer.status, 200);
  const cookie = answer.headers.get('set-cookie');
  assert.match(cookie, /Path=\/team\/desk\//);
  assert.match(cookie, /Secure/);
  const context = await browser.newContext({ httpCredentials: { username: 'user', password } });
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${front}/team/desk/`);
  await showing(page, 3);
  await context.close();
  // Outside of the path there is nothing but /health and the way to the page.
  assert.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 200);
  assert.equal((await fetch(`http://127.0.0.1:${port}/metrics`, { headers: basic })).status, 404);
  const root = await fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' });
  assert.deepEqual([root.status, root.headers.get('location')], [302, '/team/desk/']);
  assert.equal(await server.end('SIGINT'), 0);
});

test('X-Forwarded-For counts only from a trusted proxy', async () => {
  const wrong = { Authorization: `Basic ${Buffer.from('user:wrong').toString('base64')}` };
  const guess = async (port, from) => (await fetch(`http://127.0.0.1:${port}/`, { headers: { ...wrong, 'X-Forwarded-For': from } })).status;
  const trusting = await freePort();
  await stage.gstLaunch(serverLine(trusting, 'trusted-proxies=127.0.0.0/8,::1'), trusting);
  for (let i = 0; i < 6; i++) await guess(trusting, '203.0.113.7');
  assert.equal(await guess(trusting, '203.0.113.7'), 429, 'who guesses has to wait');
  assert.equal(await guess(trusting, '203.0.113.8'), 401, 'another viewer behind the same proxy does not');
  assert.equal(await guess(trusting, '203.0.113.9, 203.0.113.7'), 429, 'what a viewer writes in front changes nothing');

  const wary = await freePort();
  await stage.gstLaunch(serverLine(wary), wary);
  for (let i = 0; i < 6; i++) await guess(wary, `203.0.113.${i}`);
  assert.equal(await guess(wary, '203.0.113.99'), 429, 'without a trusted proxy it is the connection that counts');
});

test('a plain TCP tunnel is enough for everything', async () => {
  const port = await freePort(), front = await freePort();
  await stage.gstLaunch(serverLine(port), port);
  const tunnel = createServer((near) => {
    const far = dial(port, '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => { near.destroy(); far.destroy(); });
  });
  await new Promise((resolve) => tunnel.listen(front, '127.0.0.1', resolve));
  stage.defer(() => tunnel.close());
  const page = await stage.page(browser, front);
  await showing(page, 5);
  await page.context().close();
});

test('settings that cannot be used name the property', async () => {
  for (const [properties, expected] of [
    ['turn-servers=turn:relay.example', /turn-servers: needs turn-user and turn-password, or turn-shared-secret/],
    ['turn-servers=turn:relay.example turn-user=u', /turn-user: needs turn-password/],
    ['turn-servers=turn:relay.example:99999 turn-shared-secret=hunter2', /turn-servers: URL 1 cannot be used/],
    ['rtc-config-file=/nonexistent.json', /rtc-config-file: '\/nonexistent.json' cannot be read/],
    ['ice-transport-policy=relay', /ice-transport-policy: relay needs/],
    ['trusted-proxies=10.0.0.0/99', /trusted-proxies: '10.0.0.0\/99' is no IP address or network/],
    ['base-path=/a/../b', /base-path: is no plain path/],
  ]) {
    const port = await freePort();
    const handle = stage.start('gst-launch-1.0', ['-q', ...serverLine(port, properties).trim().split(/\s+/)], { env: { GST_DEBUG: 'webrtc*:6' } });
    assert.notEqual(await handle.exited, 0, properties);
    assert.match(handle.log, expected);
    assert.doesNotMatch(handle.log, /hunter2/);
  }
});
