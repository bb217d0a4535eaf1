// SPDX-License-Identifier: LGPL-2.1-or-later
// Connecting where it is hard: each row of connect-rows.mjs in networks of its own, with real coturn and a real browser. And staying connected there
// while TURN servers and credentials change, and being told of those that do not work.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gaps, told, watchFrames } from './files-kit.mjs';
import { Stage, need, password, showing, sleep, until } from './harness.mjs';
import { connect, pathOf, rows, watch } from './connect-rows.mjs';
import { Network, needNetwork } from './network.mjs';

need('gst-launch-1.0');
needNetwork('turnserver', 'nginx', 'openssl');
const asked = process.env.CONNECT_ROWS;

/** A test with a stage of its own. */
function staged(name, run) {
  if (asked && !name.includes(asked)) return;
  test(name, async () => {
    const stage = new Stage();
    try {
      await run(stage);
    } finally {
      await stage.close();
    }
  });
}

for (const row of rows)
  staged(row.name, async (stage) => {
    const { browser, url } = await row.open(stage);
    const { first, path: way } = await (row.connect ?? connect)(browser, url);
    console.log(`${row.name}: ${way}, first picture after ${Math.round(first)} ms`);
    assert.match(way, row.path);
  });

const secret = 'only-for-this-test';
let users = 0;

/** Writes an RTC configuration with new credentials for the TURN servers at `relays`, made from `key`. */
function configure(file, relays, key = secret) {
  const iceServers = relays.map((relay) => {
    const username = `${Math.floor(Date.now() / 1000) + 3600}:user${users++}`;
    return { urls: [`turn:${relay}:3478`], username, credential: createHmac('sha1', key).update(username).digest('base64') };
  });
  writeFileSync(`${file}.new`, JSON.stringify({ iceServers, iceTransportPolicy: 'relay' }));
  renameSync(`${file}.new`, file);
}

staged('relays at both ends: the picture goes on while servers and credentials change', async (stage) => {
  const net = new Network(stage), file = path.join(stage.folder(), 'rtc.json');
  net.host('browser', 2);
  const server = net.host('server', 3), relay = net.host('turn', 4), nobody = '10.99.0.9';
  await net.coturn('turn', relay, secret);
  configure(file, [relay]);
  await net.server('server', server, 8080, `rtc-config-file=${file} ice-mode=nice`);
  const browser = await net.chromium('browser');
  const context = await browser.newContext({ httpCredentials: { username: 'user', password }, viewport: { width: 640, height: 360 } });
  await context.addInitScript(watch);
  const page = await context.newPage();
  await page.goto(`http://${server}:8080/`);
  await showing(page, 30);
  await watchFrames(page);
  const both = "browser's relay by udp, server's relay", connections = () => page.evaluate(() => window.seen.connections.length);
  assert.equal(await page.evaluate(pathOf), both);
  // Long enough for the last connection of each change to show its picture, and for the one before it to be gone.
  const settled = async (name, before) => {
    await until('another connection', async () => (await connections()) > before);
    await until('the last one to be up', () => page.evaluate(() => window.seen.connections.at(-1).connectionState === 'connected'), 15000);
    await sleep(3000);
    const between = await gaps(page);
    told(name, between);
    assert.ok(between.length > 60, 'pictures came');
    assert.ok(between.at(-1) < 500, `the picture stood for ${between.at(-1)} ms`);
    assert.equal(await page.evaluate(pathOf), both);
    assert.equal(await page.evaluate(() => window.seen.connections.filter(({ connectionState }) => connectionState === 'connected').length), 1);
  };
  await gaps(page);
  let before = await connections();
  configure(file, [relay]);
  await settled('as credentials change', before);
  assert.equal(await connections(), before + 1, 'one side asks for another connection');
  before = await connections();
  for (let i = 0; i < 2; i++) {
    configure(file, [relay]);
    await sleep(700);
  }
  await settled('as they change twice', before);
  // Nothing comes up by the first one, and the second one comes while that is tried.
  before = await connections();
  configure(file, [nobody]);
  await until('the offer through a dead server', async () => (await connections()) > before);
  await sleep(500);
  configure(file, [relay]);
  await settled('as a dead server is replaced', before + 1);
  await context.close();
});

staged('TURN servers that refuse the credentials are named, once for a connection, unless another one does', async (stage) => {
  const net = new Network(stage), file = path.join(stage.folder(), 'rtc.json');
  net.host('browser', 2);
  const server = net.host('server', 3), other = net.host('other', 4), relay = net.host('turn', 5), wrong = 'it-knows-another-one';
  await net.coturn('other', other, wrong);
  const browser = await net.chromium('browser');
  const failed = async (port) => {
    const context = await browser.newContext({ httpCredentials: { username: 'user', password } });
    const page = await context.newPage();
    await page.goto(`http://${server}:${port}/`);
    await showing(page, 3);
    await sleep(1500);
    const metrics = await page.evaluate(async () => (await fetch('/metrics')).text());
    await context.close();
    return Number(/^vitrine_turn_failed_total (\d+)$/m.exec(metrics)[1]);
  };
  const warned = ({ log }) => log.match(/no relay from any TURN server.*/g) ?? [];
  const env = { GST_DEBUG: 'webrtc*:3', GST_DEBUG_NO_COLOR: '1' };
  const refused = await net.server('server', server, 8080, `turn-servers=turn:${other}:3478 turn-shared-secret=${secret} ice-mode=nice`, env);
  assert.equal(await failed(8080), 1);
  assert.match(warned(refused).join('\n'), new RegExp(`^no relay from any TURN server, [^\n]*: turn:${other}:3478\\?transport=udp$`));
  assert.ok(!refused.log.includes(secret));

  await net.coturn('turn', relay, secret);
  configure(file, [other, relay]);
  const taken = await net.server('server', server, 8081, `rtc-config-file=${file} ice-mode=nice`, env);
  assert.equal(await failed(8081), 0, 'by relays alone, so the second one gave some');
  assert.deepEqual(warned(taken), []);
});
