import { Engine, type DeviceEvent, type EngineOptions, type OperationResult, type Operation } from '../../src';
import { CoapCode, type CoapOptions } from '../../src/coap';
import type { PeerIdentity } from '../../src/transport/transport';
import type { Log } from '../../src/util/log';
import { MemoryNetwork, type NetworkOptions } from '../support/memory-network';
import { ScriptedDevice, type ReceivedRequest } from '../support/scripted-device';
import { SessionTransport } from '../support/session-transport';
import { SimulatedClock } from '../support/simulated-clock';

const SERVER = '192.0.2.1:5683';
const SECURE_SERVER = '192.0.2.1:5684';

export interface HarnessOptions extends EngineOptions {
  /** Another harness's network: its devices stay where they are. */
  readonly network?: NetworkOptions | MemoryNetwork;
  /** Called with the engine before it starts. */
  readonly listen?: (engine: Engine) => void;
}

/** An engine on a network in memory, in simulated time, with what it said. */
export class Harness {
  readonly events: DeviceEvent[] = [];
  readonly logged: string[] = [];
  readonly engine: Engine;
  /** Devices that have proved who they are. */
  readonly sessions: SessionTransport;

  private constructor(
    readonly clock: SimulatedClock,
    readonly network: MemoryNetwork,
    options: EngineOptions,
  ) {
    const line = (message: string): void => {
      this.logged.push(message);
    };
    const log: Log = { debug: () => undefined, info: () => undefined, warn: line, error: line };
    this.sessions = new SessionTransport(network.transport(SECURE_SERVER));
    const transports = [network.transport(SERVER), this.sessions];
    this.engine = new Engine({ noSec: 'any', log, clock, transports, ...options });
    this.engine.on('device', (event) => this.events.push(event));
  }

  static async start({ network: networkOptions, listen, ...options }: HarnessOptions = {}): Promise<Harness> {
    const clock = options.clock instanceof SimulatedClock ? options.clock : new SimulatedClock();
    const network = networkOptions instanceof MemoryNetwork ? networkOptions : new MemoryNetwork(clock, networkOptions);
    const harness = new Harness(clock, network, { ...options, clock });
    listen?.(harness.engine);
    await harness.engine.start();
    return harness;
  }

  async close(): Promise<void> {
    await this.engine.close();
  }

  device(address = '192.0.2.10:40000'): ScriptedDevice {
    return new ScriptedDevice(this.network, address, SERVER);
  }

  /** A device with a session of this identity. */
  secureDevice(address: string, identity: PeerIdentity): ScriptedDevice {
    this.sessions.begin(address, identity);
    return new ScriptedDevice(this.network, address, SECURE_SERVER);
  }

  /** A device that is registered. */
  async registered(
    registration: Partial<Parameters<ScriptedDevice['register']>[0]> = {},
    address?: string,
  ): Promise<ScriptedDevice> {
    const device = this.device(address);
    const response = await this.settled(device.register({ endpoint: 'lamp-1', ...registration }));
    if (response.code !== CoapCode.Created) throw new Error(`not registered: ${response.code}`);
    await this.clock.settle();
    return device;
  }

  /** Lets what is under way come to rest, then waits for the promise. */
  async settled<T>(promise: Promise<T>): Promise<T> {
    for (let turns = 0; turns < 5; turns += 1) await this.clock.settle();
    return promise;
  }

  /** Performs an operation while the device answers requests in order with the given replies. */
  async perform(
    device: ScriptedDevice,
    operation: Operation,
    ...replies: { code: number; options?: CoapOptions; payload?: Buffer | string }[]
  ): Promise<{ result: OperationResult; requests: ReceivedRequest['message'][] }> {
    const requests: ReceivedRequest['message'][] = [];
    const result = this.engine.perform('lamp-1', operation);
    // Whoever looks at the requests of a failed operation catches it himself.
    result.catch(() => undefined);
    for (const { code, options, payload } of replies) {
      const request = await device.expectRequest();
      requests.push(request.message);
      request.reply(code, options, payload);
      await this.clock.settle();
    }
    return { result: await result, requests };
  }

  topics(): string[] {
    return this.events.map(({ topic }) => topic);
  }

  eventsOf<T extends DeviceEvent['topic']>(topic: T): (DeviceEvent & { topic: T })[] {
    return this.events.filter((event): event is DeviceEvent & { topic: T } => event.topic === topic);
  }
}

/** `/3/0/1` of a request. */
export function pathOfRequest({ options }: { options: CoapOptions }): string {
  return `/${(options.uriPath ?? []).join('/')}`;
}
