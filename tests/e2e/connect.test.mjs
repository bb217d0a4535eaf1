// SPDX-License-Identifier: LGPL-2.1-or-later
// Connecting where it is hard: each row of connect-rows.mjs in networks of its own, with real coturn and a real browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stage, need } from './harness.mjs';
import { connect, rows } from './connect-rows.mjs';
import { needNetwork } from './network.mjs';

need('gst-launch-1.0');
needNetwork('turnserver', 'nginx', 'openssl');
const asked = process.env.CONNECT_ROWS;

for (const row of rows) {
  if (asked && !row.name.includes(asked)) continue;
  test(row.name, async () => {
    const stage = new Stage();
    try {
      const { browser, url } = await row.open(stage);
      const { first, path } = await (row.connect ?? connect)(browser, url);
      console.log(`${row.name}: ${path}, first picture after ${Math.round(first)} ms`);
      assert.match(path, row.path);
    } finally {
      await stage.close();
    }
  });
}
