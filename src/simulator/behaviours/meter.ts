import type { BehaviourFactory } from '../behaviour';
import { deviceObject, LITHIUM_CELL } from './device-object';
import { serverObject } from './server-object';
import { waterMeter } from './water-meter';

/** A water meter in a cellar, on a battery that has to last for years. */
export const meter: readonly BehaviourFactory[] = [
  serverObject,
  deviceObject({ manufacturer: 'Open LwM2M', model: 'Water Meter 15', type: 'water meter', power: LITHIUM_CELL }),
  waterMeter,
];
