import { InvalidArgumentError, type Lwm2mError } from '../errors';
import type { ObjectDefinitions, Value } from '../model';
import type { Clock } from '../util/clock';
import type { BehaviourFactory } from './behaviour';
import type { DeviceVersion } from './device-formats';
import type { ResourceInstances } from './device-objects';
import type { Vanishing } from './presence';
import type { PskSecurity } from './psk-security';
import type { RegistrationTiming } from './registration';

export interface SimulatedDeviceOptions {
  readonly endpoint: string;
  /** `coap://host[:port]` or `coaps://host[:port]` */
  readonly serverUri: string;
  /** For `coaps://`. */
  readonly security?: PskSecurity;
  /** What the device is made of, the Server object first. */
  readonly behaviours: readonly BehaviourFactory[];
  /** s; default 60. */
  readonly lifetime?: number;
  /** Default 1.1. */
  readonly version?: DeviceVersion;
  /** Whether the device sleeps when nothing has been said for its awake time (LwM2M Core 1.1 s6.5). Default: it does not. */
  readonly queueMode?: boolean;
  /** s; default 93, the MAX_TRANSMIT_WAIT of RFC 7252 s4.8.2. */
  readonly awakeTime?: number;
  /** s between two updates, where the lifetime does not ask for more. */
  readonly updateInterval?: number;
  /** A modem that loses its network now and then. */
  readonly vanishing?: Vanishing;
  readonly clock?: Clock;
  /** The same seed and name make the same life. */
  readonly seed?: number;
  /** ms that a reboot takes; default 5,000. */
  readonly rebootTime?: number;
  readonly timing?: Partial<RegistrationTiming>;
  /** Default: the built-in ones. */
  readonly definitions?: ObjectDefinitions;
}

export interface SimulatedDeviceEvents {
  registered: [location: string];
  updated: [];
  deregistered: [];
  /** The server has executed Disable: the device is away for so many seconds. */
  disabled: [seconds: number];
  /** Of a device in queue mode. */
  asleep: [];
  awake: [];
  /** The modem has lost its network, or has it again. */
  vanished: [];
  returned: [];
  /** A request to the server failed; the device goes on trying. */
  failed: [error: Lwm2mError];
  written: [path: string, value: Value | ResourceInstances];
  executed: [path: string, args: string];
  /** A fault of the simulation itself. */
  fault: [error: Error];
  /** The port is closed; nothing follows. */
  closed: [];
}

/** Objects whose version follows that of LwM2M. */
export const CORE_OBJECTS: Readonly<Record<DeviceVersion, ReadonlyMap<number, string>>> = {
  '1.0': new Map([
    [1, '1.0'],
    [3, '1.0'],
  ]),
  '1.1': new Map([
    [1, '1.1'],
    [3, '1.1'],
  ]),
  '1.2': new Map([
    [1, '1.2'],
    [3, '1.2'],
  ]),
};

/** Of 1.0 the queue mode is a letter of the binding, later a parameter of its own (LwM2M Core 1.1 s6.2.1.2). */
export function bindingOf(version: DeviceVersion, queueMode: boolean): string[] {
  if (version === '1.0') return [queueMode ? 'b=UQ' : 'b=U'];
  return queueMode ? ['b=U', 'Q'] : ['b=U'];
}

/** @throws {InvalidArgumentError} an option that cannot be. */
export function checkOptions(options: SimulatedDeviceOptions): void {
  const { endpoint, lifetime = 0, awakeTime = 1, updateInterval = 1, vanishing } = options;
  if (endpoint === '') throw new InvalidArgumentError('a device needs a name');
  if (!Number.isInteger(lifetime) || lifetime < 0)
    throw new InvalidArgumentError('the lifetime is a number of seconds');
  if (!(awakeTime > 0)) throw new InvalidArgumentError('the awake time is a number of seconds above 0');
  if (!(updateInterval > 0)) throw new InvalidArgumentError('the update interval is a number of seconds above 0');
  if (vanishing && !(vanishing.duration > 0 && vanishing.every > vanishing.duration)) {
    throw new InvalidArgumentError('a modem vanishes every so many seconds, for fewer seconds than that');
  }
}
