// SPDX-License-Identifier: LGPL-2.1-or-later
// Input records against the vectors that the C++ tests read too.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { type InputEvent, type InputRecord, InputRecordError, decodeInput, encodeInput } from "./input-record";

interface VectorRecord { type: InputRecord["type"]; sequence: number; after: number; time: number; [member: string]: unknown }
interface Vectors {
  valid: { name: string; hex: string; records: VectorRecord[]; reencode?: boolean }[];
  invalid: { name: string; hex: string; error: string }[];
}

const folder = process.env["VITRINE_VECTORS_DIR"];
assert.ok(folder, "VITRINE_VECTORS_DIR names the folder of the vectors");
const vectors = JSON.parse(readFileSync(path.join(folder, "input-records.json"), "utf8")) as Vectors;

const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex.replace(/ /g, ""), "hex"));

/** The vectors write flags as numbers, and a button without a position without its members. */
function recordOf(vector: VectorRecord): InputRecord {
  const { sequence, after, time } = vector;
  const at = (name: string) => Number(vector[name]);
  const event = (): InputEvent => {
    switch (vector.type) {
      case "key":
        return {
          type: "key", down: at("down") === 1, repeat: at("repeat") === 1, code: at("code"), keysym: at("keysym"),
          modifiers: at("modifiers"), ...("meaning" in vector ? { meaning: at("meaning") === 1 ? "position" : "text" } : {}),
        };
      case "pointer":
        return { type: "pointer", x: at("x"), y: at("y"), width: at("width"), height: at("height") };
      case "motion":
        return { type: "motion", dx: at("dx"), dy: at("dy") };
      case "button": {
        const position = "x" in vector ? { x: at("x"), y: at("y"), width: at("width"), height: at("height") } : null;
        return { type: "button", button: at("button"), down: at("down") === 1, position };
      }
      case "scroll":
        return { type: "scroll", dx: at("dx"), dy: at("dy") };
      case "pad":
        return { type: "pad", pad: at("pad"), kind: (["gone", "standard", "raw"] as const)[at("kind")]!, buttons: at("buttons"), axes: at("axes") };
      case "padAxes":
      case "padButtons":
        return { type: vector.type, pad: at("pad"), buttons: at("buttons"), axes: vector["axes"] as number[] };
      default:
        return { type: vector.type };
    }
  };
  return { ...event(), sequence, after, time };
}

assert.ok(vectors.valid.length > 0 && vectors.invalid.length > 0);
for (const vector of vectors.valid)
  test(`valid: ${vector.name}`, () => {
    const records = vector.records.map(recordOf);
    assert.deepEqual(decodeInput(bytesOf(vector.hex)), records);
    if (vector.reencode !== false)
      assert.equal(Buffer.from(encodeInput(records)).toString("hex"), vector.hex.replace(/ /g, ""));
  });

for (const vector of vectors.invalid)
  test(`invalid: ${vector.name}`, () => {
    assert.throws(() => decodeInput(bytesOf(vector.hex)),
      (error) => error instanceof InputRecordError && error.problem === vector.error);
  });

test("a message beyond 4096 bytes is refused", () => {
  assert.throws(() => decodeInput(new Uint8Array(4097).fill(1)), { problem: "length" });
});

test("values out of range are clamped, fractions cut", () => {
  const header = { sequence: 1, after: 0, time: 0 };
  const through = (event: InputEvent) => decodeInput(encodeInput([{ ...event, ...header }]))[0];
  assert.deepEqual(through({ type: "motion", dx: 99999, dy: -99999.5 }), { type: "motion", dx: 32767, dy: -32768, ...header });
  assert.deepEqual(through({ type: "scroll", dx: 1e12, dy: -1.9 }), { type: "scroll", dx: 0x7fffffff, dy: -1, ...header });
  assert.deepEqual(through({ type: "pointer", x: -4, y: 70000, width: 8, height: 9 }),
    { type: "pointer", x: 0, y: 65535, width: 8, height: 9, ...header });
  assert.deepEqual(through({ type: "pad", pad: 1, kind: "raw", buttons: 200, axes: 99 }),
    { type: "pad", pad: 1, kind: "raw", buttons: 32, axes: 8, ...header });
  assert.deepEqual(through({ type: "padAxes", pad: 1, buttons: -1, axes: [1e9, -1e9] }),
    { type: "padAxes", pad: 1, buttons: 0xffffffff, axes: [32767, -32768, 0, 0, 0, 0, 0, 0], ...header });
});
