// SPDX-License-Identifier: LGPL-2.1-or-later
// A page's peer connections, and by which kinds of candidates they go.

/** Makes the pages of `context` keep their connections in `window.connections`. */
export function keepConnections(context) {
  return context.addInitScript(() => {
    const Connection = window.RTCPeerConnection;
    window.connections = [];
    window.RTCPeerConnection = class extends Connection {
      constructor(...args) {
        super(...args);
        window.connections.push(this);
      }
    };
  });
}

/** The pairs in use, as [the browser's kind, the server's kind]. */
export function connectionPairs(page) {
  return page.evaluate(async () => {
    const found = [];
    for (const connection of window.connections) {
      const stats = await connection.getStats();
      for (const report of stats.values())
        if (report.type === 'candidate-pair' && report.state === 'succeeded' && report.nominated)
          found.push([stats.get(report.localCandidateId).candidateType, stats.get(report.remoteCandidateId).candidateType]);
    }
    return found;
  });
}
