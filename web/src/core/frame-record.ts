// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames and their acknowledgements on the WebSocket transport (docs/protocol.md, section 6).

export const kFrameHeaderSize = 32;
export const kFrameMax = 16 * 1024 * 1024;
export const kAckSize = 16;
export const kAcksMax = 64;
const kVersion = 1;
const kAckType = 3;
const kTalkType = 4;

export interface Frame {
  kind: "video" | "audio";
  key: boolean;
  id: number;
  nonce: number;
  rtpTime: number;
  /** Server's monotonic clock, µs; 0 if unknown. */
  captureUs: number;
  payload: Uint8Array<ArrayBuffer>;
}

/** Reads one message; null if any field is out of its range. The payload is a view into it. */
export function decodeFrame(message: ArrayBuffer): Frame | null {
  if (message.byteLength < kFrameHeaderSize)
    return null;
  const view = new DataView(message);
  const type = view.getUint8(1), flags = view.getUint16(2), id = view.getUint32(4), size = view.getUint32(24);
  if (view.getUint8(0) !== kVersion || (type !== 1 && type !== 2) || flags > 1 || id === 0 || view.getUint32(28) !== 0 ||
      size === 0 || size > kFrameMax || size !== message.byteLength - kFrameHeaderSize || (type === 2 && flags !== 1))
    return null;
  return {
    kind: type === 1 ? "video" : "audio", key: flags === 1, id, nonce: view.getUint32(8), rtpTime: view.getUint32(12),
    captureUs: view.getUint32(16) * 2 ** 32 + view.getUint32(20), payload: new Uint8Array(message, kFrameHeaderSize),
  };
}

export interface FrameAck {
  id: number;
  nonce: number;
  /** This side's clock, µs, taken modulo 2³². */
  receivedUs: number;
  /** Frames that wait for the decoder. */
  queue: number;
}

/** A packet of what the user says. */
export function encodeTalk(packet: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + packet.length);
  bytes[0] = kVersion;
  bytes[1] = kTalkType;
  bytes.set(packet, 4);
  return bytes;
}

/** One message for at most kAcksMax frames. */
export function encodeAcks(acks: readonly FrameAck[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + kAckSize * acks.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, kVersion);
  view.setUint8(1, kAckType);
  view.setUint16(2, acks.length);
  acks.forEach((ack, i) => {
    const at = 4 + kAckSize * i;
    view.setUint32(at, ack.id);
    view.setUint32(at + 4, ack.nonce);
    view.setUint32(at + 8, Math.floor(ack.receivedUs) % 2 ** 32);
    view.setUint16(at + 12, Math.min(65535, ack.queue));
  });
  return bytes;
}
