import type { Registration, RegistrationStore } from '../server';
import type { Clock } from '../util/clock';
import { DeadlineIndex, NO_BUCKET, type Deadlined } from '../util/deadline-index';

interface Entry extends Deadlined {
  registration: Registration;
}

/** Registrations in the memory of this process. */
export class MemoryRegistrations implements RegistrationStore {
  readonly #byEndpoint = new Map<string, Entry>();
  readonly #byId = new Map<string, Entry>();
  readonly #lifetimes: DeadlineIndex<Entry>;

  constructor(clock: Clock) {
    this.#lifetimes = new DeadlineIndex(clock);
  }

  byEndpoint(endpoint: string): Registration | undefined {
    return this.#byEndpoint.get(endpoint)?.registration;
  }

  byId(id: string): Registration | undefined {
    return this.#byId.get(id)?.registration;
  }

  put(registration: Registration, expectedRevision: number): boolean {
    let entry = this.#byEndpoint.get(registration.endpoint);
    if ((entry?.registration.revision ?? 0) !== expectedRevision) return false;
    if (entry === undefined) {
      entry = { registration, deadline: 0, bucket: NO_BUCKET };
      this.#byEndpoint.set(registration.endpoint, entry);
      this.#byId.set(registration.id, entry);
    } else {
      if (entry.registration.id !== registration.id) {
        this.#byId.delete(entry.registration.id);
        this.#byId.set(registration.id, entry);
      }
      entry.registration = registration;
    }
    this.#startLifetime(entry);
    return true;
  }

  renew(endpoint: string, expectedRevision: number): boolean {
    const entry = this.#byEndpoint.get(endpoint);
    if (entry?.registration.revision !== expectedRevision) return false;
    this.#startLifetime(entry);
    return true;
  }

  remove(endpoint: string, expectedRevision: number): boolean {
    const entry = this.#byEndpoint.get(endpoint);
    if (entry?.registration.revision !== expectedRevision) return false;
    this.#lifetimes.delete(entry);
    this.#forget(entry);
    return true;
  }

  takeExpired(limit: number): Registration[] {
    return this.#lifetimes.takeDue(limit).map((entry) => {
      this.#forget(entry);
      return entry.registration;
    });
  }

  *all(): Iterable<Registration> {
    for (const entry of this.#byEndpoint.values()) yield entry.registration;
  }

  count(): number {
    return this.#byEndpoint.size;
  }

  #startLifetime(entry: Entry): void {
    this.#lifetimes.set(entry, entry.registration.lifetime * 1000);
  }

  #forget({ registration }: Entry): void {
    this.#byEndpoint.delete(registration.endpoint);
    this.#byId.delete(registration.id);
  }
}
