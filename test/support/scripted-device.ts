import { CoapCode, decodeMessage, encodeEmptyMessage, encodeMessage, MessageType } from '../../src/coap';
import type { CoapMessage, CoapOptions } from '../../src/coap';
import type { PeerAddress } from '../../src/transport/transport';
import { toAddress } from './memory-network';
import type { AddressText, RawPeer } from './memory-network';

/** A request that the device got, and the way to answer it. */
export interface ReceivedRequest {
  readonly message: CoapMessage;
  /** A piggybacked response to a CON, a NON response to a NON. */
  reply(code: number, options?: CoapOptions, payload?: Buffer | string): void;
  /** An empty acknowledgement; the response is to follow by `respond`. */
  acknowledge(): void;
  /** A response of its own: CON unless said. @returns its message id */
  respond(
    code: number,
    options?: CoapOptions,
    payload?: Buffer | string,
    type?: MessageType.CON | MessageType.NON,
  ): number;
  reset(): void;
}

export interface Registration {
  readonly endpoint: string;
  readonly lifetime?: number;
  readonly version?: string;
  readonly binding?: string;
  /** The link-format payload. */
  readonly links?: string;
  /** Query parameters besides those above. */
  readonly query?: readonly string[];
}

const DEFAULT_LINKS = '</1/0>,</3/0>,</3311/0>';

/** How a scripted device is on the network: as a `RawPeer`, or with a session of DTLS. */
export interface DevicePeer {
  readonly address: PeerAddress;
  onDatagram: ((datagram: Buffer, from: PeerAddress) => void) | undefined;
  send(to: PeerAddress, datagram: Buffer): void;
  close(): void;
}

/** A device that does exactly what the test says, message by message. It acknowledges and retransmits nothing by itself. */
export class ScriptedDevice<Peer extends DevicePeer = RawPeer> {
  readonly peer: Peer;
  readonly server: PeerAddress;
  /** Messages that came and were not asked for yet. */
  readonly inbox: CoapMessage[] = [];
  /** Where the last registration is, as path segments: `['rd', 'a1b2']`. */
  location: readonly string[] | undefined;
  #messageId: number;
  #token = 0;
  #waiting: { matches: (message: CoapMessage) => boolean; resolve: (message: CoapMessage) => void }[] = [];

  constructor(
    network: { peer(address: AddressText): Peer },
    address: AddressText,
    server: AddressText,
    firstMessageId = 1000,
  ) {
    this.peer = network.peer(address);
    this.server = toAddress(server);
    this.#messageId = firstMessageId;
    this.peer.onDatagram = (datagram) => this.#received(decodeMessage(datagram));
  }

  nextMessageId(): number {
    this.#messageId = (this.#messageId + 1) & 0xffff;
    return this.#messageId;
  }

  nextToken(): Buffer {
    this.#token += 1;
    const token = Buffer.alloc(4);
    token.writeUInt32BE(this.#token);
    return token;
  }

  /** Sends a message; what is left out is a CON with the next message id, without token, options and payload. */
  send(message: Partial<Omit<CoapMessage, 'payload'>> & { code: number; payload?: Buffer | string }): CoapMessage {
    const whole: CoapMessage = {
      type: message.type ?? MessageType.CON,
      code: message.code,
      messageId: message.messageId ?? this.nextMessageId(),
      token: message.token ?? Buffer.alloc(0),
      options: message.options ?? {},
      payload: toBuffer(message.payload),
    };
    this.peer.send(this.server, encodeMessage(whole));
    return whole;
  }

  sendEmpty(type: MessageType, messageId: number): void {
    this.peer.send(this.server, encodeEmptyMessage(type, messageId));
  }

  /** Sends a CON request and waits for its response, piggybacked or separate (which is acknowledged). */
  async request(code: number, options: CoapOptions, payload?: Buffer | string): Promise<CoapMessage> {
    const sent = this.send({ code, options, payload, token: this.nextToken() });
    const response = await this.expect((message) => message.code >= 0x40 && message.token.equals(sent.token));
    if (response.type === MessageType.CON) this.sendEmpty(MessageType.ACK, response.messageId);
    return response;
  }

  /** Registers (LwM2M Core 1.2 s6.2.1) and remembers where. @returns the response, which may be an error */
  async register(registration: Registration): Promise<CoapMessage> {
    const { endpoint, lifetime = 300, version = '1.1', binding, links = DEFAULT_LINKS, query = [] } = registration;
    const uriQuery = [`ep=${endpoint}`, `lt=${lifetime}`, `lwm2m=${version}`];
    if (binding !== undefined) uriQuery.push(`b=${binding}`);
    const options = { uriPath: ['rd'], contentFormat: 40, uriQuery: [...uriQuery, ...query] };
    const response = await this.request(CoapCode.POST, options, links);
    this.location = response.options.locationPath;
    return response;
  }

  /** Updates the registration (LwM2M Core 1.2 s6.2.2). */
  async update(query: readonly string[] = [], links?: string): Promise<CoapMessage> {
    const options: CoapOptions = { uriPath: this.location ?? [] };
    if (query.length > 0) options.uriQuery = query;
    if (links !== undefined) options.contentFormat = 40;
    return await this.request(CoapCode.POST, options, links);
  }

  /** De-registers (LwM2M Core 1.2 s6.2.3). */
  async deregister(): Promise<CoapMessage> {
    return await this.request(CoapCode.DELETE, { uriPath: this.location ?? [] });
  }

  /** The next message that matches and was not asked for yet; waits for it. */
  expect(matches: (message: CoapMessage) => boolean = () => true): Promise<CoapMessage> {
    const index = this.inbox.findIndex(matches);
    const ready = index < 0 ? undefined : this.inbox.splice(index, 1)[0];
    if (ready !== undefined) return Promise.resolve(ready);
    return new Promise((resolve) => this.#waiting.push({ matches, resolve }));
  }

  /** The server's next request; waits for it. */
  async expectRequest(): Promise<ReceivedRequest> {
    const message = await this.expect(({ code }) => code > 0 && code < 0x20);
    const respond: ReceivedRequest['respond'] = (code, options, payload, type = MessageType.CON) =>
      this.send({ type, code, options, payload, token: message.token }).messageId;
    return {
      message,
      reply: (code, options, payload) => {
        if (message.type === MessageType.NON) respond(code, options, payload, MessageType.NON);
        else {
          const { messageId, token } = message;
          this.send({ type: MessageType.ACK, messageId, token, code, options, payload });
        }
      },
      acknowledge: () => this.sendEmpty(MessageType.ACK, message.messageId),
      respond,
      reset: () => this.sendEmpty(MessageType.RST, message.messageId),
    };
  }

  /** Sends a notification (RFC 7641 s4.2). @returns its message id */
  notify(
    token: Buffer,
    observe: number,
    payload: Buffer | string,
    options: CoapOptions = {},
    type: MessageType.CON | MessageType.NON = MessageType.CON,
  ): number {
    return this.send({ type, code: CoapCode.Content, token, options: { ...options, observe }, payload }).messageId;
  }

  close(): void {
    this.peer.close();
  }

  #received(message: CoapMessage): void {
    const index = this.#waiting.findIndex(({ matches }) => matches(message));
    const waiting = index < 0 ? undefined : this.#waiting.splice(index, 1)[0];
    if (waiting === undefined) this.inbox.push(message);
    else waiting.resolve(message);
  }
}

function toBuffer(payload: Buffer | string | undefined): Buffer {
  return payload === undefined ? Buffer.alloc(0) : Buffer.from(payload as string);
}
