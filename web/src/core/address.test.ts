// SPDX-License-Identifier: LGPL-2.1-or-later
// Addresses as fetch() takes them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf } from "./address";

test("an address is relative to the page's, whatever user and password stand in that", () => {
  assert.equal(addressOf("ws", "https://user:secret@desk.example:8443/a/b?x=1"), "https://desk.example:8443/a/ws");
  assert.equal(addressOf(".", "http://desk.example/base/index.html"), "http://desk.example/base/");
});
