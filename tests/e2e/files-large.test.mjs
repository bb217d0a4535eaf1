// SPDX-License-Identifier: LGPL-2.1-or-later
// A large file arrives whole over a connection that breaks, and is fetched again, while the picture goes on.
// VITRINE_FILE_MIB=1024 makes it that large (96 otherwise).
import assert from 'node:assert/strict';
import { readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { FilesStage, drop, ended, gaps, lines, quantile, sha256, told, watchFrames } from './files-kit.mjs';
import { need, showing, sleep, until } from './harness.mjs';

need('gst-launch-1.0');
const kit = new FilesStage();
before(() => kit.begin());
after(() => kit.close());

const kLargeMib = Number(process.env.VITRINE_FILE_MIB ?? 96);
/** What the server may hold of a file, and of the connection that takes another's place. */
const kGrowthMib = 16;
test(`a file of ${kLargeMib} MiB arrives whole over a connection that breaks, and the picture goes on`, { timeout: 1200000 }, async () => {
  const file = kit.makeFile('large.bin', kLargeMib), bytes = kLargeMib * 2 ** 20;
  const line = await kit.tunnel();
  const page = await kit.page(kit.browser, line.front);
  await showing(page, 30);
  await watchFrames(page);
  await sleep(4000);
  const without = await gaps(page), before = kit.memory();
  let most = before, samples = 0;
  const sampling = setInterval(() => {
    most = Math.max(most, kit.memory());
    samples++;
  }, 100);
  const started = Date.now();
  await drop(page, [file]);
  const sent = async () => (await lines(page)).find(({ name }) => name === 'large.bin')?.sent ?? 0;
  await until('a third to be there', async () => (await sent()) > bytes / 3, 600000);
  const during = await gaps(page);
  let watched = Date.now() - started;
  const atCut = await sent();
  line.cut();
  await until('the loss to show', async () => (await lines(page)).some(({ state }) => state === 'waiting'), 30000);
  line.mend();
  const mended = Date.now();
  await until('it to go on', async () => (await sent()) > atCut || (await lines(page))[0].state === 'done', 30000);
  const back = Date.now() - mended;
  await until('the page to be connected', () => page.evaluate(() => window.vitrine.state === 'connected'), 30000);
  await gaps(page);
  watched -= Date.now();
  await ended(page, 1, 'done', 900000);
  watched += Date.now();
  const took = (Date.now() - started) / 1000;
  during.push(...await gaps(page));
  during.sort((a, b) => a - b);
  clearInterval(sampling);
  assert.equal(await sha256(path.join(kit.up, 'large.bin')), await sha256(file));
  assert.deepEqual(readdirSync(kit.up).filter((name) => name.startsWith('.')), [], 'nothing is left over');
  console.log(`  ${kLargeMib} MiB in ${took.toFixed(1)} s with one disconnect at ${(atCut / 2 ** 20).toFixed(0)} MiB, on again after ${back} ms; `
    + `server's memory ${before.toFixed(1)} MiB before, ${most.toFixed(1)} MiB at most (${samples} samples)`);
  told('without', without);
  const usual = quantile(without, 0.5);
  assert.ok(during.length > 0 && during.length >= watched / usual / 5, `${during.length} pictures in ${watched} ms`);
  told('during', during);
  assert.ok(most - before < kGrowthMib, `memory grew by ${(most - before).toFixed(1)} MiB`);
  // The picture went on: a machine that is busy with other things too may make it jerk, but not stand.
  assert.ok(quantile(during, 0.95) < Math.max(250, 5 * quantile(without, 0.95)), 'the picture stood');

  // And back again, by a link.
  renameSync(path.join(kit.up, 'large.bin'), path.join(kit.down, 'large.bin'));
  await until('it to be offered', () => page.isVisible('#files a[download="large.bin"]'), 15000);
  await gaps(page);
  const start = Date.now(), downloading = page.waitForEvent('download');
  let mostBack = kit.memory();
  const watching = setInterval(() => (mostBack = Math.max(mostBack, kit.memory())), 100);
  await page.click('#files a[download="large.bin"]');
  const copy = await (await downloading).path();
  clearInterval(watching);
  const fetching = await gaps(page);
  console.log(`  fetched in ${((Date.now() - start) / 1000).toFixed(1)} s, memory ${mostBack.toFixed(1)} MiB at most`);
  if (fetching.length > 10) told('while it is fetched', fetching);
  assert.equal(await sha256(copy), await sha256(file));
  assert.ok(mostBack - before < kGrowthMib, `memory grew by ${(mostBack - before).toFixed(1)} MiB`);
  rmSync(path.join(kit.down, 'large.bin'));
  assert.deepEqual(page.problems, []);
  await page.context().close();
});
