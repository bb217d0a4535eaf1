// SPDX-License-Identifier: LGPL-2.1-or-later
// A file that is fetched over a narrow link, which the picture uses too: the picture goes on as before. Prints the gaps between its frames.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { FilesStage, gaps, quantile, serverLine, sha256, told, watchFrames } from './files-kit.mjs';
import { freePort, need, showing, sleep, until } from './harness.mjs';

need('gst-launch-1.0');
const { LINK_FORWARDER: forwarder } = process.env;
assert.ok(forwarder, 'run by `meson test`, which sets LINK_FORWARDER');

const kit = new FilesStage();
/** Of the link; the picture takes a third of it. */
const bitsPerSecond = 6e6;
let door, down, relay, most = 0;

before(async () => {
  down = path.join(kit.folder(), 'down');
  mkdirSync(down);
  const port = await freePort();
  door = await freePort();
  relay = spawn(forwarder, [String(door), String(port), 'streams'], { stdio: ['pipe', 'pipe', 'inherit'] });
  kit.defer(() => relay.stdin.end());
  relay.stdin.write(`rate=${bitsPerSecond} delay=20 queue=300000\n`);
  relay.stdout.on('data', (text) => {
    for (const [, queue] of String(text).matchAll(/queue=([\d.]+)/g)) most = Math.max(most, Number(queue));
  });
  await kit.gstLaunch(serverLine(port, `download-folder=${down} public-address=127.0.0.1:${door}`, { pattern: 'snow' }), port);
  kit.browser = await kit.chromium();
});
after(() => kit.close());

test('a file fetched over a narrow link does not hold up the picture', { timeout: 200000 }, async () => {
  const file = kit.makeFile('narrow.bin', 3, down);
  const page = await kit.page(kit.browser, door);
  await page.goto(`http://127.0.0.1:${door}/?transport=webrtc`);
  await showing(page, 60);
  await watchFrames(page);
  // A machine that is busy with other things too shows frames late by itself: both are measured anew then.
  await until('the picture to go on as before', async () => {
    await sleep(1000);
    await gaps(page);
    most = 0;
    await sleep(6000);
    const without = await gaps(page), queueWithout = most, began = Date.now();
    const downloading = page.waitForEvent('download');
    await page.evaluate(() => {
      const link = document.createElement('a');
      link.href = 'files/download/narrow.bin';
      link.download = 'narrow.bin';
      link.click();
    });
    const download = await downloading;
    most = 0;
    const copy = await download.path(), seconds = (Date.now() - began) / 1000, during = await gaps(page);
    told('without', without);
    told('while it is fetched', during);
    console.log(`  ${(3 * 8 * 1.048576 / seconds).toFixed(1)} of ${bitsPerSecond / 1e6} Mbit/s for the file; the link's queue ${queueWithout.toFixed(0)} ms at most without it, ${most.toFixed(0)} ms with it`);
    assert.equal(await sha256(copy), await sha256(file));
    assert.ok(seconds < 60, 'it arrives');
    return quantile(during, 0.95) <= Math.max(60, 1.5 * quantile(without, 0.95)) && during.at(-1) < Math.max(200, 2 * without.at(-1));
  }, 120000);
  assert.deepEqual(page.problems, []);
});
