import type { Clock } from '../util/clock';
import type { DeviceVersion } from './device-formats';
import type { DeviceObjects } from './device-objects';

/** What the Server object and others can make their device do. */
export interface DeviceActions {
  /** Goes away for the time of a restart, without a word, and registers again. */
  reboot(): void;
  /** De-registers and stays away for so many seconds (LwM2M Core 1.1 s6.2.4, Disable). */
  disable(seconds: number): void;
  /** Sends a registration update now. */
  update(): void;
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
  readonly actions: DeviceActions;
}

/** One thing that a device is or does: it brings its objects and lets time pass for them. */
export interface Behaviour {
  /** Brings the values up to `now`, ms since 1970. Called before every request and with every tick. */
  advance?(now: number): void;
}

export type BehaviourFactory = (context: BehaviourContext) => Behaviour;
