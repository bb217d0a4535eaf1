// SPDX-License-Identifier: LGPL-2.1-or-later
// The pod of the Kubernetes manifest, really started: podman plays pods, so the StatefulSet's template becomes one.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import { freePort, showing, Stage, until } from '../e2e/harness.mjs';
import { Container, mustPodman, nameOf, password, podman, within } from './podman.mjs';

const wanted = (process.env.VITRINE_IMAGES ?? '').split(' ').filter(Boolean);
const skip = wanted.includes('desktop') ? false : 'only with desktop';

let stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());

function kustomize(folder) {
  const script = `import json; from manifests import kustomize; print(json.dumps(kustomize("${folder}")))`;
  const { status, stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', script], { cwd: import.meta.dirname, encoding: 'utf8' });
  if (status) throw new Error(stderr);
  return JSON.parse(stdout);
}

test('podman kube play starts the manifest', { skip }, async () => {
  const folder = stage.folder();
  writeFileSync(path.join(folder, 'password'), password);
  chmodSync(folder, 0o755);
  const name = `vitrine-test-${process.pid}`;
  const port = await freePort();
  const set = kustomize('base').find((document) => document.kind === 'StatefulSet');
  const { spec } = set.spec.template;
  spec.containers[0].image = nameOf('desktop');
  for (const { containerPort, ...rest } of spec.containers[0].ports.splice(0))
    spec.containers[0].ports.push({ containerPort, ...rest, hostPort: port });
  // podman's volumes are claims, empty folders and the host's: a Secret's files come from a folder of the host.
  spec.volumes = spec.volumes.map((volume) => (volume.secret ? { name: volume.name, hostPath: { path: folder, type: 'Directory' } } : volume));
  for (const claim of set.spec.volumeClaimTemplates)
    spec.volumes.push({ name: claim.metadata.name, persistentVolumeClaim: { claimName: `${name}-${claim.metadata.name}` } });
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: set.spec.template.metadata.labels }, spec };
  stage.defer(() => podman(['volume', 'rm', '--force', ...set.spec.volumeClaimTemplates.map((claim) => `${name}-${claim.metadata.name}`)]));
  stage.defer(() => podman(['pod', 'rm', '--force', '--time', '2', name]));

  mustPodman(['kube', 'play', '-'], { input: JSON.stringify(pod) });
  const container = new Container(`${name}-${spec.containers[0].name}`, port);
  await container.answers();
  const page = await stage.page(await stage.chromium(), port);
  await showing(page);
  await until('the desktop', () => container.onDisplay('xwininfo -root -tree').out.includes('xfce4-panel'), 60000);
  const status = container.exec('cat', '/proc/self/status').out;
  assert.match(status, /^Uid:\s+1000\s/m);
  assert.match(status, /^CapEff:\s+0+$/m);
  assert.match(status, /^NoNewPrivs:\s+1$/m);
  assert.match(container.exec('touch', '/usr/written').error, /Read-only/);
  assert.ok(container.exec('touch', '/home/user/written').ok, 'the home folder cannot be written to');
  const begin = performance.now();
  mustPodman(['pod', 'stop', '--time', '20', name]);
  const stopMs = performance.now() - begin;
  assert.ok(stopMs < within(5), `it took ${stopMs} ms to end`);
});
