import { CoapCode, type HandlerResponse, type IncomingRequest } from '../coap';
import type { Channel } from '../transport/transport';
import { isSameIdentity, type Admission } from './admission';
import { isSameAddress } from './changed-registration';
import type { Echo } from './echo';
import type { Gate } from './gate';
import type { RegisteredClients } from './registered-clients';
import type { Registration } from './registration';
import type { Rejection, RejectionReason } from './rejection';
import type { Rejections } from './rejections';

/** What a device is told to wait when there are too many, s. */
const FULL_RETRY = 60;

export interface RegistrationGuardContext {
  /** How many devices may be registered here at once. */
  readonly maxRegistrations: number;
  readonly clients: RegisteredClients;
  readonly admission: Admission;
  readonly gate: Gate;
  readonly echo: Echo;
  readonly rejections: Rejections;
}

type Operation = Rejection['operation'];

/**
 * Who may use the registration interface now: what it answers to those who may not, and that they were turned away is said.
 * `undefined` is a yes.
 */
export class RegistrationGuard {
  constructor(private readonly context: RegistrationGuardContext) {}

  /** Whether there is room for one more. */
  refuseNewcomer(channel: Channel, endpoint: string): HandlerResponse | undefined {
    const { clients, maxRegistrations } = this.context;
    if (clients.size < maxRegistrations) return undefined;
    this.reject(channel, endpoint, 'register', 'overload');
    return { code: CoapCode.ServiceUnavailable, options: { maxAge: FULL_RETRY } };
  }

  /** Whether a peer may register as an endpoint. @param current who is registered as the endpoint now. */
  refuseApplicant(channel: Channel, endpoint: string, current: Registration | undefined): HandlerResponse | undefined {
    const refusal = this.context.admission.refusal(endpoint, channel, current?.identity);
    if (refusal !== undefined) return this.forbid(channel, endpoint, 'register', refusal);
    return this.putOff(channel, endpoint, 'register');
  }

  /**
   * Whether the sender of a request is the device that made the registration. A sender without a proved identity at
   * another address must first prove that it receives there (RFC 9175).
   */
  refuseSender(
    { channel, options }: IncomingRequest,
    current: Registration,
    operation: Operation,
  ): HandlerResponse | undefined {
    const { admission, echo } = this.context;
    if (!isSameIdentity(channel.identity, current.identity)) {
      return this.forbid(channel, current.endpoint, operation, 'identity');
    }
    const refusal = admission.refusal(current.endpoint, channel, current.identity);
    if (refusal !== undefined) return this.forbid(channel, current.endpoint, operation, refusal);
    if (channel.identity.mode !== 'nosec' || isSameAddress(channel, current)) return undefined;
    if (echo.isFresh(options.echo, channel.address)) return undefined;
    return { code: CoapCode.Unauthorized, options: { echo: echo.challenge(channel.address) } };
  }

  /** Who may act as the endpoint but is not let in now is told when to come again. */
  putOff(channel: Channel, endpoint: string, operation: 'register' | 'update'): HandlerResponse | undefined {
    const refusal = this.context.gate.refusal(endpoint, operation);
    if (refusal === undefined) return undefined;
    this.reject(channel, endpoint, operation, refusal.reason);
    return { code: CoapCode.ServiceUnavailable, options: { maxAge: refusal.maxAge } };
  }

  /** What it speaks of is not spoken here. */
  refuseVersion(channel: Channel, endpoint: string, diagnostic: string): HandlerResponse {
    this.reject(channel, endpoint, 'register', 'version');
    return { code: CoapCode.PreconditionFailed, payload: Buffer.from(diagnostic) };
  }

  /** The registration that it speaks of is not known. */
  refuseUnknown(channel: Channel, operation: Operation): HandlerResponse {
    this.reject(channel, this.context.clients.at(channel)?.endpoint ?? '', operation, 'unknown');
    return { code: CoapCode.NotFound };
  }

  private forbid(channel: Channel, endpoint: string, operation: Operation, reason: RejectionReason): HandlerResponse {
    this.reject(channel, endpoint, operation, reason);
    return { code: CoapCode.Forbidden };
  }

  private reject(channel: Channel, endpoint: string, operation: Operation, reason: RejectionReason): void {
    this.context.rejections.say(channel, endpoint, operation, reason);
  }
}
