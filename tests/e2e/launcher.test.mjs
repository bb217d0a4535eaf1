// SPDX-License-Identifier: LGPL-2.1-or-later
// The vitrine command as a user starts it: a private display, a program on it, the browser, and how it all ends.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Stage, freePort, healthy, need, password, showing, sleep, until } from './harness.mjs';

need('Xvfb', 'xterm', 'xprop');
const vitrine = process.env.VITRINE;
assert.ok(vitrine, 'run by `meson test`, which sets VITRINE');

const stage = new Stage();
let browser;
before(async () => {
  browser = await stage.chromium();
});
after(() => stage.close());

/** Environment without the caller's display. */
const bare = { DISPLAY: '', XAUTHORITY: '' };

function start(args, env = {}) {
  return stage.start(vitrine, args, { env: { ...bare, ...env } });
}

function childrenOf(pid) {
  return spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' }).stdout.trim().split('\n').filter(Boolean);
}

test('a program on a private display is seen and typed to, and SIGTERM ends all', async () => {
  const folder = stage.folder();
  const port = await freePort();
  const file = path.join(folder, 'line');
  const session = start(['--virtual=1280x720', `--port=${port}`, '--', 'xterm', '-geometry', '80x24+100+100', '-e', 'sh', '-c', `echo ready > ${file}; read line; echo "$line" > ${file}; sleep 600`],
    { VITRINE_PASSWORD: password, XDG_RUNTIME_DIR: folder });
  await healthy(port, session);
  const page = await stage.page(browser, port);
  await showing(page);
  await until('xterm to be there', () => existsSync(file));
  await page.mouse.click(200, 200);
  await page.keyboard.type('through one port', { delay: 5 });
  await page.keyboard.press('Enter');
  await until('the line to arrive', () => spawnSync('cat', [file], { encoding: 'utf8' }).stdout === 'through one port\n');
  const children = childrenOf(session.child.pid);
  assert.ok(children.length >= 2, 'Xvfb and xterm');
  await page.context().close();
  assert.equal(await session.end('SIGTERM'), 0);
  for (const pid of children) assert.ok(!existsSync(`/proc/${pid}`), `process ${pid} is gone`);
  assert.deepEqual(readdirSync(folder).filter((name) => name.startsWith('vitrine-')), [], 'nothing is left in the runtime folder');
});

test('a one-time password is made, printed once, and works', async () => {
  const port = await freePort();
  const session = start(['--virtual=640x480', `--port=${port}`, '--', 'sleep', '600']);
  await healthy(port, session);
  const secret = await until('the password', () => /Password\s+(\S+)/.exec(session.log)?.[1]);
  const get = (word) => fetch(`http://127.0.0.1:${port}/`, { headers: { Authorization: `Basic ${Buffer.from(`user:${word}`).toString('base64')}` } });
  assert.equal((await get(secret)).status, 200);
  assert.equal((await get('guess')).status, 401);
  assert.equal(session.log.split(secret).length - 1, 1);
  assert.equal(await session.end('SIGINT'), 0);
});

test("the program's end is the session's end, with its exit status", async () => {
  const port = await freePort();
  const session = start(['--virtual=640x480', `--port=${port}`, '--', 'sh', '-c', 'exit 7']);
  assert.equal(await session.exited, 7);
});

test('programs on the desktop do not see the password', async () => {
  const port = await freePort();
  const file = path.join(stage.folder(), 'environment');
  const session = start(['--virtual=640x480', `--port=${port}`, '--', 'sh', '-c', `env > ${file}`], { VITRINE_PASSWORD: password });
  assert.equal(await session.exited, 0);
  assert.doesNotMatch(spawnSync('cat', [file], { encoding: 'utf8' }).stdout, new RegExp(password));
});

const complaints = [
  ['an unknown option', ['--prot=1'], 2, /unknown option --prot/],
  ['a port that is no number', ['--port=http'], 2, /--port: 'http' is not a number from 1 to 65535/],
  ['a bad size', ['--virtual=big'], 2, /--virtual: 'big' is not a size like 1920x1080/],
  ['an unknown profile', ['--virtual', '--profile=nope'], 2, /no profile 'nope'/],
  ['a password file that is missing', ['--password-file=/nonexistent'], 2, /--password-file: \/nonexistent/],
  ['no such display', ['--display=:4711'], 3, /:4711/],
  ['a program that is missing', ['--virtual=640x480', '--', '/nonexistent/program'], 127, /\/nonexistent\/program/],
  ['a password on the command line', ['--password=x'], 2, /VITRINE_PASSWORD/],
];
for (const [what, args, status, message] of complaints)
  test(`${what}: one clear line and exit status ${status}`, async () => {
    const session = start([`--port=${await freePort()}`, ...args]);
    assert.equal(await session.exited, status, session.log);
    assert.match(session.log, message);
    assert.equal(session.log.split('\n').filter((line) => line.startsWith('vitrine: ')).length, 1, session.log);
  });

test('a port in use: says so, exit status 4', async () => {
  const port = await freePort();
  const first = start(['--virtual=640x480', `--port=${port}`, '--', 'sleep', '600'], { VITRINE_PASSWORD: password });
  await healthy(port, first);
  const second = start(['--virtual=640x480', `--port=${port}`, '--', 'sleep', '600'], { VITRINE_PASSWORD: password });
  assert.equal(await second.exited, 4);
  assert.match(second.log, new RegExp(`Port ${port} is in use`));
  assert.equal(first.status, undefined);
  await first.end();
});

test('an X server that dies where nothing is to be started again: says so, exit status 3', async () => {
  const port = await freePort();
  const session = start(['--virtual=640x480', '--restart=never', `--port=${port}`, '--', 'sleep', '600'], { VITRINE_PASSWORD: password });
  await healthy(port, session);
  const server = childrenOf(session.child.pid).find((pid) => /Xvfb/.test(spawnSync('cat', [`/proc/${pid}/comm`], { encoding: 'utf8' }).stdout));
  process.kill(Number(server), 'SIGKILL');
  assert.equal(await session.exited, 3, session.log);
});

test('the launch line that it prints runs', async () => {
  const { display } = await stage.xserver('640x480');
  const port = await freePort();
  const accounts = path.join(stage.folder(), 'accounts');
  writeFileSync(accounts, `user:${password}:control\n`);
  const printed = spawnSync(vitrine, ['pipeline', `--display=${display}`, `--port=${port}`, '--framerate=30', `--accounts-file=${accounts}`],
    { encoding: 'utf8' });
  assert.equal(printed.status, 0, printed.stderr);
  assert.doesNotMatch(printed.stdout, new RegExp(password));
  const script = path.join(stage.folder(), 'line.sh');
  writeFileSync(script, `exec ${printed.stdout}`);
  const handle = stage.start('sh', [script], { signal: 'SIGINT' });
  await healthy(port, handle);
  const page = await stage.page(browser, port);
  await showing(page);
  await page.context().close();
  await sleep(100);
  assert.equal(handle.status, undefined);
});
