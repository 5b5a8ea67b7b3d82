import { Engine, type DeviceEvent, type EngineOptions } from '../../src';
import type { PeerAddress } from '../../src/transport/transport';
import { DtlsClient, Suite, type DtlsClientOptions } from '../support/dtls-client';
import { keepingLog } from '../support/coap-fixture';
import { MemoryNetwork, type AddressText, type RawPeer } from '../support/memory-network';
import { ScriptedDevice, type DevicePeer } from '../support/scripted-device';
import { SimulatedClock } from '../support/simulated-clock';

const SERVER = '192.0.2.1:5683';
const SECURE_SERVER = '192.0.2.1:5684';

/** A device's end of a DTLS session over the network in memory; what it sends before there is one is lost. */
export class SecurePeer implements DevicePeer {
  onDatagram: DevicePeer['onDatagram'];
  readonly client: DtlsClient;
  #raw: RawPeer;

  constructor(
    private readonly network: MemoryNetwork,
    address: AddressText,
    options: DtlsClientOptions,
  ) {
    this.client = new DtlsClient((datagram) => this.#raw.send(SECURE_SERVER, datagram), options);
    this.client.onData = (data) => this.onDatagram?.(data, this.address);
    this.#raw = this.#attach(address);
  }

  get address(): PeerAddress {
    return this.#raw.address;
  }

  send(_to: PeerAddress, datagram: Buffer): void {
    if (this.client.connected) this.client.send(datagram);
  }

  /** Goes on from another address. */
  moveTo(address: AddressText): void {
    this.#raw.close();
    this.#raw = this.#attach(address);
  }

  close(): void {
    this.client.stop();
    this.#raw.close();
  }

  #attach(address: AddressText): RawPeer {
    const raw = this.network.peer(address);
    raw.onDatagram = (datagram) => this.client.receive(datagram);
    return raw;
  }
}

export type SecureDevice = ScriptedDevice<SecurePeer>;

/** An engine with DTLS on a network in memory, in simulated time, with all that it said. */
export class SecureFixture {
  readonly network: MemoryNetwork;
  readonly events: DeviceEvent[] = [];
  readonly logged: string[] = [];
  readonly engine: Engine;

  constructor(
    readonly clock: SimulatedClock,
    options: EngineOptions,
  ) {
    this.network = new MemoryNetwork(clock);
    this.engine = new Engine({
      clock,
      log: keepingLog(this.logged),
      transports: [this.network.transport(SERVER)],
      dtlsTransports: [this.network.transport(SECURE_SERVER)],
      ...options,
    });
    this.engine.on('device', (event) => this.events.push(event));
  }

  static async start(options: EngineOptions = {}, clock = new SimulatedClock()): Promise<SecureFixture> {
    const fixture = new SecureFixture(clock, options);
    await fixture.engine.start();
    return fixture;
  }

  /** A device that has tried to shake hands; `peer.client.connected` says whether it did. */
  async device(address: AddressText, options: Partial<DtlsClientOptions>): Promise<SecureDevice> {
    const dtls: DtlsClientOptions = { suite: Suite.pskCcm8, ...options };
    const network = { peer: (at: AddressText) => new SecurePeer(this.network, at, dtls) };
    const device = new ScriptedDevice(network, address, SECURE_SERVER);
    let done = false;
    void device.peer.client.connect().then(() => (done = true));
    for (let turn = 0; turn < 20 && !done; turn += 1) await this.clock.settle();
    return device;
  }

  /** A device without DTLS. */
  plainDevice(address: AddressText): ScriptedDevice {
    return new ScriptedDevice(this.network, address, SERVER);
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) await this.clock.settle();
  }

  eventsOf<T extends DeviceEvent['topic']>(topic: T): (DeviceEvent & { topic: T })[] {
    return this.events.filter((event): event is DeviceEvent & { topic: T } => event.topic === topic);
  }
}
