// SPDX-License-Identifier: LGPL-2.1-or-later
// Tells the desktop the viewer's keyboard layout: what the user chose, else what the browser lets the page know of it.
import { layoutOfKeys } from "../core/layout-hint";
import type { Session } from "../core/session";

interface LayoutNavigator extends Navigator {
  keyboard?: EventTarget & { getLayoutMap?: () => Promise<Iterable<[string, string]>> };
}

export class LayoutTeller {
  readonly #session: Session;
  #chosen = "";

  constructor(session: Session, signal: AbortSignal) {
    this.#session = session;
    session.on("control", ({ you }) => {
      if (you)
        void this.#tell();
    }, signal);
    // Not all browsers have it, and of those few tell changes.
    (navigator as LayoutNavigator).keyboard?.addEventListener?.("layoutchange", () => void this.#tell(), { signal });
  }

  /** "" for the layout of this computer. */
  choose(layout: string): void {
    this.#chosen = layout;
    void this.#tell();
  }

  async #tell(): Promise<void> {
    const chosen = this.#chosen;
    const message = chosen ? { type: "desktop/keyboard" as const, layout: chosen } : await this.#ask();
    if (message && chosen === this.#chosen && this.#session.control)
      this.#session.send(message);
  }

  async #ask() {
    try {
      const map = await (navigator as LayoutNavigator).keyboard?.getLayoutMap?.();
      return map ? layoutOfKeys(map) : null;
    } catch {
      return null;  // in a frame without leave
    }
  }
}
