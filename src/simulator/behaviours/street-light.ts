import type { BehaviourFactory } from '../behaviour';
import { deviceObject } from './device-object';
import { illuminance } from './illuminance';
import { lightControl } from './light-control';
import { serverObject } from './server-object';

/** A street lamp with a dimmer and a light sensor. */
export const streetLight: readonly BehaviourFactory[] = [
  serverObject,
  deviceObject({ manufacturer: 'Open LwM2M', model: 'Street Light 60', type: 'street light' }),
  lightControl,
  illuminance,
];
