// SPDX-License-Identifier: LGPL-2.1-or-later
// The session against a fake server: reconnecting, refusals, offers, control.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeInput } from "./input-record";
import { Peer } from "./peer";
import { type ProbeAnswer, Session, type SocketLike } from "./session";
import { FakeClock, settle } from "./testing";

class FakeSocket implements SocketLike {
  readyState = 0;
  bufferedAmount = 0;
  onopen: SocketLike["onopen"] = null;
  onmessage: SocketLike["onmessage"] = null;
  onclose: SocketLike["onclose"] = null;
  readonly sent: (string | Uint8Array)[] = [];

  send(data: string | Uint8Array): void {
    assert.equal(this.readyState, 1, "a message on a socket that is not open");
    this.sent.push(data);
  }
  close(): void {
    this.readyState = 3;
  }
  open(): void {
    this.readyState = 1;
    this.onopen?.(undefined as never);
  }
  say(message: unknown): void {
    this.onmessage?.({ data: typeof message === "string" ? message : JSON.stringify(message) });
  }
  end(code = 1006, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
  get messages(): { type: string; [member: string]: unknown }[] {
    return this.sent.filter((data) => typeof data === "string").map((data) => JSON.parse(data) as { type: string });
  }
  get types(): string[] {
    return this.messages.map((message) => message.type).filter((type) => type !== "ping");
  }
}

class FakeConnection extends EventTarget {
  static all: FakeConnection[] = [];
  connectionState = "new";
  closed = false;
  refuses = false;

  constructor() {
    super();
    FakeConnection.all.push(this);
  }
  become(state: string): void {
    this.connectionState = state;
    this.dispatchEvent(new Event("connectionstatechange"));
  }
  async setRemoteDescription(offer: { sdp: string }): Promise<void> {
    if (offer.sdp === "bad")
      throw new Error("not SDP");
  }
  async createAnswer(): Promise<{ type: string; sdp: string }> {
    return { type: "answer", sdp: "my answer" };
  }
  async setLocalDescription(): Promise<void> {}
  async addIceCandidate(): Promise<void> {}
  setConfiguration(): void {}
  async getStats(): Promise<Map<string, unknown>> {
    return new Map([
      { id: "t", type: "transport", selectedCandidatePairId: "p" },
      { id: "p", type: "candidate-pair", localCandidateId: "l" },
      { id: "l", type: "local-candidate", candidateType: "relay" },
    ].map((report) => [report.id, report]));
  }
  readonly track = { kind: "video" } as MediaStreamTrack;
  getReceivers(): unknown[] {
    return [{ track: this.track }];
  }
  close(): void {
    this.closed = true;
  }
}
Object.assign(globalThis, { RTCPeerConnection: FakeConnection });

const kWelcome = { type: "welcome", version: 1, peer: "p1", role: "control", title: "Desk", server: "s", media: [] };

/** A fake of WsMedia. */
class FakeFallback {
  opened: string[][] = [];
  closed = 0;
  readonly listeners = new Map<string, (value: never) => void>();
  open(url: string, token: string): void {
    this.opened.push([url, token]);
  }
  close(): void {
    this.closed++;
  }
  setMicrophone(): void {}
  on(type: string, listener: (value: never) => void): void {
    this.listeners.set(type, listener);
  }
  emit(type: "frame" | "closed"): void {
    this.listeners.get(type)?.("" as never);
  }
}

test("by WebSocket alone: opened with the token at the welcome, connected with the first frame", async () => {
  const fallback = new FakeFallback(), socket = new FakeSocket(), clock = new FakeClock();
  const session = new Session({
    url: "ws://host/ws", codecs: () => ["H264"], client: "", clock, makePeer: (ice) => new Peer(ice, clock), makeSocket: () => socket,
    transports: ["webrtc", "websocket"], decodes: () => Promise.resolve(["VP8"]), fallback,
  });
  session.start();
  session.deliver();
  socket.open();
  assert.deepEqual(socket.messages, [], "hello waits for the decoders");
  session.setVisible(false);
  await settle();
  assert.deepEqual(socket.types, ["hello", "visible"]);
  assert.deepEqual([socket.messages[0]!["transports"], socket.messages[0]!["decodes"]], [["webrtc", "websocket"], ["VP8"]]);
  socket.say({ ...kWelcome, transports: ["websocket"], token: "secret" });
  assert.deepEqual(fallback.opened, [["ws://host/media", "secret"]]);
  assert.equal(session.state, "connecting");
  fallback.emit("frame");
  assert.equal(session.state, "connected");
  assert.equal(session.way, "websocket");
  socket.end();
  assert.equal(fallback.closed, 1);
});

test("a browser that decodes nothing does not name the transport", async () => {
  const socket = new FakeSocket(), clock = new FakeClock();
  new Session({
    url: "ws://host/ws", codecs: () => ["H264"], client: "", clock, makePeer: (ice) => new Peer(ice, clock), makeSocket: () => socket,
    transports: ["webrtc", "websocket"], decodes: () => Promise.resolve([]), fallback: new FakeFallback(),
  }).start();
  socket.open();
  await settle();
  assert.deepEqual(socket.messages[0]!["transports"], ["webrtc"]);
});

function setup(probe?: () => Promise<ProbeAnswer>) {
  const clock = new FakeClock(), sockets: FakeSocket[] = [], life = new AbortController();
  FakeConnection.all = [];
  const session = new Session({
    url: "ws://host/ws", codecs: () => ["H264"], client: "test", clock, random: () => 1, ...(probe ? { probe } : {}),
    makePeer: (ice) => new Peer(ice, clock),
    makeSocket: (url, protocol) => {
      assert.deepEqual([url, protocol], ["ws://host/ws", "vitrine.1"]);
      sockets.push(new FakeSocket());
      return sockets[sockets.length - 1]!;
    },
  }, life.signal);
  const states: string[] = [];
  session.on("state", ({ state, reason }) => states.push(reason ? `${state}: ${reason}` : state));
  session.deliver();
  session.start();
  const socket = () => sockets[sockets.length - 1]!;
  const media = () => FakeConnection.all[FakeConnection.all.length - 1]!;
  const connect = async (id = 1) => {
    socket().open();
    socket().say(kWelcome);
    socket().say({ type: "offer", id, sdp: "v=0" });
    await settle();
    media().become("connected");
  };
  return { clock, session, sockets, socket, states, life, media, connect };
}

test("says hello, answers the offer, is connected when media is", async () => {
  const { session, socket, states, media } = setup();
  assert.deepEqual(states, ["connecting"]);
  socket().open();
  assert.deepEqual(socket().messages[0], { type: "hello", version: 1, codecs: ["H264"], decodes: [], transports: ["webrtc"], client: "test", frames: true });
  socket().say(kWelcome);
  assert.equal(session.peerId, "p1");
  socket().say({ type: "offer", id: 7, sdp: "v=0" });
  await settle();
  assert.deepEqual(socket().messages[1], { type: "answer", id: 7, sdp: "my answer" });
  assert.equal(session.state, "connecting");
  media().become("connected");
  assert.deepEqual(states, ["connecting", "connected"]);
});

test("messages wait until the page takes them, in their order", async () => {
  const clock = new FakeClock(), socket = new FakeSocket();
  const session = new Session({
    url: "x", codecs: () => [], client: "", clock, makePeer: (ice) => new Peer(ice, clock), makeSocket: () => socket,
  });
  const seen: string[] = [];
  session.start();
  socket.open();
  socket.say(kWelcome);
  socket.say({ type: "viewers", count: 3 });
  session.on("welcome", () => seen.push("welcome"));
  session.on("viewers", (count) => seen.push(`viewers ${count}`));
  session.deliver();
  assert.deepEqual(seen, ["welcome", "viewers 3"]);
});

test("comes back after 0.25 s, then ever slower up to 5 s, and fast again after a success", async () => {
  const { clock, session, sockets, socket, connect, states } = setup();
  const delays: number[] = [];
  for (let i = 0; i < 7; i++) {
    const before = clock.now(), count = sockets.length;
    socket().end();
    assert.equal(session.state, "lost");
    while (sockets.length === count)
      await clock.advance(50);
    delays.push(clock.now() - before);
  }
  assert.deepEqual(delays, [250, 500, 1000, 2000, 4000, 5000, 5000]);
  assert.equal(states[1], "lost: the connection broke");
  await connect();
  assert.equal(session.state, "connected");
  socket().end(1001);
  assert.equal(states[states.length - 1], "lost: the server ended");
  const count = sockets.length;
  await clock.advance(250);
  assert.equal(sockets.length, count + 1);
});

test("tries at once when the network is back or the user asks", async () => {
  const { clock, session, sockets, socket } = setup();
  socket().end();
  session.nudge();
  assert.equal(sockets.length, 2);
  socket().end();
  session.setVisible(true);
  assert.equal(sockets.length, 3);
  await clock.advance(1000);
  assert.equal(sockets.length, 3, "the wait was given up");
});

test("who comes back by another connection says who it was", async () => {
  const { clock, socket, connect } = setup();
  await connect();
  assert.equal(socket().messages[0]?.["resume"], undefined);
  socket().say({ ...kWelcome, resume: "token-1" });
  socket().end();
  await clock.advance(300);
  socket().open();
  await settle();
  assert.equal(socket().messages.find((message) => message.type === "hello")?.["resume"], "token-1");
});

test("a nudge finds out that the session died", async () => {
  const { clock, session, socket, connect } = setup();
  await connect();
  await clock.advance(100);
  session.nudge();
  socket().say({ type: "pong", t: 100, server: 1 });
  await clock.advance(1000);
  assert.equal(session.state, "connected");
  session.nudge();
  await clock.advance(1000);
  assert.equal(session.state, "lost");
});

test("an error that forbids another try ends in refused; one that does not, in lost with its message", async () => {
  const refused = setup();
  refused.socket().open();
  refused.socket().say({ type: "error", code: "kicked", message: "go away", retry: false });
  refused.socket().end(1008);
  await refused.clock.advance(60000);
  assert.deepEqual(refused.states, ["connecting", "refused: go away"]);
  assert.equal(refused.sockets.length, 1);
  refused.session.retryNow();
  assert.equal(refused.sockets.length, 2, "the user may try again");

  const busy = setup();
  busy.socket().open();
  busy.socket().say({ type: "error", code: "busy", message: "full house" });
  busy.socket().end(1011);
  assert.deepEqual(busy.states, ["connecting", "lost: full house"]);
});

test("a WebSocket that was not accepted: the page tells why", async () => {
  const cases: [ProbeAnswer | null, string][] = [
    [{ status: 401, retryAfter: 0, text: "" }, "refused: not signed in"],
    [{ status: 403, retryAfter: 0, text: "set a password" }, "refused: set a password"],
    [{ status: 429, retryAfter: 30, text: "" }, "lost: too many failed attempts"],
    [{ status: 200, retryAfter: 0, text: "" }, "lost: the server does not accept the session"],
    [null, "lost: the server cannot be reached"],
  ];
  for (const [answer, state] of cases) {
    const { socket, states, clock, sockets } = setup(() => (answer ? Promise.resolve(answer) : Promise.reject(new Error())));
    socket().end();
    await settle();
    assert.equal(states[states.length - 1], state);
    await clock.advance(29000);
    assert.equal(sockets.length > 1, !answer || answer.status === 200, state);
  }
});

test("silence is noticed: no welcome, no pong", async () => {
  const early = setup();
  await early.clock.advance(10000);
  assert.equal(early.states[1], "lost: the server does not answer");

  const late = setup();
  await late.connect();
  await late.clock.advance(2000);
  assert.equal(late.session.state, "connected");
  await late.clock.advance(1500);
  assert.ok(late.states.includes("lost: the server does not answer"));
});

test("pings every second and reports the round trip", async () => {
  const { clock, session, socket, connect } = setup();
  const times: number[] = [];
  session.on("roundTrip", (time) => times.push(time));
  await connect();
  await clock.advance(1000);
  const ping = socket().messages.find((message) => message.type === "ping");
  await clock.advance(30);
  socket().say({ type: "pong", t: ping?.["t"], server: 5 });
  assert.deepEqual(times, [30]);
});

test("a server that speaks nonsense is left", async () => {
  const { socket, states } = setup();
  socket().open();
  socket().say("{}");
  assert.deepEqual(states, ["connecting", "lost: a message has no type"]);
});

test("a new offer makes a second connection; the first closes when the second shows a picture", async () => {
  const { socket, media, connect, session } = setup();
  await connect(1);
  const first = media();
  socket().say({ type: "offer", id: 2, sdp: "v=0" });
  await settle();
  const second = media();
  assert.notEqual(first, second);
  assert.equal(first.closed, false);
  assert.equal(session.state, "connected");
  second.become("connected");
  assert.equal(first.closed, false, "the second shows nothing yet");
  session.pictureShown(first.track);
  assert.equal(first.closed, false, "that was the first one's picture");
  session.pictureShown(second.track);
  assert.equal(first.closed, true);
  assert.deepEqual(socket().messages.filter((m) => m.type === "media-shown").map((m) => m["id"]), [2]);
  assert.deepEqual(socket().messages.filter((m) => m.type === "answer").map((m) => m["id"]), [1, 2]);
});

test("the connection with the picture stays while those that should follow it do not come up", async () => {
  const { socket, media, connect, session } = setup();
  await connect(1);
  const first = media();
  session.pictureShown(first.track);
  socket().say({ type: "offer", id: 2, sdp: "v=0" });
  await settle();
  const second = media();
  socket().say({ type: "offer", id: 3, sdp: "v=0" });
  await settle();
  const third = media();
  assert.deepEqual([first.closed, second.closed], [false, true], "the second was not up");
  third.become("failed");
  assert.deepEqual([first.closed, third.closed], [false, true]);
  assert.equal(session.state, "connected", "the picture has not gone");
  assert.equal(socket().types.includes("renegotiate"), false, "the server offers again by itself");
  socket().say({ type: "offer", id: 4, sdp: "v=0" });
  await settle();
  media().become("connected");
  socket().say({ type: "offer", id: 5, sdp: "v=0" });
  await settle();
  assert.equal(first.closed, true, "the fourth was up");
  media().become("connected");
  session.pictureShown(media().track);
});

test("other servers: a connection by a relay is asked for anew, unless an offer comes before that", async () => {
  const { clock, socket, media, connect } = setup();
  const asked = () => socket().messages.filter((message) => message.type === "renegotiate").map((message) => message["id"]);
  const change = async () => {
    socket().say({ type: "ice-servers", iceServers: [{ urls: ["turn:a:1"] }], iceTransportPolicy: "all" });
    await settle();
  };
  await connect(1);
  await change();
  assert.deepEqual(asked(), [1]);
  await change();
  assert.deepEqual(asked(), [1], "not twice in a second");
  await clock.advance(1100);
  assert.deepEqual(asked(), [1, 1]);
  await change();
  socket().say({ type: "offer", id: 2, sdp: "v=0" });
  await settle();
  media().become("connected");
  await clock.advance(1100);
  assert.deepEqual(asked(), [1, 1]);
});

test("an old connection does not stay for ever", async () => {
  const { clock, socket, media, connect } = setup();
  await connect(1);
  const first = media();
  socket().say({ type: "offer", id: 2, sdp: "v=0" });
  await settle();
  media().become("connected");
  for (let i = 0; i < 4; i++) {
    await clock.advance(1000);
    socket().say({ type: "pong", t: 0, server: 1 });
  }
  await clock.advance(900);
  assert.equal(first.closed, false);
  await clock.advance(200);
  assert.equal(first.closed, true);
});

test("a hidden page gets no pictures: its old connection closes when the new one is up", async () => {
  const { socket, media, connect, session } = setup();
  await connect(1);
  const first = media();
  session.setVisible(false);
  socket().say({ type: "offer", id: 2, sdp: "v=0" });
  await settle();
  media().become("connected");
  assert.equal(first.closed, true);
});

test("the last picture stays until a new session shows one", async () => {
  const { clock, socket, media, connect, session } = setup();
  await connect();
  const first = media();
  socket().end();
  await clock.advance(250);
  socket().end();
  await clock.advance(500);
  assert.equal(first.closed, false);
  await connect();
  assert.notEqual(media(), first);
  assert.equal(first.closed, false);
  session.pictureShown(media().track);
  assert.equal(first.closed, true);
  assert.equal(session.state, "connected");
  socket().say({ type: "error", code: "kicked", message: "go", retry: false });
  assert.equal(media().closed, true, "nothing stays when there will be no new one");
});

test("a broken media connection is asked for anew, at most once per second", async () => {
  const { clock, socket, media, connect, session } = setup();
  const asked = () => socket().types.filter((type) => type === "renegotiate").length;
  await connect();
  media().become("failed");
  assert.equal(asked(), 1);
  assert.equal(session.state, "connecting");
  for (let i = 0; i < 3; i++) {
    socket().say({ type: "offer", id: 10 + i, sdp: "bad" });
    await settle();
  }
  assert.equal(asked(), 1);
  await clock.advance(1100);
  assert.equal(asked(), 2);
});

test("a path that is gone for a second is given up, a shorter break is not", async () => {
  const { clock, socket, media, connect } = setup();
  await connect();
  media().become("disconnected");
  await clock.advance(700);
  media().become("connected");
  await clock.advance(700);
  assert.equal(socket().types.includes("renegotiate"), false);
  media().become("disconnected");
  await clock.advance(1000);
  assert.equal(socket().types.includes("renegotiate"), true);
});

test("input goes out only for the holder of control, numbered anew in each session", async () => {
  const { clock, session, socket, connect } = setup();
  const records = () => socket().sent.filter((data) => typeof data !== "string").flatMap((data) => decodeInput(data as Uint8Array));
  const scroll = () => session.input?.scroll(0, 120);
  await connect();
  scroll();
  socket().say({ type: "control", holder: "p1", you: true });
  scroll();
  await settle();
  socket().say({ type: "control", holder: "p2", you: false });
  scroll();
  assert.deepEqual(records().map((r) => [r.type, r.sequence]), [["scroll", 1], ["release", 2]]);

  socket().end();
  await clock.advance(250);
  await connect();
  socket().say({ type: "control", holder: "p1", you: true });
  scroll();
  await settle();
  assert.deepEqual(records().map((r) => [r.type, r.sequence]), [["scroll", 1]]);
});

test("a hidden page says so, also in a new session", async () => {
  const { clock, session, socket, connect } = setup();
  await connect();
  session.setVisible(false);
  assert.equal(socket().types[socket().types.length - 1], "visible");
  socket().end();
  await clock.advance(250);
  socket().open();
  assert.deepEqual(socket().messages.slice(0, 2).map((m) => [m.type, m["value"]]), [["hello", undefined], ["visible", false]]);
});

test("ends with its signal", async () => {
  const { clock, life, socket, sockets, media, connect } = setup();
  await connect();
  life.abort();
  assert.equal(media().closed, true);
  assert.equal(socket().readyState, 3);
  await clock.advance(60000);
  assert.equal(sockets.length, 1);
  assert.equal(clock.waiting, 0);
});
