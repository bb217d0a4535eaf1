// SPDX-License-Identifier: LGPL-2.1-or-later
// Calling a desktop through a signalling server.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SocketLike } from "./session";
import { SignallerSocket, peerOf } from "./signaller-socket";
import { FakeClock } from "./testing";

class Socket implements SocketLike {
  readyState = 1;
  bufferedAmount = 0;
  onopen: SocketLike["onopen"] = null;
  onmessage: SocketLike["onmessage"] = null;
  onclose: SocketLike["onclose"] = null;
  readonly sent: (string | Uint8Array)[] = [];
  send(data: string | Uint8Array): void {
    this.sent.push(data);
  }
  close(): void {
    this.readyState = 3;
  }
  say(text: string): void {
    this.onmessage?.({ data: text });
  }
}

function call(): { inner: Socket; outer: SignallerSocket; clock: FakeClock; heard: unknown[]; closed: string[] } {
  const inner = new Socket(), clock = new FakeClock(), heard: unknown[] = [], closed: string[] = [];
  const outer = new SignallerSocket(inner, "desk", clock, "page-1");
  outer.onmessage = (event) => heard.push(event.data);
  outer.onclose = ({ code, reason }) => closed.push(`${code} ${reason}`);
  return { inner, outer, clock, heard, closed };
}

test("says its name, calls, and is open once the other side is there", () => {
  const { inner, outer, heard } = call();
  let opened = false;
  outer.onopen = () => (opened = true);
  inner.onopen?.(undefined as never);
  assert.deepEqual(inner.sent, ["HELLO page-1"]);
  assert.equal(outer.readyState, 0);
  inner.say("HELLO");
  assert.deepEqual(inner.sent.slice(1), ["SESSION desk"]);
  inner.say("SESSION_OK eyJhIjoxfQ==");
  assert.ok(opened);
  assert.equal(outer.readyState, 1);
  inner.say('{"type":"welcome"}');
  inner.say("ERROR of the desktop's own");
  assert.deepEqual(heard, ['{"type":"welcome"}', "ERROR of the desktop's own"]);
});

test("an error while calling ends it with the server's words, once", () => {
  const { inner, closed, heard } = call();
  inner.say("HELLO");
  inner.say("ERROR peer 'desk' not found");
  inner.say("SESSION_OK");
  assert.deepEqual(closed, ["1000 peer 'desk' not found"]);
  assert.equal(inner.readyState, 3);
  assert.equal(inner.onclose, null);
  assert.deepEqual(heard, []);
});

test("records go as text, those of a moment together, in pieces that the server takes", async () => {
  const { inner, outer, clock } = call();
  inner.say("SESSION_OK ");
  outer.send(new Uint8Array([1, 2]));
  outer.send(new Uint8Array([3]));
  assert.deepEqual(inner.sent, []);
  assert.equal(outer.bufferedAmount, 3);
  await clock.advance(20);
  assert.deepEqual(inner.sent, ['{"type":"input","records":"AQID"}']);
  outer.send(new Uint8Array(4000));
  outer.send(new Uint8Array(200));
  assert.equal(inner.sent.length, 2);
  assert.equal(atob((JSON.parse(String(inner.sent[1])) as { records: string }).records).length, 4000);
  outer.close();
  await clock.advance(100);
  assert.equal(inner.sent.length, 2);
});

test("the peer in an address", () => {
  assert.equal(peerOf("?peer=desk"), "desk");
  assert.equal(peerOf("?transport=tcp&peer=a-1"), "a-1");
  for (const none of ["", "?peer=", "?peer=a%20b", "?peer=a%0Ab", `?peer=${"x".repeat(65)}`, "?peers=x"])
    assert.equal(peerOf(none), null, none);
});
