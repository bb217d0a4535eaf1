// SPDX-License-Identifier: LGPL-2.1-or-later
// Sound over a path that loses every tenth packet: copies in the packets after fill the gaps. Beside it the same browser that does not know RED.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { Stage, desktopLine, freePort, need, password, showing, sleep, until } from './harness.mjs';

need('Xvfb', 'gst-launch-1.0');
const { LINK_FORWARDER: forwarder } = process.env;
assert.ok(forwarder, 'run by `meson test`, which sets LINK_FORWARDER');

const stage = new Stage();
const seconds = Number(process.env.RED_SECONDS ?? 8);
/** Bytes of 10 ms at 128 kbit/s. */
const frame = 160;
let browser, port;

before(async () => {
  const { display } = await stage.xserver('640x480');
  port = await freePort();
  const door = await freePort();
  const relay = spawn(forwarder, [String(door), String(port)], { stdio: ['pipe', 'ignore', 'inherit'] });
  stage.defer(() => relay.stdin.end());
  relay.stdin.write('rate=20000000 delay=20 queue=500000 loss=0.1\n');
  await stage.gstLaunch(`${desktopLine(display, port, { framerate: 10, bin: `public-address=127.0.0.1:${door}` })}
    audiotestsrc is-live=true samplesperbuffer=480 wave=pink-noise ! audio/x-raw,rate=48000,channels=2
    ! opusenc audio-type=restricted-lowdelay frame-size=10 bitrate=128000 ! w.audio_0`, port);
  browser = await stage.chromium(['--autoplay-policy=no-user-gesture-required']);
});
after(() => stage.close());

/** What share of the sound the browser had to make up, once it has settled; measured again while it is not below `enough`. */
async function concealed(red, enough = 1) {
  const context = await browser.newContext({ httpCredentials: { username: 'user', password } });
  await context.addInitScript((withRed) => {
    const Connection = RTCPeerConnection;
    window.RTCPeerConnection = class extends Connection {
      constructor(...args) {
        super(...args);
        window.connection = this;
      }
      setRemoteDescription({ type, sdp }) {
        window.offered = /red\/48000/.test(sdp);
        return super.setRemoteDescription({ type, sdp: withRed ? sdp : sdp.replace(/(m=audio.*) 63/, '$1').replace(/a=(rtpmap|fmtp):63 .*\r\n/g, '') });
      }
    };
    window.sound = async () => {
      for (const report of (await window.connection?.getStats() ?? new Map()).values())
        if (report.type === 'inbound-rtp' && report.kind === 'audio')
          return { made: report.concealedSamples - report.silentConcealedSamples, all: report.totalSamplesReceived, bytes: report.bytesReceived, packets: report.packetsReceived };
      return { made: 0, all: 0, bytes: 0, packets: 0 };
    };
    delete globalThis.VideoDecoder;
  }, red);
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  await page.goto(`http://127.0.0.1:${port}/`);
  await showing(page);
  assert.ok(await page.evaluate(() => window.offered));
  // Loss is known from the browser's reports, which come every few seconds.
  const size = ({ bytes, packets }, from) => (bytes - from.bytes) / (packets - from.packets);
  await until('sound', () => page.evaluate(async () => (await window.sound()).packets > 0));
  let last = await page.evaluate(() => window.sound());
  if (red)
    await until('copies', async () => {
      await sleep(500);
      const now = await page.evaluate(() => window.sound()), larger = size(now, last) > 1.5 * frame;
      last = now;
      return larger;
    }, 30000);
  else
    await sleep(6000);
  // What comes late on a busy machine is made up too: the best of some stretches tells what is lost.
  let best;
  for (let stretch = 0; stretch < 4 && !(best?.made < enough); ++stretch) {
    const from = await page.evaluate(() => window.sound());
    await sleep(seconds * 1000);
    const to = await page.evaluate(() => window.sound());
    const made = (to.made - from.made) / (to.all - from.all);
    if (!best || made < best.made) best = { made, size: size(to, from) };
  }
  assert.deepEqual(page.problems, []);
  await context.close();
  return best;
}

test('copies fill most gaps', async () => {
  const without = await concealed(false), with_ = await concealed(true, without.made / 2);
  console.log(`# made up without RED ${(100 * without.made).toFixed(2)} % of the sound, ${without.size.toFixed(0)} bytes a packet; with RED ${(100 * with_.made).toFixed(2)} %, ${with_.size.toFixed(0)} bytes`);
  assert.ok(without.made > 0.03, 'every tenth packet is lost');
  assert.ok(with_.made < without.made / 2);
});
