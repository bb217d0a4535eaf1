// SPDX-License-Identifier: LGPL-2.1-or-later
// Figures of a running media connection, once per second.

export interface Stats {
  fps: number;
  /** Video and audio, kbit/s. */
  bitrate: number;
  /** Of the media path, ms; null while unknown. */
  roundTrip: number | null;
  transport: string;
  codec: string;
  width: number;
  height: number;
  /** Mean time of a frame in the jitter buffer and in the decoder over the last second, ms. */
  jitterBuffer: number;
  decode: number;
  framesDropped: number;
  freezes: number;
  packetsLost: number;
}

type Report = Record<string, unknown>;
const number = (report: Report | undefined, name: string): number => {
  const value = report?.[name];
  return typeof value === "number" ? value : 0;
};

/** Makes figures of successive getStats() reports. */
export class StatsMeter {
  #last: { at: number; report: Report; bytes: number } | null = null;

  async measure(connection: RTCPeerConnection): Promise<Stats | null> {
    const reports: Report[] = [];
    (await connection.getStats()).forEach((report: Report) => reports.push(report));
    return this.read(reports, performance.now());
  }

  read(reports: readonly Report[], at: number): Stats | null {
    const video = reports.find((r) => r["type"] === "inbound-rtp" && r["kind"] === "video");
    if (!video)
      return null;
    const byId = (id: unknown) => reports.find((r) => r["id"] === id);
    const transport = byId(video["transportId"]);
    const pair = byId(transport?.["selectedCandidatePairId"])
      ?? reports.find((r) => r["type"] === "candidate-pair" && (r["selected"] === true || r["nominated"] === true));
    const local = byId(pair?.["localCandidateId"]), remote = byId(pair?.["remoteCandidateId"]);
    const bytes = reports.filter((r) => r["type"] === "inbound-rtp").reduce((sum, r) => sum + number(r, "bytesReceived"), 0);
    // A new media connection counts from zero.
    const last = this.#last && bytes >= this.#last.bytes && number(video, "framesDecoded") >= number(this.#last.report, "framesDecoded")
      ? this.#last : null;
    this.#last = { at, report: video, bytes };
    const seconds = last ? (at - last.at) / 1000 : 0;
    const since = (name: string) => number(video, name) - number(last?.report, name);
    const mean = (total: string, count: string) => (since(count) > 0 ? (1000 * since(total)) / since(count) : 0);
    const roundTrip = pair?.["currentRoundTripTime"];
    return {
      fps: last && seconds > 0 ? since("framesDecoded") / seconds : 0,
      bitrate: last && seconds > 0 ? ((bytes - last.bytes) * 8) / 1000 / seconds : 0,
      roundTrip: typeof roundTrip === "number" ? roundTrip * 1000 : null,
      transport: String(remote?.["protocol"] ?? local?.["protocol"] ?? ""),
      codec: String(byId(video["codecId"])?.["mimeType"] ?? "").replace(/^video\//, ""),
      width: number(video, "frameWidth"),
      height: number(video, "frameHeight"),
      jitterBuffer: mean("jitterBufferDelay", "jitterBufferEmittedCount"),
      decode: mean("totalDecodeTime", "framesDecoded"),
      framesDropped: number(video, "framesDropped"),
      freezes: number(video, "freezeCount"),
      packetsLost: number(video, "packetsLost"),
    };
  }
}
