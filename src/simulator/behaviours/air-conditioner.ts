import type { BehaviourFactory } from '../behaviour';
import { deviceObject } from './device-object';
import { roomClimate } from './room-climate';
import { serverObject } from './server-object';

/** An air conditioner and the room that it cools. */
export const airConditioner: readonly BehaviourFactory[] = [
  serverObject,
  deviceObject({ manufacturer: 'Open LwM2M', model: 'Air Conditioner 900', type: 'air conditioner' }),
  roomClimate,
];
