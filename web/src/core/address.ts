// SPDX-License-Identifier: LGPL-2.1-or-later
// Addresses of what the server has for the page.

/** One relative to the page's, without the user name and password that may stand in that: fetch() and WebSocket take none. */
export function addressOf(name: string, page: string): string {
  const url = new URL(name, page);
  url.username = url.password = "";
  return url.href;
}
