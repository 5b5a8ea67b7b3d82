import type { ContentFormatName } from '../content';
import type { Attributes } from './attributes';
import type { Registration } from './registration';

/** A value now or a promise of it. A store in memory answers at once; whoever calls a store awaits it all the same. */
export type Awaitable<T> = T | Promise<T>;

/**
 * Where registrations live. Several instances of the server may share one, so what is read may have been written by
 * another, and every change is compare-and-set: it names the revision it was made from and fails when there is another.
 * All methods reject with `StoreError` when the store is in trouble. Changes of one endpoint settle in the order in which
 * they were asked for.
 */
export interface RegistrationStore {
  byEndpoint(endpoint: string): Awaitable<Registration | undefined>;
  byId(id: string): Awaitable<Registration | undefined>;
  /**
   * Sets the registration of its endpoint and starts a fresh lifetime. A registration with another id for the same
   * endpoint is replaced: its id is unknown from then on.
   * @param expectedRevision what the stored one must have; 0: there must be none.
   * @returns false, and changes nothing, when that is not so.
   */
  put(registration: Registration, expectedRevision: number): Awaitable<boolean>;
  /**
   * Starts a fresh lifetime and changes nothing else, the revision neither. Need not be durable: after a restart every
   * registration has a fresh lifetime.
   * @returns false when the endpoint has no registration of this revision.
   */
  renew(endpoint: string, expectedRevision: number): Awaitable<boolean>;
  /** @returns false when the endpoint has no registration of this revision. */
  remove(endpoint: string, expectedRevision: number): Awaitable<boolean>;
  /** Removes and returns registrations whose lifetime is over, at most `limit` of them, those longest over first. */
  takeExpired(limit: number): Awaitable<readonly Registration[]>;
  /** All registrations, in no order. What changes meanwhile may or may not be seen. */
  all(): AsyncIterable<Registration> | Iterable<Registration>;
  count(): Awaitable<number>;
}

/** A running observation, enough to accept its notifications after a restart. */
export interface StoredObservation {
  readonly endpoint: string;
  /** The registration it belongs to; another registration of the endpoint ends it. */
  readonly registrationId: string;
  readonly token: Buffer;
  readonly paths: readonly string[];
  readonly composite: boolean;
  readonly contentFormat?: ContentFormatName;
  /** Attributes carried in the request itself (1.2). */
  readonly attributes?: Attributes;
}

/** Where running observations live; keyed by endpoint and token. Rejects with `StoreError` like `RegistrationStore`. */
export interface ObservationStore {
  /** Adds it, or replaces the one with the same endpoint and token. */
  put(observation: StoredObservation): Awaitable<void>;
  /** @returns whether there was one. */
  remove(endpoint: string, token: Buffer): Awaitable<boolean>;
  /** @returns how many there were. */
  removeOf(endpoint: string): Awaitable<number>;
  of(endpoint: string): Awaitable<readonly StoredObservation[]>;
  count(): Awaitable<number>;
}

/** All that the server needs to outlive a process. */
export interface ServerStore {
  readonly registrations: RegistrationStore;
  readonly observations: ObservationStore;
}
