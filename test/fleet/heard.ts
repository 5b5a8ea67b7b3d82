import type { ObservationFailure, ObservationListener, ObservedValue } from '../../src';

/** What a listener of an observation policy heard. */
export class Heard implements ObservationListener {
  readonly values: ObservedValue[] = [];
  readonly failures: ObservationFailure[] = [];

  value(value: ObservedValue): void {
    this.values.push(value);
  }

  failed(failure: ObservationFailure): void {
    this.failures.push(failure);
  }

  payloads(): unknown[] {
    return this.values.map(({ payload }) => payload);
  }
}
