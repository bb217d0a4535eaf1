// SPDX-License-Identifier: LGPL-2.1-or-later
// Latency in the panel: totals, and a bar of what they are made of.
import { type LatencySummary, type Quantiles, type Stage, kStages } from "../core/latency";
import { t } from "./text";

const nameOf = (stage: Stage): string => {
  switch (stage) {
    case "input": return t("Input on its way");
    case "program": return t("Program and wait for capture");
    case "capture": return t("Capture");
    case "encode": return t("Encoding");
    case "send": return t("Sending");
    case "network": return t("Network");
    case "decode": return t("Decoding");
    case "present": return t("Presentation");
  }
};

const cell = (tag: "td" | "th", text: string, scope = ""): HTMLTableCellElement => {
  const made = document.createElement(tag);
  made.textContent = text;
  if (scope)
    made.scope = scope;
  return made;
};

const row = (name: Node, quantiles: Quantiles, unsure: boolean): HTMLTableRowElement => {
  const made = document.createElement("tr");
  const head = cell("th", "", "row");
  head.append(name);
  const about = unsure ? "≈ " : "";
  made.append(head, ...[quantiles.p50, quantiles.p95].map((value) => cell("td", about + t("{n} ms", { n: value.toFixed(value < 10 ? 1 : 0) }))));
  return made;
};

/** One segment per stage, as wide as its median. */
const bar = (stages: [Stage, Quantiles][]): HTMLElement => {
  const made = document.createElement("div");
  made.className = "latency-bar";
  made.setAttribute("aria-hidden", "true");  // the table says the same
  for (const [stage, { p50 }] of stages) {
    const part = document.createElement("span");
    part.dataset["stage"] = stage;
    part.style.flexGrow = String(p50);
    part.title = nameOf(stage);
    made.append(part);
  }
  return made;
};

/** Fills the panel's section; without a measured frame it stays empty. */
export function showLatency(section: HTMLElement, summary: LatencySummary): void {
  const { captureToPhoton, inputToPhoton, sure, uncertainty } = summary;
  if (!captureToPhoton) {
    section.replaceChildren();
    return;
  }
  const table = document.createElement("table"), head = table.createTHead().insertRow(), body = table.createTBody();
  head.append(cell("th", t("Latency"), "col"), cell("th", t("Median"), "col"), cell("th", "p95", "col"));
  // The one is measured by this browser's clock alone, the other needs the server's too.
  if (inputToPhoton)
    body.append(row(document.createTextNode(t("Input to photon")), inputToPhoton, false));
  body.append(row(document.createTextNode(t("Capture to photon")), captureToPhoton, !sure));
  const stages = kStages.flatMap((stage): [Stage, Quantiles][] => {
    const quantiles = summary.stages[stage];
    return quantiles ? [[stage, quantiles]] : [];
  });
  for (const [stage, quantiles] of stages) {
    const name = document.createDocumentFragment(), mark = document.createElement("i");
    mark.dataset["stage"] = stage;
    name.append(mark, nameOf(stage));
    const made = row(name, quantiles, !sure && (stage === "input" || stage === "network"));
    made.className = "stage";
    body.append(made);
  }
  const clock = document.createElement("p");
  clock.className = sure ? "" : "unsure";
  clock.textContent = sure && uncertainty !== null
    ? t("Clocks agree within {n} ms.", { n: Math.max(0.1, uncertainty).toFixed(1) })
    : t("Not sure: the clocks of server and browser do not agree well enough.");
  section.replaceChildren(table, bar(stages), clock);
}
