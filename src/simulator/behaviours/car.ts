import type { BehaviourFactory } from '../behaviour';
import { deviceObject, VEHICLE_BATTERY } from './device-object';
import { driving } from './driving';
import { serverObject } from './server-object';

/** A car with a locating modem, an alarm and an engine that can be stopped from afar. */
export const car: readonly BehaviourFactory[] = [
  serverObject,
  deviceObject({ manufacturer: 'Open LwM2M', model: 'Car Modem 12', type: 'car', power: VEHICLE_BATTERY }),
  driving,
];
