// SPDX-License-Identifier: LGPL-2.1-or-later
// Builds the page into the folder given (dist by default): index.html, and assets with a hash in their names.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { catalogues } from "./catalogues.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const out = path.resolve(process.argv[2] ?? path.join(root, "dist"));
const assets = path.join(out, "assets");
rmSync(out, { recursive: true, force: true });
mkdirSync(assets, { recursive: true });

const locales = catalogues(path.join(root, "../po"));
const hashed = (content) => createHash("sha256").update(content).digest("hex").slice(0, 8);
const localeNamed = (name) => `locale-${name}-${hashed(JSON.stringify(locales.get(name)))}.json`;
const common = {
  outdir: assets,
  entryNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome109", "firefox115", "safari16.4"],
  legalComments: "none",
  metafile: true,
};
// Scripts that run beside the page come first: it names them.
const beside = await build({ ...common, entryPoints: ["ws-worker.ts", "ws-sound.ts"].map((name) => path.join(root, "src/core", name)) });
const besideNamed = (name) => `assets/${path.basename(Object.keys(beside.metafile.outputs).find((file) => path.basename(file).startsWith(name)))}`;
const result = await build({
  ...common,
  entryPoints: [path.join(root, "src/ui/main.ts"), path.join(root, "src/ui/style.css")],
  define: {
    kLocales: JSON.stringify(Object.fromEntries([...locales.keys()].map((name) => [name, `assets/${localeNamed(name)}`]))), kWorker: JSON.stringify(besideNamed("ws-worker")),
    kSoundWorklet: JSON.stringify(besideNamed("ws-sound")),
  },
});
const made = (ending) => {
  const found = Object.keys(result.metafile.outputs).find((name) => name.endsWith(ending));
  return `assets/${path.basename(found)}`;
};
const icon = readFileSync(path.join(root, "src/icon.svg"));
const iconName = `icon-${hashed(icon)}.svg`;
writeFileSync(path.join(assets, iconName), icon);
const page = readFileSync(path.join(root, "src/index.html"), "utf8")
  .replace("%SCRIPT%", made(".js")).replace("%STYLE%", made(".css")).replace("%ICON%", `assets/${iconName}`);
writeFileSync(path.join(out, "index.html"), page);
for (const [name, texts] of locales)
  writeFileSync(path.join(assets, localeNamed(name)), JSON.stringify(texts));
