import { once } from 'node:events';
import { SimulatedDevice, type SimulatedDeviceOptions } from '../../src/simulator';
import { streetLight } from '../../src/simulator/behaviours/street-light';
import type { Channel } from '../../src/transport/transport';
import { SimulatedClock } from '../support/simulated-clock';
import { ScriptedServer, type Ask, type Answer } from './scripted-server';
import type { CoapCode } from '../../src/coap';

/** A street light on simulated time, registered with a scripted server. */
export interface Lamp {
  readonly server: ScriptedServer;
  readonly device: SimulatedDevice;
  readonly clock: SimulatedClock;
  readonly channel: Channel;
  /** What the simulation itself did wrong; tests expect it empty. */
  readonly faults: Error[];
  readonly ask: (method: keyof typeof CoapCode, path: string, more?: Ask) => Promise<Answer>;
  end(): Promise<void>;
}

/** @param keys of those who may come, by identity: the server then speaks DTLS. */
export async function startLamp(
  options: Partial<SimulatedDeviceOptions> = {},
  keys?: ReadonlyMap<string, Buffer>,
): Promise<Lamp> {
  const server = await new ScriptedServer({ keys }).start();
  const clock = new SimulatedClock();
  const device = makeLamp(server.uri, clock, options);
  const faults: Error[] = [];
  device.on('fault', (error) => faults.push(error));
  const registered = once(device, 'registered');
  await device.start();
  const { channel } = await server.next('register');
  await registered;
  return {
    server,
    device,
    clock,
    channel,
    faults,
    ask: (method, path, more) => server.ask(channel, method, path, more),
    async end() {
      await device.close();
      await server.stop();
    },
  };
}

export function makeLamp(
  serverUri: string,
  clock: SimulatedClock,
  options: Partial<SimulatedDeviceOptions> = {},
): SimulatedDevice {
  return new SimulatedDevice({ endpoint: 'lamp-1', serverUri, behaviours: streetLight, clock, seed: 7, ...options });
}
