/**
 * What we use of node-coap 1.5, inner parts included; its own types say too little. Only `coap-port.ts` comes here.
 */
import { Agent, OutgoingMessage, Server } from 'coap';
import type { DatagramLink } from './datagram-link';

export interface NodeCoapOption {
  name: string | number;
  value: unknown;
}

interface NodeCoapPacket {
  messageId?: number;
  token: Buffer;
  confirmable: boolean;
  ack: boolean;
  reset: boolean;
  options: NodeCoapOption[];
}

/** A request that the server side received, or a response that the agent received. */
export interface NodeCoapIncoming {
  /** In dotted form, `0.01` being GET. */
  readonly code: string;
  /** Values of known options are converted: Observe to a number, Content-Format to a media type. */
  readonly options: NodeCoapOption[];
  readonly payload: Buffer;
  readonly _packet: { token?: Buffer; confirmable: boolean };
}

/** The answer to a request; to one with Observe = 0 it is a stream of notifications. */
export interface NodeCoapOutgoing {
  statusCode: string;
  readonly _packet: NodeCoapPacket;
  /** Runs after 50 ms without an answer and sends the empty acknowledgement. */
  readonly _ackTimer?: NodeJS.Timeout | null;
  setOption(name: string, value: Buffer | Buffer[] | number): void;
  end(payload?: Buffer): void;
  on(event: 'error', listener: (error: Error) => void): void;
  on(event: 'finish', listener: () => void): void;
}

export interface NodeCoapNotifier extends NodeCoapOutgoing {
  /** Sends with an Observe option. */
  write(payload: Buffer): void;
  /** Sends without touching the options. */
  _doSend(payload: Buffer): void;
}

export interface NodeCoapServer {
  listen(link: DatagramLink): void;
  close(): void;
  on(event: 'request', listener: (request: NodeCoapIncoming, response: NodeCoapOutgoing) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
}

/** A request that the agent sends. */
export interface NodeCoapRequest {
  setOption(name: string, value: Buffer | Buffer[] | number): void;
  end(payload?: Buffer): void;
  on(event: 'response', listener: (response: NodeCoapIncoming) => void): void;
  on(event: 'error' | 'timeout', listener: (error: Error) => void): void;
}

export interface NodeCoapAgent {
  _nextMessageId: () => number;
  request(parameters: { host: string; port: number; method: string }): NodeCoapRequest;
  abort(request: NodeCoapRequest): void;
  on(event: 'error', listener: (error: Error) => void): void;
}

/** @param cacheSize bytes of answers kept for replay to duplicates */
export function createNodeCoapServer(cacheSize: number): NodeCoapServer {
  return new Server({ cacheSize });
}

export function createNodeCoapAgent(link: DatagramLink): NodeCoapAgent {
  return new Agent({ socket: link as never }) as unknown as NodeCoapAgent;
}

/** Ends an answer as it is, past the block-wise transfer of node-coap's server. */
export function endAsIs(response: NodeCoapOutgoing, payload: Buffer | undefined): void {
  OutgoingMessage.prototype.end.call(response, payload);
}
