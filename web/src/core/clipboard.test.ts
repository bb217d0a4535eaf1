// SPDX-License-Identifier: LGPL-2.1-or-later
// Transfers of the clipboard against a made-up desktop.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClipboardContent, ClipboardLink, fromBase64, signatureOf, toBase64 } from "./clipboard";
import type { DesktopMessage } from "./messages";
import { FakeClock } from "./testing";

function link() {
  const clock = new FakeClock();
  const sent: DesktopMessage[] = [];
  const made = new ClipboardLink((message) => sent.push(message), undefined, clock);
  made.limit = 1 << 20;
  const received: ClipboardContent[] = [], refused: string[] = [];
  made.on("received", (content) => received.push(content));
  made.on("refused", (reason) => refused.push(reason));
  return { clock, sent, made, received, refused };
}
const text = (value: string): ClipboardContent => [{ type: "text/plain", bytes: new TextEncoder().encode(value) as Uint8Array<ArrayBuffer> }];

test("base64 there and back, and nothing else", () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i * 7);
  assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
  assert.equal(fromBase64("*"), null);
});

test("a content goes out in pieces, no more than the desktop acknowledges", async () => {
  const { clock, sent, made } = link();
  const content = text("x".repeat(200000));
  const arrived = made.offer(content);
  assert.equal(sent[0]?.type, "desktop/clipboard");
  let received = 0;
  for (let turn = 0; turn < 200 && made.sending; turn++) {
    await clock.advance(10);
    const pieces = sent.splice(0).filter(({ type }) => type === "desktop/clipboard-data");
    assert.ok(pieces.length <= 2, "paced");
    for (const piece of pieces) {
      assert.equal(piece["offset"], received);
      received += fromBase64(piece["data"] as string)?.length ?? 0;
    }
    made.handle({ type: "desktop/clipboard-ack", id: 1, received });
  }
  assert.equal(received, 200000);
  assert.equal(await arrived, true);
});

test("without acknowledgements two pieces go, and after a while it is given up", async () => {
  const { clock, sent, made, refused } = link();
  const arrived = made.offer(text("x".repeat(200000)));
  await clock.advance(14000);
  assert.equal(sent.filter(({ type }) => type === "desktop/clipboard-data").length, 2);
  await clock.advance(2000);
  assert.equal(await arrived, false);
  assert.deepEqual(refused, ["timeout"]);
});

test("what is too large is not begun", async () => {
  const { sent, made, refused } = link();
  assert.equal(await made.offer(text("x".repeat(2 << 20))), false);
  assert.deepEqual([sent.length, refused], [0, ["too-large"]]);
});

test("a content comes in pieces that may end anywhere", async () => {
  const { clock, sent, made, received } = link();
  made.handle({ type: "desktop/clipboard", id: 9, items: [{ type: "text/plain", size: 3 }, { type: "text/html", size: 4 }] });
  made.handle({ type: "desktop/clipboard-data", id: 9, offset: 0, data: btoa("abc<b") });
  made.handle({ type: "desktop/clipboard-data", id: 8, offset: 5, data: btoa(">!") });
  made.handle({ type: "desktop/clipboard-data", id: 9, offset: 5, data: btoa(">!") });
  await clock.advance(50);
  assert.deepEqual(received[0]?.map(({ type, bytes }) => [type, new TextDecoder().decode(bytes)]), [["text/plain", "abc"], ["text/html", "<b>!"]]);
  assert.deepEqual(sent.at(-1), { type: "desktop/clipboard-ack", id: 9, received: 7 });
});

test("lies of a server are refused", () => {
  const { sent, made, received } = link();
  const begin = (items: unknown) => made.handle({ type: "desktop/clipboard", id: 1, items });
  for (const items of [null, [], [null], [{ type: "text/x", size: 1 }], [{ type: "text/plain", size: -1 }], [{ type: "text/plain", size: 1e300 }],
    [{ type: "text/plain", size: 1 }, { type: "text/plain", size: 1 }]])
    begin(items);
  assert.equal(sent.length, 0);
  begin([{ type: "text/plain", size: 1 << 21 }]);
  assert.equal(sent.at(-1)?.["reason"], "too-large");
  begin([{ type: "text/plain", size: 2 }]);
  made.handle({ type: "desktop/clipboard-data", id: 1, offset: 0, data: btoa("abc") });
  assert.equal(sent.at(-1)?.["reason"], "malformed");
  made.handle({ type: "desktop/clipboard-data", id: 1, offset: 0, data: btoa("ab") });
  assert.equal(received.length, 0);
});

test("signatures tell contents apart", () => {
  assert.equal(signatureOf(text("abc")), signatureOf(text("abc")));
  assert.notEqual(signatureOf(text("abc")), signatureOf(text("abd")));
});
