import type { Behaviour, BehaviourContext } from '../behaviour';
import { seededRandom } from '../random';
import { EngineControl } from './engine-control';
import { round, show, wholeSeconds } from './ipso-values';
import { positionOnRoute, ROUTE_LENGTH } from './route';
import { TheftAlarm } from './theft-alarm';

const LOCATION = 6;

/** ms: time goes in such steps, however often somebody looks. */
const STEP = 1_000;
/** Of a longer time that nobody looked only the last hour is lived through. */
const MOST_STEPS = 3_600;

/** m/s in a second: pulling away, braking, rolling out with the engine stopped. */
const PULL = 2;
const BRAKE = 3;
const ROLL = 1.5;

/** m that the position may be wrong. */
const RADIUS = 5;

/** What the driver does, for so many seconds: the engine runs but while the car is parked. */
interface Phase {
  readonly does: 'drive' | 'wait' | 'park';
  /** m/s that the driver is after. */
  readonly speed: number;
  readonly seconds: number;
}

/**
 * A car that goes round and round, waits at lights and parks now and then: Location (6), Engine Control (of its own), an
 * alarm (3200) with its horn (3338). A stopped engine lets it roll out.
 */
export function driving({ objects, clock, seed }: BehaviourContext): Behaviour {
  const random = seededRandom(seed);
  let time = Math.floor(clock.now() / STEP) * STEP;
  let metres = random() * ROUTE_LENGTH;
  let speed = 0;
  let phase: Phase = { does: 'park', speed: 0, seconds: 10 + 20 * random() };
  let begun = time;

  const start = positionOnRoute(metres);
  const location = objects.add(LOCATION, 0, {
    0: { value: round(start.latitude, 6) },
    1: { value: round(start.longitude, 6) },
    2: { value: round(start.altitude, 1) },
    3: { value: RADIUS },
    5: { value: wholeSeconds(time) },
    6: { value: 0 },
  });
  const alarm = new TheftAlarm(objects);
  const runs = () => !engine.blocked && phase.does !== 'park';
  const engine = new EngineControl(objects, {
    changed: () => engine.show(runs()),
    speed: () => speed,
    now: () => clock.now(),
  });

  const begin = (next: Phase) => {
    phase = next;
    begun = time;
    engine.show(runs());
  };
  const live = () => {
    time += STEP;
    if (time - begun >= phase.seconds * 1000) begin(nextPhase(phase, random));
    if (!runs()) speed = Math.max(0, speed - (engine.blocked ? ROLL : BRAKE));
    else speed = speed < phase.speed ? Math.min(phase.speed, speed + PULL) : Math.max(phase.speed, speed - BRAKE);
    metres = (metres + speed) % ROUTE_LENGTH;
  };
  const report = () => {
    const { latitude, longitude, altitude } = positionOnRoute(metres);
    show(location, 0, round(latitude, 6));
    show(location, 1, round(longitude, 6));
    show(location, 2, round(altitude, 1));
    show(location, 5, wholeSeconds(time));
    show(location, 6, round(speed, 1));
  };
  return {
    advance(now) {
      time = Math.max(time, Math.floor(now / STEP) * STEP - MOST_STEPS * STEP);
      while (time + STEP <= now) live();
      report();
      alarm.advance(now);
    },
    controls: {
      /** Until the driver is told to drive again. */
      park: () => begin({ does: 'park', speed: 0, seconds: Infinity }),
      drive: () => begin(drive(random)),
      alarm: () => alarm.shock(clock.now()),
    },
  };
}

function drive(random: () => number): Phase {
  return { does: 'drive', speed: 8 + 6 * random(), seconds: 40 + 60 * random() };
}

function nextPhase(phase: Phase, random: () => number): Phase {
  if (phase.does !== 'drive') return drive(random);
  if (random() < 0.3) return { does: 'park', speed: 0, seconds: 30 + 60 * random() };
  return { does: 'wait', speed: 0, seconds: 15 + 15 * random() };
}
