// SPDX-License-Identifier: LGPL-2.1-or-later
// A session and a TURN server side by side, each with one published port, and nothing but the relay allowed.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { freePort, showing, Stage, until } from '../e2e/harness.mjs';
import { connectionPairs, keepConnections } from '../e2e/page-connections.mjs';
import { Container, lockedDown, mustPodman, nameOf, podman, within } from './podman.mjs';

const wanted = (process.env.VITRINE_IMAGES ?? '').split(' ').filter(Boolean);
const skip = wanted.includes('coturn') ? false : 'only with coturn';
const secret = 'between-desk-and-relay';

let stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());

async function coturn(env = {}, options = lockedDown) {
  const port = await freePort();
  const begin = performance.now();
  const id = mustPodman(['run', '--detach', ...options, '--env', `TURN_SHARED_SECRET=${secret}`, ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    '--publish', `${port}:3478`, '--publish', `${port}:3478/udp`, nameOf('coturn')]);
  stage.defer(() => podman(['rm', '--force', '--time', '2', id]));
  const container = new Container(id, port);
  await until('the TURN server', () => {
    if (container.inspect('{{.State.Running}}') !== 'true') throw Object.assign(new Error(container.log()), { fatal: true });
    return container.healthy();
  }, 20000);
  container.startedMs = performance.now() - begin;
  return container;
}

test('coturn runs without rights, keeps its secret to itself, and ends', { skip }, async () => {
  const turn = await coturn();
  console.log(`coturn: ready after ${Math.round(turn.startedMs)} ms`);
  const status = turn.exec('cat', '/proc/1/status').out;
  assert.doesNotMatch(status, /^Uid:\s+0/m);
  assert.match(status, /^CapEff:\s+0+$/m);
  assert.match(turn.exec('touch', '/usr/written').error, /Read-only/);
  assert.ok(!turn.exec('sh', '-c', 'cat /proc/[0-9]*/cmdline').out.includes(secret), 'it is on a command line');
  assert.ok(!turn.log().includes(secret), 'it is in the log');
  const stopMs = turn.stop(20);
  assert.ok(stopMs < within(5), `it took ${stopMs} ms to end`);
  assert.equal(turn.inspect('{{.State.ExitCode}}'), '0', 'it was killed');
});

test('coturn without a secret says so and does not start', { skip }, () => {
  const { status, error } = podman(['run', '--rm', ...lockedDown, nameOf('coturn')]);
  assert.equal(status, 2);
  assert.equal(error.trim(), 'run-turnserver: TURN_SHARED_SECRET: is needed');
});

for (const transport of ['udp', 'tcp'])
  test(`the picture comes by the relay alone, over ${transport}`, { skip: skip || (wanted.includes('app') ? false : 'only with app') }, async () => {
    const turn = await coturn();
    // Browser and session both reach the machine by the bridge's own address.
    const host = mustPodman(['inspect', '--format', '{{.NetworkSettings.Gateway}}', turn.id]);
    const session = await Container.start(stage, 'app', {
      env: {
        VITRINE_TURN_SERVERS: `turn:${host}:${turn.port}?transport=${transport}`, VITRINE_TURN_SHARED_SECRET: secret,
        VITRINE_ICE_MODE: 'nice', VITRINE_ICE_TRANSPORT_POLICY: 'relay', VITRINE_TRANSPORT: 'webrtc',
      },
    });
    const browser = await stage.chromium();
    const context = await browser.newContext({ httpCredentials: { username: 'user', password: 'correct-horse' } });
    await keepConnections(context);
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${session.port}/`);
    await showing(page);
    assert.deepEqual(await connectionPairs(page), [['relay', 'relay']]);
  });
