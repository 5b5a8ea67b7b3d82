/** How much peers may cost. */
export interface DtlsLimits {
  /** Handshakes under way, of peers that returned a cookie. */
  readonly handshakes: number;
  /** The same of one network: /24 of IPv4, /64 of IPv6. Many devices may sit behind one address. */
  readonly handshakesPerNetwork: number;
  /** Established sessions. */
  readonly sessions: number;
  readonly sessionsPerNetwork: number;
  /** Sessions of one identity; a device that comes back with another address replaces its old session. */
  readonly sessionsPerIdentity: number;
  /** Sessions that can be resumed, live ones included. */
  readonly resumableSessions: number;
  /** How long after its full handshake a session can be resumed, ms (RFC 5246 sF.1.4 advises 24 h). */
  readonly resumptionLifetime: number;
  /** How long a handshake may take, ms. */
  readonly handshakeTimeout: number;
  /** A session that was silent for this long is dropped, ms. */
  readonly idleTimeout: number;
  /** The first wait for an answer to a flight and the longest one, ms (RFC 6347 s4.2.4.1). */
  readonly retransmission: number;
  readonly maxRetransmission: number;
}

const HOUR = 3_600_000;

export const DEFAULT_LIMITS: DtlsLimits = {
  handshakes: 4096,
  handshakesPerNetwork: 1024,
  sessions: 120_000,
  sessionsPerNetwork: 60_000,
  sessionsPerIdentity: 1,
  resumableSessions: 120_000,
  resumptionLifetime: 24 * HOUR,
  handshakeTimeout: 60_000,
  idleTimeout: 7 * 24 * HOUR,
  retransmission: 1_000,
  maxRetransmission: 60_000,
};
