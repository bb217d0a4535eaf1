// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FileUpload, pieceBytes, type UploadHost, type UploadState } from './file-upload';

/** A fake server that keeps what it is sent. */
class FakeServer implements UploadHost {
  received = new Uint8Array(0);
  requests: string[] = [];
  pauses: number[] = [];
  /** What happens to the next requests instead: a status, or the loss of the connection before or after the server read it. */
  faults: (number | 'lost-before' | 'lost-after')[] = [];

  async fetch(url: string, init: RequestInit): Promise<Response> {
    const { searchParams, pathname } = new URL(url, 'http://host');
    this.requests.push(`${init.method} ${searchParams.get('offset') ?? ''}`.trim());
    assert.match(pathname, /^\/base\/files\/upload\/[0-9a-f]{32}$/);
    if (init.signal?.aborted) throw new Error('aborted');
    const offset = () => ({ 'Upload-Offset': `${this.received.length}` });
    if (init.method === 'HEAD') return new Response(null, { headers: offset() });
    if (init.method === 'DELETE') return new Response('{}');
    const fault = this.faults.shift();
    if (fault === 'lost-before') throw new Error('lost');
    if (typeof fault === 'number') return new Response('no\n', { status: fault });
    const size = Number(searchParams.get('size'));
    if (Number(searchParams.get('offset')) !== this.received.length) return new Response('', { status: 409, headers: offset() });
    const piece = new Uint8Array(await (init.body as Blob).arrayBuffer());
    assert.ok(piece.length <= pieceBytes);
    const all = new Uint8Array(this.received.length + piece.length);
    all.set(this.received);
    all.set(piece, this.received.length);
    this.received = all;
    if (fault === 'lost-after') throw new Error('lost');
    if (all.length === size) return new Response(JSON.stringify({ name: 'kept' }), { status: 201, headers: offset() });
    return new Response('{}', { headers: offset() });
  }
  async sleep(ms: number): Promise<void> {
    this.pauses.push(ms);
  }
  randomBytes(count: number): Uint8Array {
    return new Uint8Array(count).fill(7);
  }
}

function file(bytes: number): File {
  const data = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i += 1021) data[i] = i;
  return Object.assign(new Blob([data]), { name: 'a b&c.txt' }) as unknown as File;
}

async function send(server: FakeServer, bytes: number): Promise<UploadState[]> {
  const states: UploadState[] = [];
  const sent = file(bytes);
  await new FileUpload(sent, '/base/', (state) => states.push(state), server).run();
  if (states.at(-1)?.kind === 'done') assert.deepEqual(server.received, new Uint8Array(await sent.arrayBuffer()));
  return states;
}

test('a file goes in pieces', async () => {
  const server = new FakeServer();
  const states = await send(server, pieceBytes * 2 + 5);
  assert.deepEqual(server.requests, ['PUT 0', `PUT ${pieceBytes}`, `PUT ${pieceBytes * 2}`]);
  assert.deepEqual(states.at(-1), { kind: 'done', name: 'kept' });
});

test('an empty file goes too', async () => {
  const server = new FakeServer();
  assert.equal((await send(server, 0)).at(-1)?.kind, 'done');
  assert.deepEqual(server.requests, ['PUT 0']);
});

test('it goes on where it was when the connection breaks', async () => {
  const server = new FakeServer();
  server.faults = ['lost-after', 'lost-before', 'lost-before'];
  const states = await send(server, pieceBytes + 5);
  assert.equal(states.at(-1)?.kind, 'done');
  assert.ok(states.some((state) => state.kind === 'waiting' && state.sent === pieceBytes));
  assert.deepEqual(server.pauses, [500, 1000, 2000]);
});

test('it believes the server on how much is there', async () => {
  const server = new FakeServer();
  const states: UploadState[] = [];
  const upload = new FileUpload(file(pieceBytes * 2), '/base/', (state) => states.push(state), server);
  server.received = new Uint8Array(await file(pieceBytes * 2).slice(0, pieceBytes).arrayBuffer());
  await upload.run();
  assert.deepEqual(server.requests, ['PUT 0', `PUT ${pieceBytes}`]);
  assert.equal(states.at(-1)?.kind, 'done');
});

test('a refusal is the end, with its reason', async () => {
  const server = new FakeServer();
  server.faults = [413];
  assert.deepEqual((await send(server, 5)).at(-1), { kind: 'refused', why: 'no' });
});

test('a server that is busy is asked again', async () => {
  const server = new FakeServer();
  server.faults = [503, 429];
  assert.equal((await send(server, 5)).at(-1)?.kind, 'done');
  assert.deepEqual(server.pauses, [500, 1000]);
});

test('what is given up is removed', async () => {
  const server = new FakeServer();
  const states: UploadState[] = [];
  const upload: FileUpload = new FileUpload(
    file(pieceBytes * 3), '/base/',
    (state) => {
      states.push(state);
      if (state.kind === 'sending' && state.sent > 0) upload.cancel();
    },
    server,
  );
  await upload.run();
  assert.equal(states.at(-1)?.kind, 'given-up');
  assert.equal(server.requests.at(-1), 'DELETE');
});
