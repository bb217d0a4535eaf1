// SPDX-License-Identifier: LGPL-2.1-or-later
// Plain players by WHEP: a small client in a real browser, on our page's origin and on another's, and every answer that HTTP has for mistakes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serveDemoPage } from './demo-page.mjs';
import { Stage, freePort, need, until } from './harness.mjs';

need('gst-launch-1.0');
const token = 'abcd-efgh-jklm-npqr';
const basic = `Basic ${Buffer.from(`user:${token}`).toString('base64')}`, bearer = `Bearer ${token}`;
const stage = new Stage();
let browser, foreign, port, base;

const encoders = {
  h264: 'x264enc tune=zerolatency speed-preset=ultrafast key-int-max=6000 ! video/x-h264,profile=constrained-baseline',
  vp8: 'vp8enc deadline=1 cpu-used=6 keyframe-max-dist=6000',
};

async function desktop(properties = '', encoder = 'h264') {
  const at = await freePort();
  const handle = await stage.gstLaunch(`videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=30/1 ! ${encoders[encoder]}
    ! webrtcsignallerbin name=w port=${at} user=user password=${token} ${properties} audiotestsrc is-live=true ! opusenc ! w.audio_0`, at);
  return { handle, port: at, whep: `http://127.0.0.1:${at}/whep` };
}

before(async () => {
  browser = await stage.chromium(['--autoplay-policy=no-user-gesture-required']);
  foreign = await serveDemoPage(stage, await freePort());
  ({ port, whep: base } = await desktop(`allowed-origins=${new URL(foreign).origin} max-viewers=3`));
});
after(() => stage.close());

/** Runs in the page: the whole player. `codec`: only this one is offered. */
async function play({ url, authorization, codec, trickle }) {
  const video = document.querySelector('video') ?? document.body.appendChild(document.createElement('video'));
  video.muted = video.autoplay = true;
  const connection = new RTCPeerConnection();
  const seen = window.seen = { frames: 0, kinds: [], connection, streams: new Set(), candidates: [] };
  const count = () => video.requestVideoFrameCallback(() => {
    seen.frames += 1;
    count();
  });
  count();
  connection.ontrack = ({ track, streams }) => {
    seen.kinds.push(track.kind);
    seen.streams.add(streams[0].id);
    video.srcObject = streams[0];
  };
  connection.onicecandidate = ({ candidate }) => candidate && seen.candidates.push(`a=${candidate.candidate}`);
  connection.addTransceiver('audio', { direction: 'recvonly' });
  const transceiver = connection.addTransceiver('video', { direction: 'recvonly' });
  if (codec) transceiver.setCodecPreferences(RTCRtpReceiver.getCapabilities('video').codecs.filter((c) => c.mimeType === `video/${codec}`));
  await connection.setLocalDescription();
  const answer = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/sdp', Authorization: authorization }, body: connection.localDescription.sdp });
  seen.status = answer.status;
  const text = await answer.text();
  if (answer.status !== 201) return { status: answer.status, text };
  await connection.setRemoteDescription({ type: 'answer', sdp: text });
  seen.session = new URL(answer.headers.get('Location'), url).href;
  seen.tag = answer.headers.get('ETag');
  if (trickle) {
    await new Promise((resolve) => { setTimeout(resolve, 100); });
    const sdp = connection.localDescription.sdp;
    const body = [...sdp.match(/^a=ice-(ufrag|pwd):.*$/gm).slice(0, 2), 'm=audio 9 UDP/TLS/RTP/SAVPF 0', 'a=mid:0', ...seen.candidates].join('\r\n');
    const patched = await fetch(seen.session, { method: 'PATCH', body: `${body}\r\n`, headers: { 'Content-Type': 'application/trickle-ice-sdpfrag', Authorization: authorization, 'If-Match': seen.tag } });
    seen.patched = patched.status;
  }
  return { status: 201, text, session: seen.session, tag: seen.tag, link: answer.headers.get('Link'), patched: seen.patched };
}

async function openPlayer(address, options) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(address);
  page.answer = await page.evaluate(play, options);
  return page;
}

const plays = (page) => until('pictures and sound', () => page.evaluate(() => window.seen.frames > 10 && window.seen.kinds.length === 2), 15000);

/** The value of a metric. */
async function metric(name, at = port) {
  const text = await (await fetch(`http://127.0.0.1:${at}/metrics`, { headers: { Authorization: basic } })).text();
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)[1]);
}

const ask = (url, method, headers = {}, body = undefined) => fetch(url, { method, body, headers: { Authorization: bearer, ...headers } });

test('a page of our own origin plays with Basic; the session ends by DELETE, once', async () => {
  const page = await openPlayer(`http://127.0.0.1:${port}/health`, { url: base, authorization: basic, trickle: true });
  assert.equal(page.answer.status, 201, page.answer.text);
  assert.equal(page.answer.patched, 204);
  await plays(page);
  assert.equal(await page.evaluate(() => window.seen.streams.size), 1, 'picture and sound are one stream');
  assert.doesNotMatch(page.answer.text, /^m=application [^0]/m);
  assert.match(page.answer.text, /a=ice-lite\r\n/);
  assert.match(page.answer.text, /a=end-of-candidates\r\n/);
  assert.equal(await metric('vitrine_whep_sessions'), 1);
  assert.match(page.answer.session, new RegExp(`^${base}/[0-9a-f]{32}$`));
  assert.equal((await ask(page.answer.session, 'GET')).status, 204);
  assert.equal((await ask(page.answer.session, 'DELETE')).status, 200);
  assert.equal((await ask(page.answer.session, 'DELETE')).status, 404);
  await until('the connection to end', () => page.evaluate(() => window.seen.connection.connectionState !== 'connected'));
  assert.equal(await metric('vitrine_whep_sessions'), 0);
  await page.context().close();
});

test('a page of an allowed origin plays with a token, one of another origin does not', async () => {
  const page = await openPlayer(foreign, { url: base, authorization: bearer });
  assert.equal(page.answer.status, 201, page.answer.text);
  await plays(page);
  // Closed without a word by HTTP: DTLS says it.
  await page.evaluate(() => window.seen.connection.close());
  await until('the session to end', async () => await metric('vitrine_whep_sessions') === 0);
  await page.context().close();
  const elsewhere = await serveDemoPage(stage, await freePort());
  const refused = await (await browser.newContext()).newPage();
  await refused.goto(elsewhere);
  assert.match(await refused.evaluate(play, { url: base, authorization: bearer }).catch(String), /Failed to fetch/);
  await refused.context().close();
  assert.equal((await ask(base, 'POST', { Origin: 'https://elsewhere.example', 'Content-Type': 'application/sdp' }, 'v=0')).status, 403);
});

test('what a player does not take is 406; VP8 plays where the desktop has it; libnice gives all its candidates', async () => {
  const none = await openPlayer(foreign, { url: base, authorization: bearer, codec: 'VP8' });
  assert.equal(none.answer.status, 406, none.answer.text);
  assert.equal(await metric('vitrine_whep_sessions'), 0);
  await none.context().close();
  const other = await desktop(`allowed-origins=* ice-mode=nice turn-servers=turn:127.0.0.1:9?transport=udp turn-user=u turn-password=p"w`, 'vp8');
  const page = await openPlayer(foreign, { url: other.whep, authorization: bearer, codec: 'VP8' });
  assert.equal(page.answer.status, 201, page.answer.text);
  assert.doesNotMatch(page.answer.text, /a=ice-lite/);
  assert.match(page.answer.text, /a=candidate:.*\r\n[^]*a=end-of-candidates\r\n/);
  assert.match(page.answer.link, /^<turn:127\.0\.0\.1:9\?transport=udp>; rel="ice-server"; username="u"; credential="p\\?"?w"; credential-type="password"$/);
  await plays(page);
  await page.context().close();
  await other.handle.end('SIGINT');
});

test('no more than max-viewers', async () => {
  const pages = [];
  for (let i = 0; i < 3; i++) pages.push(await openPlayer(foreign, { url: base, authorization: bearer }));
  for (const page of pages) assert.equal(page.answer.status, 201, page.answer.text);
  const late = await openPlayer(foreign, { url: base, authorization: bearer });
  assert.equal(late.answer.status, 503, late.answer.text);
  pages.push(late);
  for (const page of pages) {
    await page.evaluate(() => window.seen.connection.close());
    await page.context().close();
  }
});

test('every mistake has its answer', async () => {
  const sdp = { 'Content-Type': 'application/sdp' }, fragment = { 'Content-Type': 'application/trickle-ice-sdpfrag' };
  const status = async (...words) => (await ask(...words)).status;
  assert.equal((await fetch(base, { method: 'POST', headers: sdp, body: 'v=0' })).status, 401);
  const wrong = await fetch(base, { method: 'POST', headers: { ...sdp, Authorization: 'Bearer abcd-efgh-jklm-nnnn' }, body: 'v=0' });
  assert.equal(wrong.status, 401);
  assert.match(wrong.headers.get('WWW-Authenticate'), /^Bearer .*invalid_token/);
  assert.equal(await status(base, 'POST', { 'Content-Type': 'text/plain' }, 'v=0'), 415);
  assert.equal(await status(base, 'POST', sdp, 'nonsense'), 400);
  assert.equal(await status(base, 'POST', sdp, new Uint8Array([0x76, 0x3d, 0x30, 0xff, 0xfe])), 400);
  assert.equal(await status(base, 'POST', sdp, 'v=0\r\n'.repeat(8000)), 413);
  assert.equal(await status(base, 'PUT', sdp, 'v=0'), 405);
  assert.equal(await status(base, 'GET'), 204);
  assert.equal(await status(`${base}/0123456789abcdef0123456789abcdef`, 'DELETE'), 404);
  assert.equal(await status(`${base}/0123456789abcdef0123456789abcdef`, 'PATCH', fragment, 'a=mid:0'), 404);
  const options = await fetch(base, { method: 'OPTIONS' });
  assert.equal(options.status, 200);
  assert.equal(options.headers.get('Accept-Post'), 'application/sdp');
  assert.equal(options.headers.get('Access-Control-Allow-Origin'), null);
  const preflight = await fetch(base, { method: 'OPTIONS', headers: { Origin: new URL(foreign).origin, 'Access-Control-Request-Method': 'POST' } });
  assert.equal(preflight.headers.get('Access-Control-Allow-Origin'), new URL(foreign).origin);
  assert.match(preflight.headers.get('Access-Control-Allow-Headers'), /Authorization/);
  assert.equal(preflight.headers.get('Access-Control-Allow-Credentials'), null);

  const page = await openPlayer(foreign, { url: base, authorization: bearer });
  const { session, tag } = page.answer;
  assert.equal(await status(session, 'POST', sdp, 'v=0'), 405);
  assert.equal(await status(session, 'PATCH', fragment, 'a=mid:0'), 428);
  assert.equal(await status(session, 'PATCH', { ...fragment, 'If-Match': '"other"' }, 'a=mid:0'), 412);
  assert.equal(await status(session, 'PATCH', { ...sdp, 'If-Match': tag }, 'a=mid:0'), 415);
  assert.equal(await status(session, 'PATCH', { ...fragment, 'If-Match': tag }, 'nonsense'), 400);
  assert.equal(await status(session, 'PATCH', { ...fragment, 'If-Match': '*' }, 'a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n'), 422);
  await plays(page);
  await page.context().close();
  assert.ok(await metric('vitrine_whep_refused_total') >= 12);
});
