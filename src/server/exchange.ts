import { CoapCode, formatCode, isSuccess, type CoapRequest, type CoapResponse, type CoapStack } from '../coap';
import { ResponseError, TransportError } from '../errors';
import type { Path } from '../model';
import type { Channel, PeerAddress, Scheme } from '../transport/transport';
import type { Clock } from '../util/clock';
import type { RegisteredClient } from './registered-client';
import type { RegisteredClients } from './registered-clients';
import type { ServerListener } from './server-listener';

const MAX_DIAGNOSTIC = 500;

/** What operations need of the server. */
export interface OperationContext {
  readonly clock: Clock;
  readonly stack: CoapStack;
  readonly clients: RegisteredClients;
  readonly listener: ServerListener;
  /** The channel to an address now; a channel that was quiet for long may have been replaced by another. */
  readonly channelTo: (scheme: Scheme, address: PeerAddress) => Channel | undefined;
  /** A notification of the device came. */
  readonly notified: (client: RegisteredClient) => void;
}

/** One operation's conversation with one device: its requests, below the device's root path. */
export class Exchange {
  constructor(
    readonly context: OperationContext,
    readonly client: RegisteredClient,
    readonly signal?: AbortSignal,
    /** Who ordered it. */
    readonly user?: string,
  ) {}

  /** Sends a request and hears its answer, whatever it says. */
  async request(request: CoapRequest): Promise<CoapResponse> {
    const { context, client, signal } = this;
    const response = await context.stack.request(
      this.channel(),
      request,
      signal === undefined ? undefined : { signal },
    );
    if (context.clients.heard(client)) context.listener.awake(client);
    return response;
  }

  /** The channel that reaches the device now. @throws {TransportError} there is none. */
  channel(): Channel {
    const { endpoint, registration, channel } = this.client;
    if (registration.scheme === 'coaps') {
      // An address says nothing of who has a session there now.
      if (channel?.isOpen === true) return channel;
      throw new TransportError(`${endpoint} has no DTLS session; it can be reached when it has come back`);
    }
    // What bears something of the stack is the device's channel still.
    if (channel?.scheme === 'coap' && channel.context !== undefined) return channel;
    const current = this.context.channelTo('coap', registration.address);
    if (current === undefined) throw new TransportError(`there is no way to ${endpoint}`);
    return current;
  }

  /** The Uri-Path of a path below the device's root path. */
  uriPath(path: Path): string[] {
    const segments = [...this.client.registration.objects.rootPath];
    if (path.objectId === undefined) return segments;
    segments.push(String(path.objectId));
    if (path.objectInstanceId === undefined) return segments;
    segments.push(String(path.objectInstanceId));
    if (path.resourceId === undefined) return segments;
    segments.push(String(path.resourceId));
    if (path.resourceInstanceId !== undefined) segments.push(String(path.resourceInstanceId));
    return segments;
  }
}

/** @throws {ResponseError} the device answered 4.xx or 5.xx. */
export function assertSuccess(response: CoapResponse): void {
  if (!isSuccess(response.code)) throw responseError(response);
}

export function responseError({ code, options, payload }: CoapResponse): ResponseError {
  // A diagnostic is text; an error with a content format carries something else.
  const diagnostic = options.contentFormat === undefined ? payload.toString('utf8', 0, MAX_DIAGNOSTIC) : '';
  return new ResponseError(formatCode(code), diagnostic);
}

export function isNotAcceptable({ code }: CoapResponse): boolean {
  return code === CoapCode.NotAcceptable;
}

export function isUnsupportedFormat({ code }: CoapResponse): boolean {
  return code === CoapCode.UnsupportedContentFormat;
}
