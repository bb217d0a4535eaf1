#!/usr/bin/env node
// SPDX-License-Identifier: LGPL-2.1-or-later
// How long the first picture takes, and by which path it comes, wherever a viewer may have to connect from: real coturn, real Chromium,
// networks made for it. Needs root. usage: connect.mjs [--rounds N] [--json FILE] [PART OF A ROW'S NAME]
import { writeFileSync } from 'node:fs';
import { Stage, need } from '../e2e/harness.mjs';
import { connect, rows } from '../e2e/connect-rows.mjs';
import { needNetwork } from '../e2e/network.mjs';

const words = process.argv.slice(2);
const take = (name, fallback) => {
  const at = words.indexOf(name);
  return at < 0 ? fallback : words.splice(at, 2)[1];
};
const rounds = Number(take('--rounds', '3')), file = take('--json', null);
const kLimitMs = 2000;

need('gst-launch-1.0');
needNetwork('turnserver', 'nginx', 'openssl');
const results = [];
console.log(`${'network'.padEnd(50)} first picture, ms (best … worst of ${rounds})   path`);
for (const row of rows) {
  if (words.length && !words.some((word) => row.name.includes(word))) continue;
  const stage = new Stage();
  const result = { name: row.name, first_frame_ms: [], path: 'none' };
  try {
    const { browser, url } = await row.open(stage);
    for (let round = 0; round < rounds; round++) {
      const { first, path } = await (row.connect ?? connect)(browser, url);
      result.first_frame_ms.push(Math.round(first));
      result.path = path;
    }
  } catch (error) {
    result.error = error.message.split('\n')[0];
  } finally {
    await stage.close();
  }
  results.push(result);
  const best = Math.min(...result.first_frame_ms), worst = Math.max(...result.first_frame_ms);
  const times = result.error ? 'FAILED' : `${best} … ${worst}${worst > kLimitMs ? `  (more than ${kLimitMs})` : ''}`;
  console.log(`${row.name.padEnd(50)} ${times.padEnd(44)} ${result.error ?? result.path}`);
}
if (file) writeFileSync(file, JSON.stringify({ rounds, limit_ms: kLimitMs, rows: results }, null, 2) + '\n');
process.exit(results.some((r) => r.error || Math.max(...r.first_frame_ms) > kLimitMs) ? 1 : 0);
