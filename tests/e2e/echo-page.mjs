// SPDX-License-Identifier: LGPL-2.1-or-later
// The floor under input to photon: a page of the same server whose #screen turns from dark to bright or back as soon as a message has gone to the
// server and come back. No desktop, no encoder, no decoder: what is left is the browser's input and rendering, and the network.
import { pressProbe } from './press-probe.mjs';
import { until } from './harness.mjs';

/** Runs in the page: a session that only pings. */
function echo() {
  const canvas = document.createElement('canvas');
  canvas.id = 'screen';
  canvas.width = innerWidth;
  canvas.height = innerHeight;
  canvas.style.cssText = 'position: fixed; inset: 0';
  document.body.replaceChildren(canvas);
  const context = canvas.getContext('2d', { alpha: false });
  const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws`, 'vitrine.1');
  let bright = false;
  const paint = () => {
    context.fillStyle = bright ? '#f0f0f0' : '#101010';
    context.fillRect(0, 0, canvas.width, canvas.height);
  };
  paint();
  socket.onopen = () => socket.send(JSON.stringify({ type: 'hello', version: 1, codecs: [], decodes: ['H264', 'VP8', 'VP9'], transports: ['websocket'], client: 'echo' }));
  socket.onmessage = ({ data }) => {
    const { type } = JSON.parse(data);
    if (type === 'welcome') window.echoing = true;
    if (type !== 'pong') return;
    bright = !bright;
    paint();
  };
  addEventListener('pointerdown', () => socket.send(JSON.stringify({ type: 'ping', t: 0 })));
}

/** Opens it in `context`, on the server at `port`. */
export async function openEcho(context, port) {
  const page = await context.newPage();
  // Something of the same origin that runs no scripts of its own, and signs in.
  await page.goto(`http://127.0.0.1:${port}/stats.json`);
  await page.evaluate(echo);
  await page.evaluate(pressProbe);
  await until('the echo', () => page.evaluate(() => window.echoing && window.probe.first));
  return page;
}
