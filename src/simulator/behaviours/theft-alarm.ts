import type { DeviceObjects, ObjectInstance } from '../device-objects';
import { IPSO, isOn, numberOf, show } from './ipso-values';

const DIGITAL_INPUT = 3200;
const BUZZER = 3338;

const INPUT_STATE = 5500;
const INPUT_COUNTER = 5501;
const RESET_COUNTER = 5505;
const LEVEL = 5548;
const DELAY = 5521;
const LEAST_PAUSE = 5525;

/** ms that the contact reports a shock. */
const SHOCK = 30_000;

/** Objects 3200, the contact that feels that somebody is at the car, and 3338, the horn, which the server may silence. */
export class TheftAlarm {
  readonly #contact: ObjectInstance;
  readonly #horn: ObjectInstance;
  #until = -Infinity;

  constructor(objects: DeviceObjects) {
    this.#contact = objects.add(DIGITAL_INPUT, 0, {
      [INPUT_STATE]: { value: false },
      [INPUT_COUNTER]: { value: 0 },
      [RESET_COUNTER]: { execute: () => show(this.#contact, INPUT_COUNTER, 0) },
      [IPSO.applicationType]: { value: 'theft alarm' },
    });
    this.#horn = objects.add(BUZZER, 0, {
      [IPSO.onOff]: { value: false },
      [LEVEL]: { value: 100 },
      [DELAY]: { value: 0 },
      [LEAST_PAUSE]: { value: 0 },
      [IPSO.applicationType]: { value: 'horn' },
    });
  }

  /** Somebody is at the car. */
  shock(now: number): void {
    if (now >= this.#until) show(this.#contact, INPUT_COUNTER, numberOf(this.#contact, INPUT_COUNTER, 0) + 1);
    this.#until = now + SHOCK;
    show(this.#contact, INPUT_STATE, true);
    show(this.#horn, IPSO.onOff, true);
  }

  advance(now: number): void {
    if (now < this.#until || this.#contact.get(INPUT_STATE)?.value !== true) return;
    show(this.#contact, INPUT_STATE, false);
    if (isOn(this.#horn)) show(this.#horn, IPSO.onOff, false);
  }
}
