// SPDX-License-Identifier: LGPL-2.1-or-later
// A session that reads its settings again: what can change does, and who watches stays.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Stage, freePort, healthy, need, password, setVisibility, showing, sleep, until } from './harness.mjs';
import { keepConnections } from './page-connections.mjs';

need('Xvfb', 'xterm');
const { VITRINE: vitrine } = process.env;
assert.ok(vitrine, 'run by `meson test`, which sets VITRINE');

const stage = new Stage();
const told = [];  // what the server says to the page
let page, session, port, peer, config, secret;

/** Writes settings and has them read; what is said of it. */
async function reload(...lines) {
  writeFileSync(config, `[settings]\n${lines.join('\n')}\n`, { mode: 0o600 });
  const said = () => session.log.split('\n').filter((line) => line.startsWith('vitrine: '));
  const before_ = said().length;
  session.child.kill('SIGHUP');
  await until('the settings to be read', () => /the settings (were read again|stay as they were)/.test(said().slice(before_).join('\n')));
  return said().slice(before_);
}

before(async () => {
  const folder = stage.folder();
  config = path.join(folder, 'vitrine.conf');
  secret = path.join(folder, 'password');
  writeFileSync(secret, `${password}\n`);
  writeFileSync(config, `[settings]\npassword-file=${secret}\nframerate=30\n`, { mode: 0o600 });
  port = await freePort();
  session = stage.start(vitrine, ['--virtual=640x480', `--port=${port}`, `--config=${config}`, '--profile=software-vp8', '--no-audio', '--',
    'xterm', '-e', 'sh', '-c', 'while :; do date +%N; sleep 0.02; done'], { env: { DISPLAY: '', XAUTHORITY: '', GST_DEBUG: 'vitrine:3', GST_DEBUG_NO_COLOR: '1' } });
  await healthy(port, session);
  const browser = await stage.chromium();
  const context = await browser.newContext({ httpCredentials: { username: 'user', password } });
  await keepConnections(context);
  page = await context.newPage();
  page.problems = [];
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => typeof payload === 'string' && told.push(JSON.parse(payload))));
  page.on('pageerror', (error) => page.problems.push(String(error)));
  await page.goto(`http://127.0.0.1:${port}/`);
  await showing(page, 5);
  peer = await page.evaluate(() => window.vitrine.peer);
});
after(() => stage.close());

const get = (what, word) => fetch(`http://127.0.0.1:${port}/${what}`, { headers: { Authorization: `Basic ${btoa(`user:${word}`)}` } });
const status = async (word) => (await get('', word)).status;

/** Of pictures that arrive, per second. */
async function rate() {
  const received = () => page.evaluate(async () => {
    for (const report of (await window.connections.at(-1).getStats()).values()) if (report.type === 'inbound-rtp' && report.kind === 'video') return [report.framesReceived, report.timestamp];
    return [0, 0];
  });
  const [first, from] = await received();
  await sleep(2000);
  const [last, to] = await received();
  return (last - first) * 1000 / (to - from);
}

async function stillThere() {
  assert.equal(session.status, undefined, session.log);
  const { presented, ...rest } = await page.evaluate(() => ({ peer: window.vitrine.peer, connections: window.connections.length,
    state: document.documentElement.dataset.state, presented: window.vitrine.framesPresented }));
  assert.deepEqual(rest, { peer, connections: 1, state: 'connected' });
  await until('more pictures', () => page.evaluate((n) => window.vitrine.framesPresented > n + 3, presented));
  assert.deepEqual(page.problems, []);
}

test('fewer pictures per second come from the next one on', async () => {
  // So few that a busy machine comes by more too.
  await until('pictures', async () => await rate() > 2.5, 20000);
  assert.deepEqual(await reload(`password-file=${secret}`, 'framerate=1'), ['vitrine: the settings were read again']);
  await until('one picture per second', async () => await rate() < 1.6, 20000);
  await stillThere();
  await reload(`password-file=${secret}`, 'framerate=30');
  await until('more pictures', async () => await rate() > 2.5, 20000);
  await stillThere();
});

test('a lower bitrate counts for a page that is hidden meanwhile', async () => {
  const carries = async () => Number(/^vitrine_viewer_rate_bits\{.*\} (\S+)$/m.exec(await (await get('metrics', password)).text())?.[1] ?? 0);
  await until('the path to carry more', async () => await carries() > 2e6, 20000);
  await setVisibility(page, 'hidden');
  await until('no picture to be sent', async () => await carries() === 0);
  await reload(`password-file=${secret}`, 'framerate=30', 'bitrate=500');
  await setVisibility(page, 'visible');
  const now = await until('pictures again', carries);
  assert.ok(now < 1e6, `${now} bit/s`);
  await reload(`password-file=${secret}`, 'framerate=30');
  await stillThere();
});

test('another password counts for who comes from now on', async () => {
  writeFileSync(secret, 'battery-staple\n');
  assert.deepEqual(await reload(`password-file=${secret}`, 'framerate=30'), ['vitrine: the settings were read again']);
  assert.deepEqual([await status(password), await status('battery-staple')], [401, 200]);
  // Also the session of who is there: his page asks anew.
  assert.equal((await page.context().request.get(`http://127.0.0.1:${port}/`)).status(), 401);
  await stillThere();
});

test('TURN servers reach the page that is there', async () => {
  assert.deepEqual(await reload(`password-file=${secret}`, 'framerate=30', 'turn-servers=turn:127.0.0.1:9', 'turn-user=joe', 'turn-password=sesame'),
    ['vitrine: the settings were read again']);
  await until('the page to know them', () => page.evaluate(() =>
    window.connections.at(-1).getConfiguration().iceServers.some(({ urls }) => String(urls).includes('turn:127.0.0.1:9'))));
  await stillThere();
});

test('servers of a service that is asked take the place of the former ones when it answers, and are told once', async () => {
  const asked = [];
  const service = createServer((_, response) => asked.push(response));
  await new Promise((resolve) => service.listen(0, '127.0.0.1', resolve));
  stage.defer(() => service.close());
  const urls = async () => (await (await get('turn', 'battery-staple')).json()).iceServers.map((server) => server.urls).flat();
  const former = ['turn:127.0.0.1:9?transport=udp'], news = () => told.filter(({ type }) => type === 'ice-servers').length;
  assert.deepEqual(await urls(), former);
  const before = news();
  await reload(`password-file=${secret}`, 'framerate=30', `turn-rest-uri=http://127.0.0.1:${service.address().port}/`);
  await until('the service to be asked', () => asked.length > 0);
  await sleep(300);
  assert.deepEqual([await urls(), news()], [former, before]);
  asked[0].writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ username: 'u', password: 'p', uris: ['turn:127.0.0.1:10'] }));
  await until('the page to be told', () => news() > before);
  assert.deepEqual(await urls(), ['turn:127.0.0.1:10?transport=udp']);
  await sleep(300);
  assert.equal(news(), before + 1);
  await stillThere();
});

test('what needs a new start is named, a mistake changes nothing', async () => {
  const turn = ['turn-servers=turn:127.0.0.1:9', 'turn-user=joe', 'turn-password=sesame'];
  assert.deepEqual(await reload(`password-file=${secret}`, 'framerate=30', ...turn, 'cursor=picture'),
    [`vitrine: ${config}:7: cursor: has changed; it counts from the next start on`, 'vitrine: the settings were read again']);
  writeFileSync(secret, 'third\n');
  assert.deepEqual(await reload(`password-file=${secret}`, 'framerate=none', ...turn),
    [`vitrine: ${config}:3: [settings] framerate: 'none' is not a number from 1 to 240; the settings stay as they were`]);
  assert.deepEqual([await status('battery-staple'), await status('third')], [200, 401]);
  await stillThere();
});
