/** Counters since the start, and two gauges. */
export interface DtlsStatistics {
  /** Handshakes under way and sessions established, now. */
  handshakes: number;
  sessions: number;
  /** HelloVerifyRequests sent. */
  cookiesAsked: number;
  handshakesStarted: number;
  handshakesCompleted: number;
  handshakesResumed: number;
  handshakesFailed: number;
  /** ClientHellos with a good cookie that a limit kept out. */
  handshakesRefused: number;
  flightsRepeated: number;
  recordsReceived: number;
  recordsSent: number;
  /** Dropped: not DTLS, or of no session. */
  recordsMalformed: number;
  recordsUnknown: number;
  /** Dropped: not sealed by the peer, or seen before. */
  recordsForged: number;
  recordsReplayed: number;
  /** Datagrams to be sent that were longer than the peer takes (RFC 6066 s4). */
  datagramsOversized: number;
  /** Sessions whose address moved (RFC 9146 s6). */
  addressesMoved: number;
}

export function newStatistics(): DtlsStatistics {
  return {
    handshakes: 0,
    sessions: 0,
    cookiesAsked: 0,
    handshakesStarted: 0,
    handshakesCompleted: 0,
    handshakesResumed: 0,
    handshakesFailed: 0,
    handshakesRefused: 0,
    flightsRepeated: 0,
    recordsReceived: 0,
    recordsSent: 0,
    recordsMalformed: 0,
    recordsUnknown: 0,
    recordsForged: 0,
    recordsReplayed: 0,
    datagramsOversized: 0,
    addressesMoved: 0,
  };
}
