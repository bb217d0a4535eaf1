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

test('the cable is out for five seconds and the Wi-Fi has another address: back within three seconds of it', async () => {
  const page = await open(browser);
  const away = 5000;
  const most = await gap(page, async () => {
    net.in('browser', 'ip link set eth0 down');
    await sleep(away);
    net.in('browser', 'ip addr flush dev eth0; ip addr add 10.99.0.32/24 dev eth0; ip link set eth0 up; ip route add default via 10.99.0.1');
  });
  console.log(`no link for ${away} ms, then another address: ${Math.round(most)} ms without a picture`);
  assert.ok(most < away + kMostMs, `${most} ms`);
  await page.context().close();
});

test('the machine sleeps for ten seconds: back within three once it wakes', async () => {
  const page = await open(browser);
  const asleep = 10_000;
  const before = await page.evaluate(() => window.vitrine.framesPresented);
  const pids = net.pids('browser');
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  await sleep(asleep);
  const woke = performance.now();
  for (const pid of pids) process.kill(pid, 'SIGCONT');
  // Pictures that were on their way when it fell asleep do not count.
  const shown = await until('the page to answer', () => page.evaluate(() => window.vitrine.framesPresented));
  await until('new pictures', () => page.evaluate((n) => document.documentElement.dataset.state === 'connected' && window.vitrine.framesPresented > n, Math.max(before, shown) + 5), kMostMs + 2000);
  const back = performance.now() - woke;
  console.log(`asleep for ${asleep} ms: pictures ${Math.round(back)} ms after waking`);
  assert.ok(back < kMostMs, `${back} ms`);
  await page.context().close();
});
