// SPDX-License-Identifier: LGPL-2.1-or-later
// Containers for the tests: started locked down on a bridge network, with one published port.
import { spawnSync } from 'node:child_process';

import { freePort, password, until } from '../e2e/harness.mjs';

export { password };

function run(words, { input } = {}) {
  const [command, ...args] = words;
  const result = spawnSync(command, args, { encoding: 'utf8', input, maxBuffer: 64 << 20 });
  return { ok: result.status === 0, out: result.stdout ?? '', error: result.stderr ?? String(result.error ?? '') };
}

/** `podman run` as it works here: with the runtime and limits that this machine takes. */
let runner;
function podmanRun(image) {
  if (runner) return runner;
  const candidates = process.env.VITRINE_RUN
    ? [process.env.VITRINE_RUN.split(' ')]
    : [['podman', 'run'], ['podman', '--runtime', 'runc', 'run', '--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024']];
  const reasons = [];
  for (const words of candidates) {
    const tried = run([...words, '--rm', '--entrypoint', 'true', image]);
    if (tried.ok) return (runner = words);
    reasons.push(tried.error.trim());
  }
  throw new Error(`no container can be started here: ${reasons.join('; ')}`);
}

/** What an untrusted session gets: no capability, no new privileges, a root folder that cannot be written to. */
export const lockedDown = ['--cap-drop=ALL', '--security-opt=no-new-privileges', '--read-only'];

export class Container {
  /** Starts `image`; `startedMs` is how long it took until the session answered. */
  static async start(stage, image, { args = [], options = lockedDown, env = {} } = {}) {
    const name = `localhost/vitrine-${image}`;
    const words = podmanRun(name);
    const container = new Container();
    container.port = await freePort();
    const environment = Object.entries({ VITRINE_PASSWORD: password, ...env }).flatMap(([key, value]) => ['-e', `${key}=${value}`]);
    const begin = performance.now();
    const started = run([...words, '--detach', ...options, ...environment, '--publish', `${container.port}:8080`, '--publish', `${container.port}:8080/udp`,
      name, ...args]);
    if (!started.ok) throw new Error(started.error);
    container.id = started.out.trim();
    stage.defer(() => run(['podman', 'rm', '--force', '--volumes', '--time', '2', container.id]));
    await until(`${image} to answer`, async () => {
      if (run(['podman', 'inspect', '--format', '{{.State.Running}}', container.id]).out.trim() !== 'true')
        throw Object.assign(new Error(`it ended: ${container.log()}`), { fatal: true });
      return (await fetch(`http://127.0.0.1:${container.port}/health`)).ok;
    }, 60000);
    container.startedMs = performance.now() - begin;
    return container;
  }

  log() {
    const { out, error } = run(['podman', 'logs', this.id]);
    return out + error;
  }

  exec(...words) {
    return run(['podman', 'exec', this.id, ...words]);
  }

  inspect(format) {
    return run(['podman', 'inspect', '--format', format, this.id]).out.trim();
  }

  healthy() {
    return run(['podman', 'healthcheck', 'run', this.id]).ok;
  }

  /** Seconds of CPU that all processes in it have used so far. */
  cpuSeconds() {
    const script = 'cat /proc/[0-9]*/stat 2>/dev/null';
    const lines = this.exec('sh', '-c', script).out.trim().split('\n');
    let ticks = 0;
    for (const line of lines) {
      const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
      ticks += Number(fields[11]) + Number(fields[12]);
    }
    return ticks / 100;
  }

  /** As an orchestrator stops it; milliseconds until it has ended. */
  stop(seconds = 5) {
    const begin = performance.now();
    run(['podman', 'stop', '--time', String(seconds), this.id]);
    return performance.now() - begin;
  }
}

/** Size of an image in MB, as podman counts it. */
export function sizeMb(image) {
  return Math.round(Number(run(['podman', 'image', 'inspect', '--format', '{{.Size}}', `localhost/vitrine-${image}`]).out) / 1e6);
}

export function imageInfo(image, format) {
  return run(['podman', 'image', 'inspect', '--format', format, `localhost/vitrine-${image}`]).out.trim();
}
