// SPDX-License-Identifier: LGPL-2.1-or-later
// A page as plain as the demos': one WebSocket, one peer connection, one video. It knows nothing of Vitrine.
import { createServer } from 'node:http';

/** Runs in the page. `how`: "asks" for the other side's offer, "offers" itself, or is "called". */
function play({ url, name, peer, how }) {
  const video = document.querySelector('video');
  window.seen = { errors: [], frames: 0, audio: false, answered: false };
  const count = () => video.requestVideoFrameCallback(() => {
    window.seen.first ??= performance.now();
    window.seen.frames += 1;
    count();
  });
  count();
  const socket = new WebSocket(url);
  const say = (message) => socket.send(JSON.stringify(message));
  let connection;
  const open = () => {
    connection = new RTCPeerConnection();
    window.seen.connections = [connection];
    connection.ontrack = ({ track }) => {
      video.srcObject ??= new MediaStream();
      video.srcObject.addTrack(track);
      window.seen.audio ||= track.kind === 'audio';
    };
    connection.onicecandidate = ({ candidate }) => candidate && say({ ice: candidate });
  };
  const offer = async () => {
    open();
    // Something of its own to send, as the demos' camera.
    const canvas = document.createElement('canvas');
    canvas.getContext('2d');
    for (const track of canvas.captureStream(5).getTracks()) connection.addTrack(track);
    connection.addTransceiver('audio', { direction: 'sendrecv' });
    connection.createDataChannel('label');
    await connection.setLocalDescription();
    say({ sdp: connection.localDescription });
  };
  const call = () => socket.send(`SESSION ${peer}`);
  socket.onopen = () => socket.send(`HELLO ${name}`);
  socket.onclose = () => {
    window.seen.closed = true;
  };
  socket.onmessage = async ({ data }) => {
    if (data === 'HELLO') {
      if (how !== 'called') call();
    } else if (data.startsWith('SESSION_OK')) {
      if (how === 'asks') socket.send('OFFER_REQUEST');
      else await offer();
    } else if (data.startsWith('ERROR')) {
      window.seen.errors.push(data);
      setTimeout(call, 300);
    } else {
      const message = JSON.parse(data);
      if (message.sdp) {
        if (message.sdp.type === 'offer') {
          open();
          await connection.setRemoteDescription(message.sdp);
          await connection.setLocalDescription();
          say({ sdp: connection.localDescription });
        } else {
          await connection.setRemoteDescription(message.sdp);
          window.seen.answered = true;
        }
      } else if (message.ice) {
        await connection.addIceCandidate(message.ice);
      }
    }
  };
}

export const demoHtml = '<!doctype html><title>demo</title><video autoplay muted playsinline width="320" height="240"></video>';

/** Serves the page; its address. */
export async function serveDemoPage(stage, port, host = '127.0.0.1') {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end(demoHtml);
  });
  await new Promise((resolve) => server.listen(port, host, resolve));
  stage.defer(() => server.close());
  return `http://${host}:${port}/`;
}

/** Opens the page and has it play. */
export async function openDemoPage(browser, address, options, context = {}) {
  const page = await (await browser.newContext(context)).newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  await page.goto(address);
  await page.evaluate(play, options);
  return page;
}
