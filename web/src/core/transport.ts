// SPDX-License-Identifier: LGPL-2.1-or-later
// Which transports the user wants: by the page's address (?transport=webrtc), or as remembered.
import type { Transport } from "./messages";

export type TransportChoice = "auto" | Transport;
const kChoices: readonly TransportChoice[] = ["auto", "webrtc", "websocket"];
const kKey = "vitrine-transport";

/** The parameter `transport` of a query; null if it has none or another value. */
export function transportOf(query: string): TransportChoice | null {
  const value = new URLSearchParams(query).get("transport");
  return kChoices.find((choice) => choice === value) ?? null;
}

export interface Store {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** The choice made before; browsers may forbid to look. */
export function rememberedTransport(store: () => Store): TransportChoice {
  try {
    const value = store().getItem(kKey);
    return kChoices.find((choice) => choice === value) ?? "auto";
  } catch {
    return "auto";
  }
}

export function rememberTransport(store: () => Store, choice: TransportChoice): void {
  try {
    store().setItem(kKey, choice);
  } catch {
    // Then it holds for this page only.
  }
}

export const chosenTransports = (choice: TransportChoice): readonly Transport[] =>
  choice === "auto" ? ["webrtc", "websocket"] : [choice];
