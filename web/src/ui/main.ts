// SPDX-License-Identifier: LGPL-2.1-or-later
// The page: connects first, then builds what the user sees around the stream.
import { addressOf } from "../core/address";
import { decodableCodecs, whyNoDecoder } from "../core/decoder-config";
import { parseMode } from "../core/display-size";
import { platformOf } from "../core/keyboard";
import { LatencyMeter } from "../core/latency";
import { Peer, playableCodecs } from "../core/peer";
import type { Way } from "../core/race";
import { type ProbeAnswer, Session, type SocketLike } from "../core/session";
import { SignallerSocket, peerOf } from "../core/signaller-socket";
import { watchNetwork } from "../core/network-watch";
import { type Stats, StatsMeter } from "../core/stats";
import { chosenTransports, rememberTransport, rememberedTransport, transportOf } from "../core/transport";
import { WsMedia } from "../core/ws-media";
import { Clipboard } from "./clipboard";
import { fillClipboardPanel } from "./clipboard-panel";
import { attachControls } from "./controls";
import { Desktop } from "./desktop";
import { attachFiles } from "./files-page";
import { attachGamepads } from "./gamepads";
import { fillKeys } from "./keys";
import { showLatency } from "./latency-panel";
import { LayoutTeller } from "./layout";
import { offerTransports, showFigures } from "./panel";
import { Screens } from "./screens";
import { fillSizes } from "./sizes";
import { type Sound, attachSound } from "./sound";
import { loadCatalogue, t } from "./text";

// Put in by the build:
declare const kLocales: Readonly<Record<string, string>>;
declare const kWorker: string;
declare const kSoundWorklet: string;

interface LockingNavigator extends Navigator {
  keyboard?: { lock(): Promise<void>; unlock(): void };
}

const life = new AbortController();
const transport = transportOf(location.search) ?? rememberedTransport(() => localStorage);
const decodes = decodableCodecs(["H264", "VP8", "VP9", "AV1"]);
const asset = (name: string) => addressOf(name, document.baseURI);
const fallback = new WsMedia({
  worker: asset(kWorker), soundWorklet: asset(kSoundWorklet),
  canvas: () => (document.querySelector("canvas.screen") as HTMLCanvasElement).transferControlToOffscreen(),
});
/** A desktop that is reached through the signalling server which this page is from; null: the page is the desktop's own. */
const peer = peerOf(location.search);
const session = new Session({
  url: addressOf(peer === null ? "ws" : "signalling/", location.href).replace(/^http/, "ws"),
  codecs: playableCodecs,
  transports: peer === null ? chosenTransports(transport) : ["webrtc"],
  decodes: () => decodes,
  fallback,
  client: "vitrine-web",
  makePeer: (ice) => new Peer(ice),
  probe: askForPage,
  ...(peer === null ? {} : { makeSocket: (url: string) => new SignallerSocket(new WebSocket(url) as SocketLike, peer) }),
}, life.signal);
// Before the session starts: what it is told at once counts.
const latency = new LatencyMeter();
session.on("pong", ({ left, came, serverUs }) => latency.pong(left, came, serverUs));
session.on("frames", ({ way, frames }) => latency.told(way, frames));
session.on("numbered", ({ record, at }) => latency.numbered(record, at));
session.on("welcome", () => latency.reset());
for (const type of ["keydown", "pointerdown", "wheel"])
  window.addEventListener(type, (event) => latency.happened(event.timeStamp), { capture: true, passive: true });
session.start();

/** How the server answers a plain request for this page. */
async function askForPage(): Promise<ProbeAnswer> {
  const answer = await fetch(addressOf(".", location.href), { cache: "no-store", signal: AbortSignal.timeout(20000) });
  const text = answer.ok ? "" : (await answer.text()).trim().slice(0, 300);
  return { status: answer.status, retryAfter: Number(answer.headers.get("Retry-After")) || 0, text };
}

const element = <T extends HTMLElement>(id: string): T => {
  const found = document.getElementById(id);
  if (!found)
    throw new Error(`the page has no #${id}`);
  return found as T;
};

/** What scripts and tests may look at. */
const handle = {
  get state() {
    return session.state;
  },
  get peer() {
    return session.peerId;
  },
  get role() {
    return session.role;
  },
  get control() {
    return session.control;
  },
  /** "webrtc" or "websocket"; null while nothing is shown. */
  get way() {
    return session.way;
  },
  /** "off", "asking" or "on". */
  get microphone() {
    return desktopSound?.microphone ?? "off";
  },
  framesPresented: 0,
  lastFrame: null as { width: number; height: number; rtpTimestamp: number | undefined; presentedAt: number; captureUs?: number } | null,
  stats: (): Stats | null => stats,
  latency: () => latency.summary(),
};
Object.defineProperty(window, "vitrine", { value: handle });

const kMostTopics = 8;
let stats: Stats | null = null;
let roundTrip: number | null = null;
let viewers = 1;
let canControl = false;
let desktopSound: Sound | null = null;

function start(): void {
  const screen = new Screens(document);
  const video = screen.video;
  const sound = element<HTMLAudioElement>("sound");
  const stateLine = element("state-text");
  const retry = element<HTMLButtonElement>("retry");
  const panel = element("panel");
  const soundOn = element<HTMLButtonElement>("sound-on");
  const controlAsk = element<HTMLButtonElement>("control-ask");
  const controlAsked = element<HTMLDialogElement>("control-asked");

  // ---- stream ----
  /** The track whose first picture is not there yet. */
  let awaited: MediaStreamTrack | null = null;
  const presented = (way: Way, count: number, width: number, height: number, rtpTimestamp: number | undefined, presentedAt: number) => {
    if (way === "webrtc" && awaited && (video.srcObject as MediaStream | null)?.getVideoTracks()[0] === awaited) {
      session.pictureShown(awaited);
      awaited = null;
    }
    if (session.way !== null && session.way !== way)
      return;
    handle.framesPresented += count;
    handle.lastFrame = { width, height, rtpTimestamp, presentedAt };
  };
  // Browsers without that callback count by what the decoder put out.
  const pollFrames = () => {
    const shown = video.getVideoPlaybackQuality().totalVideoFrames;
    if (shown < counted)
      counted = 0;
    if (shown > counted) {
      presented("webrtc", shown - counted, video.videoWidth, video.videoHeight, undefined, performance.now());
      counted = shown;
    }
    requestAnimationFrame(pollFrames);
  };
  let counted = 0;
  let framesKnown = 0;
  const onFrame = (now: number, frame: VideoFrameCallbackMetadata) => {
    presented("webrtc", 1, frame.width, frame.height, frame.rtpTimestamp, now);
    if (frame.rtpTimestamp !== undefined && session.way === "webrtc") {
      const { receiveTime, processingDuration, presentationTime, presentedFrames } = frame;
      // The browser says when it got the picture to render; `now` is of the rendering that has it.
      latency.presented("webrtc", frame.rtpTimestamp, {
        receivedAt: receiveTime ?? null, presentedAt: Math.max(now, presentationTime), missed: Math.max(0, presentedFrames - framesKnown - 1),
        decodedAt: receiveTime !== undefined && processingDuration !== undefined ? receiveTime + 1000 * processingDuration : null,
      });
    }
    framesKnown = frame.presentedFrames;
    video.requestVideoFrameCallback(onFrame);
  };
  if ("requestVideoFrameCallback" in video)
    video.requestVideoFrameCallback(onFrame);
  else
    pollFrames();
  session.on("track", (track) => {
    const target = track.kind === "video" ? video : sound;
    const show = () => {
      target.srcObject = new MediaStream([track]);
      if (track.kind === "video")
        awaited = track;
      target.play().catch(() => {
        soundOn.hidden = track.kind !== "audio";
      });
    };
    // A new connection takes over when its media flows; until then the last picture stays.
    if (target.srcObject && track.muted)
      track.addEventListener("unmute", show, { once: true });
    else
      show();
  });

  fallback.on("frame", (frame) => {
    screen.setCanvasSize(frame.width, frame.height);
    presented("websocket", 1, frame.width, frame.height, frame.rtpTime, frame.at);
    if (session.way !== "websocket")
      return;
    if (handle.lastFrame)
      handle.lastFrame.captureUs = frame.captureUs;
    latency.presented("websocket", frame.rtpTime, { receivedAt: frame.receivedAt, decodedAt: frame.decodedAt, presentedAt: frame.at, missed: 0 });
  });
  fallback.on("soundBlocked", () => (soundOn.hidden = false));
  const showWay = (way: Way | null) => {
    if (!way)
      return;
    screen.show(way === "websocket" ? screen.canvas : video);
    desktopSound?.setWay(way);
  };
  desktopSound = attachSound({
    element: sound, section: element("sound-panel"), toggle: element<HTMLButtonElement>("sound-toggle"), fallback, session,
    done: () => screen.focus(), notice: (text) => passingNotice("warning", text),
  }, life.signal);
  session.on("way", showWay);
  showWay(session.way);

  // ---- state ----
  let countdown = 0;
  const showState = ({ state, reason, retryAt }: { state: string; reason: string; retryAt: number | null }) => {
    document.documentElement.dataset["state"] = state;
    clearInterval(countdown);
    retry.hidden = state !== "lost" && state !== "refused";
    retry.textContent = state === "lost" ? t("Try now") : t("Connect again");
    if (state === "connecting")
      stateLine.textContent = t("Connecting…");
    else if (state === "refused")
      stateLine.textContent = t("Refused: {reason}", { reason: t(reason) });
    else
      stateLine.textContent = state === "lost" ? t("Connection lost: {reason}.", { reason: t(reason) }) : "";
    // Apart from the text above, so that screen readers do not read each second aloud.
    const wait = element("retry-wait");
    wait.hidden = state !== "lost";
    const count = () => {
      wait.textContent = t("Trying again in {n} s…", { n: Math.max(0, Math.ceil(((retryAt ?? 0) - performance.now()) / 1000)) });
    };
    count();
    if (state === "lost")
      countdown = window.setInterval(count, 250);
  };
  // A page that is loaded anew asks for the password; a WebSocket cannot.
  retry.addEventListener("click", () => (session.state === "refused" ? location.reload() : session.retryNow()));
  showState({ state: session.state, reason: "", retryAt: null });
  session.on("state", showState);
  session.on("welcome", (welcome) => {
    document.title = welcome.title;
    canControl = welcome.role === "control";
  });
  watchNetwork(() => session.nudge(), { window, connection: (navigator as { connection?: EventTarget }).connection }, life.signal);
  document.addEventListener("visibilitychange", () => session.setVisible(document.visibilityState === "visible"));
  if (document.visibilityState === "hidden")
    session.setVisible(false);

  // ---- control ----
  const lockPointer = element<HTMLButtonElement>("lock-pointer");
  const controls = attachControls(screen, element<HTMLTextAreaElement>("keys-in"), session, {
    keyboardLocked: () => keyboardLocked,
    leaveScreen: () => element("fullscreen").focus(),
  }, life.signal);
  session.on("control", (control) => {
    keysToggle.hidden = !control.you;
    lockPointer.hidden = !control.you || !("requestPointerLock" in video);
    controlAsk.hidden = control.you || !canControl;
    controlAsk.textContent = control.holder ? t("Ask for control") : t("Take control");
    controlAsk.title = control.holder ? t("{name} has control.", { name: control.name || t("Another viewer") }) : "";
    if (control.you)
      passingNotice("info", t("You control the desktop."));
  });
  controlAsk.addEventListener("click", () => {
    session.send({ type: "control-request" });
    screen.focus();
  });
  session.on("controlAsked", ({ peer, name }) => {
    controls.release();
    element("control-asked-text").textContent = t("{name} asks for control of the desktop.", { name: name || t("Another viewer") });
    const answer = (granted: boolean) => () => {
      controlAsked.oncancel = null;
      session.send({ type: "control-answer", peer, granted });
      controlAsked.close();
      screen.focus();
    };
    element("control-grant").onclick = answer(true);
    element("control-deny").onclick = answer(false);
    controlAsked.oncancel = answer(false);
    if (!controlAsked.open)
      controlAsked.showModal();
  });
  session.on("control", (control) => {
    if (!control.you && controlAsked.open)
      controlAsked.close();
  });

  // ---- bar and panel ----
  element("control-grant").textContent = t("Allow");
  element("control-deny").textContent = t("Deny");
  soundOn.textContent = t("Sound on");
  soundOn.addEventListener("click", () => {
    void sound.play();
    fallback.resumeSound();
    soundOn.hidden = true;
    screen.focus();
  });
  lockPointer.textContent = t("Lock pointer");
  lockPointer.title = t("Sends movements instead of positions, for games and 3D. Escape ends it.");
  lockPointer.addEventListener("click", () => {
    screen.focus();
    screen.requestPointerLock();
  });
  let keyboardLocked = false;
  const fullscreen = element<HTMLButtonElement>("fullscreen");
  const nameFullscreen = () => {
    fullscreen.textContent = document.fullscreenElement ? t("Leave full screen") : t("Full screen");
  };
  nameFullscreen();
  fullscreen.addEventListener("click", () => {
    const keyboard = (navigator as LockingNavigator).keyboard;
    if (document.fullscreenElement)
      void document.exitFullscreen();
    else
      document.documentElement.requestFullscreen({ navigationUI: "hide" }).then(async () => {
        await keyboard?.lock();
        keyboardLocked = keyboard !== undefined;
      }).catch(() => {});
    screen.focus();
  });
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement) {
      (navigator as LockingNavigator).keyboard?.unlock();
      keyboardLocked = false;
    }
    nameFullscreen();
  });
  const keysToggle = element<HTMLButtonElement>("keys-toggle");
  const clipboardToggle = element<HTMLButtonElement>("clipboard-toggle"), filesToggle = element<HTMLButtonElement>("files-toggle");
  const sections: [HTMLButtonElement, HTMLElement, string][] = [
    [keysToggle, element("keys"), t("Keys")], [element("sound-toggle"), element("sound-panel"), t("Sound")], [clipboardToggle, element("clipboard"), t("Clipboard")],
    [filesToggle, element("files"), t("Files")], [element("panel-toggle"), panel, t("Statistics")],
  ];
  const show = (section: HTMLElement | null) => {
    for (const [button, one] of sections) {
      one.hidden = one !== section;
      button.setAttribute("aria-expanded", String(!one.hidden));
    }
  };
  for (const [toggle, section, name] of sections) {
    toggle.textContent = name;
    toggle.addEventListener("click", (event) => {
      show(section.hidden ? section : null);
      // By the keyboard: on into what has opened.
      if (event.detail === 0 && !section.hidden)
        section.querySelector<HTMLElement>("button:not([hidden]), select, textarea, a")?.focus();
      else
        screen.focus();
    });
  }
  offerTransports(element("transport-choice"), transport, whyNoDecoder(), (chosen) => {
    rememberTransport(() => localStorage, chosen);
    session.setTransports(chosenTransports(chosen));
    screen.focus();
  });
  // ---- clipboard, pointer, size ----
  const clipboardPanel = fillClipboardPanel(element("clipboard"), () => clipboard, () => screen.focus());
  const clipboard = new Clipboard(session, { notice: (text) => passingNotice("warning", t(text)), show: clipboardPanel.show }, life.signal);
  const desktop = new Desktop(session, element<HTMLImageElement>("pointer"), life.signal);
  const sizeLine = element("size"), sizeList = sizeLine.querySelector("select") as HTMLSelectElement;
  (sizeLine.querySelector("span") as HTMLElement).textContent = t("Size");
  const showDesktop = () => {
    const { state } = desktop;
    screen.setDesktopSize(state?.width ?? 0, state?.height ?? 0);
    const ways = state && session.control ? state.clipboard : "off";
    clipboardToggle.hidden = ways === "off";
    if (clipboardToggle.hidden)
      element("clipboard").hidden = true;
    sizeLine.hidden = !session.control || !state?.resize;
    clipboard.configure(ways, state?.clipboardLimit ?? 0);
    clipboardPanel.allow(ways);
  };
  desktop.onstate = showDesktop;
  session.on("control", showDesktop);
  fillSizes(sizeList, (mode) => {
    desktop.setMode(parseMode(mode));
    screen.focus();
  });
  attachFiles({
    session, toggle: filesToggle, section: element("files"), overlay: element("drop"), open: () => show(element("files")),
    notice: passingNotice,
  }, life.signal);
  attachGamepads(session, element("gamepads"), life.signal);
  const layout = new LayoutTeller(session, life.signal);
  fillKeys(element("keys"), controls, {
    done: () => screen.focus(),
    chooseLayout: (chosen) => layout.choose(chosen),
    mac: platformOf(navigator.platform) === "mac",
  });
  for (const desktop of [screen, element("keys-in")])
    desktop.setAttribute("aria-label", t("Remote desktop"));
  screen.focus({ preventScroll: true });

  // ---- figures and notices ----
  const notices = element("notices");
  const topics = new Map<string, HTMLElement>();
  function notice(level: string, text: string): HTMLElement {
    const line = document.createElement("p");
    line.className = level;
    line.textContent = text;
    notices.append(line);
    return line;
  }
  function passingNotice(level: string, text: string): void {
    const line = notice(level, text);
    setTimeout(() => line.remove(), level === "info" ? 3000 : 10000);
  }
  session.on("notice", ({ level, text, topic }) => {
    if (!topic) {
      passingNotice(level, t(text));
      return;
    }
    topics.get(topic)?.remove();
    topics.delete(topic);
    // Names of topics are the server's: so many at most.
    if (text && topics.size < kMostTopics)
      topics.set(topic, notice(level, t(text)));
  });
  // A server that was started anew does not know what the one before it had said.
  session.on("welcome", () => {
    for (const line of topics.values())
      line.remove();
    topics.clear();
  });
  session.on("roundTrip", (value) => (roundTrip = value));
  session.on("viewers", (count) => (viewers = count));
  const meter = new StatsMeter();
  setInterval(() => {
    for (const report of latency.take())
      session.send(report);
    if (document.visibilityState === "hidden")
      return;
    if (!panel.hidden)
      showLatency(element("latency"), latency.summary());
    const connection = session.connection;
    const show = (figures: Stats | null) => {
      stats = figures;
      if (!panel.hidden)
        showFigures(element("figures"), stats, roundTrip, viewers, whyNoDecoder());
    };
    if (session.way === "websocket")
      show(fallback.measure(performance.now(), roundTrip));
    else if (connection)
      meter.measure(connection).then(show).catch(() => {});
  }, 1000);
  session.deliver();
}

const whenReady = () =>
  document.readyState === "loading"
    ? new Promise<void>((resolve) => document.addEventListener("DOMContentLoaded", () => resolve(), { once: true }))
    : Promise.resolve();
void Promise.all([whenReady(), loadCatalogue(navigator.languages, kLocales).catch(() => {})]).then(start);
