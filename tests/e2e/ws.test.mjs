// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures by WebSocket: alone, where WebRTC cannot be had, and against viewers that stop, lie or send rubbish.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Stage, close, desktopLine, freePort, need, password, pixel, showing, sleep, until } from './harness.mjs';
import { RawSocket, acksOf, watch } from './media-socket.mjs';

need('Xvfb', 'gst-launch-1.0', 'xterm', 'xsetroot');
const stage = new Stage();
let display, browser, port;

before(async () => {
  ({ display } = await stage.xserver('1280x720'));
  port = await freePort();
  await stage.gstLaunch(desktopLine(display, port), port);
  browser = await stage.chromium();
});
after(() => stage.close());

const root = (colour) => stage.x(display, 'xsetroot', ['-solid', colour]).exited;
const way = (page) => page.evaluate(() => window.vitrine.way);
const closedWith = (socket, code, reason) => until(`a close with ${code}`, () => {
  if (!socket.closed) return false;
  assert.equal(socket.closed.code, code);
  assert.match(socket.closed.reason, reason);
  return true;
});

async function open(query = '', { script, on = port } = {}) {
  const context = await browser.newContext({ httpCredentials: { username: 'user', password }, viewport: { width: 1280, height: 720 } });
  if (script) await context.addInitScript(script);
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  await page.goto(`http://127.0.0.1:${on}/${query}`);
  return page;
}

test('by WebSocket alone: the picture in its colours, typing, the pointer, and again after a reload', async () => {
  const page = await open('?transport=websocket', { script: () => delete window.RTCPeerConnection });
  for (const [colour, rgb] of [['#2060c0', [0x20, 0x60, 0xc0]], ['#e01010', [0xe0, 0x10, 0x10]], ['#10c020', [0x10, 0xc0, 0x20]], ['#808080', [128, 128, 128]],
    ['#ffffff', [255, 255, 255]], ['#000000', [0, 0, 0]]]) {
    await root(colour);
    await showing(page);
    await until(`the colour ${colour}`, async () => {
      const shown = await pixel(page, 640, 600);
      if (!close(shown, rgb)) throw new Error(`it is ${shown}`);
      return true;
    });
  }
  assert.equal(await way(page), 'websocket');
  assert.equal(await page.evaluate(() => document.getElementById('screen').tagName), 'CANVAS');

  assert.equal(await page.evaluate(() => document.elementFromPoint(640, 600).id), 'screen', 'nothing covers the picture');

  const file = path.join(stage.folder(), 'line');
  const xterm = stage.x(display, 'xterm', ['-geometry', '80x24+100+100', '-e', 'sh', '-c', `echo ready > ${file}; IFS= read -r line; printf %s "$line" > ${file}`]);
  await until('xterm to be there', () => existsSync(file));
  await page.mouse.click(200, 200);
  await page.keyboard.type('By WebSocket 123!', { delay: 5 });
  await page.keyboard.press('Enter');
  await until('the typed line', () => xterm.status !== undefined).catch((error) => {
    throw new Error(`${error.message}; so far: ${readFileSync(file, 'utf8')}`);
  });
  assert.equal(readFileSync(file, 'utf8'), 'By WebSocket 123!');

  await page.click('#panel-toggle');
  await until('the panel to name the path', async () => /Transport\s*WebSocket/.test(await page.evaluate(() => document.getElementById('figures').innerText)), 5000);
  await page.reload();
  await showing(page, 1);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test('where no WebRTC gets through, the first picture is there within a second', async () => {
  const blocked = await freePort();
  const handle = await stage.gstLaunch(desktopLine(display, blocked, { bin: 'enable-udp=false enable-tcp=false' }), blocked);
  const page = await open('', {
    on: blocked,
    script: () => {
      const timer = setInterval(() => {
        if (window.vitrine?.framesPresented > 0) {
          window.firstAt = performance.now();
          clearInterval(timer);
        }
      }, 2);
    },
  });
  await showing(page);
  const first = await page.evaluate(() => window.firstAt);
  assert.equal(await way(page), 'websocket');
  console.log(`first picture after ${Math.round(first)} ms`);
  assert.ok(first < 3000, `${first} ms`);  // a second on a machine that does nothing else: see tests/bench
  await page.context().close();
  await handle.end();
});

test('WebRTC takes over when it shows a picture; the media socket goes', async () => {
  const page = await open();
  await showing(page, 5);
  await until('WebRTC to carry the picture', async () => (await way(page)) === 'webrtc');
  assert.equal(await page.evaluate(() => document.getElementById('screen').tagName), 'VIDEO');
  assert.equal(await page.evaluate(() => document.elementFromPoint(640, 600).id), 'screen', 'nothing covers the picture');
  const headers = { Authorization: `Basic ${Buffer.from(`user:${password}`).toString('base64')}` };
  await until('one transport alone', async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
    return /frames_total\{[^}]*transport="(udp|tcp)"/.test(text) && !/transport="websocket"/.test(text);
  });
  await page.context().close();
});

test('a browser without WebCodecs says so and takes WebRTC', async () => {
  const page = await open('', { script: () => delete window.VideoDecoder });
  await showing(page, 3);
  assert.equal(await way(page), 'webrtc');
  await page.click('#panel-toggle');
  await until('the reason', async () => /has no WebCodecs/.test(await page.evaluate(() => document.getElementById('figures').innerText)), 5000);
  await page.context().close();
});

test('what has no RTP payloader here, AV1, comes by WebSocket alone', async () => {
  const only = await freePort();
  // Debian 12's av1enc makes no keyframe when asked to: one each second.
  const handle = await stage.gstLaunch(`videotestsrc is-live=true pattern=smpte ! video/x-raw,format=I420,width=320,height=240,framerate=15/1
    ! av1enc usage-profile=realtime cpu-used=10 lag-in-frames=0 target-bitrate=500 keyframe-max-dist=15 ! av1parse
    ! webrtcsignallerbin name=w port=${only} user=user password=${password}`, only);
  const page = await open('', { on: only });
  await showing(page, 10);
  assert.equal(await way(page), 'websocket');
  const [red, green, blue] = await pixel(page, 20, 60);
  assert.ok(Math.abs(red - green) < 24 && Math.abs(green - blue) < 24 && red > 150, `the first bar is not white: ${[red, green, blue]}`);
  // Who decodes none of it is told so.
  const blind = await open('', { on: only, script: () => delete window.VideoDecoder });
  await until('the reason', async () => /does not play AV1/.test(await blind.evaluate(() => document.getElementById('state-text').textContent)));
  for (const one of [page, blind]) await one.context().close();
  await handle.end();
});

test('a server may forbid a transport', async () => {
  const only = await freePort();
  const handle = await stage.gstLaunch(desktopLine(display, only, { bin: 'transport=webrtc' }), only);
  const page = await open('', { on: only });
  await showing(page, 3);
  assert.equal(await way(page), 'webrtc');
  const refused = await open('?transport=websocket', { on: only });
  await until('the reason', async () => /WebRTC only/.test(await refused.evaluate(() => document.getElementById('state-text').textContent)));
  await page.context().close();
  await refused.context().close();
  await handle.end();
});

test('who may not see the page gets no media socket, and no other viewer\'s', async () => {
  await assert.rejects(RawSocket.open(port, '/media', 'vitrine-media.1', { secret: null }), /status 401/);
  await assert.rejects(RawSocket.open(port, '/media', 'vitrine-media.1', { origin: 'http://elsewhere.example' }), /status 403/);
  for (const first of ['{"type":"attach","token":"00000000000000000000000000000000"}', '{"type":"attach"}', '{"type":"ping","t":1}', 'rubbish', Buffer.from([1, 3, 0, 0])]) {
    const socket = await RawSocket.open(port, '/media', 'vitrine-media.1');
    assert.doesNotMatch(socket.head, /deflate/i);
    socket.send(first);
    await closedWith(socket, 1008, /attach|viewer/);
  }
});

test('acknowledgements that are made up, malformed or too many end the media socket, not the session', async () => {
  for (const [lie, reason] of [
    [(frame) => { const ack = acksOf([frame]); ack.writeUInt32BE((ack.readUInt32BE(8) ^ 1) >>> 0, 8); return ack; }, /not sent/],
    [(frame) => { const ack = acksOf([frame]); ack.writeUInt32BE(9, 4); return ack; }, /not sent/],
    [(frame) => Buffer.concat([acksOf([frame]), Buffer.alloc(1)]), /malformed/],
    [() => Buffer.alloc(4000, 255), /malformed/],
    [() => Buffer.alloc(0), /malformed/],
    [() => '{"type":', /malformed/],
  ]) {
    const { session, media } = await watch(port);
    media.send(lie(media.frames[0]));
    await closedWith(media, 1008, reason);
    session.say({ type: 'ping', t: 7 });
    await until('the session to go on', () => session.texts('pong').length > 0);
    session.destroy();
  }
  const { session, media } = await watch(port);
  for (let i = 0; i < 5000; i++) media.send('{"type":"keyframe"}');
  // Who still sends when the server closes may lose its reason with the connection.
  const closed = await until('the media socket to be closed', () => media.closed);
  assert.ok(closed.code === 1006 || (closed.code === 1008 && /too many/.test(closed.reason)), `${closed.code} ${closed.reason}`);
  session.destroy();
});

for (const [title, annoy] of [
  ['asks for keyframes', ({ media }) => media.say({ type: 'keyframe' })],
  ['hides its page and shows it again', ({ session }, i) => session.say({ type: 'visible', value: i % 2 === 1 })],
])
  test(`a viewer that ${title} all the time costs the others a few`, async () => {
    const asked = async () => {
      const headers = { Authorization: `Basic ${Buffer.from(`user:${password}`).toString('base64')}` };
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
      return Number(/^vitrine_keyframe_requests_total(?:\{[^}]*\})? (\d+)$/m.exec(text)[1]);
    };
    const page = await open();
    await showing(page, 3);
    const viewer = await watch(port);
    await sleep(1000);
    const before = await asked();
    let acknowledged = 0;
    for (let i = 0; i < 60; i++) {
      await sleep(100);
      const frames = viewer.media.frames.slice(acknowledged, acknowledged + 64);
      acknowledged += frames.length;
      if (frames.length) viewer.media.send(acksOf(frames));
      annoy(viewer, i);
    }
    const count = (await asked()) - before;
    console.log(`# ${count} keyframes in 6 s`);
    assert.ok(count >= 2 && count <= 7, `${count} keyframes in 6 s`);
    assert.equal(viewer.media.closed, null);
    viewer.session.destroy();
    viewer.media.destroy();
    await page.context().close();
  });

test('a viewer that stops reading keeps nobody up, and no memory', async () => {
  // Snow, so that what nobody reads would soon be megabytes.
  const noisy = await freePort();
  const snow = await stage.gstLaunch(`videotestsrc is-live=true pattern=snow ! video/x-raw,width=640,height=360,framerate=30/1
    ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=8000 key-int-max=6000 ! video/x-h264,profile=constrained-baseline
    ! webrtcsignallerbin port=${noisy} user=user password=${password}`, noisy);
  const page = await open('?transport=websocket', { on: noisy });
  await showing(page, 5);
  const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${snow.child.pid}/status`, 'utf8'))[1]);
  const rate = async () => {
    const count = () => page.evaluate(() => window.vitrine.framesPresented);
    const [from, began] = [await count(), performance.now()];
    await sleep(2000);
    return (1000 * ((await count()) - from)) / (performance.now() - began);
  };
  const alone = await rate();
  const lazy = [];
  for (let i = 0; i < 4; i++) lazy.push(await watch(noisy));
  for (const { media } of lazy) media.stall();
  await sleep(2500);
  const before = memory(), beside = await rate();
  const grown = memory() - before;
  console.log(`${alone.toFixed(1)} frames/s alone, ${beside.toFixed(1)} beside four that stall; ${grown} KiB more memory`);
  assert.ok(beside > 0.8 * alone, `${beside} of ${alone} frames/s`);
  assert.ok(grown < 2 * 1024, `${grown} KiB more`);
  for (const { session, media } of lazy) {
    media.destroy();
    session.destroy();
  }
  await page.context().close();
  await snow.end();
});
