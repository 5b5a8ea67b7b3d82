import type { Behaviour, BehaviourContext } from '../behaviour';
import { randomAt } from '../random';
import { Sensor } from './ipso-values';
import { lightOutput } from './light-control';

const ILLUMINANCE = 3301;

/** Lux: under an overcast sky at noon, at night, and of a lamp on the street below it. */
const NOON = 12_000;
const NIGHT = 0.2;
const LAMP = 18;

const HOUR = 3_600_000;
const NOISE_PERIOD = 60_000;

/** Object 3301: daylight that follows the hour (sunrise at 6, sunset at 18 UTC), passing clouds, and the lamp's own light. */
export function illuminance({ objects, clock, seed }: BehaviourContext): Behaviour {
  const light = (now: number) => daylight(now) * clouds(seed, now) + NIGHT + LAMP * lightOutput(objects);
  const sensor = new Sensor(objects, {
    objectId: ILLUMINANCE,
    value: light(clock.now()),
    units: 'lx',
    range: [0, 100_000],
    digits: 1,
  });
  return {
    advance(now) {
      sensor.measure(light(now));
    },
  };
}

function daylight(now: number): number {
  const hour = (now / HOUR) % 24;
  return NOON * Math.max(0, Math.sin(((hour - 6) / 12) * Math.PI));
}

/** From 0.8 to 1, drifting from minute to minute. */
function clouds(seed: number, now: number): number {
  const minute = Math.floor(now / NOISE_PERIOD);
  const passed = (now % NOISE_PERIOD) / NOISE_PERIOD;
  return 0.8 + 0.2 * ((1 - passed) * randomAt(seed, minute) + passed * randomAt(seed, minute + 1));
}
