import type { Behaviour, BehaviourContext } from '../behaviour';
import { randomAt } from '../random';
import { lightOutput } from './light-control';

const ILLUMINANCE = 3301;

const SENSOR_VALUE = 5700;
const MIN_MEASURED = 5601;
const MAX_MEASURED = 5602;

/** Lux: under an overcast sky at noon, at night, and of a lamp on the street below it. */
const NOON = 12_000;
const NIGHT = 0.2;
const LAMP = 18;

const HOUR = 3_600_000;
const NOISE_PERIOD = 60_000;

/** Object 3301: daylight that follows the hour (sunrise at 6, sunset at 18 UTC), passing clouds, and the lamp's own light. */
export function illuminance({ objects, clock, seed }: BehaviourContext): Behaviour {
  const measure = (now: number) => round(daylight(now) * clouds(seed, now) + NIGHT + LAMP * lightOutput(objects));
  const first = measure(clock.now());
  const sensor = objects.add(ILLUMINANCE, 0, {
    [SENSOR_VALUE]: { value: first },
    [MIN_MEASURED]: { value: first },
    [MAX_MEASURED]: { value: first },
    5603: { value: 0 },
    5604: { value: 100_000 },
    5605: { execute: () => resetExtremes() },
    5701: { value: 'lx' },
  });
  const show = (resourceId: number, value: number) => {
    const resource = sensor.get(resourceId);
    if (resource) resource.value = value;
  };
  const resetExtremes = () => {
    const value = sensor.get(SENSOR_VALUE)?.number ?? 0;
    show(MIN_MEASURED, value);
    show(MAX_MEASURED, value);
  };
  return {
    advance(now) {
      const value = measure(now);
      show(SENSOR_VALUE, value);
      show(MIN_MEASURED, Math.min(value, sensor.get(MIN_MEASURED)?.number ?? value));
      show(MAX_MEASURED, Math.max(value, sensor.get(MAX_MEASURED)?.number ?? value));
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

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
