// SPDX-License-Identifier: LGPL-2.1-or-later
// Bundles each *.test.ts and runs them all with node's test runner.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const tests = readdirSync(path.join(root, "src"), { recursive: true }).map(String).filter((name) => name.endsWith(".test.ts"));
if (tests.length === 0)
  throw new Error("no tests found");
const out = mkdtempSync(path.join(tmpdir(), "vitrine-web-"));
try {
  await build({
    entryPoints: tests.map((name) => path.join(root, "src", name)), outdir: out, bundle: true, platform: "node", format: "esm",
    target: "node18", outExtension: { ".js": ".mjs" },
  });
  const files = readdirSync(out, { recursive: true }).map(String).filter((name) => name.endsWith(".test.mjs")).map((name) => path.join(out, name));
  const env = { ...process.env, VITRINE_VECTORS_DIR: process.env.VITRINE_VECTORS_DIR ?? path.join(root, "../tests/vectors") };
  process.exitCode = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit", env }).status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
