// SPDX-License-Identifier: LGPL-2.1-or-later
// What WebCodecs has to be told to decode a stream, and whether this browser can (W3C WebCodecs and its codec registrations). No DOM.
import type { Codec } from "./messages";
import { N_ } from "./text-mark";

/** The members of VideoDecoderConfig that are used. */
export interface VideoConfig {
  codec: string;
  optimizeForLatency: boolean;
  colorSpace?: VideoColorSpaceInit;
}

export interface VideoStream {
  codec: Codec;
  /** As GStreamer names it, may be empty. */
  profile: string;
  color: VideoColorSpaceInit | null;
}
export interface AudioStream { codec: "OPUS"; channels: number }
export interface Streams { video: VideoStream | null; audio: AudioStream | null }

const hex = (value: number) => value.toString(16).padStart(2, "0");

/** "avc1.PPCCLL" of the first sequence parameter set in an Annex B keyframe; null if it has none. */
export function h264Codec(keyframe: Uint8Array): string | null {
  for (let i = 0; i + 6 < keyframe.length; i++) {
    if (keyframe[i] !== 0 || keyframe[i + 1] !== 0 || keyframe[i + 2] !== 1)
      continue;
    const type = (keyframe[i + 3] ?? 0) & 0x1f;
    if (type === 7)
      return `avc1.${hex(keyframe[i + 4] ?? 0)}${hex(keyframe[i + 5] ?? 0)}${hex(keyframe[i + 6] ?? 0)}`;
    if (type >= 1 && type <= 5)
      return null;
    i += 3;
  }
  return null;
}

/** For a decoder that starts with this keyframe; null if the keyframe cannot be decoded without others. */
export function videoConfig(stream: VideoStream, keyframe: Uint8Array): VideoConfig | null {
  const codec = stream.codec === "H264" ? h264Codec(keyframe)
    : stream.codec === "VP8" ? "vp8"
    : stream.codec === "VP9" ? `vp09.0${/^[0-3]$/.test(stream.profile) ? stream.profile : 0}.10.08`
    : stream.codec === "AV1" ? (stream.profile === "high" ? "av01.1.09M.08" : "av01.0.09M.08")
    : stream.codec === "H265" ? "hev1.1.6.L153.B0"
    : null;
  return codec === null ? null : { codec, optimizeForLatency: true, ...(stream.color ? { colorSpace: stream.color } : {}) };
}

/** What each codec is tried with, when nothing of the stream is known yet. */
const kTrials: Record<Codec, string> = {
  H264: "avc1.42c01f", VP8: "vp8", VP9: "vp09.00.10.08", AV1: "av01.0.08M.08", H265: "hev1.1.6.L120.B0",
};

interface Decoders {
  VideoDecoder?: { isConfigSupported(config: { codec: string }): Promise<{ supported?: boolean }> };
  OffscreenCanvas?: unknown;
  Worker?: unknown;
  isSecureContext?: boolean;
}

/** Why pictures cannot come by WebSocket here; "" if they can. An English text that the page translates. */
export function whyNoDecoder(scope: Decoders = globalThis as Decoders): string {
  if (scope.VideoDecoder && scope.OffscreenCanvas && scope.Worker)
    return "";
  return scope.isSecureContext === false ? N_("not by WebSocket: browsers decode it on https pages and localhost only")
    : N_("not by WebSocket: this browser has no WebCodecs");
}

/** Codecs that this browser decodes by WebCodecs, in the order given. */
export async function decodableCodecs(wanted: readonly Codec[], scope: Decoders = globalThis as Decoders): Promise<Codec[]> {
  if (whyNoDecoder(scope))
    return [];
  const can = await Promise.all(wanted.map((codec) =>
    scope.VideoDecoder!.isConfigSupported({ codec: kTrials[codec] }).then((answer) => answer.supported === true, () => false)));
  return wanted.filter((_, i) => can[i]);
}

const kVideoCodecs: readonly Codec[] = ["H264", "VP8", "VP9", "AV1", "H265"];
const kColors: Record<"matrix" | "primaries" | "transfer", readonly string[]> = {
  matrix: ["bt709", "smpte170m", "bt470bg", "rgb"],
  primaries: ["bt709", "smpte170m", "bt470bg"],
  transfer: ["bt709", "smpte170m", "iec61966-2-1"],
};

/** Reads the text message `streams`; null for any other text. */
export function parseStreams(text: string): Streams | null {
  type Loose = Record<string, unknown>;
  const object = (value: unknown): Loose | null => (typeof value === "object" && value !== null && !Array.isArray(value) ? value as Loose : null);
  let message: Loose | null;
  try {
    message = object(JSON.parse(text));
  } catch {
    return null;
  }
  if (message?.["type"] !== "streams")
    return null;
  const video = object(message["video"]), audio = object(message["audio"]);
  const codec = kVideoCodecs.find((known) => known === video?.["codec"]);
  const color = object(video?.["color"]);
  const known = color && (["matrix", "primaries", "transfer"] as const).every((name) => kColors[name].includes(String(color[name])));
  const channels = Number(audio?.["channels"]);
  return {
    video: codec ? {
      codec, profile: typeof video?.["profile"] === "string" ? video["profile"].slice(0, 64) : "",
      color: known ? {
        matrix: String(color["matrix"]) as VideoMatrixCoefficients, primaries: String(color["primaries"]) as VideoColorPrimaries,
        transfer: String(color["transfer"]) as VideoTransferCharacteristics, fullRange: color["fullRange"] === true,
      } : null,
    } : null,
    audio: audio?.["codec"] === "OPUS" && (channels === 1 || channels === 2) ? { codec: "OPUS", channels } : null,
  };
}
