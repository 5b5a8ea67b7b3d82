import type { BehaviourFactory } from './behaviour';
import { airConditioner } from './behaviours/air-conditioner';
import { car } from './behaviours/car';
import { meter } from './behaviours/meter';
import { streetLight } from './behaviours/street-light';
import type { Vanishing } from './presence';

/** What a kind of device is made of, and what is usual for it where nothing else is said. */
export interface Kind {
  readonly behaviours: readonly BehaviourFactory[];
  readonly queueMode?: boolean;
  /** s */
  readonly lifetime?: number;
  /** s */
  readonly updateInterval?: number;
  readonly vanishing?: Vanishing;
}

/** The kinds of device that can be simulated. */
const KINDS = {
  'street-light': { behaviours: streetLight },
  'air-conditioner': { behaviours: airConditioner },
  car: { behaviours: car },
  meter: { behaviours: meter, queueMode: true, lifetime: 3600, updateInterval: 300 },
} as const satisfies Record<string, Kind>;

/** One of `DEVICE_KINDS`. */
export type DeviceKind = keyof typeof KINDS;

/** What a simulated device can be. */
export const DEVICE_KINDS = Object.keys(KINDS) as readonly DeviceKind[];

export function isDeviceKind(text: string): text is DeviceKind {
  return Object.hasOwn(KINDS, text);
}

export function kindOf(kind: DeviceKind): Kind {
  return KINDS[kind];
}
