// SPDX-License-Identifier: LGPL-2.1-or-later
// The path dies while the user watches: the picture goes on by WebSocket, and returns to WebRTC when that works again, without a reload.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Stage, need, password, showing, until } from './harness.mjs';
import { Network, needNetwork } from './network.mjs';

need('gst-launch-1.0');
needNetwork();
const stage = new Stage();
let net, browser;

before(async () => {
  net = new Network(stage);
  // Loopback inside a namespace: WebCodecs needs a page that browsers trust.
  net.host('box', 2);
  browser = await net.chromium('box');
});
after(() => stage.close());

const drop = () => net.in('box', `nft add table inet fw && nft 'add chain inet fw in { type filter hook input priority 0; }' && nft add rule inet fw in meta l4proto udp drop`);
const pass = () => net.in('box', 'nft delete table inet fw');
const way = (page, wanted, timeout) => until(`the picture by ${wanted}`, async () => (await page.evaluate(() => window.vitrine.way)) === wanted, timeout);

async function open(port) {
  const context = await browser.newContext({ httpCredentials: { username: 'user', password }, viewport: { width: 640, height: 360 } });
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${port}/`);
  await showing(page, 3);
  await page.evaluate(() => { window.sameLife = true; });
  return page;
}

test('UDP dies: down to WebSocket; it comes back: up again', async () => {
  await net.server('box', '127.0.0.1', 8080, 'enable-tcp=false');
  const page = await open(8080);
  await way(page, 'webrtc', 5000);
  drop();
  let began = performance.now();
  await way(page, 'websocket', 8000);
  console.log(`down after ${Math.round(performance.now() - began)} ms`);
  const before = await page.evaluate(() => window.vitrine.framesPresented);
  await until('the picture to move', async () => (await page.evaluate(() => window.vitrine.framesPresented)) > before + 30, 4000);
  pass();
  began = performance.now();
  await way(page, 'webrtc', 30000);
  console.log(`up after ${Math.round(performance.now() - began)} ms`);
  const after = await page.evaluate(() => window.vitrine.framesPresented);
  await until('the picture to move', async () => (await page.evaluate(() => window.vitrine.framesPresented)) > after + 30, 4000);
  assert.equal(await page.evaluate(() => window.sameLife), true, 'no reload');
  await page.context().close();
});

test('UDP is dropped from the beginning: the first picture does not wait for it', async () => {
  await net.server('box', '127.0.0.1', 8081);
  drop();
  const page = await open(8081);
  await way(page, 'webrtc', 10000);
  await until('ICE-TCP to be named', async () => (await page.evaluate(() => window.vitrine.stats()?.transport)) === 'tcp', 4000);
  pass();
  await page.context().close();
});
