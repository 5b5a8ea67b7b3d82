import type { Behaviour, BehaviourContext } from '../behaviour';
import { round } from './ipso-values';
import type { DeviceObjects, ObjectInstance, ResourceSetup } from '../device-objects';

const LIGHT_CONTROL = 3311;

/** Resources of Light Control. */
const ON_OFF = 5850;
const DIMMER = 5851;
const ON_TIME = 5852;
const CUMULATIVE_ACTIVE_POWER = 5805;
const POWER_FACTOR = 5820;
const APPLICATION_TYPE = 5750;

/** Watts of a lamp that is fully on, and of its driver when the lamp is off. */
const FULL_POWER = 60;
const STANDBY_POWER = 0.4;

/** Below this share of its light a driver's losses no longer fall. */
const LEAST_SHARE = 0.1;

/** Object 3311: lamps that count their hours and watt-hours. The server may create more of them and delete them. */
export function lightControl({ objects, clock }: BehaviourContext): Behaviour {
  const lamps = new Map<ObjectInstance, Lamp>();
  const advance = (now: number) => {
    const instances = objects.instances(LIGHT_CONTROL).map(([, instance]) => instance);
    for (const gone of [...lamps.keys()].filter((instance) => !instances.includes(instance))) lamps.delete(gone);
    for (const instance of instances) {
      const lamp = lamps.get(instance) ?? new Lamp(instance, now);
      lamps.set(instance, lamp);
      lamp.advance(now);
    }
  };
  // What the server switches counts from that moment, not from the next tick.
  const switched = () => advance(clock.now());
  const resources = (): Record<number, ResourceSetup> => ({
    [ON_OFF]: { value: false, written: switched },
    [DIMMER]: { value: 100, written: switched },
    [ON_TIME]: { value: 0, check: notNegative, written: switched },
    [CUMULATIVE_ACTIVE_POWER]: { value: 0 },
    [POWER_FACTOR]: { value: powerFactor(0) },
    [APPLICATION_TYPE]: { value: 'street light' },
  });
  objects.allowCreation(LIGHT_CONTROL, resources);
  objects.add(LIGHT_CONTROL, 0, resources());
  return { advance };
}

/** The light of all lamps of a device; 1 is one lamp that is fully on. */
export function lightOutput(objects: DeviceObjects): number {
  return objects.instances(LIGHT_CONTROL).reduce((sum, [, instance]) => sum + shareOf(instance), 0);
}

/** The counters of one lamp. */
class Lamp {
  readonly #resources: ObjectInstance;
  /** Since when it burns as it does. */
  #since: number;
  #share: number;
  /** What was counted last, with the fraction that the resource does not show. */
  #seconds = 0;
  #wattHours = 0;

  constructor(resources: ObjectInstance, now: number) {
    this.#resources = resources;
    this.#since = now;
    this.#share = shareOf(resources);
  }

  advance(now: number): void {
    const hours = Math.max(0, now - this.#since) / 3_600_000;
    const onTime = this.#resources.get(ON_TIME);
    // A value that is not ours was written: counting goes on from there.
    if (onTime && onTime.number !== Math.floor(this.#seconds)) this.#seconds = onTime.number;
    if (this.#share > 0) this.#seconds += hours * 3600;
    this.#wattHours += hours * power(this.#share);
    this.#since = now;
    this.#share = shareOf(this.#resources);
    this.#show(ON_TIME, Math.floor(this.#seconds));
    this.#show(CUMULATIVE_ACTIVE_POWER, round(this.#wattHours, 3));
    this.#show(POWER_FACTOR, powerFactor(this.#share));
  }

  #show(resourceId: number, value: number): void {
    const resource = this.#resources.get(resourceId);
    if (resource) resource.value = value;
  }
}

/** The share of its full light that a lamp gives. */
function shareOf(lamp: ObjectInstance): number {
  return lamp.get(ON_OFF)?.value === true ? (lamp.get(DIMMER)?.number ?? 100) / 100 : 0;
}

/** Watts. */
function power(share: number): number {
  return share === 0 ? STANDBY_POWER : FULL_POWER * Math.max(share, LEAST_SHARE);
}

/** The driver of a dimmed lamp draws a worse current. */
function powerFactor(share: number): number {
  return round(0.5 + 0.45 * share, 2);
}

function notNegative(value: unknown): string | undefined {
  return typeof value === 'number' && value >= 0 ? undefined : 'must not be negative; 0 resets the counter';
}
