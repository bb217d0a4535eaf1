// SPDX-License-Identifier: LGPL-2.1-or-later
// Files dragged onto the page.

/** While something is dragged browsers say so several times a second; not all of them say when it has gone elsewhere. */
const kSilence = 1000;

export interface DropTarget {
  /** Shown while files are over the page. */
  overlay: HTMLElement;
  /** Whether files are taken now. */
  open: () => boolean;
  dropped: (files: File[], folders: number) => void;
}

/** Whatever is done with them, dropped files never take the page's place in the browser. */
export function attachDrop(target: DropTarget, signal: AbortSignal): void {
  const options = { signal };
  let late = 0;
  const hide = () => {
    clearTimeout(late);
    target.overlay.hidden = true;
  };
  const holdsFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  const over = (event: DragEvent) => {
    if (!holdsFiles(event) || !event.dataTransfer)
      return;
    event.preventDefault();
    event.dataTransfer.dropEffect = target.open() ? "copy" : "none";
    hide();
    target.overlay.hidden = !target.open();
    late = window.setTimeout(hide, kSilence);
  };
  window.addEventListener("dragenter", over, options);
  window.addEventListener("dragover", over, options);
  window.addEventListener("dragleave", (event) => {
    // Only out of the window, not from one element to the next.
    if (event.relatedTarget === null)
      hide();
  }, options);
  window.addEventListener("drop", (event) => {
    hide();
    if (!holdsFiles(event) || !event.dataTransfer)
      return;
    event.preventDefault();
    if (!target.open())
      return;
    const files: File[] = [];
    let folders = 0;
    for (const item of event.dataTransfer.items) {
      if (item.kind !== "file")
        continue;
      const file = item.getAsFile();
      if (item.webkitGetAsEntry()?.isDirectory)
        folders++;
      else if (file)
        files.push(file);
    }
    target.dropped(files, folders);
  }, options);
}
