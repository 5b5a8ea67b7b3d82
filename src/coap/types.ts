import type { Lwm2mError } from '../errors';
import type { Channel } from '../transport/transport';
import type { CoapOptions } from './options';

/** A request of ours. Its payload is the whole body: the stack sends it in blocks when it must. */
export interface CoapRequest {
  /** A method, such as `CoapCode.GET`. */
  readonly code: number;
  readonly options: CoapOptions;
  readonly payload?: Buffer;
  /** Default true. */
  readonly confirmable?: boolean;
}

/** A response with its whole body. */
export interface CoapResponse {
  readonly code: number;
  readonly options: CoapOptions;
  readonly payload: Buffer;
}

/** A request of a peer. A block-wise body arrives whole. */
export interface IncomingRequest {
  readonly channel: Channel;
  readonly code: number;
  readonly options: CoapOptions;
  readonly payload: Buffer;
  readonly confirmable: boolean;
}

/** What a handler answers. Options that the stack itself sets (Block1, Block2, Size2) are not the handler's to give. */
export interface HandlerResponse {
  readonly code: number;
  readonly options?: CoapOptions;
  readonly payload?: Buffer;
}

/**
 * Answers the requests of peers, once each. It should not throw: what it throws is logged, and the peer gets 5.00
 * without a word of why.
 */
export type RequestHandler = (request: IncomingRequest) => HandlerResponse | Promise<HandlerResponse>;

/**
 * Doubts that a peer is where it says it is, so that nobody is flooded with our answers to a forged source (RFC 7252 s11.3).
 * @param echo the Echo option of its request.
 * @returns the Echo value that it has to bring back (RFC 9175 s2.3); `undefined`: it may be believed.
 */
export type AddressDoubt = (channel: Channel, echo: Buffer | undefined) => Buffer | undefined;

/** Options of a request that are not sent. */
export interface RequestOptions {
  /** Aborting it makes the request fail with CancelledError; what is under way on the network is forgotten. */
  readonly signal?: AbortSignal;
}

/** Who is told what an observation brings. Neither should throw; what is thrown is logged. */
export interface Observer {
  /** A fresh notification (RFC 7641 s3.4) with its whole body. Never before `observe()` has answered. */
  notified(response: CoapResponse): void;
  /**
   * It is over, and not by us: the device sent an error or a notification without Observe (that response), the channel
   * is gone (TransportError) or the stack was closed (CancelledError). Said once.
   */
  ended(reason: CoapResponse | Lwm2mError): void;
}

/** An observation that holds (RFC 7641). */
export interface CoapObservation {
  /** With it the observation can be restored after a restart. */
  readonly token: Buffer;
  /** Where notifications come from now. */
  readonly channel: Channel;
  /**
   * Ends it. `get` tells the device by a GET with Observe=1 (RFC 7641 s3.6) and waits for its response; `reset` says
   * nothing until the device's next notification, which is answered with RST.
   * With `get` it fails as `CoapStack.request` does; the observation is over all the same.
   */
  cancel(how: 'get' | 'reset'): Promise<void>;
  /** Drops it here without a word, as when the device has registered anew; a late notification gets RST. */
  forget(): void;
}
