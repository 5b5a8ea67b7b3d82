/** The transmission parameters of RFC 7252 s4.8 that may be set; times in ms. */
export interface TransmissionParameters {
  /** ACK_TIMEOUT: 2,000. */
  readonly ackTimeout: number;
  /** ACK_RANDOM_FACTOR: 1.5. */
  readonly ackRandomFactor: number;
  /** MAX_RETRANSMIT: 4. */
  readonly maxRetransmit: number;
  /** NSTART: how many messages may be outstanding to one channel: 1. */
  readonly nstart: number;
  /** MAX_LATENCY: 100,000. */
  readonly maxLatency: number;
  /** How long a handler may take before an empty acknowledgement goes out ahead of the response: 1,000. */
  readonly separateResponseDelay: number;
  /** How long to wait for a response that was promised by an empty acknowledgement, or to a NON request: 93,000. */
  readonly responseTimeout: number;
}

export const DEFAULT_PARAMETERS: TransmissionParameters = {
  ackTimeout: 2_000,
  ackRandomFactor: 1.5,
  maxRetransmit: 4,
  nstart: 1,
  maxLatency: 100_000,
  separateResponseDelay: 1_000,
  responseTimeout: 93_000,
};

/** MAX_TRANSMIT_WAIT: from the first transmission of a CON to giving up on it; 93 s by default (RFC 7252 s4.8.2). */
export function maxTransmitWait(parameters: TransmissionParameters): number {
  return parameters.ackTimeout * (2 ** (parameters.maxRetransmit + 1) - 1) * parameters.ackRandomFactor;
}

/** EXCHANGE_LIFETIME: how long a message id stands for one message; 247 s by default (RFC 7252 s4.8.2). */
export function exchangeLifetime(parameters: TransmissionParameters): number {
  const maxTransmitSpan = parameters.ackTimeout * (2 ** parameters.maxRetransmit - 1) * parameters.ackRandomFactor;
  return maxTransmitSpan + 2 * parameters.maxLatency + parameters.ackTimeout;
}

/** Every bound of the stack, so that no peer can take more than its share. */
export interface CoapLimits {
  /** Requests of ours that may wait for their turn (NSTART) on one channel: 256. One more fails at once. */
  readonly queuedRequests: number;
  /** Requests of ours that one channel may owe a response to after an empty acknowledgement: 32; others wait. */
  readonly openRequests: number;
  /** Requests of one peer, which may be a gateway of many, that may be with the handler at once: 128. One more is answered 5.03. */
  readonly handledRequests: number;
  /** Requests of all peers that may be with the handler at once: 20,000. One more is answered 5.03. */
  readonly handledRequestsTotal: number;
  /** Messages remembered for deduplication for one channel: 16,384. The oldest is forgotten for one more. */
  readonly rememberedMessages: number;
  /** Messages remembered for deduplication in all: 500,000. */
  readonly rememberedMessagesTotal: number;
  /** Bytes of responses kept for duplicates in all: 64 MiB. */
  readonly rememberedBytesTotal: number;
  /** Observations of one channel: 1,024. */
  readonly observations: number;
  /** The largest block we send or ask for, 16 to 1,024 bytes, and from which size on a body goes in blocks: 1,024. */
  readonly blockSize: number;
  /** The largest body of a request that comes in blocks: 256 KiB. Above it 4.13 with Size1. */
  readonly requestBody: number;
  /** The largest body of a response that comes in blocks: 1 MiB. Above it the request fails. */
  readonly responseBody: number;
  /** Block-wise transfers of one peer's requests at once, both directions: 8. One more is answered 5.03. */
  readonly transfers: number;
  /** The bytes that all block-wise transfers of peers' requests may hold: 32 MiB. */
  readonly transferBytesTotal: number;
  /** How long a block-wise transfer of a peer's request may pause, in ms: 93,000. */
  readonly transferIdle: number;
}

export const DEFAULT_LIMITS: CoapLimits = {
  queuedRequests: 256,
  openRequests: 32,
  handledRequests: 128,
  handledRequestsTotal: 20_000,
  rememberedMessages: 16_384,
  rememberedMessagesTotal: 500_000,
  rememberedBytesTotal: 64 * 1024 * 1024,
  observations: 1_024,
  blockSize: 1_024,
  requestBody: 256 * 1024,
  responseBody: 1024 * 1024,
  transfers: 8,
  transferBytesTotal: 32 * 1024 * 1024,
  transferIdle: 93_000,
};
