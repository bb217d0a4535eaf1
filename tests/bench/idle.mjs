#!/usr/bin/env node
// SPDX-License-Identifier: LGPL-2.1-or-later
// What a whole session costs while nothing happens, and while something moves: CPU of vitrine and its private X server (a terminal's is that of what
// moves), in percent of a core, with no viewer and with one in real Chromium, and as ratios to the session with both.
// usage: idle.mjs [--seconds N] [--json] [OPTION of vitrine…]; VITRINE names the command.
import { readFileSync, readdirSync } from 'node:fs';
import { Stage, freePort, healthy, need, password, showing, sleep } from '../e2e/harness.mjs';

need('Xvfb', 'xterm', 'getconf');
const words = process.argv.slice(2);
const json = words.includes('--json');
const at = words.indexOf('--seconds');
const seconds = at < 0 ? 20 : Number(words[at + 1]);
const options = words.filter((word, i) => word !== '--json' && i !== at && (at < 0 || i !== at + 1));
const ticks = 100; // USER_HZ, the same on every Linux that Debian supports

/** CPU seconds of a process and all below it, by name; children that were waited for count too. */
function spent(pid) {
  const processes = new Map();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)))
    try {
      const [, command, rest] = /\((.*)\) (.*)/s.exec(readFileSync(`/proc/${name}/stat`, 'utf8'));
      const fields = rest.split(' ');
      processes.set(Number(name), { command, parent: Number(fields[1]), used: (Number(fields[11]) + Number(fields[12])) / ticks });
    } catch { /* it has just ended */ }
  const names = {};
  for (const [id, { command, used }] of processes) {
    for (let up = id; up; up = processes.get(up)?.parent)
      if (up === pid) {
        names[command] = (names[command] ?? 0) + used;
        break;
      }
  }
  return names;
}

async function measure(pid) {
  await sleep(3000); // what starting left over
  const before = spent(pid), begun = performance.now();
  await sleep(seconds * 1000);
  const after = spent(pid), passed = (performance.now() - begun) / 1000;
  const percent = Object.fromEntries(Object.entries(after).map(([name, used]) => [name, 100 * (used - (before[name] ?? 0)) / passed]));
  return { ...percent, total: Object.values(percent).reduce((sum, value) => sum + value, 0) };
}

const stage = new Stage();
const result = {};
try {
  const browser = await stage.chromium();
  for (const [name, command] of [['idle', ['sleep', '600']], ['moving', ['xterm', '-e', 'sh', '-c', 'while :; do date +%N; sleep 0.02; done']]]) {
    const port = await freePort();
    const session = stage.start(process.env.VITRINE ?? 'vitrine', ['--virtual=1920x1080', `--port=${port}`, ...options, '--', ...command],
      { env: { DISPLAY: '', XAUTHORITY: '', VITRINE_PASSWORD: password } });
    await healthy(port, session);
    const pid = session.child.pid;
    result[`${name}, no viewer`] = await measure(pid);
    const page = await stage.page(browser, port);
    await showing(page);
    result[`${name}, one viewer`] = await measure(pid);
    await page.close();
  }
} finally {
  await stage.close();
}
const most = result['moving, one viewer'].total;
result.ratio = result['idle, one viewer'].total / most;
result.unwatched = result['moving, no viewer'].total / most;
if (json) {
  console.log(JSON.stringify(result));
} else {
  for (const [name, parts] of Object.entries(result).filter(([, value]) => typeof value === 'object'))
    console.log(`${name.padEnd(18)} ${parts.total.toFixed(2).padStart(7)} % of a core  (${Object.entries(parts).filter(([part]) => part !== 'total')
      .map(([part, value]) => `${part} ${value.toFixed(2)}`).join(', ')})`);
  console.log(`idle / moving, with a viewer: ${result.ratio.toFixed(4)}; moving, without / with a viewer: ${result.unwatched.toFixed(4)}`);
}
