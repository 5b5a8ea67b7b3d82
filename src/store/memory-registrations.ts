import type { Registration, RegistrationStore } from '../server';
import type { Clock } from '../util/clock';
import { DeadlineIndex, NO_BUCKET, type Deadlined } from '../util/deadline-index';
import { IdIndex, type Indexed } from './id-index';

interface Entry extends Deadlined, Indexed {}

/** Registrations in the memory of this process. */
export class MemoryRegistrations implements RegistrationStore {
  readonly #byEndpoint = new Map<string, Entry>();
  readonly #byId = new IdIndex<Entry>();
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
      entry = { registration, deadline: 0, bucket: NO_BUCKET, next: undefined };
      this.#byEndpoint.set(registration.endpoint, entry);
      this.#byId.add(entry);
    } else if (entry.registration.id === registration.id) {
      entry.registration = registration;
    } else {
      this.#byId.delete(entry);
      entry.registration = registration;
      this.#byId.add(entry);
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

  /** Those whose lifetime is over, as `takeExpired`, but they stay until they are removed. None is given twice. */
  takeDue(limit: number): Registration[] {
    return this.#lifetimes.takeDue(limit).map(({ registration }) => registration);
  }

  /** One of `takeDue` could not be removed: it is due again in a moment, unless a lifetime has begun since. */
  postpone(endpoint: string): void {
    const entry = this.#byEndpoint.get(endpoint);
    if (entry?.bucket === NO_BUCKET) this.#lifetimes.set(entry, 0);
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

  #forget(entry: Entry): void {
    this.#byEndpoint.delete(entry.registration.endpoint);
    this.#byId.delete(entry);
  }
}
