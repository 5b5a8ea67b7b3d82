import { CoapCode, decodeMessage, encodeMessage, MessageType, type CoapMessage } from '../../src/coap';
import type { PeerAddress } from '../../src/transport/transport';
import type { Clock, Timer } from '../../src/util/clock';
import { toAddress, type AddressText, type MemoryNetwork, type RawPeer } from './memory-network';

/** RFC 7252 s4.8: how long a copy of a message may still come, ms. */
const EXCHANGE_LIFETIME = 247_000;
/** When a message that was not acknowledged is sent again, ms after it was sent. */
const AGAIN = [2_000, 6_000, 14_000, 30_000];
const LINKS = '</1/0>,</3/0>';

export interface SleepingDeviceOptions {
  readonly clock: Clock;
  readonly network: MemoryNetwork;
  readonly server: AddressText;
  readonly address: AddressText;
  readonly endpoint: string;
  /** When it wakes first, and how often from then on, ms. */
  readonly firstWake: number;
  readonly wakeEvery: number;
  /** How long it listens after it has sent or was asked something, ms. */
  readonly listenFor: number;
}

/**
 * A queue-mode device that is deaf but for a moment every now and then, when it says that it is there. It does as RFC 7252
 * says of messages that come twice: they are answered again and not done again.
 */
export class SleepingDevice {
  /** How often each thing was done: `execute 7`, `write 8`. */
  readonly done = new Map<string, number>();
  readonly #options: SleepingDeviceOptions;
  readonly #peer: RawPeer;
  readonly #server: PeerAddress;
  readonly #answered = new Map<number, { readonly at: number; readonly bytes: Buffer }>();
  #location: readonly string[] | undefined;
  #messageId = 1;
  #awakeUntil = 0;
  #pending: { readonly token: Buffer; readonly timers: Timer[] } | undefined;

  constructor(options: SleepingDeviceOptions) {
    this.#options = options;
    this.#peer = options.network.peer(options.address);
    this.#server = toAddress(options.server);
    this.#peer.onDatagram = (datagram) => this.#received(datagram);
    options.clock.setTimer(() => this.#wake(), options.firstWake);
  }

  #wake(): void {
    const { clock, wakeEvery, endpoint } = this.#options;
    clock.setTimer(() => this.#wake(), wakeEvery);
    this.#messageId = (this.#messageId + 1) & 0xffff;
    const lifetime = Math.ceil((3 * wakeEvery) / 1000);
    const token = Buffer.from([this.#messageId >> 8, this.#messageId & 0xff]);
    const isNew = this.#location === undefined;
    const bytes = encodeMessage({
      type: MessageType.CON,
      code: CoapCode.POST,
      messageId: this.#messageId,
      token,
      options: isNew
        ? {
            uriPath: ['rd'],
            contentFormat: 40,
            uriQuery: [`ep=${endpoint}`, `lt=${lifetime}`, 'lwm2m=1.1', 'b=U', 'Q'],
          }
        : { uriPath: [...(this.#location ?? [])] },
      payload: Buffer.from(isNew ? LINKS : ''),
    });
    this.#acknowledged();
    const send = (): void => {
      this.#listen();
      this.#peer.send(this.#server, bytes);
    };
    this.#pending = { token, timers: AGAIN.map((delay) => clock.setTimer(send, delay)) };
    send();
  }

  #listen(): void {
    this.#awakeUntil = this.#options.clock.monotonic() + this.#options.listenFor;
  }

  #received(datagram: Buffer): void {
    if (this.#options.clock.monotonic() > this.#awakeUntil) return;
    const message = decodeMessage(datagram);
    if (message.code >= 0x40) this.#answer(message);
    else if (message.code > 0) this.#asked(message);
  }

  #answer(message: CoapMessage): void {
    if (message.type === MessageType.CON) this.#reply(message, 0);
    if (this.#pending?.token.equals(message.token) !== true) return;
    this.#acknowledged();
    if (message.code === CoapCode.Created) this.#location = message.options.locationPath;
    else if (message.code === CoapCode.NotFound) this.#location = undefined;
  }

  #acknowledged(): void {
    for (const timer of this.#pending?.timers ?? []) timer.cancel();
    this.#pending = undefined;
  }

  #asked(message: CoapMessage): void {
    this.#listen();
    const now = this.#options.clock.monotonic();
    const before = this.#answered.get(message.messageId);
    if (before !== undefined && now - before.at < EXCHANGE_LIFETIME) {
      this.#peer.send(this.#server, before.bytes);
      return;
    }
    const name = message.code === CoapCode.POST ? 'execute' : 'write';
    const thing = `${name} ${/\d+/.exec(message.payload.toString().replace(/^0=/, ''))?.[0] ?? ''}`;
    this.done.set(thing, (this.done.get(thing) ?? 0) + 1);
    this.#answered.set(message.messageId, { at: now, bytes: this.#reply(message, CoapCode.Changed) });
  }

  #reply({ messageId, token }: CoapMessage, code: number): Buffer {
    const bytes = encodeMessage({
      type: MessageType.ACK,
      code,
      messageId,
      token: code === 0 ? Buffer.alloc(0) : token,
      options: {},
      payload: Buffer.alloc(0),
    });
    this.#peer.send(this.#server, bytes);
    return bytes;
  }
}
