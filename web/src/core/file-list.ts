// SPDX-License-Identifier: LGPL-2.1-or-later
// The files that the session offers (docs/protocol.md, "Files").

export interface OfferedFile {
  name: string;
  /** Bytes. */
  size: number;
  modified: Date;
}

const kMost = 1000;

/** Reads the server's list, and trusts nothing in it; null if it is none. */
export function parseFileList(value: unknown): OfferedFile[] | null {
  const files = typeof value === "object" && value !== null ? (value as { files?: unknown }).files : undefined;
  if (!Array.isArray(files))
    return null;
  return files.slice(0, kMost).flatMap((entry: unknown) => {
    const { name, size, modified } = (typeof entry === "object" && entry !== null ? entry : {}) as Record<string, unknown>;
    const number = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value) && value >= 0;
    return typeof name === "string" && name !== "" && number(size) && number(modified) ? [{ name, size, modified: new Date(modified * 1000) }] : [];
  });
}

/** Where to fetch one. */
export function fileAddress(base: string, name: string): string {
  return `${base}files/download/${encodeURIComponent(name)}`;
}
