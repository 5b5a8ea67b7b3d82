/**
 * The errors that the engine shows to its users. Each says who must act, and carries a stable `code`
 * that flows and programs may rely on; the message is for people.
 */

export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_REGISTERED'
  | 'QUEUE_EXPIRED'
  | 'TIMEOUT'
  | 'CANCELLED'
  | 'RESPONSE'
  | 'ACCESS_DENIED'
  | 'PRECONDITION'
  | 'TRANSPORT'
  | 'STORE'
  | 'CODEC';

/** What all errors of the library are; `code` is stable and says who must act. */
export abstract class Lwm2mError extends Error {
  abstract readonly code: ErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }

  /** The message alone, as it is shown to people. The class is `code`'s business. */
  override toString(): string {
    return this.message;
  }
}

/** The caller gave something that cannot be: a bad path, a value of the wrong type, an empty selector. */
export class InvalidArgumentError extends Lwm2mError {
  readonly code = 'INVALID_ARGUMENT';
}

/** The device has no live registration. */
export class NotRegisteredError extends Lwm2mError {
  readonly code = 'NOT_REGISTERED';
  readonly endpoint: string;

  constructor(endpoint: string, message = `${endpoint} is not registered`) {
    super(message);
    this.endpoint = endpoint;
  }
}

/** The order expired while it waited for a sleeping or suspended device. */
export class QueueExpiredError extends Lwm2mError {
  readonly code = 'QUEUE_EXPIRED';
}

/** The device did not answer in time. */
export class TimeoutError extends Lwm2mError {
  readonly code = 'TIMEOUT';
}

/** The caller cancelled, or the engine was closed. */
export class CancelledError extends Lwm2mError {
  readonly code = 'CANCELLED';
}

/** The device answered 4.xx or 5.xx. */
export class ResponseError extends Lwm2mError {
  readonly code = 'RESPONSE';
  /** The CoAP response code in dotted form, such as `4.04`. */
  readonly responseCode: string;
  /** The diagnostic payload (RFC 7252 s5.5.2), empty when the device sent none. */
  readonly diagnostic: string;

  constructor(responseCode: string, diagnostic = '', message?: string) {
    super(message ?? `the device answered ${responseCode}${diagnostic === '' ? '' : ` (${diagnostic})`}`, {
      cause: { responseCode, diagnostic },
    });
    this.responseCode = responseCode;
    this.diagnostic = diagnostic;
  }
}

/** The user lacks a right for this. */
export class AccessDeniedError extends Lwm2mError {
  readonly code = 'ACCESS_DENIED';
}

/** The device is not, or cannot be shown to be, as the order asks: nothing was done. */
export class PreconditionError extends Lwm2mError {
  readonly code = 'PRECONDITION';
}

/** The network failed: a socket could not be opened or a session is gone. */
export class TransportError extends Lwm2mError {
  readonly code = 'TRANSPORT';
}

/** What ails a store, where it can be told: no room, used by another, damaged files, no right to read and write them. */
export type StoreFault = 'full' | 'inUse' | 'damaged' | 'noAccess';

/** The store refused or lost its disk. */
export class StoreError extends Lwm2mError {
  readonly code = 'STORE';
  readonly fault: StoreFault | undefined;

  constructor(message: string, options?: ErrorOptions & { readonly fault?: StoreFault }) {
    super(message, options);
    this.fault = options?.fault;
  }
}

/** Bytes that are not what their format says. */
export class CodecError extends Lwm2mError {
  readonly code = 'CODEC';
}
