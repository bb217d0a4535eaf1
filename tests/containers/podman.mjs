// SPDX-License-Identifier: LGPL-2.1-or-later
// Containers for the tests: started locked down on a bridge network, with one published port.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';

import { freePort, password, until } from '../e2e/harness.mjs';

export { password };

function run(command, args, { input, env = {} } = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', input, env: { ...process.env, ...env }, maxBuffer: 64 << 20 });
  // Without systemd podman cannot repeat health checks, and says so each time; the tests run them themselves.
  const error = (result.stderr ?? String(result.error ?? '')).replace(/^.*unable to get systemd connection.*\n/gm, '');
  return { ok: result.status === 0, status: result.status, out: result.stdout ?? '', error };
}

let environment;
/** What podman needs in its environment to start containers here: nothing, or where it may not raise limits, settings that leave them. */
export function podmanEnvironment() {
  if (environment) return environment;
  const image = run('podman', ['images', '--quiet', '--filter', 'reference=localhost/vitrine-*']).out.split('\n')[0];
  const folder = mkdtempSync(path.join(tmpdir(), 'vitrine-podman-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'containers.conf');
  writeFileSync(file, '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n[engine]\nruntime = "runc"\n');
  const reasons = [];
  for (const candidate of [{}, { CONTAINERS_CONF: file }]) {
    const tried = run('podman', ['run', '--rm', '--entrypoint', 'true', image], { env: candidate });
    if (tried.ok) return (environment = candidate);
    reasons.push(tried.error.trim());
  }
  throw new Error(`no container can be started here: ${reasons.join('; ')}`);
}

/** Runs podman; `ok`, `status`, `out` and `error`. */
export function podman(args, options = {}) {
  return run('podman', args, { ...options, env: podmanEnvironment() });
}

/** The same, and an error if it fails; what it prints. */
export function mustPodman(args, options) {
  const { ok, out, error } = podman(args, options);
  if (!ok) throw new Error(`podman ${args.join(' ')}: ${error.trim()}`);
  return out.trim();
}

export const nameOf = (image) => `localhost/vitrine-${image}:${process.env.VITRINE_TAG ?? 'latest'}`;

/** What an untrusted session gets: no capability, no new privileges, a root folder that cannot be written to. */
export const lockedDown = ['--cap-drop=ALL', '--security-opt=no-new-privileges', '--read-only'];

export class Container {
  /** One that runs already, under `name`, and answers on `port` of this machine. */
  constructor(name, port) {
    this.id = name;
    this.port = port;
  }

  /** Starts `image` with `args`; its port 8080 is published, for UDP too unless that is `udp: false`, and `startedMs` is how long it took until the session answered. */
  static async start(stage, image, { args = [], options = lockedDown, env = {}, wait = true, published = true, udp = true } = {}) {
    const port = await freePort();
    const variables = Object.entries({ VITRINE_PASSWORD: password, ...env }).filter(([, value]) => value !== null).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
    const publish = published ? ['--publish', `${port}:8080`, ...(udp ? ['--publish', `${port}:8080/udp`] : [])] : [];
    podmanEnvironment();
    const begin = performance.now();
    const id = mustPodman(['run', '--detach', ...options, ...variables, ...publish, nameOf(image), ...args]);
    const container = new Container(id, port);
    stage.defer(() => podman(['rm', '--force', '--volumes', '--time', '2', id]));
    if (wait && published) {
      await container.answers();
      container.startedMs = performance.now() - begin;
    }
    return container;
  }

  /** Waits until the session answers. */
  answers() {
    return until('the session to answer', async () => {
      if (this.inspect('{{.State.Running}}') !== 'true') throw Object.assign(new Error(`it ended: ${this.log()}`), { fatal: true });
      return (await fetch(`http://127.0.0.1:${this.port}/health`)).ok;
    }, 60000);
  }

  /** Waits until it has ended; its exit status. */
  async ended(timeoutMs = 20000) {
    await until('the container to end', () => this.inspect('{{.State.Running}}') === 'false', timeoutMs);
    return Number(this.inspect('{{.State.ExitCode}}'));
  }

  log() {
    const { out, error } = podman(['logs', this.id]);
    return out + error;
  }

  exec(...words) {
    return podman(['exec', this.id, ...words]);
  }

  /** Runs a shell script inside, as a program on the session's display. */
  onDisplay(script) {
    const find = 'for p in /proc/[0-9]*; do e=$(tr "\\0" "\\n" 2>/dev/null <$p/environ | grep -E "^(DISPLAY|XAUTHORITY|PULSE_SERVER)="); '
      + 'case $e in *DISPLAY=*) export $e; break;; esac; done;';
    return this.exec('sh', '-c', `${find} ${script}`);
  }

  inspect(format) {
    return podman(['inspect', '--format', format, this.id]).out.trim();
  }

  healthy() {
    return podman(['healthcheck', 'run', this.id]).ok;
  }

  /** Seconds of CPU that the processes in it have used so far, by their names. */
  cpuSeconds() {
    const used = {};
    for (const line of this.exec('sh', '-c', 'cat /proc/[0-9]*/stat 2>/dev/null').out.trim().split('\n')) {
      const name = line.slice(line.indexOf('(') + 1, line.lastIndexOf(')'));
      const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
      used[name] = (used[name] ?? 0) + (Number(fields[11]) + Number(fields[12])) / 100;
    }
    return used;
  }

  /** As an orchestrator stops it; milliseconds until it has ended. */
  stop(seconds = 5) {
    const begin = performance.now();
    podman(['stop', '--time', String(seconds), this.id]);
    return performance.now() - begin;
  }
}

/** `seconds` in milliseconds; more on a machine that has more to do than it has processors. */
export function within(seconds) {
  return seconds * 1000 * Math.max(1, loadavg()[0] / cpus().length);
}

/** Size of an image in MB, as podman counts it. */
export function sizeMb(image) {
  return Math.round(Number(imageInfo(image, '{{.Size}}')) / 1e6);
}

export function imageInfo(image, format) {
  return mustPodman(['image', 'inspect', '--format', format, nameOf(image)]);
}
