import { TransportError } from '../../src/errors';
import type { Channel, PeerAddress, Transport, TransportListener } from '../../src/transport/transport';
import type { Clock } from '../../src/util/clock';
import { SeededRandom } from './seeded-random';

/** How bad the network is. All of it off unless said. */
export interface NetworkOptions {
  readonly seed?: number;
  /** The probability that a datagram is lost. */
  readonly loss?: number;
  /** The probability that a datagram comes twice. */
  readonly duplicate?: number;
  /** The probability that a datagram is held back for up to `reorderDelay` more ms. */
  readonly reorder?: number;
  readonly reorderDelay?: number;
  /** How long a datagram takes, ms of the clock. 0 (the default) needs no time to pass. */
  readonly delay?: number;
}

/** `10.0.0.1:5683`, `[2001:db8::1]:5683` or the address itself. */
export type AddressText = PeerAddress | string;

export function toAddress(address: AddressText): PeerAddress {
  if (typeof address !== 'string') return address;
  const match = /^\[?([^\]]*)\]?:(\d+)$/.exec(address);
  if (match === null) throw new Error(`no address: '${address}'`);
  return { host: match[1] ?? '', port: Number(match[2]) };
}

function key(address: PeerAddress): string {
  return `[${address.host}]:${address.port}`;
}

type Receiver = (from: PeerAddress, datagram: Buffer) => void;

/** Datagrams between transports and scripted peers, over simulated time and with seeded misfortune. */
export class MemoryNetwork {
  /** May be changed while it runs: a test may make a good network bad. */
  options: NetworkOptions;
  /** Set to look at, or lose (by false), each datagram as it is sent. */
  filter: ((from: PeerAddress, to: PeerAddress, datagram: Buffer) => boolean) | undefined;
  sent = 0;
  lost = 0;
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #receivers = new Map<string, Receiver>();

  constructor(clock: Clock, options: NetworkOptions = {}) {
    this.#clock = clock;
    this.options = options;
    this.#random = new SeededRandom(options.seed ?? 1);
  }

  /** A transport for the stack under test, listening on the address once open. */
  transport(address: AddressText): MemoryTransport {
    return new MemoryTransport(this, toAddress(address));
  }

  /** A peer that a test drives datagram by datagram. */
  peer(address: AddressText): RawPeer {
    return new RawPeer(this, toAddress(address));
  }

  attach(address: PeerAddress, receiver: Receiver): void {
    if (this.#receivers.has(key(address))) {
      throw new TransportError(`UDP port ${address.port} of ${address.host} is already in use`);
    }
    this.#receivers.set(key(address), receiver);
  }

  detach(address: PeerAddress): void {
    this.#receivers.delete(key(address));
  }

  send(from: PeerAddress, to: PeerAddress, datagram: Buffer): void {
    this.sent += 1;
    if (this.filter?.(from, to, datagram) === false || this.#random.happens(this.options.loss ?? 0)) {
      this.lost += 1;
      return;
    }
    const copies = this.#random.happens(this.options.duplicate ?? 0) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) this.#deliver(from, to, datagram);
  }

  #deliver(from: PeerAddress, to: PeerAddress, datagram: Buffer): void {
    const { delay = 0, reorder = 0, reorderDelay = 50 } = this.options;
    const late = this.#random.happens(reorder) ? 1 + this.#random.below(reorderDelay) : 0;
    // Every receiver gets bytes of its own, as from a socket.
    const bytes = Buffer.from(datagram);
    const arrive = () => this.#receivers.get(key(to))?.(from, bytes);
    if (delay + late === 0) queueMicrotask(arrive);
    else this.#clock.setTimer(arrive, delay + late);
  }
}

class MemoryChannel implements Channel {
  readonly scheme = 'coap';
  readonly identity = { mode: 'nosec' } as const;
  readonly isOpen = true;
  context: unknown = undefined;

  constructor(
    readonly transport: MemoryTransport,
    readonly address: PeerAddress,
  ) {}

  send(datagram: Buffer): void {
    this.transport.sendTo(this.address, datagram);
  }
}

export class MemoryTransport implements Transport {
  readonly scheme = 'coap';
  localAddress: PeerAddress | undefined;
  readonly #network: MemoryNetwork;
  readonly #address: PeerAddress;
  readonly #channels = new Map<string, MemoryChannel>();
  #listener: TransportListener | undefined;

  constructor(network: MemoryNetwork, address: PeerAddress) {
    this.#network = network;
    this.#address = address;
  }

  /** How many channels are held now. */
  get size(): number {
    return this.#channels.size;
  }

  async open(listener: TransportListener): Promise<void> {
    await Promise.resolve();
    this.#network.attach(this.#address, (from, datagram) => listener.received(this.channel(from), datagram));
    this.#listener = listener;
    this.localAddress = this.#address;
  }

  async close(): Promise<void> {
    await Promise.resolve();
    this.#network.detach(this.#address);
    for (const address of [...this.#channels.values()].map((channel) => channel.address)) this.drop(address);
    this.#listener = undefined;
    this.localAddress = undefined;
  }

  channel(address: AddressText): MemoryChannel {
    const peer = toAddress(address);
    let channel = this.#channels.get(key(peer));
    if (channel === undefined) {
      channel = new MemoryChannel(this, peer);
      this.#channels.set(key(peer), channel);
    }
    return channel;
  }

  release(channel: Channel): void {
    if (this.#channels.get(key(channel.address)) === channel) this.#channels.delete(key(channel.address));
  }

  /** The channel breaks, as a DTLS session does. */
  drop(address: AddressText): void {
    const channel = this.#channels.get(key(toAddress(address)));
    if (channel === undefined) return;
    this.#channels.delete(key(channel.address));
    this.#listener?.closed(channel);
  }

  sendTo(address: PeerAddress, datagram: Buffer): void {
    this.#network.send(this.#address, address, datagram);
  }
}

/** One address of the network in the hands of a test. */
export class RawPeer {
  readonly address: PeerAddress;
  /** All that came, in order; what `receive()` has given out is still here. */
  readonly received: Buffer[] = [];
  /** When set, datagrams go here too. */
  onDatagram: ((datagram: Buffer, from: PeerAddress) => void) | undefined;
  readonly #network: MemoryNetwork;
  readonly #waiting: ((datagram: Buffer) => void)[] = [];
  #read = 0;

  constructor(network: MemoryNetwork, address: PeerAddress) {
    this.#network = network;
    this.address = address;
    network.attach(address, (from, datagram) => this.#receive(from, datagram));
  }

  send(to: AddressText, datagram: Buffer): void {
    this.#network.send(this.address, toAddress(to), datagram);
  }

  /** The next datagram that was not given out yet; waits for it. */
  receive(): Promise<Buffer> {
    const ready = this.received[this.#read];
    if (ready === undefined) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#read += 1;
    return Promise.resolve(ready);
  }

  /** How many datagrams came that `receive()` has not given out. */
  get unread(): number {
    return this.received.length - this.#read;
  }

  close(): void {
    this.#network.detach(this.address);
  }

  #receive(from: PeerAddress, datagram: Buffer): void {
    this.received.push(datagram);
    this.onDatagram?.(datagram, from);
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    this.#read += 1;
    waiting(datagram);
  }
}
