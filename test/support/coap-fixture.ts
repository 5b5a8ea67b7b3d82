import { CoapStack } from '../../src/coap';
import type { CoapStackOptions, HandlerResponse, IncomingRequest } from '../../src/coap';
import type { Channel } from '../../src/transport/transport';
import type { Log } from '../../src/util/log';
import { MemoryNetwork } from './memory-network';
import type { AddressText, MemoryTransport, NetworkOptions } from './memory-network';
import { ScriptedDevice } from './scripted-device';
import { SeededRandom } from './seeded-random';
import { SimulatedClock } from './simulated-clock';

export const SERVER = '192.0.2.1:5683';

/** A log that keeps its lines as `level: text`. */
export function keepingLog(lines: string[]): Log {
  const keep = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  return { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}

/** A stack on a network in memory, with time that stands still. */
export class CoapFixture {
  readonly clock = new SimulatedClock();
  readonly network: MemoryNetwork;
  readonly transport: MemoryTransport;
  readonly stack: CoapStack;
  /** The requests that the handler got. */
  readonly handled: IncomingRequest[] = [];
  readonly logged: string[] = [];
  /** What the handler answers; 2.05 with the payload it got unless a test says otherwise. */
  answer: (request: IncomingRequest) => HandlerResponse | Promise<HandlerResponse> = ({ payload }) => ({
    code: 0x45,
    payload,
  });

  constructor(options: Partial<CoapStackOptions> & { network?: NetworkOptions } = {}) {
    this.network = new MemoryNetwork(this.clock, options.network);
    this.transport = this.network.transport(SERVER);
    this.stack = new CoapStack({
      clock: this.clock,
      random: new SeededRandom(7),
      log: keepingLog(this.logged),
      handler: (request) => {
        this.handled.push(request);
        return this.answer(request);
      },
      ...options,
    });
  }

  static async open(options?: Partial<CoapStackOptions> & { network?: NetworkOptions }): Promise<CoapFixture> {
    const fixture = new CoapFixture(options);
    await fixture.stack.open(fixture.transport);
    return fixture;
  }

  device(address: AddressText = '198.51.100.1:5683'): ScriptedDevice {
    return new ScriptedDevice(this.network, address, SERVER);
  }

  /** The stack's channel to a device. */
  channel(device: ScriptedDevice): Channel {
    return this.transport.channel(device.peer.address);
  }
}
