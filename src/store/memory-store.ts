import type { Store } from '../server';
import { systemClock, type Clock } from '../util/clock';
import { MemoryObservations } from './memory-observations';
import { MemoryRegistrations } from './memory-registrations';

/** A store that lives as long as the process: for tests, and for who needs nothing to outlive it. */
export class MemoryStore implements Store {
  readonly registrations: MemoryRegistrations;
  readonly observations = new MemoryObservations();

  constructor(clock: Clock = systemClock) {
    this.registrations = new MemoryRegistrations(clock);
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
