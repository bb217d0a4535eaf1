// SPDX-License-Identifier: LGPL-2.1-or-later
// The panel with figures.
import type { Stats } from "../core/stats";
import type { TransportChoice } from "../core/transport";
import { t } from "./text";

const nameOf = (transport: string) => (transport === "websocket" ? "WebSocket" : `WebRTC, ${transport.toUpperCase()}`);

/** Lets the user force or forbid a transport. `noSocket`: why pictures cannot come by WebSocket here, "" if they can. */
export function offerTransports(label: HTMLElement, chosen: TransportChoice, noSocket: string, choose: (choice: TransportChoice) => void): void {
  const names: [TransportChoice, string][] = [["auto", t("Automatic")], ["webrtc", "WebRTC"], ["websocket", "WebSocket"]];
  const select = label.querySelector("select") as HTMLSelectElement;
  (label.querySelector("span") as HTMLElement).textContent = t("Transport");
  select.replaceChildren(...names.map(([value, name]) => {
    const option = new Option(name, value, false, value === chosen);
    option.disabled = value === "websocket" && noSocket !== "";
    option.title = option.disabled ? t(noSocket) : "";
    return option;
  }));
  select.addEventListener("change", () => choose(select.value as TransportChoice));
}

export function showFigures(list: HTMLElement, stats: Stats | null, roundTrip: number | null, viewers: number, note: string): void {
  const ms = (value: number) => t("{n} ms", { n: value.toFixed(value < 10 ? 1 : 0) });
  const rows: [string, string][] = stats ? [
    [t("Frames per second"), stats.fps.toFixed(0)],
    [t("Bitrate"), t("{n} Mbit/s", { n: (stats.bitrate / 1000).toFixed(2) })],
    [t("Round trip"), stats.roundTrip !== null ? ms(stats.roundTrip) : roundTrip !== null ? ms(roundTrip) : "–"],
    [t("Resolution"), `${stats.width}×${stats.height}`],
    [t("Codec"), stats.codec],
    [t("Transport"), note ? `${nameOf(stats.transport)} (${t(note)})` : nameOf(stats.transport)],
    [t("Jitter buffer"), ms(stats.jitterBuffer)],
    [t("Decoding"), ms(stats.decode)],
    [t("Lost packets"), String(stats.packetsLost)],
    [t("Viewers"), String(viewers)],
  ] : [[t("Viewers"), String(viewers)]];
  list.replaceChildren(...rows.flatMap(([name, value]) => {
    const term = document.createElement("dt"), detail = document.createElement("dd");
    term.textContent = name;
    detail.textContent = value;
    return [term, detail];
  }));
}
