// SPDX-License-Identifier: LGPL-2.1-or-later
// The compose files, really started by podman-compose: a desktop alone, and one with a TURN server that is the only way.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { chmodSync, copyFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import { freePort, password, showing, Stage, until } from '../e2e/harness.mjs';
import { connectionPairs, keepConnections } from '../e2e/page-connections.mjs';
import { Container, mustPodman, nameOf, podman, podmanEnvironment, within } from './podman.mjs';

const wanted = (process.env.VITRINE_IMAGES ?? '').split(' ').filter(Boolean);
const hasCompose = spawnSync('podman-compose', ['--version']).status === 0;
const skip = !wanted.includes('desktop') ? 'only with desktop' : hasCompose ? false : 'podman-compose is not installed';

const images = { VITRINE_IMAGE: nameOf('desktop'), VITRINE_TURN_IMAGE: nameOf('coturn'), VITRINE_REST_IMAGE: nameOf('base') };

const relayOnly = `services:
  desktop:
    environment:
      VITRINE_ICE_MODE: nice
      VITRINE_ICE_TRANSPORT_POLICY: relay
      VITRINE_TRANSPORT: webrtc
`;

let stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());

/** A project of its own from `files`, with the files and variables that their comments ask for; its containers by service. */
async function up(files, env) {
  const folder = stage.folder();
  const source = path.join(import.meta.dirname, '../../containers/compose');
  for (const name of readdirSync(source)) copyFileSync(path.join(source, name), path.join(folder, name));
  writeFileSync(path.join(folder, 'password'), `${password}\n`);
  writeFileSync(path.join(folder, 'turn-secret'), 'between-desk-and-relay\n');
  writeFileSync(path.join(folder, 'relay-only.yaml'), relayOnly);
  for (const name of ['', 'password', 'turn-secret']) chmodSync(path.join(folder, name), 0o755);
  const project = `vitrine-test-${process.pid}`;
  const port = await freePort();
  const compose = (...args) => spawnSync('podman-compose', ['--project-name', project, ...files.flatMap((file) => ['--file', file]), ...args], {
    cwd: folder, encoding: 'utf8', env: { ...process.env, ...podmanEnvironment(), ...images, VITRINE_PORT: String(port), ...env },
  });
  stage.defer(() => {
    compose('down', '--volumes', '--timeout', '5');
    podman(['volume', 'rm', '--force', `${project}_home`]);
  });
  const { status, stdout, stderr } = compose('up', '--detach');
  assert.equal(status, 0, stdout + stderr);
  const named = (service) => new Container(`${project}_${service}_1`, port);
  return { desktop: named('desktop'), coturn: named('coturn'), rest: named('turn-rest') };
}

async function open({ port }) {
  const browser = await stage.chromium();
  const context = await browser.newContext({ httpCredentials: { username: 'user', password } });
  await keepConnections(context);
  const page = await context.newPage();
  await until('the page', () => page.goto(`http://127.0.0.1:${port}/`));
  await showing(page);
  return page;
}

test('software.yaml starts a desktop without rights, whose home outlives it', { skip }, async () => {
  const { desktop } = await up(['software.yaml'], {});
  await desktop.answers();
  await open(desktop);
  const status = desktop.exec('cat', '/proc/1/status').out;
  assert.match(status, /^Uid:\s+1000\s/m);
  assert.match(status, /^CapEff:\s+0+$/m);
  assert.match(status, /^NoNewPrivs:\s+1$/m);
  assert.match(desktop.exec('touch', '/usr/written').error, /Read-only/);
  assert.ok(!desktop.exec('sh', '-c', 'cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null').out.includes(password), 'programs know the password');
  assert.ok(desktop.exec('sh', '-c', 'echo kept > /home/user/file').ok);
  mustPodman(['restart', '--time', '10', desktop.id]);
  await desktop.answers();
  assert.equal(desktop.exec('cat', '/home/user/file').out.trim(), 'kept');
  const stopMs = desktop.stop(20);
  assert.ok(stopMs < within(5), `it took ${stopMs} ms to end`);
});

test('turn.yaml adds a TURN server, and the relay alone is enough', { skip: skip || (wanted.includes('coturn') ? false : 'only with coturn') }, async () => {
  // The address by which the desktop and the browser both reach this machine: the bridge's, which is there while a container is.
  const holder = mustPodman(['run', '--detach', '--rm', '--entrypoint', 'sleep', nameOf('coturn'), '1000']);
  stage.defer(() => podman(['rm', '--force', '--time', '0', holder]));
  const host = mustPodman(['network', 'inspect', 'podman', '--format', '{{range .Subnets}}{{.Gateway}}{{end}}']);
  const restPort = await freePort();
  const { desktop, coturn, rest } = await up(['software.yaml', 'turn.yaml', 'relay-only.yaml'], { TURN_HOST: host, TURN_REST_PORT: String(restPort) });
  await desktop.answers();
  await until('the TURN server', () => coturn.healthy(), 20000);
  const page = await open(desktop);
  assert.deepEqual(await connectionPairs(page), [['relay', 'relay']]);

  const ask = (secret) => fetch(`http://127.0.0.1:${restPort}/turn`, { headers: { Authorization: `Basic ${btoa(`user:${secret}`)}` } });
  await until('the service for credentials', () => rest.healthy(), 20000);
  assert.equal((await ask('guessed')).status, 401);
  const { iceServers } = await (await ask(password)).json();
  assert.match(iceServers[0].urls[0], new RegExp(`^turn:${host}:3478`));
  const [user, credential] = [iceServers[0].username, iceServers[0].credential];
  assert.equal(credential, createHmac('sha1', 'between-desk-and-relay').update(user).digest('base64'));
});
