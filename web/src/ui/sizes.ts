// SPDX-License-Identifier: LGPL-2.1-or-later
// The choice of the desktop's size, remembered by the browser.
import { t } from "./text";

const kName = "vitrine-size";
const kSizes = ["1280x720", "1600x900", "1920x1080", "2560x1440", "3840x2160"];

export function fillSizes(list: HTMLSelectElement, changed: (mode: string) => void): void {
  list.append(new Option(t("As this window"), "follow"), new Option(t("As it is, scaled to fit"), "keep"));
  list.append(...kSizes.map((size) => new Option(size.replace("x", " × "), size)));
  let last = "follow";
  try {
    last = localStorage.getItem(kName) ?? last;
  } catch {
    // Not kept then.
  }
  list.value = last;
  if (list.selectedIndex < 0)
    list.value = "follow";
  list.addEventListener("change", () => {
    try {
      localStorage.setItem(kName, list.value);
    } catch {
      // Not kept then.
    }
    changed(list.value);
  });
  changed(list.value);
}
