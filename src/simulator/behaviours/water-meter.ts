import { pathOf } from '../../model';
import type { Behaviour, BehaviourContext } from '../behaviour';
import { randomAt } from '../random';
import { round, show, wholeSeconds } from './ipso-values';

const WATER_METER = 3424;
const VOLUME = 1;
const TIMESTAMP = 5518;

/** So many readings are taken from one update to the next. */
const READINGS = 5;

const HOUR = 3_600_000;
/** ms in which a household uses about the same. */
const PERIOD = 60_000;
/** Of a longer time that nobody looked only the last part is measured. */
const MOST_PERIODS = 7 * 24 * 60;

/** Litres a minute: in the middle of the night, and at most at seven in the morning and in the evening. */
const NIGHT = 0.02;
const PEAK = 6;

/**
 * Object 3424 of a household. It takes readings by its own clock, and keeps them for the server until it wakes: five from
 * one update to the next.
 */
export function waterMeter({ objects, clock, seed, updateInterval, actions }: BehaviourContext): Behaviour {
  const readingPeriod = Math.max(1, Math.round(updateInterval / READINGS)) * 1000;
  let time = clock.now();
  let litres = 1000 * Math.floor(20 + 200 * randomAt(seed, 0));
  /** Up to where volume was reset, litres. */
  let since = 0;
  // Readings are of whole periods of the clock, so that those of many meters can be laid side by side.
  let nextReading = (Math.floor(time / readingPeriod) + 1) * readingPeriod;
  const volume = () => round((litres - since) / 1000, 4);

  const meter = objects.add(WATER_METER, 0, {
    [VOLUME]: { value: volume() },
    2: { execute: () => reset() },
    3: { value: 'Cold water' },
    9: { value: false },
    [TIMESTAMP]: { value: wholeSeconds(time) },
  });
  const reset = () => {
    since = litres;
    show(meter, VOLUME, volume());
  };
  const flowTo = (until: number) => {
    time = Math.max(time, until - MOST_PERIODS * PERIOD);
    while (time < until) {
      const end = Math.min(until, (Math.floor(time / PERIOD) + 1) * PERIOD);
      litres += (flow(seed, time) * (end - time)) / 60_000;
      time = end;
    }
    show(meter, VOLUME, volume());
    show(meter, TIMESTAMP, wholeSeconds(until));
  };
  return {
    advance(now) {
      nextReading = Math.max(nextReading, now - MOST_PERIODS * readingPeriod);
      for (; nextReading <= now; nextReading += readingPeriod) {
        flowTo(nextReading);
        actions.record([{ path: pathOf(WATER_METER, 0, VOLUME), value: volume(), timestamp: nextReading }]);
      }
      flowTo(now);
    },
  };
}

/** Litres a minute: more in the morning and in the evening, by chance from minute to minute. */
function flow(seed: number, now: number): number {
  const hour = (now / HOUR) % 24;
  const usual = Math.max(0, Math.cos(((hour - 7) / 6) * Math.PI)) ** 2;
  return NIGHT + PEAK * (0.1 + 0.9 * usual) * randomAt(seed, Math.floor(now / PERIOD)) ** 2;
}
