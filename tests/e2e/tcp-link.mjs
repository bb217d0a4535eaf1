// SPDX-License-Identifier: LGPL-2.1-or-later
// A thin link for TCP in user space: what servers send waits in a queue without end and leaves at a given rate, all connections sharing it.
import { createConnection, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const kTickMs = 2;
const kPiece = 1400;

/** Listens on `port` and leads to `to`, both of 127.0.0.1. `setRate(bps)`; `queueMs()`: how long what enters now would wait. */
export async function startTcpLink(stage, port, to, { rate, delayMs = 10 }) {
  let bps = rate, credit = 0, queued = 0, last = performance.now();
  const queue = [];
  const server = createServer((near) => {
    const far = createConnection(to, '127.0.0.1');
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
    }
    near.on('close', () => far.destroy());
    // Behind what it has said.
    far.on('close', () => queue.push({ near, data: null }));
    near.on('data', async (data) => {
      await sleep(delayMs);
      far.write(data);
    });
    far.on('data', (data) => {
      for (let at = 0; at < data.length; at += kPiece) queue.push({ near, data: data.subarray(at, at + kPiece) });
      queued += data.length;
    });
  });
  const timer = setInterval(() => {
    const now = performance.now();
    credit = Math.min(credit + ((now - last) * bps) / 8000, (bps / 8000) * 50);
    last = now;
    while (queue.length && credit >= (queue[0].data?.length ?? 0)) {
      const { near, data } = queue.shift();
      if (!data) {
        setTimeout(() => near.end(), delayMs);
        continue;
      }
      credit -= data.length;
      queued -= data.length;
      setTimeout(() => near.writable && near.write(data), delayMs);
    }
    if (!queue.length) credit = Math.min(credit, kPiece);
  }, kTickMs);
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  stage.defer(() => {
    clearInterval(timer);
    server.close();
  });
  return {
    setRate: (value) => (bps = value),
    queueMs: () => (queued * 8000) / bps,
  };
}
