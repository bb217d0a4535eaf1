// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileAddress, parseFileList } from "./file-list";
import { FileTransfers } from "./file-transfers";
import { FileUpload, type UploadHost, type UploadState, kMostPiece } from "./file-upload";
import { FakeClock, settle } from "./testing";

type Fault = number | "ours-413" | "ours-503" | "lost-before" | "lost-after" | "silent";
const kMiB = 1 << 20;

/** A fake server that keeps what it is sent. */
class FakeServer implements UploadHost {
  readonly clock = new FakeClock();
  received = new Uint8Array(0);
  requests: string[] = [];
  /** What happens to the next requests instead. */
  faults: Fault[] = [];
  /** How long a piece takes, by its size. */
  time = (_size: number) => 1000;
  /** What a proxy in between lets through. */
  mostBody = Infinity;
  next = 1;

  async fetch(url: string, init: RequestInit): Promise<Response> {
    const { searchParams, pathname } = new URL(url, "http://host");
    this.requests.push(`${init.method} ${searchParams.get("offset") ?? ""}`.trim());
    assert.match(pathname, /^\/base\/files\/upload\/[0-9a-f]{32}$/);
    if (init.signal?.aborted)
      throw new Error("aborted");
    const offset = () => ({ "Upload-Offset": `${this.received.length}` });
    if (init.method === "HEAD")
      return new Response(null, { headers: offset() });
    if (init.method === "DELETE")
      return new Response("{}");
    const body = init.body as Blob;
    if (body.size > this.mostBody)
      return new Response("<html>", { status: 413 });
    await this.pass(this.time(body.size), init.signal);
    const fault = this.faults.shift();
    if (fault === "silent")
      await this.pass(Infinity, init.signal);
    if (fault === "lost-before")
      throw new Error("lost");
    if (fault === "ours-413" || fault === "ours-503")
      return new Response("no\n", { status: Number(fault.slice(5)), headers: { "Vitrine-Refusal": fault.slice(5) } });
    if (typeof fault === "number")
      return new Response("no\n", { status: fault });
    if (Number(searchParams.get("offset")) !== this.received.length)
      return new Response("", { status: 409, headers: offset() });
    const piece = new Uint8Array(await body.arrayBuffer());
    assert.ok(piece.length <= kMostPiece);
    const all = new Uint8Array(this.received.length + piece.length);
    all.set(this.received);
    all.set(piece, this.received.length);
    this.received = all;
    if (fault === "lost-after")
      throw new Error("lost");
    if (all.length === Number(searchParams.get("size")))
      return new Response(JSON.stringify({ name: "kept" }), { status: 201, headers: offset() });
    return new Response("{}", { headers: offset() });
  }
  pass(time: number, signal?: AbortSignal | null): Promise<void> {
    return new Promise((resolve, reject) => {
      if (Number.isFinite(time))
        this.clock.setTimeout(resolve, time);
      signal?.addEventListener("abort", () => reject(new Error("aborted")));
    });
  }
  randomBytes(count: number): Uint8Array {
    return new Uint8Array(count).fill(this.next++);
  }
}

function file(bytes: number): File {
  const data = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i += 1021)
    data[i] = i;
  return Object.assign(new Blob([data]), { name: "a b&c.txt" }) as unknown as File;
}

/** Turns the clock until the promise is settled; Blobs read in real time. */
async function finish(server: FakeServer, ends: Promise<unknown>): Promise<void> {
  let over = false;
  void ends.then(() => (over = true));
  for (let i = 0; i < 3000 && !over; i++) {
    await server.clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(over, "it ends");
}

async function send(server: FakeServer, bytes: number): Promise<UploadState[]> {
  const states: UploadState[] = [];
  const sent = file(bytes);
  await finish(server, new FileUpload(sent, "/base/", (state) => states.push(state), server).run());
  if (states.at(-1)?.kind === "done")
    assert.deepEqual(server.received, new Uint8Array(await sent.arrayBuffer()));
  return states;
}

test("a file goes in pieces", async () => {
  const server = new FakeServer();
  const states = await send(server, kMiB * 2 + 5);
  assert.deepEqual(server.requests, ["PUT 0", `PUT ${kMiB}`, `PUT ${kMiB * 2}`]);
  assert.deepEqual(states.at(-1), { kind: "done", name: "kept" });
});

test("an empty file goes too", async () => {
  const server = new FakeServer();
  assert.equal((await send(server, 0)).at(-1)?.kind, "done");
  assert.deepEqual(server.requests, ["PUT 0"]);
});

test("pieces grow on fast lines and shrink on slow ones", async () => {
  const fast = new FakeServer();
  fast.time = () => 10;
  await send(fast, kMiB * 40);
  assert.deepEqual(fast.requests.slice(0, 5), ["PUT 0", ...[1, 3, 7, 15].map((at) => `PUT ${at * kMiB}`)]);
  assert.equal(fast.requests[5], `PUT ${23 * kMiB}`, "and no further than the server takes");
  const slow = new FakeServer();
  slow.time = (size) => size / 100;
  await send(slow, kMiB * 3);
  assert.deepEqual(slow.requests.slice(0, 4), ["PUT 0", `PUT ${kMiB}`, `PUT ${kMiB * 1.5}`, `PUT ${kMiB * 1.75}`]);
});

test("it goes on where it was when the connection breaks", async () => {
  const server = new FakeServer();
  server.faults = ["lost-after", "lost-before", "lost-before"];
  const states = await send(server, kMiB + 5);
  assert.equal(states.at(-1)?.kind, "done");
  assert.ok(states.some((state) => state.kind === "waiting" && state.sent === 0));
  assert.deepEqual(server.requests, ["PUT 0", "HEAD", `PUT ${kMiB}`, "HEAD", `PUT ${kMiB}`, "HEAD", `PUT ${kMiB}`]);
});

test("a connection that has died without a word is given up", async () => {
  const server = new FakeServer();
  server.faults = ["silent"];
  assert.equal((await send(server, 5)).at(-1)?.kind, "done");
  assert.ok(server.clock.now() > 30_000);
});

test("when the server is back nothing waits any longer", async () => {
  const server = new FakeServer();
  server.faults = ["silent", "lost-before"];
  const states: UploadState[] = [];
  const upload = new FileUpload(file(5), "/base/", (state) => states.push(state), server);
  const ends = upload.run();
  await server.clock.advance(2000);
  upload.nudge();
  await server.clock.advance(1500);
  assert.equal(states.at(-1)?.kind, "sending", "what has just been sent may still arrive");
  upload.nudge();
  await finish(server, ends);
  assert.equal(states.at(-1)?.kind, "done");
  assert.ok(server.clock.now() < 10_000);
});

test("it believes the server on how much is there", async () => {
  const server = new FakeServer();
  const states: UploadState[] = [];
  const upload = new FileUpload(file(kMiB * 2), "/base/", (state) => states.push(state), server);
  server.received = new Uint8Array(await file(kMiB * 2).slice(0, kMiB).arrayBuffer());
  await finish(server, upload.run());
  assert.deepEqual(server.requests, ["PUT 0", `PUT ${kMiB}`]);
  assert.equal(states.at(-1)?.kind, "done");
});

test("a refusal is the end, with its reason, until the user tries again", async () => {
  const server = new FakeServer();
  const states: UploadState[] = [];
  const upload = new FileUpload(file(kMiB + 1), "/base/", (state) => states.push(state), server);
  server.faults = ["lost-after", "ours-503"];
  await finish(server, upload.run());
  assert.deepEqual(states.at(-1), { kind: "refused", status: 503, why: "no" });
  await finish(server, upload.run());
  assert.equal(states.at(-1)?.kind, "done");
  assert.equal(server.received.length, kMiB + 1);
  server.faults = ["ours-413"];
  server.received = new Uint8Array(0);
  assert.deepEqual((await send(server, 5)).at(-1), { kind: "refused", status: 413, why: "no" });
});

test("a file that is gone is no connection that broke", async () => {
  const server = new FakeServer();
  const states: UploadState[] = [];
  const gone = { name: "gone", size: 5, slice: () => ({ size: 5, arrayBuffer: () => Promise.reject(new Error("NotReadableError")) }) };
  server.faults = ["lost-before"];
  await finish(server, new FileUpload(gone as unknown as File, "/base/", (state) => states.push(state), server).run());
  assert.deepEqual(states.at(-1), { kind: "refused", status: 0, why: "the file cannot be read any more" });
});

test("a server that is busy, or that a proxy cannot reach, is asked again", async () => {
  const server = new FakeServer();
  server.faults = [503, 429, 502];
  assert.equal((await send(server, 5)).at(-1)?.kind, "done");
  assert.equal(server.requests.length, 4);
});

test("a proxy that takes small requests only gets such", async () => {
  const server = new FakeServer();
  server.time = () => 10;
  server.mostBody = 700_000;
  assert.equal((await send(server, kMiB * 2)).at(-1)?.kind, "done");
  assert.equal(server.requests.filter((request) => request.startsWith("PUT")).length, 5);
});

test("what is given up is removed", async () => {
  const server = new FakeServer();
  const states: UploadState[] = [];
  const upload: FileUpload = new FileUpload(file(kMiB * 3), "/base/", (state) => {
    states.push(state);
    if (state.kind === "sending" && state.sent > 0)
      upload.cancel();
  }, server);
  await finish(server, upload.run());
  assert.equal(states.at(-1)?.kind, "given-up");
  assert.equal(server.requests.at(-1), "DELETE");
});

test("two files go at once, the others wait their turn", async () => {
  const server = new FakeServer();
  const transfers = new FileTransfers("/base/", server);
  transfers.limit = 100;
  transfers.add([file(10), file(20), file(30), file(101)]);
  await settle();
  assert.deepEqual(transfers.all.map(({ state }) => state.kind), ["sending", "sending", "queued", "refused"]);
  transfers.cancel(transfers.all[2] as never);
  assert.equal(transfers.all.length, 3);
  transfers.cancel(transfers.all[0] as never);
  server.received = new Uint8Array(0);
  await finish(server, new Promise<void>((resolve) => transfers.on("change", () => transfers.active.length === 0 && resolve())));
  await settle();
  assert.deepEqual(transfers.all.map(({ state }) => state.kind), ["done", "refused"]);
  transfers.retry(transfers.all[1] as never);
  assert.equal(transfers.all[1]?.state.kind, "refused", "it has not become smaller");
  for (const transfer of transfers.all)
    transfers.dismiss(transfer);
  assert.deepEqual(transfers.all, []);
});

test("the list of files is read with care", () => {
  const good = { name: "a/b?#.txt", size: 5, modified: 100 };
  assert.deepEqual(parseFileList({ files: [good, null, 5, {}, { ...good, size: -1 }, { ...good, name: "" }, { ...good, name: 5 }] }),
    [{ name: "a/b?#.txt", size: 5, modified: new Date(100000) }]);
  for (const bad of [null, [], "x", {}, { files: {} }])
    assert.equal(parseFileList(bad), null);
  assert.equal(fileAddress("/base/", "a/b?#%ü.txt"), "/base/files/download/a%2Fb%3F%23%25%C3%BC.txt");
});
