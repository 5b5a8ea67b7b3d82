import type { BehaviourFactory } from './behaviour';
import { streetLight } from './behaviours/street-light';

/** The kinds of device that can be simulated. */
const KINDS = {
  'street-light': streetLight,
} as const satisfies Record<string, readonly BehaviourFactory[]>;

export type DeviceKind = keyof typeof KINDS;

export const DEVICE_KINDS = Object.keys(KINDS) as readonly DeviceKind[];

export function isDeviceKind(text: string): text is DeviceKind {
  return Object.hasOwn(KINDS, text);
}

export function behavioursOf(kind: DeviceKind): readonly BehaviourFactory[] {
  return KINDS[kind];
}
