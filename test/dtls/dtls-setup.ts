import { createPublicKey, generateKeyPairSync, type KeyObject, type X509Certificate } from 'node:crypto';
import { DtlsTransport, type DtlsCredentials, type DtlsOptions } from '../../src/dtls';
import { ALL_CIPHER_SUITES } from '../../src/dtls';
import type { Channel, Transport, TransportListener } from '../../src/transport/transport';
import { DtlsClient, Suite, type DtlsClientOptions } from '../support/dtls-client';
import { MemoryNetwork, type AddressText, type NetworkOptions, type RawPeer } from '../support/memory-network';
import { SimulatedClock } from '../support/simulated-clock';

/** `npm run soak` sets it: tests that are long by their counts then run in full. */
export const IS_SOAK = process.env['SOAK'] === '1';

export const SERVER = '10.0.0.1:5684';
export const PSK = { identity: 'lamp-1', key: Buffer.from('73656372657450534b', 'hex') };

export function newKeyPair(): { privateKey: KeyObject; spki: Buffer } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, spki: publicKey.export({ format: 'der', type: 'spki' }) };
}

export function spkiOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' });
}

const serverKey = newKeyPair().privateKey;
export const rawKey = newKeyPair();

/** Credentials that a test may change while the server runs. */
export class TestCredentials implements DtlsCredentials {
  readonly keys = new Map<string, Buffer>([[PSK.identity, PSK.key]]);
  readonly rawKeys = new Map<string, string>([[rawKey.spki.toString('hex'), 'raw-1']]);
  serverKey: KeyObject | undefined = serverKey;
  serverCertificateChain: readonly X509Certificate[] = [];
  trustAnchors: readonly X509Certificate[] = [];
  /** When set, lookups wait for it. */
  gate: Promise<void> | undefined;
  lookups = 0;

  async psk(identity: string): Promise<Buffer | undefined> {
    this.lookups += 1;
    await this.gate;
    return this.keys.get(identity);
  }

  async verifyRawPublicKey(spki: Buffer): Promise<string | undefined> {
    this.lookups += 1;
    await this.gate;
    return this.rawKeys.get(spki.toString('hex'));
  }
}

export interface TestServerOptions extends Partial<Omit<DtlsOptions, 'clock' | 'credentials'>> {
  network?: NetworkOptions;
}

/** The transport below the server, which a test may also feed by hand, past the network and its queue. */
class InnerTransport implements Transport {
  readonly scheme = 'coap';
  #listener: TransportListener | undefined;
  readonly #memory;

  constructor(network: MemoryNetwork) {
    this.#memory = network.transport(SERVER);
  }

  get localAddress() {
    return this.#memory.localAddress;
  }

  /** How many channels are held now. */
  get size(): number {
    return this.#memory.size;
  }

  open(listener: TransportListener): Promise<void> {
    this.#listener = listener;
    return this.#memory.open(listener);
  }

  close(): Promise<void> {
    return this.#memory.close();
  }

  channel(address: AddressText) {
    return this.#memory.channel(address);
  }

  release(channel: Channel): void {
    this.#memory.release(channel);
  }

  deliver(from: AddressText, datagram: Buffer): void {
    this.#listener?.received(this.#memory.channel(from), datagram);
  }
}

/** A server over a network in memory, in simulated time, with what it told the layer above. */
export class TestServer implements TransportListener {
  readonly clock = new SimulatedClock();
  readonly network: MemoryNetwork;
  readonly inner: InnerTransport;
  readonly credentials = new TestCredentials();
  readonly dtls: DtlsTransport;
  readonly received_: { channel: Channel; data: Buffer }[] = [];
  readonly closedChannels: Channel[] = [];
  /** Answers each datagram with itself. */
  echo = false;
  #peers = 0;

  constructor({ network, ...options }: TestServerOptions = {}) {
    this.network = new MemoryNetwork(this.clock, network);
    this.inner = new InnerTransport(this.network);
    this.dtls = new DtlsTransport(this.inner, {
      clock: this.clock,
      credentials: this.credentials,
      instance: 7,
      cipherSuites: ALL_CIPHER_SUITES,
      ...options,
    });
  }

  static async open(options?: TestServerOptions): Promise<TestServer> {
    const server = new TestServer(options);
    await server.dtls.open(server);
    return server;
  }

  received(channel: Channel, data: Buffer): void {
    this.received_.push({ channel, data });
    if (this.echo) channel.send(data);
  }

  closed(channel: Channel): void {
    this.closedChannels.push(channel);
  }

  failed(error: Error): void {
    throw error;
  }

  get data(): string[] {
    return this.received_.map(({ data }) => data.toString());
  }

  /** The channel that the last datagram came by. */
  get lastChannel(): Channel {
    const last = this.received_.at(-1);
    if (last === undefined) throw new Error('the server received nothing');
    return last.channel;
  }

  /** A client at an address of its own. */
  client(options: Partial<DtlsClientOptions> = {}, address = this.nextAddress()): TestPeer {
    return new TestPeer(this, address, { suite: Suite.pskCcm8, psk: PSK, ...options });
  }

  /** A client that has shaken hands. */
  async connected(options: Partial<DtlsClientOptions> = {}, address = this.nextAddress()): Promise<TestPeer> {
    const peer = this.client(options, address);
    await peer.connect();
    return peer;
  }

  nextAddress(): string {
    this.#peers += 1;
    // Each in a network of its own.
    return `10.${1 + (this.#peers >> 8)}.${this.#peers & 255}.1:40000`;
  }
}

export class TestPeer extends DtlsClient {
  raw: RawPeer;
  readonly server: TestServer;

  constructor(server: TestServer, address: string, options: DtlsClientOptions) {
    super((datagram) => this.raw.send(SERVER, datagram), options);
    this.server = server;
    this.raw = this.#attach(address);
  }

  /** Begins to connect; the test lets time pass. */
  start(): Promise<boolean> {
    return super.connect();
  }

  /** Connects in time that the test does not count. */
  override async connect(): Promise<boolean> {
    const done = super.connect();
    let isDone = false;
    void done.then(() => (isDone = true));
    for (let turn = 0; turn < 20 && !isDone; turn++) await this.server.clock.settle();
    return this.connected;
  }

  /** Goes on from another address. */
  moveTo(address: string): void {
    this.raw.close();
    this.raw = this.#attach(address);
  }

  /** Sends data and lets it arrive. */
  async say(text: string): Promise<void> {
    this.send(Buffer.from(text));
    await this.server.clock.settle();
  }

  #attach(address: string): RawPeer {
    const raw = this.server.network.peer(address);
    raw.onDatagram = (datagram) => this.receive(datagram);
    return raw;
  }
}

export const rawPublicKey = { kind: 'rpk', der: [rawKey.spki], key: rawKey.privateKey } as const;
