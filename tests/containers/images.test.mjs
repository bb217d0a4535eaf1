// SPDX-License-Identifier: LGPL-2.1-or-later
// Every image, really started and used: on a bridge network with one published port, locked down, in a real browser.
// Run by scripts/containers test IMAGE…; prints what docs/containers.md claims.
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, test } from 'node:test';

import { showing, sleep, Stage, until } from '../e2e/harness.mjs';
import { Container, imageInfo, lockedDown, sizeMb } from './podman.mjs';

const wanted = (process.env.VITRINE_IMAGES ?? '').split(' ').filter(Boolean);
/** Seconds until a session of the image may answer. */
const readyWithin = { desktop: 10 };
const desktops = wanted.filter((image) => image !== 'coturn');
const table = [];

let stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());
after(() => console.table(table));

/** How many different colours a coarse grid of the picture has. */
function colours(page) {
  return page.evaluate(() => {
    const screen = document.getElementById('screen');
    const canvas = document.createElement('canvas');
    canvas.width = screen.videoWidth ?? screen.width;
    canvas.height = screen.videoHeight ?? screen.height;
    const context = canvas.getContext('2d');
    context.drawImage(screen, 0, 0);
    const seen = new Set();
    for (let y = 4; y < canvas.height; y += 16)
      for (let x = 4; x < canvas.width; x += 16) {
        const [r, g, b] = context.getImageData(x, y, 1, 1).data;
        seen.add(`${r >> 3},${g >> 3},${b >> 3}`);
      }
    return seen.size;
  });
}

for (const image of desktops) {
  test(`${image} starts, shows its picture, and ends`, async () => {
    const container = await Container.start(stage, image);
    const limit = readyWithin[image] ?? 5;
    assert.ok(container.startedMs < limit * 1000, `ready after ${container.startedMs} ms`);
    assert.ok(container.healthy(), 'the health check fails');

    const browser = await stage.chromium();
    const begin = performance.now();
    const page = await stage.page(browser, container.port, {});
    await showing(page);
    const firstFrameMs = performance.now() - begin;
    await until('a picture that is not of one colour', async () => (await colours(page)) > 2, 30000);
    if (process.env.VITRINE_SCREENSHOTS) {
      await sleep(3000);
      await page.screenshot({ path: `${process.env.VITRINE_SCREENSHOTS}/${image}.png` });
    }

    const status = container.exec('cat', '/proc/1/status').out;
    assert.notEqual(/^Uid:\s+(\d+)/m.exec(status)?.[1], '0', 'it runs as root');
    assert.match(status, /^CapEff:\s+0+$/m, 'it has capabilities');
    assert.match(container.exec('sh', '-c', 'touch /usr/written').error, /Read-only/, 'the root folder can be written to');

    await sleep(5000);
    const before = container.cpuSeconds();
    await sleep(10000);
    const idle = (container.cpuSeconds() - before) * 10;
    const stopMs = container.stop();
    assert.ok(stopMs < 5000, `it took ${stopMs} ms to end`);
    assert.equal(container.inspect('{{.State.ExitCode}}'), '0', container.log());
    table.push({
      image, 'size, MB': sizeMb(image), 'ready, s': (container.startedMs / 1000).toFixed(1), 'first frame, s': (firstFrameMs / 1000).toFixed(2),
      'idle with a viewer, % of a core': idle.toFixed(1), 'end, s': (stopMs / 1000).toFixed(1),
    });
  });

  test(`${image} says what it is`, () => {
    const labels = JSON.parse(imageInfo(image, '{{json .Labels}}'));
    for (const name of ['title', 'description', 'licenses', 'vendor'])
      assert.ok(labels[`org.opencontainers.image.${name}`], `no label ${name}`);
    assert.notEqual(imageInfo(image, '{{.User}}'), '');
  });
}

const shell = wanted.find((image) => ['base', 'app'].includes(image));
const typing = { skip: shell ? false : 'only for base or app, which show a terminal' };

/** Clicks the terminal and types a command that leaves a file. */
async function typeCommand(page, container) {
  await page.mouse.click(300, 200);
  await sleep(300);
  await page.keyboard.type('echo äpfel > /tmp/typed\n', { delay: 15 });
  await until('what was typed to arrive', () => container.exec('cat', '/tmp/typed').out.trim() === 'äpfel', 8000);
}

test('what is typed arrives', typing, async () => {
  const container = await Container.start(stage, shell, { env: { LANG: 'C.UTF-8' } });
  const page = await stage.page(await stage.chromium(), container.port);
  await showing(page);
  await sleep(1000);
  await typeCommand(page, container);
});

test('any user id will do, and nothing but the port is needed', typing, async () => {
  const container = await Container.start(stage, shell, { options: [...lockedDown, '--user', '123456:0', '--shm-size', '1m'] });
  const page = await stage.page(await stage.chromium(), container.port);
  await showing(page);
  assert.equal(container.exec('id', '-u').out.trim(), '123456');
});

test('the home folder outlives its container', typing, async () => {
  const volume = `vitrine-test-${process.pid}`;
  const options = ['--cap-drop=ALL', '--volume', `${volume}:/home/user`];
  const first = await Container.start(stage, shell, { options });
  assert.ok(first.exec('sh', '-c', 'echo kept > /home/user/file').ok);
  first.stop();
  const second = await Container.start(stage, shell, { options });
  assert.equal(second.exec('cat', '/home/user/file').out.trim(), 'kept');
});

test('EXEC_CMD names the program', typing, async () => {
  const container = await Container.start(stage, shell, { env: { EXEC_CMD: 'xterm -title given' } });
  await until('the program', () => container.exec('sh', '-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "').out.includes('xterm -title given'));
});

test('a program that ends well ends the container well', typing, async () => {
  const container = await Container.start(stage, shell, { args: ['sh', '-c', 'sleep 1'] });
  await until('the container to end', () => container.inspect('{{.State.Running}}') === 'false', 10000);
  assert.equal(container.inspect('{{.State.ExitCode}}'), '0', container.log());
});
