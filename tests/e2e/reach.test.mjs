// SPDX-License-Identifier: LGPL-2.1-or-later
// A server with IPv6 alone, by the one port and by libnice; nothing but a TCP tunnel to another machine's loopback.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pathOf, watch } from './connect-rows.mjs';
import { Stage, need, password, showing, until } from './harness.mjs';
import { Network, needNetwork } from './network.mjs';

need('gst-launch-1.0');
needNetwork();
const stage = new Stage();
after(() => stage.close());

async function open(browser, url) {
  const context = await browser.newContext({ httpCredentials: { username: 'user', password }, viewport: { width: 640, height: 360 } });
  await context.addInitScript(watch);
  const page = await context.newPage();
  await page.goto(url);
  await showing(page, 5);
  return page;
}

const way = (page) => until('a path', async () => {
  const name = await page.evaluate(pathOf);
  return name === 'none' ? undefined : name;
});

/** The addresses of both ends of the pair in use. */
const addresses = (page) => page.evaluate(async () => {
  const connection = window.seen.connections.find((c) => c.connectionState === 'connected');
  const reports = [...(await connection.getStats()).values()];
  const pair = reports.find((r) => r.id === reports.find((t) => t.type === 'transport').selectedCandidatePairId);
  return ['localCandidateId', 'remoteCandidateId'].map((id) => reports.find((r) => r.id === pair[id]).address);
});

test('a server with IPv6 alone: UDP and TCP on the one port, and libnice', async () => {
  const net = new Network(stage);
  net.host('browser', 2, { v6: true });
  net.host('server', 4, { v6: true });
  // The server has nothing else. The browser keeps an IPv4 address: headless Chromium without any answers no offer.
  net.in('server', 'ip -4 addr flush dev eth0');
  const browser = await net.chromium('browser');
  for (const [port, properties, expected] of [
    [8080, '', /^direct udp$/], [8081, 'enable-udp=false', /^direct tcp$/], [8082, 'ice-mode=nice', /^direct udp$/], [8083, 'listen-address=fd99::4', /^direct udp$/],
  ]) {
    const server = await net.server('server', 'fd99::4', port, properties);
    const page = await open(browser, `http://[fd99::4]:${port}/`).catch((error) => {
      throw new Error(`${properties}: ${error.message}\n${server.log}`);
    });
    assert.match(await way(page), expected, properties);
    const [, remote] = await addresses(page);
    assert.match(remote, /^\[?fd99::4\]?$/, properties);
    await page.context().close();
    await server.end('SIGINT');
  }
  // This machine's own ::1.
  await net.server('browser', '::1', 8080);
  const page = await open(browser, 'http://[::1]:8080/');
  assert.match(await way(page), /^direct (udp|tcp)$|^websocket$/);
  await page.context().close();
});

test('nothing but a TCP tunnel to another port of another machine', async () => {
  const net = new Network(stage);
  net.host('browser', 2);
  net.host('server', 4);
  net.in('server', 'ip link set eth0 down');
  await net.server('server', '127.0.0.1', 8080, 'listen-address=127.0.0.1');
  const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'tunnel-end.mjs'), meeting = path.join(stage.folder(), 'tunnel');
  const far = net.start('server', process.execPath, [script, meeting, '8080']);
  const near = net.start('browser', process.execPath, [script, '43217', meeting]);
  for (const end of [far, near]) await until('the tunnel', () => end.log.includes('ready'));
  const browser = await net.chromium('browser');
  for (const host of ['localhost', '127.0.0.1']) {
    const page = await open(browser, `http://${host}:43217/`);
    const name = await way(page);
    console.log(`${host} through the tunnel: ${Math.round(await page.evaluate(() => window.seen.first))} ms, ${name}`);
    assert.match(name, /^direct tcp$|^websocket$/);
    await page.context().close();
  }
});
