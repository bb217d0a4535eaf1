// SPDX-License-Identifier: LGPL-2.1-or-later
// The layer of services: VNC, portal and logs, ssh, tunnel, provisioning, storage links; who gets in, and that they end with the session.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import { freePort, password, showing, Stage, until } from '../e2e/harness.mjs';
import { Container, lockedDown, podman, within } from './podman.mjs';

const wanted = (process.env.VITRINE_IMAGES ?? '').split(' ').filter(Boolean);
const skip = wanted.includes('services') ? false : 'only with services';
const as = (name, secret = password) => ({ Authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}` });

let stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());

/** A folder that the container may read whatever its user. */
function shared(files) {
  const folder = stage.folder();
  chmodSync(folder, 0o755);
  for (const [name, contents] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), contents, { mode: 0o755 });
  }
  return folder;
}

async function start({ inside, options = [], ...rest }) {
  const ports = {};
  for (const port of inside) {
    ports[port] = await freePort();
    options.push('--publish', `${ports[port]}:${port}`);
  }
  const container = await Container.start(stage, 'services', { args: ['xterm'], options: [...lockedDown, ...options], ...rest });
  return { container, ports };
}

test('the portal shows services and logs to who may control, and starts them again', { skip }, async () => {
  const folder = shared({ accounts: `boss:${password}:control\nguest:look-only:view\n` });
  const { container, ports } = await start({
    inside: [1111, 6080], options: ['--volume', `${folder}:/accounts:ro`],
    env: { VITRINE_PASSWORD: null, VITRINE_ACCOUNTS_FILE: '/accounts/accounts', VNC_ENABLE: 'true' },
  });
  const at = `http://127.0.0.1:${ports[1111]}`;
  await until('the portal', async () => (await fetch(`${at}/health`)).ok, 20000);
  assert.equal((await fetch(at)).status, 401);
  assert.equal((await fetch(at, { headers: as('guest', 'look-only') })).status, 403);
  const page = await (await fetch(at, { headers: as('boss') })).text();
  for (const name of ['session', 'display', 'vnc', 'novnc', 'portal']) assert.ok(page.includes(name), name);
  const log = await (await fetch(`${at}/log/display`, { headers: as('boss') })).text();
  assert.match(log, /the display is :\d+/);
  assert.equal((await fetch(`${at}/log/..%2f`, { headers: as('boss') })).status, 404);

  const token = /name=token value=(\S+)>/.exec(page)[1];
  const post = (form) => fetch(at, { method: 'POST', redirect: 'manual', headers: { ...as('boss'), 'Content-Type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(form) });
  assert.equal((await post({ restart: 'vnc', token: 'guessed' })).status, 403);
  const pid = () => /pid (\d+)/.exec(container.exec('sh', '-c', 's6-svstat /tmp/runtime.*/services/vnc').out)?.[1];
  const before = await until('VNC', pid, 20000);
  assert.equal((await post({ restart: 'vnc', token })).status, 303);
  await until('VNC to be another process', () => pid() && pid() !== before, 20000);

  assert.ok(!container.exec('bash', '-c', 'exec 3<>/dev/tcp/127.0.0.1/5900').ok, 'VNC without a password is open to all');
  assert.match(container.exec('sh', '-c', 'stat -c %a /tmp/runtime.*/services/vnc/socket').out, /^600$/m);
  const novnc = `http://127.0.0.1:${ports[6080]}/vnc.html`;
  await until('noVNC', async () => (await fetch(novnc)).status === 401, 20000);
  assert.equal((await fetch(novnc, { headers: as('guest', 'look-only') })).status, 403);
  assert.equal((await fetch(novnc, { headers: as('boss') })).status, 200);
  assert.equal((await fetch(novnc, { headers: { ...as('boss'), Origin: 'http://evil.example' } })).status, 403);
});

test('no program on the desktop finds the password in another’s environment', { skip }, async () => {
  const { container } = await start({ inside: [1111], env: { VNC_ENABLE: 'true' } });
  await until('the services', () => container.exec('sh', '-c', 's6-svstat /tmp/runtime.*/services/vnc').out.includes('up'), 20000);
  const all = container.exec('sh', '-c', 'unset VITRINE_PASSWORD; exec cat /proc/[0-9]*/environ').out;
  assert.ok(all.includes('VNC_ENABLE') && !all.includes(password));
});

test('noVNC shows the session and takes what is typed', { skip }, async () => {
  const { container, ports } = await start({ inside: [6080], env: { VNC_ENABLE: 'true' } });
  await until('noVNC', async () => (await fetch(`http://127.0.0.1:${ports[6080]}/vnc.html`)).status === 401, 20000);
  const browser = await stage.chromium();
  const context = await browser.newContext({ httpCredentials: { username: 'user', password }, viewport: { width: 1280, height: 720 } });
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${ports[6080]}/vnc.html?autoconnect=true&resize=scale`);
  await page.waitForSelector('canvas', { timeout: 20000 });
  await until('what was typed by VNC to arrive', async () => {
    await page.mouse.click(100, 100);
    // No character that needs Shift, which this does not press.
    await page.keyboard.type('touch /tmp/typed\n', { delay: 20 });
    return container.exec('test', '-e', '/tmp/typed').ok;
  }, 40000);
  if (process.env.VITRINE_SCREENSHOTS) await page.screenshot({ path: `${process.env.VITRINE_SCREENSHOTS}/novnc.png` });
});

test('port 5900 opens with a password of VNC’s own alone', { skip }, async () => {
  const { container } = await start({ inside: [5900], env: { VNC_ENABLE: 'true', VNC_PASSWORD: 'eight-ch' } });
  const types = () => container.exec('python3', '-c', `import socket
s = socket.create_connection(("127.0.0.1", 5900), 5); s.recv(12); s.sendall(b"RFB 003.008\\n"); n = s.recv(1)[0]; print(list(s.recv(n)))`).out.trim();
  assert.equal(await until('VNC', types, 20000), '[2]', 'VNC authentication and nothing else');
  assert.ok(!container.exec('sh', '-c', 'cat /proc/[0-9]*/cmdline').out.includes('eight-ch'), 'it is on a command line');
  assert.ok(!container.onDisplay('cat /proc/$(pgrep -o -x xterm)/environ').out.includes('eight-ch'), 'programs on the desktop know it');
});

test('ssh by key, provisioning, a tunnel, links into storage', { skip }, async () => {
  const folder = shared({
    'provisioning.sh': 'echo "made in $PWD" > /tmp/provisioned\n',
    cloudflared: '#!/bin/sh\necho "tunnel: $* with $TUNNEL_TOKEN" > /tmp/tunnel; exec tail -f /dev/null\n',
    'storage.map': '# folder, where its files appear\nmodels /tmp/app/models\n',
  });
  spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path.join(folder, 'key')]);
  chmodSync(path.join(folder, 'key'), 0o600);
  const workspace = `vitrine-test-workspace-${process.pid}`;
  stage.defer(() => podman(['volume', 'rm', '--force', workspace]));
  const { container, ports } = await start({
    inside: [22, 2222],
    options: ['--volume', `${folder}/provisioning.sh:/etc/vitrine/provisioning.sh:ro`, '--volume', `${folder}/cloudflared:/usr/local/bin/cloudflared:ro`,
      '--volume', `${folder}/storage.map:/etc/vitrine/storage.map:ro`, '--volume', `${workspace}:/workspace`],
    env: { SSH_PUBKEY: readFileSync(path.join(folder, 'key.pub'), 'utf8').trim(), CF_TUNNEL_TOKEN: 'tunnel-token' },
  });
  await until('provisioning', () => container.exec('cat', '/tmp/provisioned').out.trim() === 'made in /workspace', 20000);
  await until('the tunnel', () => container.exec('cat', '/tmp/tunnel').out.trim() === 'tunnel: tunnel --no-autoupdate run with tunnel-token', 20000);
  assert.ok(!container.onDisplay('cat /proc/$(pgrep -o -x xterm)/environ').out.includes('tunnel-token'), 'programs on the desktop know the token');
  container.exec('sh', '-c', 'mkdir -p /workspace/storage/models && touch /workspace/storage/models/big.bin');
  await until('the link', () => container.exec('readlink', '/tmp/app/models/big.bin').out.trim() === '/workspace/storage/models/big.bin', 20000);
  container.exec('rm', '/workspace/storage/models/big.bin');
  await until('no link to nothing', () => !container.exec('readlink', '/tmp/app/models/big.bin').ok, 20000);

  const ssh = (port, ...options) => spawnSync('ssh', ['-p', String(port), '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'BatchMode=yes', ...options,
    'user@127.0.0.1', 'id -u'], { encoding: 'utf8', timeout: 20000 }).stdout.trim();
  await until('ssh', () => [22, 2222].some((port) => ssh(ports[port], '-i', path.join(folder, 'key'), '-o', 'IdentitiesOnly=yes') === '1000'), 40000);
  assert.equal(ssh(ports[22], '-o', 'PubkeyAuthentication=no') + ssh(ports[2222], '-o', 'PubkeyAuthentication=no'), '', 'without the key');
});

test('the session’s end is the container’s, and everything ends with it', { skip }, async () => {
  for (const status of [0, 3]) {
    const container = await Container.start(stage, 'services', { args: ['sh', '-c', `exit ${status}`], wait: false });
    assert.equal(await container.ended(30000), status, container.log());
  }
  const { container } = await start({ inside: [], env: { VNC_ENABLE: 'true' } });
  const page = await stage.page(await stage.chromium(), container.port);
  await showing(page);
  const stopMs = container.stop(20);
  assert.ok(stopMs < within(5), `it took ${stopMs} ms to end`);
  assert.equal(container.inspect('{{.State.ExitCode}}'), '0', container.log());
});

test('what cannot be is refused with one line', { skip }, async () => {
  for (const [env, line] of [
    [{ VNC_ENABLE: 'true', VNC_PASSWORD: 'longer than eight' }, 'vitrine-services: VNC_PASSWORD: VNC knows no more than 8 characters'],
    [{ PROVISIONING_SCRIPT: 'http://example.org/x' }, "vitrine-services: PROVISIONING_SCRIPT: only https addresses and files, not 'http://example.org/x'"],
    [{ PROVISIONING_SCRIPT: '/nowhere' }, "vitrine-services: PROVISIONING_SCRIPT: '/nowhere' cannot be read"],
  ]) {
    const container = await Container.start(stage, 'services', { args: ['xterm'], env, wait: false });
    assert.equal(await container.ended(), 2);
    assert.equal(container.log().trim(), line);
  }
});
