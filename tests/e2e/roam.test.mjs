// SPDX-License-Identifier: LGPL-2.1-or-later
// Network trouble: the viewer's address changes, the cable is out for a moment. The picture and control are back by themselves.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Stage, need, password, showing, sleep, until } from './harness.mjs';
import { Network, needNetwork } from './network.mjs';

need('gst-launch-1.0');
needNetwork();
const kMostMs = 3000;
const stage = new Stage();
let net, url, browser, rival;
before(async () => {
  net = new Network(stage);
  net.host('browser', 2);
  net.host('rival', 3);
  const server = net.host('server', 4);
  await net.server('server', server, 8080);
  url = `http://${server}:8080/`;
  browser = await net.chromium('browser');
  rival = await net.chromium('rival');
});
after(() => stage.close());

async function open(where) {
  const context = await where.newContext({ httpCredentials: { username: 'user', password } });
  const page = await context.newPage();
  await page.goto(url);
  await showing(page, 5);
  return page;
}

/** The longest time without a new picture while `trouble` happens and in the seconds after. */
async function gap(page, trouble) {
  await page.evaluate(() => {
    window.gaps = { most: 0, last: performance.now(), frames: window.vitrine.framesPresented };
    setInterval(() => {
      const now = performance.now();
      if (window.vitrine.framesPresented !== window.gaps.frames) {
        window.gaps.frames = window.vitrine.framesPresented;
        window.gaps.last = now;
      }
      window.gaps.most = Math.max(window.gaps.most, now - window.gaps.last);
    }, 10);
  });
  await trouble();
  await sleep(5000);
  const { most, still } = await page.evaluate(() => ({ most: window.gaps.most, still: performance.now() - window.gaps.last }));
  assert.ok(still < 1000, `pictures come again; the last one is ${Math.round(still)} ms old`);
  return most;
}

test('another address: back within three seconds, and in control although somebody else is there', async () => {
  const page = await open(browser), other = await open(rival);
  await until('control', () => page.evaluate(() => window.vitrine.control));
  const most = await gap(page, () => net.in('browser', 'ip addr add 10.99.0.22/24 dev eth0; ip addr del 10.99.0.2/24 dev eth0; ip addr add 10.99.0.22/24 dev eth0 2>/dev/null || true; ip route replace default via 10.99.0.1'));
  console.log(`another address: ${Math.round(most)} ms without a picture`);
  assert.ok(most < kMostMs, `${most} ms`);
  assert.equal(await page.evaluate(() => window.vitrine.control), true);
  assert.equal(await other.evaluate(() => window.vitrine.control), false);
  await other.context().close();
  await page.context().close();
});

test('no network for four seconds: back within three once it is there', async () => {
  const page = await open(browser);
  const away = 4000;
  const most = await gap(page, async () => {
    net.in('browser', 'nft add table inet cut && nft add chain inet cut o "{ type filter hook output priority 0; policy drop; }" && nft add chain inet cut i "{ type filter hook input priority 0; policy drop; }"');
    await sleep(away);
    net.in('browser', 'nft delete table inet cut');
  });
  console.log(`cut for ${away} ms: ${Math.round(most)} ms without a picture`);
  assert.ok(most < away + kMostMs, `${most} ms`);
  await page.context().close();
});
