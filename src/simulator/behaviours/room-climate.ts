import type { Behaviour, BehaviourContext } from '../behaviour';
import type { ObjectInstance } from '../device-objects';
import { seededRandom } from '../random';
import { EnergyMeter } from './energy-meter';
import { IPSO, isOn, numberOf, Sensor, show } from './ipso-values';
import { roomOf } from './room-label';

const TEMPERATURE = 3303;
const SET_POINT = 3308;
const ACTUATION = 3306;

const SET_POINT_VALUE = 5900;
const MODE = 5853;

/** `auto`: the set point switches the compressor. `manual`: it runs whenever the unit is on, for rules of others. */
const MODES = ['auto', 'manual'];

/** Instances of Actuation: the unit, which people switch; its compressor, which switches itself. */
const UNIT = 0;
const COMPRESSOR = 1;

/** K above and below the set point at which the compressor starts and stops. */
const HYSTERESIS = 0.5;

/** Degrees that a set point may have. */
const COLDEST = 10;
const WARMEST = 35;

/** Watts: with the compressor, with the fan alone, switched off. */
const COOLING = 900;
const FAN = 40;
const STANDBY = 3;

/** ms: time goes in such steps, however often somebody looks. */
const STEP = 5_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
/** Of a longer time that nobody looked only the last part is lived through. */
const MOST_STEPS = (24 * HOUR) / STEP;

/** ms in which two thirds of a difference to the outside are made up, with the window closed and open. */
const CLOSED_WINDOW = 40 * MINUTE;
const OPEN_WINDOW = 8 * MINUTE;

/**
 * A room that the sun and its people warm and an air conditioner cools: Temperature (3303), Set Point (3308), Actuation
 * (3306), Power (3328), Energy (3331). Quick enough to watch: about three minutes of cooling for a degree.
 */
export function roomClimate({ objects, clock, seed, endpoint }: BehaviourContext): Behaviour {
  const random = seededRandom(seed);
  const room = roomOf(endpoint);
  const pull = 0.45 + 0.1 * random();
  let kelvin = 22 + 4 * random();
  let isWindowOpen = false;
  let time = Math.floor(clock.now() / STEP) * STEP;
  let runningSteps = 0;

  const thermometer = new Sensor(objects, {
    objectId: TEMPERATURE,
    value: kelvin,
    units: 'Cel',
    range: [-20, 60],
    applicationType: room,
    digits: 1,
  });
  const setPoint = objects.add(SET_POINT, 0, {
    [SET_POINT_VALUE]: { value: 22 + Math.floor(3 * random()), check: checkSetPoint, written: () => decide() },
    [IPSO.sensorUnits]: { value: 'Cel' },
    [IPSO.applicationType]: { value: room },
  });
  const unit = objects.add(ACTUATION, UNIT, {
    [IPSO.onOff]: { value: true, written: () => decide() },
    [MODE]: { value: 'auto', check: checkMode, written: () => decide() },
    [IPSO.applicationType]: { value: room },
  });
  const compressor = objects.add(ACTUATION, COMPRESSOR, {
    [IPSO.onOff]: { value: false, check: () => `is switched by the unit: write /${ACTUATION}/${UNIT}/${IPSO.onOff}` },
    [IPSO.onTime]: { value: 0, check: () => 'counts the seconds of the compressor by itself' },
    [IPSO.applicationType]: { value: 'compressor' },
  });
  const meter = new EnergyMeter(objects, room);

  const decide = () => {
    show(
      compressor,
      IPSO.onOff,
      isOn(unit) && wantsCooling(unit, compressor, kelvin, numberOf(setPoint, SET_POINT_VALUE, 22)),
    );
    meter.draw(watts());
  };
  const watts = () => (isOn(compressor) ? COOLING : isOn(unit) ? FAN : STANDBY);
  const live = () => {
    meter.use(watts(), STEP);
    if (isOn(compressor)) runningSteps += 1;
    const pause = isWindowOpen ? OPEN_WINDOW : CLOSED_WINDOW;
    const cooled = isOn(compressor) ? (pull / MINUTE) * pause : 0;
    const goal = outside(time) + (isWindowOpen ? 0 : 2) - cooled;
    kelvin = goal + (kelvin - goal) * Math.exp(-STEP / pause);
    time += STEP;
    decide();
  };
  decide();
  return {
    advance(now) {
      time = Math.max(time, Math.floor(now / STEP) * STEP - MOST_STEPS * STEP);
      while (time + STEP <= now) live();
      thermometer.measure(kelvin);
      show(compressor, IPSO.onTime, (runningSteps * STEP) / 1000);
      meter.show();
    },
    controls: {
      openWindow: () => (isWindowOpen = true),
      closeWindow: () => (isWindowOpen = false),
    },
  };
}

/** By the set point with its hysteresis: within it everything stays as it is. */
function wantsCooling(unit: ObjectInstance, compressor: ObjectInstance, temperature: number, goal: number): boolean {
  if (unit.get(MODE)?.value === 'manual') return true;
  if (temperature >= goal + HYSTERESIS) return true;
  return temperature > goal - HYSTERESIS && isOn(compressor);
}

/** Degrees of a summer's day: warmest at three in the afternoon (UTC). */
function outside(now: number): number {
  return 28 + 5 * Math.sin(((now / HOUR - 9) / 12) * Math.PI);
}

function checkSetPoint(value: unknown): string | undefined {
  const fits = typeof value === 'number' && value >= COLDEST && value <= WARMEST;
  return fits ? undefined : `must be from ${COLDEST} to ${WARMEST} degrees`;
}

function checkMode(value: unknown): string | undefined {
  return MODES.includes(String(value)) ? undefined : `must be ${MODES.join(' or ')}`;
}
