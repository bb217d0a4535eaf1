// SPDX-License-Identifier: LGPL-2.1-or-later
// By which kinds of candidates a page's connection goes.

/** Makes the pages of `context` remember their connections. */
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
