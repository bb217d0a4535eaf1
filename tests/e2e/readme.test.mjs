// SPDX-License-Identifier: LGPL-2.1-or-later
// Every gst-launch-1.0 line of README.md and of the elements' documentation really runs.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { Stage, freePort, healthy, need, showing, sleep } from './harness.mjs';

need('Xvfb', 'gst-launch-1.0');
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** Lines by file; documentation comments start with " * ". */
function launchLines() {
  const files = ['README.md', ...['capture', 'remote', 'webrtc'].flatMap((folder) =>
    readdirSync(path.join(root, 'gst', folder)).filter((name) => /^gst.*\.cpp$/.test(name)).map((name) => `gst/${folder}/${name}`))];
  return files.flatMap((file) => readFileSync(path.join(root, file), 'utf8').split('\n')
    .map((line) => line.replace(/^ \* /, '').trim()).filter((line) => line.startsWith('gst-launch-1.0 '))
    .map((line) => ({ file, line })));
}

const stage = new Stage();
let browser, display;
before(async () => {
  ({ display } = await stage.xserver('640x480', ['-shmem']));
  browser = await stage.chromium();
});
after(() => stage.close());

const lines = launchLines();
test('there are lines to try', () => assert.ok(lines.length >= 4));

for (const { file, line } of lines)
  test(`${file}: ${line.slice(0, 60)}…`, async () => {
    // One record: a key goes up that was not down.
    const input = path.join(stage.folder(), 'input.bin');
    writeFileSync(input, Buffer.from('010600000000000100000000' + '00000000', 'hex'));
    const port = await freePort();
    const command = line.replace('port=8080', `port=${port}`).replace('location=input.bin', `location=${input}`)
      .replace(/display-name=:\d+/, `display-name=${display}`);
    const handle = stage.start('sh', ['-c', `cd ${path.dirname(input)} && exec ${command}`], { env: { DISPLAY: display }, signal: 'SIGINT' });
    if (command.includes('filesrc')) {
      assert.equal(await handle.exited, 0, handle.log);
    } else if (command.includes('webrtcsignallerbin')) {
      await healthy(port, handle);
      const page = await stage.page(browser, port, { secret: 'change-me' });
      await showing(page);
      await page.context().close();
    } else {
      await sleep(1500);
      assert.ok(handle.status === undefined || handle.status === 0, handle.log);
    }
    assert.doesNotMatch(handle.log, /ERROR|CRITICAL/);
    await handle.end();
  });
