// SPDX-License-Identifier: LGPL-2.1-or-later
// A whole session on a build with AddressSanitizer and UndefinedBehaviorSanitizer: viewers come, reload, type, lie and go; the
// process ends clean, and nothing of ours leaks. VITRINE_SANITIZED names that build.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { connect as dial } from 'node:net';
import path from 'node:path';
import { after, test } from 'node:test';
import { Stage, freePort, healthy, need, password, showing, skip, until } from './harness.mjs';

need('Xvfb', 'xterm');
const build = process.env.VITRINE_SANITIZED;
if (!build || !existsSync(path.join(build, 'launcher/vitrine'))) skip('no sanitizer build; scripts/test makes one');

const stage = new Stage();
after(() => stage.close());

test('a session under sanitizers ends without an error and without a leak of ours', async () => {
  const folder = stage.folder();
  const reports = path.join(folder, 'reports');
  mkdirSync(reports);
  // Other people's leaks: libraries that keep what they once made, and plugins of the registry.
  writeFileSync(path.join(folder, 'suppressions'), ['libglib-2.0', 'libgobject-2.0', 'libcrypto', 'libfontconfig', 'libX11'].map((name) => `leak:${name}\n`).join(''));
  const port = await freePort();
  const plugins = ['webrtc', 'remote', 'capture'].map((name) => path.join(build, 'gst', name)).join(':');
  const session = stage.start(path.join(build, 'launcher/vitrine'),
    ['--virtual=800x600', `--port=${port}`, `--upload-folder=${folder}/files`, `--download-folder=${folder}/files`, '--', 'xterm', '-geometry', '80x24+50+50'], {
      env: {
        DISPLAY: '', XAUTHORITY: '', VITRINE_PASSWORD: password, XDG_RUNTIME_DIR: folder, GST_PLUGIN_PATH: plugins,
        GST_REGISTRY: path.join(folder, 'registry.bin'), GST_REGISTRY_FORK: 'no',
        ASAN_OPTIONS: `detect_leaks=1:exitcode=0:log_path=${reports}/asan`,
        LSAN_OPTIONS: `suppressions=${folder}/suppressions:exitcode=0`,
        UBSAN_OPTIONS: `print_stacktrace=1:log_path=${reports}/ubsan`,
      },
    });
  await healthy(port, session);
  const browser = await stage.chromium(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']);
  const tcp = await stage.chromium(['--webrtc-ip-handling-policy=disable_non_proxied_udp', '--force-webrtc-ip-handling-policy=disable_non_proxied_udp']);
  const first = await stage.page(browser, port);
  const second = await stage.page(tcp, port);
  await showing(first);
  await showing(second);
  await first.mouse.click(300, 300);
  await first.keyboard.type('echo é日 $((6*7))');
  await first.keyboard.press('Enter');
  await until('control', () => first.evaluate(() => window.vitrine.control));
  await first.click('#sound-toggle');
  await first.click('#microphone-toggle');
  await until('the microphone to be on', () => first.evaluate(() => window.vitrine.microphone === 'on'));
  await first.reload();
  await showing(first);
  // A second session in the same page that speaks out of turn.
  await first.evaluate(() => new Promise((resolve) => {
    const socket = new WebSocket(`ws://${location.host}/ws`, 'vitrine.1');
    socket.onopen = () => socket.send('{"type":"answer","id":1,"sdp":""}');
    socket.onclose = resolve;
  }));
  // Files: one that arrives and is fetched, one that breaks off, a body that nobody wants.
  const Authorization = `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;
  const piece = (upload, size, body) => fetch(`http://127.0.0.1:${port}/files/upload/${upload.repeat(32)}?name=a&size=${size}&offset=0`, { method: 'PUT', body, headers: { Authorization } });
  assert.equal((await piece('a', 3 << 20, Buffer.alloc(3 << 20))).status, 201);
  assert.equal((await (await fetch(`http://127.0.0.1:${port}/files/download/a`, { headers: { Authorization } })).arrayBuffer()).byteLength, 3 << 20);
  for (const [path, length] of [[`/files/upload/${'b'.repeat(32)}?name=b&size=8000000&offset=0`, 8000000], ['/', 1e9], ['/files/', 1e9]])
    await new Promise((resolve) => {
      const socket = dial(port, '127.0.0.1', () => {
        socket.write(`PUT ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${Authorization}\r\nContent-Length: ${length}\r\n\r\n`);
        socket.write(Buffer.alloc(3 << 20), () => socket.destroy());
      });
      socket.on('close', resolve).on('error', () => {});
    });
  await second.context().close();
  await until('the second viewer to be gone', () => first.evaluate(() => window.vitrine.state === 'connected'));
  assert.equal(await session.end('SIGTERM'), 0, session.log);
  for (const file of readdirSync(reports)) {
    const report = readFileSync(path.join(reports, file), 'utf8');
    assert.doesNotMatch(report, /ERROR: AddressSanitizer|runtime error:/, report);
    // A leak counts as ours when a frame of ours is in its stack.
    for (const leak of report.split(/^(?=Direct leak|Indirect leak)/m).slice(1))
      assert.doesNotMatch(leak, /vitrine|gst\/(webrtc|remote|capture|common|protocol)\//, leak);
  }
});
