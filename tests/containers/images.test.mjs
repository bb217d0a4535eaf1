// SPDX-License-Identifier: LGPL-2.1-or-later
// Every image, really started and used: on a bridge network with one published port, locked down, in a real browser.
// Run by scripts/containers test IMAGE…; prints what docs/containers.md claims.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, afterEach, beforeEach, test } from 'node:test';

import { connect } from '../e2e/connect-rows.mjs';
import { showing, sleep, Stage, until } from '../e2e/harness.mjs';
import { Container, imageInfo, lockedDown, podman, sizeMb, within } from './podman.mjs';
import { typedIn } from './typing.mjs';

const servers = ['coturn', 'signalling'];
const wanted = (process.env.VITRINE_IMAGES ?? '').split(' ').filter(Boolean);
const sessions = wanted.filter((image) => !servers.includes(image));
/** Seconds until a session of the image must answer. */
const readyWithin = (image) => (image.startsWith('desktop') ? 10 : 5);
const table = [];

let stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());
after(() => console.table(table));

/** How many different colours the picture has. */
function colours(page) {
  return page.evaluate(() => {
    const screen = document.getElementById('screen');
    const canvas = document.createElement('canvas');
    canvas.width = screen.videoWidth ?? screen.width;
    canvas.height = screen.videoHeight ?? screen.height;
    const context = canvas.getContext('2d');
    context.drawImage(screen, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let at = 0; at < data.length; at += 4) seen.add(((data[at] >> 3) << 10) | ((data[at + 1] >> 3) << 5) | (data[at + 2] >> 3));
    return seen.size;
  });
}

/** Percent of a core that the container uses over VITRINE_IDLE seconds while nothing happens, and which processes; it has as many to come to rest. */
async function idling(what, container) {
  const seconds = Number(process.env.VITRINE_IDLE ?? 0);
  if (!seconds) return '';
  await sleep(seconds * 1000);
  const before = container.cpuSeconds();
  await sleep(seconds * 1000);
  const percent = Object.entries(container.cpuSeconds()).map(([name, used]) => [name, (100 * (used - (before[name] ?? 0))) / seconds]);
  console.log(`# ${what}: ${percent.filter(([, used]) => used > 0.05).map(([name, used]) => `${name} ${used.toFixed(1)} %`).join(', ') || 'nothing'}`);
  return percent.reduce((sum, [, used]) => sum + used, 0).toFixed(1);
}

for (const image of sessions) {
  test(`${image} starts, shows its picture, takes what is typed, and ends`, async () => {
    const typing = typedIn(image);
    const container = await Container.start(stage, image, { args: typing?.args });
    assert.ok(container.startedMs < within(readyWithin(image)), `ready after ${container.startedMs} ms`);
    assert.ok(container.healthy(), 'the health check fails');

    if (image === 'desktop-glx') assert.match(container.log(), /^vitrine-xorg: Xorg (on|with) /m);

    const alone = await idling(`${image} alone`, container);
    const page = await stage.page(await stage.chromium(), container.port);
    const begin = performance.now();
    await page.reload();
    await showing(page);
    const firstFrameMs = performance.now() - begin;
    await until('a picture that is not of one colour', async () => (await colours(page)) > 1, 60000);
    if (typing) await typing.type(page, container);
    if (process.env.VITRINE_SCREENSHOTS) await page.screenshot({ path: `${process.env.VITRINE_SCREENSHOTS}/${image}.png` });

    const status = container.exec('cat', '/proc/1/status').out;
    assert.notEqual(/^Uid:\s+(\d+)/m.exec(status)?.[1], '0', 'it runs as root');
    assert.match(status, /^CapEff:\s+0+$/m, 'it has capabilities');
    assert.match(container.exec('sh', '-c', 'touch /usr/written').error, /Read-only/, 'the root folder can be written to');

    const idle = await idling(`${image} with a viewer`, container);
    const stopMs = container.stop(20);
    assert.ok(stopMs < within(5), `it took ${stopMs} ms to end`);
    assert.equal(container.inspect('{{.State.ExitCode}}'), '0', container.log());
    table.push({
      image, 'size, MB': sizeMb(image), 'ready, s': (container.startedMs / 1000).toFixed(1), 'first frame, s': (firstFrameMs / 1000).toFixed(2),
      'idle, % of a core': alone, 'with a viewer': idle, 'end, s': (stopMs / 1000).toFixed(1),
    });
  });
}

for (const image of wanted) {
  test(`${image} says what it is`, () => {
    const labels = JSON.parse(imageInfo(image, '{{json .Labels}}'));
    for (const name of ['title', 'description', 'licenses', 'vendor', 'version'])
      assert.ok(labels[`org.opencontainers.image.${name}`], `no label ${name}`);
    assert.match(imageInfo(image, '{{.User}}'), /^(1000|turnserver)$/);
    assert.match(imageInfo(image, '{{json .HealthCheck}}'), /Test/i);
  });
}

const shell = wanted.find((image) => ['base', 'app'].includes(image));
const needsShell = { skip: shell ? false : 'only for base or app, which show a terminal' };

test('any user id will do, and nothing but the port is needed', needsShell, async () => {
  const container = await Container.start(stage, shell, { options: [...lockedDown, '--user', '123456:0', '--shm-size', '1m'] });
  const page = await stage.page(await stage.chromium(), container.port);
  await showing(page);
  await typedIn(shell).type(page, container);
  assert.equal(container.exec('id', '-u').out.trim(), '123456');
});

test('with nothing published but TCP it shows a picture without any option', needsShell, async () => {
  const container = await Container.start(stage, shell, { udp: false });
  // This machine may reach the container's own address too; others come by TCP or WebSocket.
  const { first, path } = await connect(await stage.chromium(), `http://127.0.0.1:${container.port}/`);
  console.log(`# first picture after ${first.toFixed(0)} ms, ${path}`);
  assert.match(path, /^direct |^websocket$/);
});

test('the home folder outlives its container', needsShell, async () => {
  const volume = `vitrine-test-${process.pid}`;
  stage.defer(() => podman(['volume', 'rm', '--force', volume]));
  const options = ['--cap-drop=ALL', '--volume', `${volume}:/home/user`];
  const first = await Container.start(stage, shell, { options });
  assert.ok(first.exec('sh', '-c', 'echo kept > /home/user/file').ok);
  first.stop();
  const second = await Container.start(stage, shell, { options });
  assert.equal(second.exec('cat', '/home/user/file').out.trim(), 'kept');
});

test('EXEC_CMD names the program', needsShell, async () => {
  const container = await Container.start(stage, shell, { env: { EXEC_CMD: 'xterm -title "given here"' } });
  await until('its window', () => container.onDisplay('xwininfo -root -tree').out.includes('"given here"'), 20000);
});

test('a program that ends well ends the container well, and one that does not, not', needsShell, async () => {
  for (const status of [0, 3]) {
    const container = await Container.start(stage, shell, { args: ['sh', '-c', `exit ${status}`], wait: false });
    assert.equal(await container.ended(), status, container.log());
  }
});

test('what does not listen to SIGTERM is ended all the same', needsShell, async () => {
  const container = await Container.start(stage, shell, { args: ['sh', '-c', 'trap "" TERM INT HUP; while :; do sleep 1; done'] });
  const stopMs = container.stop(20);
  assert.ok(stopMs < within(5), `it took ${stopMs} ms to end`);
});

test('what programs leave behind does not pile up', needsShell, async () => {
  const script = 'for i in 1 2 3 4 5; do (sh -c "sleep 0.2; touch /tmp/orphan-$i" &); done; exec sleep 600';
  const container = await Container.start(stage, shell, { args: ['sh', '-c', script] });
  await until('them to end', () => container.exec('sh', '-c', 'ls /tmp').out.match(/orphan-\d/g)?.length === 5, 20000);
  const zombies = () => container.exec('sh', '-c', 'cat /proc/[0-9]*/stat 2>/dev/null').out.split('\n').filter((line) => /\) Z /.test(line));
  await until('nothing to be left of them', () => zombies().length === 0, 30000);
});

test('started as root it takes another user: PUID and PGID', needsShell, async () => {
  const container = await Container.start(stage, shell, {
    options: ['--user', '0', '--cap-drop=ALL', '--cap-add=CHOWN,SETUID,SETGID'], env: { PUID: '1234', PGID: '1235', TZ: 'Asia/Kolkata' },
  });
  const status = container.exec('sh', '-c', 'cat /proc/$(pgrep -o xterm || echo 1)/status').out;
  assert.match(status, /^Uid:\s+1234\s/m);
  assert.match(status, /^Gid:\s+1235\s/m);
  assert.match(status, /^CapEff:\s+0+$/m);
  assert.equal(container.exec('date', '+%z').out.trim(), '+0530');
});

test('passwords may be bcrypt hashes, and nobody comes in by the hash itself', needsShell, async () => {
  const { stdout: hash } = spawnSync('perl', ['-e', 'print crypt("correct-horse", q($2b$04$abcdefghijklmnopqrstuu))'], { encoding: 'utf8' });
  assert.match(hash, /^\$2b\$04\$.{53}$/);
  const container = await Container.start(stage, shell, { env: { VITRINE_PASSWORD: null, WEB_USER: 'me', WEB_PASSWORD_HASH: hash } });
  const answer = (secret) => fetch(`http://127.0.0.1:${container.port}/`, { headers: { Authorization: `Basic ${Buffer.from(`me:${secret}`).toString('base64')}` } });
  assert.equal((await answer('correct-horse')).status, 200);
  assert.equal((await answer(hash)).status, 401);
});

test('it starts without any network', needsShell, async () => {
  const container = await Container.start(stage, shell, { options: [...lockedDown, '--network', 'none'], published: false });
  await until('the health check', () => container.healthy(), 20000);
});
