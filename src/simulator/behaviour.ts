import type { Clock } from '../util/clock';
import type { DeviceVersion } from './device-formats';
import type { TimedValue } from './outbox';
import type { DeviceObjects } from './device-objects';

/** What the Server object and others can make their device do. */
export interface DeviceActions {
  /** Goes away for the time of a restart, without a word, and registers again. */
  reboot(): void;
  /** De-registers and stays away for so many seconds (LwM2M Core 1.1 s6.2.4, Disable). */
  disable(seconds: number): void;
  /** Sends a registration update now. */
  update(): void;
  /** Keeps values for the server, until they can be sent (LwM2M Core 1.1 s6.4.4, Send). */
  record(values: readonly TimedValue[]): void;
}

/** What a behaviour is given to live in. */
export interface BehaviourContext {
  readonly endpoint: string;
  readonly version: DeviceVersion;
  readonly objects: DeviceObjects;
  readonly clock: Clock;
  /** Of the device; the same seed makes the same life. */
  readonly seed: number;
  /** Seconds, as configured. */
  readonly lifetime: number;
  /** Whether the device sleeps. */
  readonly queueMode: boolean;
  /** s from one update of the registration to the next. */
  readonly updateInterval: number;
  readonly actions: DeviceActions;
}

/** One thing that a device is or does: it brings its objects and lets time pass for them. */
export interface Behaviour {
  /** Brings the values up to `now`, ms since 1970. Called before every request and with every tick. */
  advance?(now: number): void;
  /** What may happen to the device from outside, as a person, a thief or the weather would do it; by name. */
  readonly controls?: Readonly<Record<string, () => void>>;
}

export type BehaviourFactory = (context: BehaviourContext) => Behaviour;
