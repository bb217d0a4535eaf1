// SPDX-License-Identifier: LGPL-2.1-or-later
// Sound on the page: loudness and device of what is heard, the microphone, and the panel for both.
import { Microphone, type MicrophoneState, whyNoMicrophone } from "../core/microphone";
import type { Way } from "../core/race";
import type { Session } from "../core/session";
import type { WsMedia } from "../core/ws-media";
import { t } from "./text";

interface Remembered { volume: number; muted: boolean }
const kKey = "vitrine-sound";

function remembered(): Remembered {
  try {
    const value = JSON.parse(localStorage.getItem(kKey) ?? "{}") as Partial<Remembered>;
    const volume = Number(value.volume ?? 1);
    return { volume: volume >= 0 && volume <= 1 ? volume : 1, muted: value.muted === true };
  } catch {
    return { volume: 1, muted: false };
  }
}

/** Not in every browser. */
interface SinkChoice {
  setSinkId?(id: string): Promise<void>;
}

/** Both ways that sound comes by, as one. */
class Output {
  readonly #element: HTMLAudioElement;
  readonly #fallback: WsMedia;
  #way: Way | null = null;
  #chosen = remembered();

  constructor(element: HTMLAudioElement, fallback: WsMedia) {
    this.#element = element;
    this.#fallback = fallback;
    this.#apply();
  }

  get volume(): number {
    return this.#chosen.volume;
  }
  get muted(): boolean {
    return this.#chosen.muted;
  }
  get canChoose(): boolean {
    return "setSinkId" in this.#element;
  }

  set(chosen: Partial<Remembered>): void {
    this.#chosen = { ...this.#chosen, ...chosen };
    try {
      localStorage.setItem(kKey, JSON.stringify(this.#chosen));
    } catch {
      // Then it holds for this page only.
    }
    this.#apply();
  }

  /** One sound at a time. */
  setWay(way: Way): void {
    this.#way = way;
    this.#apply();
  }

  async setDevice(id: string): Promise<void> {
    this.#fallback.setSink(id);
    await (this.#element as SinkChoice).setSinkId?.(id);
  }

  #apply(): void {
    const { volume, muted } = this.#chosen;
    this.#element.volume = volume;
    this.#element.muted = muted || this.#way === "websocket";
    this.#fallback.setVolume(muted ? 0 : volume);
  }
}

export interface Sound {
  setWay(way: Way): void;
  microphone: MicrophoneState;
}

export interface SoundPage {
  element: HTMLAudioElement;
  section: HTMLElement;
  toggle: HTMLButtonElement;
  fallback: WsMedia;
  session: Session;
  done: () => void;
  notice: (text: string) => void;
}

export function attachSound(page: SoundPage, signal: AbortSignal): Sound {
  const { section, session } = page;
  const output = new Output(page.element, page.fallback);
  const where = { devices: navigator.mediaDevices as MediaDevices | undefined, secure: isSecureContext };
  const microphone = new Microphone(where);
  let allowed = false;

  // ---- what the panel holds ----
  const line = (...content: HTMLElement[]) => {
    const made = document.createElement("div");
    made.className = "line";
    made.append(...content);
    section.append(made);
    return made;
  };
  const button = (id: string, press: () => void) => {
    const made = document.createElement("button");
    made.type = "button";
    made.id = id;
    made.addEventListener("click", press);
    return made;
  };
  const labelled = <T extends HTMLElement>(control: T, text: string): HTMLLabelElement => {
    const label = document.createElement("label"), name = document.createElement("span");
    name.textContent = text;
    label.append(name, control);
    return label;
  };
  const chooser = (id: string, choose: (device: string) => void) => {
    const made = document.createElement("select");
    made.id = id;
    made.addEventListener("change", () => {
      choose(made.value);
      page.done();
    });
    return made;
  };

  const mute = button("sound-mute", () => {
    output.set({ muted: !output.muted });
    show();
    page.done();
  });
  const volume = document.createElement("input");
  volume.type = "range";
  volume.id = "sound-volume";
  volume.min = "0";
  volume.max = "1";
  volume.step = "0.01";
  volume.addEventListener("input", () => {
    output.set({ volume: Number(volume.value), muted: false });
    show();
  });
  const speakers = chooser("sound-output", (id) => void output.setDevice(id).catch(() => page.notice("sound does not go there")));
  const talk = button("microphone-toggle", () => {
    if (microphone.state === "off")
      void microphone.start();
    else
      microphone.stop();
    page.done();
  });
  const note = document.createElement("p");
  note.id = "microphone-note";
  note.setAttribute("role", "status");
  const inputs = chooser("microphone-input", (id) => {
    microphone.device = id;
    microphone.restart();
  });
  const processing = document.createElement("input");
  processing.type = "checkbox";
  processing.id = "microphone-processing";
  processing.checked = microphone.processing;
  processing.addEventListener("change", () => {
    microphone.processing = processing.checked;
    microphone.restart();
    page.done();
  });
  line(mute, labelled(volume, t("Volume")));
  const speakerLine = line(labelled(speakers, t("Loudspeaker")));
  const talkLine = line(talk);
  const inputLine = line(labelled(inputs, t("Microphone")));
  const processingLine = line(labelled(processing, t("For speech: without echo and noise")));
  section.append(note);

  // ---- what it shows ----
  function show(): void {
    mute.textContent = output.muted ? t("Unmute") : t("Mute");
    volume.value = String(output.volume);
    const on = microphone.state !== "off";
    talk.textContent = microphone.state === "on" ? t("Switch microphone off") : microphone.state === "asking" ? t("Asking for the microphone…") : t("Switch microphone on");
    talk.classList.toggle("live", on);
    talk.disabled = !on && whyNoMicrophone(where) !== "";
    for (const part of [talkLine, inputLine, processingLine])
      part.hidden = !allowed || !session.control;
    page.toggle.textContent = on ? t("Sound, microphone on") : t("Sound");
    page.toggle.classList.toggle("live", on);
  }
  /** Names come with the leave to use a microphone; before, browsers tell nothing worth choosing from. */
  const listDevices = async () => {
    const all = await where.devices?.enumerateDevices().catch(() => []) ?? [];
    for (const [select, kind] of [[speakers, "audiooutput"], [inputs, "audioinput"]] as const) {
      const chosen = select.value, found = all.filter((device) => device.kind === kind && device.deviceId && device.deviceId !== "default");
      select.replaceChildren(new Option(t("Automatic"), ""), ...found.map(({ label, deviceId }) => new Option(label || deviceId.slice(0, 8), deviceId)));
      select.value = found.some(({ deviceId }) => deviceId === chosen) ? chosen : "";
    }
    speakerLine.hidden = !output.canChoose || speakers.options.length < 2;
    inputLine.hidden ||= inputs.options.length < 2;
  };
  const refresh = () => {
    show();
    void listDevices();
  };
  where.devices?.addEventListener("devicechange", refresh, { signal });

  microphone.on("state", ({ problem }) => {
    note.textContent = problem ? t("No microphone: {reason}.", { reason: t(problem) }) : "";
    if (problem)
      page.notice(note.textContent);
    refresh();
  }, signal);
  microphone.on("track", (track) => session.setMicrophone(track), signal);
  microphone.on("ask", (on) => session.send({ type: "microphone", on }), signal);
  session.on("microphone", ({ on, reason }) => microphone.answered(on, reason), signal);
  session.on("welcome", ({ microphone: may }) => {
    allowed = may;
    if (!may)
      microphone.stop();
    show();
  }, signal);
  session.on("control", ({ you }) => {
    if (you)
      microphone.resume();
    else
      microphone.stop(microphone.state === "off" ? "" : "only who has control is heard");
    show();
  }, signal);
  const cannot = whyNoMicrophone(where);
  if (cannot)
    note.textContent = t("No microphone: {reason}.", { reason: t(cannot) });
  refresh();
  return {
    setWay: (way) => output.setWay(way),
    get microphone() {
      return microphone.state;
    },
  };
}
