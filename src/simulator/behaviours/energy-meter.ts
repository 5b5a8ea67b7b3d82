import type { DeviceObjects, ObjectInstance } from '../device-objects';
import { IPSO, round, Sensor, show } from './ipso-values';

const POWER = 3328;
const ENERGY = 3331;
const RESET_ENERGY = 5822;

const MS_PER_HOUR = 3_600_000;

/** Objects 3328 and 3331: the power that something draws, and what it has used, which the server may reset. */
export class EnergyMeter {
  readonly #power: Sensor;
  readonly #energy: ObjectInstance;
  #wattHours = 0;

  constructor(objects: DeviceObjects, applicationType: string) {
    this.#power = new Sensor(objects, { objectId: POWER, value: 0, units: 'W', applicationType, digits: 0 });
    this.#energy = objects.add(ENERGY, 0, {
      [IPSO.sensorValue]: { value: 0 },
      [IPSO.sensorUnits]: { value: 'Wh' },
      [RESET_ENERGY]: { execute: () => this.#reset() },
      [IPSO.applicationType]: { value: applicationType },
    });
  }

  /** @param watts that are drawn from now on */
  draw(watts: number): void {
    this.#power.measure(watts);
  }

  /** So many watts were drawn for so many ms. */
  use(watts: number, ms: number): void {
    this.#wattHours += (watts * ms) / MS_PER_HOUR;
  }

  show(): void {
    show(this.#energy, IPSO.sensorValue, round(this.#wattHours, 1));
  }

  #reset(): void {
    this.#wattHours = 0;
    this.show();
  }
}
