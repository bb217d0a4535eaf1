#!/usr/bin/env node
// SPDX-License-Identifier: LGPL-2.1-or-later
// Congestion control in real sessions (rate-run.mjs): ours, the reference and none, case by case; then what must be shown, with the simulation's
// figures beside.
// usage: rate-session.mjs [--out FOLDER] [--simulated FILE] [--controls desktop,gcc,off] [--framerate N] [--trace] [CASE…] (60 pictures per second where
// nothing else is said; --trace: every packet of the link in FOLDER); needs VITRINE, LINK_FORWARDER, SCENE_WINDOW and, for plots, BENCH_RATE (scripts/bench
// sets them). Figures are of this machine at this moment; what the control itself does is better seen simulated.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { need, skip } from '../e2e/harness.mjs';
import { run } from './rate-run.mjs';

need('Xvfb');
if (!process.env.VITRINE || !process.env.LINK_FORWARDER || !process.env.SCENE_WINDOW) skip('VITRINE, LINK_FORWARDER and SCENE_WINDOW are not set');

const link = (mbit, queueMs = 300, more = '') => `rate=${mbit * 1e6} delay=10 queue=${Math.round((mbit * 1e6 / 8) * (queueMs / 1000))} loss=0 ${more}`;
const play = (scene) => [0, { scene }];

// ---- figures ----
const quantile = (values, q) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] : NaN;
};
const part = (points, from, to = Infinity) => points.filter(({ seconds }) => seconds >= from && seconds < to);
const mean = (points, what, from, to) => part(points, from, to).reduce((sum, point, _, all) => sum + point[what] / all.length, 0);
const peak = (points, what, from, to) => Math.max(...part(points, from, to).map((point) => point[what]));
const p95 = (points, what, from, to) => quantile(part(points, from, to).map((point) => point[what]), 0.95);
/** Seconds from `from` on until a value is reached and kept for a second; NaN if never. */
function reaches(points, from, good) {
  let since;
  for (const point of part(points, from)) {
    since = good(point) ? since ?? point.seconds : undefined;
    if (since !== undefined && point.seconds - since >= 1) return since - from;
  }
  return NaN;
}
/** Milliseconds; NaN where there were no two pictures. */
const longestGap = ({ pictures }, from, to = Infinity) => {
  const inside = pictures.filter((at) => at >= from * 1000 && at < to * 1000);
  return inside.length > 1 ? Math.max(...inside.slice(1).map((at, i) => at - inside[i])) : NaN;
};

// ---- cases: steps, and of what must be shown the figures ----
const lossy = (percent, rtt) => ({
  title: `${percent} % loss, RTT ${rtt} ms`, seconds: 14, steps: [[0, link(10, 300, `delay=${rtt / 2} loss=${percent / 100}`)], play('full')],
  figures: (out) => ({ [`received at ${percent} % loss, RTT ${rtt} ms`]: mean(out.points, 'received', 5) / 1e6,
    ...(percent === 5 && rtt === 40 ? { 'longest freeze at 5 % loss, RTT 40 ms': longestGap(out, 4), 'keyframes after the start at 5 % loss': out.keyframes } : {}) }),
});
const cases = {
  still: {
    title: 'still → full change', seconds: 80, steps: [[0, link(20)], play('full'), [10, { scene: 'still' }], [70, { scene: 'full' }]],
    figures: ({ points }) => ({ 'estimate after 60 s of stillness, of that before': mean(points, 'target', 69, 70) / mean(points, 'target', 9.5, 10) }),
  },
  typing: { title: 'typing', seconds: 15, steps: [[0, link(10)], play('typing')], figures: () => ({}) },
  scrolling: { title: 'scrolling', seconds: 15, steps: [[0, link(10)], play('scrolling')], figures: () => ({}) },
  video: { title: 'video', seconds: 15, steps: [[0, link(10)], play('video')], figures: () => ({}) },
  fall: {
    title: '20 → 4 → 20 Mbit/s', seconds: 28, steps: [[0, link(20)], play('full'), [10, `rate=4000000`], [20, link(20)]],
    figures: ({ points }) => ({
      'queue peak after 20 → 4 Mbit/s': peak(points, 'queue', 10, 15), 'the queue is drained after': reaches(points, 10.2, ({ queue }) => queue < 30) + 0.2,
      'queue p95 afterwards': p95(points, 'queue', 11.5, 19.5),
    }),
  },
  rise: {
    title: '2 → 20 Mbit/s', seconds: 16, steps: [[0, link(2)], play('full'), [8, link(20)]],
    figures: ({ points }) => ({ '2 → 20 Mbit/s: 90 % of the link after': reaches(points, 8, ({ target }) => target >= 18e6) }),
  },
  clean: { ...lossy(0, 40), title: 'no loss, RTT 40 ms' },
  ...Object.fromEntries([2, 5, 10].flatMap((percent) => [20, 40, 100].map((rtt) => [`loss-${percent}-${rtt}`, lossy(percent, rtt)]))),
  tcp: {
    title: 'TCP beside us', seconds: 35, steps: [[0, link(10, 200)], play('full'), [8, 'tcp=1'], [30, 'tcp=0']],
    figures: ({ points }) => ({ 'share of a TCP flow beside us': (100 * mean(points, 'tcp', 13, 30)) / 10e6 }),
  },
  bufferbloat: {
    title: 'bufferbloat, 1 s', seconds: 16, steps: [[0, link(5, 1000)], play('full')],
    figures: ({ points }) => ({ 'bufferbloat of 1 s: queue p95': p95(points, 'queue', 5) }),
  },
  join: {
    title: 'a viewer joins', seconds: 16, steps: [[0, link(60)], play('video'), [8, { join: true }]],
    figures: (out) => ({ 'a viewer joins: longest gap of the one that is there': longestGap(out, 7.5, 13), 'a viewer joins: queue peak': peak(out.points, 'queue', 7.5, 13) }),
  },
  // RFC 8867, 5.3 and 5.4, with two flows that come from one encoder.
  two: {
    title: 'two viewers of one link', seconds: 24, steps: [[0, link(20)], play('full'), [8, { join: true }]],
    figures: (out) => ({ 'two viewers of one link: queue p95': p95(out.points, 'queue', 12), 'two viewers of one link: used': (100 * mean(out.points, 'received', 12)) / 20e6 }),
  },
};

/** What must be shown: of which figure, in what, and whether it is good. */
const musts = [
  ['2 → 20 Mbit/s: 90 % of the link after', 's', '< 3', (v) => v < 3],
  ['queue peak after 20 → 4 Mbit/s', 'ms', '< 200', (v) => v < 200],
  ['the queue is drained after', 's', '< 1', (v) => v < 1],
  ['queue p95 afterwards', 'ms', '< 30', (v) => v < 30],
  ['estimate after 60 s of stillness, of that before', '', '≥ 0.99', (v) => v >= 0.99],
  ['longest freeze at 5 % loss, RTT 40 ms', 'ms', '< 200', (v) => v < 200],
  ['keyframes after the start at 5 % loss', '', '0', (v) => v === 0],
  ['2 % loss lowers the rate by', '%', '< 10', (v) => v < 10],
  ['bufferbloat of 1 s: queue p95', 'ms', '< 40', (v) => v < 40],
  ['share of a TCP flow beside us', '%', '30 to 70', (v) => v >= 30 && v <= 70],
  ['a viewer joins: longest gap of the one that is there', 'ms', '< 100', (v) => v < 100],
  ['a viewer joins: queue peak', 'ms', '< 100', (v) => v < 100],
  ['two viewers of one link: queue p95', 'ms', '< 40', (v) => v < 40],
  ['two viewers of one link: used', '%', '≥ 70', (v) => v >= 70],
];
const names = { desktop: 'Vitrine', gcc: 'reference', off: 'none' };

// ---- arguments ----
const args = process.argv.slice(2);
const option = (name) => {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args.splice(at, 2)[1];
};
const out = option('--out'), simulated = option('--simulated'), controls = (option('--controls') ?? 'desktop,gcc,off').split(','),
  framerate = Number(option('--framerate') ?? 60);
const tracing = args.indexOf('--trace') >= 0 && args.splice(args.indexOf('--trace'), 1).length > 0;
const wanted = args.length ? args : Object.keys(cases);
for (const name of wanted)
  if (!cases[name]) {
    console.error(`rate-session.mjs: there is no case '${name}'; there are ${Object.keys(cases).join(', ')}`);
    process.exit(2);
  }
if (out) mkdirSync(out, { recursive: true });

// ---- runs ----
const results = [], real = {};
const columns = [['target', 'estimate'], ['received', 'received'], ['tcp', 'TCP']];
console.log('Real sessions. Mbit/s; queue and latency (capture to photon) in ms; from the fifth second on. Link late: p95 of what this machine added to the link.');
console.log(`${'case'.padEnd(24)} ${'control'.padEnd(10)}${['estimate', 'received', 'TCP', 'queue p95', 'queue peak', 'latency p50', 'latency p95', 'longest gap', 'keyframes', 'link late'].map((c) => c.padStart(12)).join('')}`);
for (const name of wanted) {
  const files = [];
  for (const control of controls) {
    const traced = out && tracing ? [[0, `trace=${path.resolve(out, `real-${name}-${control}.trace`)}`]] : [];
    const outcome = await run({ ...cases[name], framerate, steps: [...traced, ...cases[name].steps] }, control);
    const { points } = outcome, seen = part(points, 5).map((point) => point.latency).filter((latency) => latency > 0);
    const row = {
      case: cases[name].title, control: names[control], simulated: false, ...Object.fromEntries(columns.map(([what]) => [`${what}_mbit`, mean(points, what, 5) / 1e6])),
      queue_p95_ms: p95(points, 'queue', 5), queue_peak_ms: peak(points, 'queue', 5), latency_p50_ms: quantile(seen, 0.5), latency_p95_ms: quantile(seen, 0.95), longest_gap_ms: longestGap(outcome, 5), keyframes: outcome.keyframes, link_late_p95_ms: p95(points, 'late', 5), figures: cases[name].figures(outcome),
    };
    results.push(row);
    for (const [figure, value] of Object.entries(row.figures)) (real[figure] ??= {})[control] = value;
    console.log(`${row.case.padEnd(24)} ${row.control.padEnd(10)}${[row.target_mbit, row.received_mbit, row.tcp_mbit].map((v) => v.toFixed(2).padStart(12)).join('')}${
      [row.queue_p95_ms, row.queue_peak_ms, row.latency_p50_ms, row.latency_p95_ms, row.longest_gap_ms, row.keyframes, row.link_late_p95_ms].map((v) => (Number.isFinite(v) ? v.toFixed(0) : '–').padStart(12)).join('')}`);
    if (out) {
      const file = path.join(out, `real-${name}-${control}.txt`);
      writeFileSync(file, points.map((p) => [p.seconds, p.link, p.target, p.received, p.received, p.tcp, p.queue, p.latency].join(' ')).join('\n') + '\n');
      files.push(`${names[control]}=${file}`);
    }
  }
  if (out && process.env.BENCH_RATE) {
    const { status } = spawnSync(process.env.BENCH_RATE, ['--plot', `${cases[name].title}, real`, path.join(out, `real-${name}.svg`), ...files], { stdio: 'inherit' });
    if (status !== 0) process.exit(1);
  }
}
for (const control of controls) {
  const [clean, lossyRate] = ['received at 0 % loss, RTT 40 ms', 'received at 2 % loss, RTT 40 ms'].map((figure) => real[figure]?.[control]);
  if (clean && lossyRate) (real['2 % loss lowers the rate by'] ??= {})[control] = 100 * (1 - lossyRate / clean);
}

// ---- what must be shown ----
const beside = simulated ? JSON.parse(readFileSync(simulated, 'utf8')) : {};
const table = [];
const shown = (value) => (value === undefined || value === null || Number.isNaN(value) ? '–' : value.toFixed(Math.abs(value) < 10 ? 2 : 0));
console.log(`\nWhat must be shown${''.padEnd(36)}${['bound', 'simulated', 'reference', 'none', 'real', 'reference', 'none'].map((c) => c.padStart(12)).join('')}`);
for (const [figure, unit, bound, good] of musts) {
  const of = [beside[figure] ?? {}, real[figure] ?? {}].map((values) => ['desktop', 'gcc', 'off'].map((control) => values[control]));
  const verdict = (value) => (value === undefined || value === null ? '' : good(value) ? ' pass' : ' FAIL');
  table.push({ figure, unit, bound, simulated: beside[figure], real: real[figure], passes: { simulated: verdict(of[0][0]).trim(), real: verdict(of[1][0]).trim() } });
  console.log(`${`${figure}${unit && `, ${unit}`}`.padEnd(54)}${bound.padStart(12)}${of.map((values) => values.map((v, i) => (shown(v) + (i === 0 ? verdict(v) : '')).padStart(12)).join('')).join('')}`);
}
if (out) writeFileSync(path.join(out, 'session.json'), `${JSON.stringify({ runs: results, musts: table }, null, 1)}\n`);
process.exitCode = table.some(({ passes }) => Object.values(passes).includes('FAIL')) ? 1 : 0;
