// SPDX-License-Identifier: LGPL-2.1-or-later
// The signalling server's image: it answers, lets nobody in without the password, has no rights, and ends.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { password, Stage } from '../e2e/harness.mjs';
import { Container, within } from './podman.mjs';

const wanted = (process.env.VITRINE_IMAGES ?? '').split(' ').filter(Boolean);
const skip = wanted.includes('signalling') ? false : 'only with signalling';

let stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());

test('the signalling server answers who has the password, without rights, and ends', { skip }, async () => {
  const container = await Container.start(stage, 'signalling');
  assert.ok(container.healthy(), 'the health check fails');
  const upgrade = (secret) => fetch(`http://127.0.0.1:${container.port}/`, { headers: { Authorization: `Basic ${Buffer.from(`user:${secret}`).toString('base64')}` } });
  assert.equal((await fetch(`http://127.0.0.1:${container.port}/`)).status, 401);
  assert.equal((await upgrade('wrong')).status, 401);
  assert.notEqual((await upgrade(password)).status, 401);
  const status = container.exec('cat', '/proc/1/status').out;
  assert.match(status, /^Uid:\s+1000\s/m);
  assert.match(status, /^CapEff:\s+0+$/m);
  const stopMs = container.stop(20);
  assert.ok(stopMs < within(5), `it took ${stopMs} ms to end`);
  assert.equal(container.inspect('{{.State.ExitCode}}'), '0', container.log());
});
