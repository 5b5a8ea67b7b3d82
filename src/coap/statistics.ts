/** What a stack has counted since it was made. */
export interface CoapStatistics {
  datagramsReceived: number;
  datagramsSent: number;
  /** Datagrams that were no message (RFC 7252 s3), rejected or ignored. */
  malformed: number;
  /** Requests of peers that went to the handler. */
  requestsReceived: number;
  /** Messages heard again; the same reply was sent again where there is one. */
  duplicates: number;
  /** Requests of peers refused with 5.03 because too many were under way. */
  overloaded: number;
  /** Requests of peers that a handler failed on; answered 5.00. */
  handlerErrors: number;
  /** Requests of ours, counted a block at a time. */
  requestsSent: number;
  retransmissions: number;
  /** Confirmable messages and awaited responses given up on. */
  timeouts: number;
  /** Resets received for something of ours. */
  resetsReceived: number;
  resetsSent: number;
  /** Acknowledgements, resets and responses that belong to nothing. */
  unmatched: number;
  notifications: number;
  /** Notifications dropped because a newer one was there before (RFC 7641 s3.4). */
  staleNotifications: number;
  /** Messages that deduplication forgot before their time because a limit was reached. */
  forgottenEarly: number;
}

export function newStatistics(): CoapStatistics {
  return {
    datagramsReceived: 0,
    datagramsSent: 0,
    malformed: 0,
    requestsReceived: 0,
    duplicates: 0,
    overloaded: 0,
    handlerErrors: 0,
    requestsSent: 0,
    retransmissions: 0,
    timeouts: 0,
    resetsReceived: 0,
    resetsSent: 0,
    unmatched: 0,
    notifications: 0,
    staleNotifications: 0,
    forgottenEarly: 0,
  };
}
