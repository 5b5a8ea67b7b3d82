import type { DeviceObjects, ObjectInstance, ResourceSetup } from '../device-objects';

/** Resources that many objects of IPSO share. */
export const IPSO = {
  minMeasured: 5601,
  maxMeasured: 5602,
  minRange: 5603,
  maxRange: 5604,
  resetMeasured: 5605,
  sensorValue: 5700,
  sensorUnits: 5701,
  applicationType: 5750,
  onOff: 5850,
  onTime: 5852,
} as const;

export interface SensorSetup {
  readonly objectId: number;
  readonly value: number;
  readonly units: string;
  /** What it can measure. */
  readonly range?: readonly [least: number, most: number];
  readonly applicationType?: string;
  /** Digits behind the point. */
  readonly digits: number;
}

/** A sensor that knows the least and the most that it has measured, until the server resets them. */
export class Sensor {
  readonly #instance: ObjectInstance;
  readonly #digits: number;

  constructor(objects: DeviceObjects, setup: SensorSetup) {
    this.#digits = setup.digits;
    const first = round(setup.value, setup.digits);
    const setups: Record<number, ResourceSetup> = {
      [IPSO.sensorValue]: { value: first },
      [IPSO.minMeasured]: { value: first },
      [IPSO.maxMeasured]: { value: first },
      [IPSO.resetMeasured]: { execute: () => this.#resetMeasured() },
      [IPSO.sensorUnits]: { value: setup.units },
    };
    if (setup.range) {
      [setups[IPSO.minRange], setups[IPSO.maxRange]] = setup.range.map((value) => ({ value })) as [object, object];
    }
    if (setup.applicationType !== undefined) setups[IPSO.applicationType] = { value: setup.applicationType };
    this.#instance = objects.add(setup.objectId, 0, setups);
  }

  measure(exact: number): void {
    const value = round(exact, this.#digits);
    show(this.#instance, IPSO.sensorValue, value);
    show(this.#instance, IPSO.minMeasured, Math.min(value, numberOf(this.#instance, IPSO.minMeasured, value)));
    show(this.#instance, IPSO.maxMeasured, Math.max(value, numberOf(this.#instance, IPSO.maxMeasured, value)));
  }

  #resetMeasured(): void {
    const value = numberOf(this.#instance, IPSO.sensorValue, 0);
    show(this.#instance, IPSO.minMeasured, value);
    show(this.#instance, IPSO.maxMeasured, value);
  }
}

/** Sets what a device shows. */
export function show(instance: ObjectInstance, resourceId: number, value: number | boolean | string | Date): void {
  const resource = instance.get(resourceId);
  if (resource) resource.value = value;
}

export function numberOf(instance: ObjectInstance, resourceId: number, otherwise: number): number {
  return instance.get(resourceId)?.number ?? otherwise;
}

export function isOn(instance: ObjectInstance): boolean {
  return instance.get(IPSO.onOff)?.value === true;
}

export function round(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}

/** Time has whole seconds (LwM2M Core 1.1 appendix C). */
export function wholeSeconds(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000);
}
