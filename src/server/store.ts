import type { ContentFormatName } from '../content';
import type { Attributes } from './attributes';
import type { Operation } from './operation';
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
  /** All observations, in no order. What changes meanwhile may or may not be seen. */
  all(): AsyncIterable<StoredObservation> | Iterable<StoredObservation>;
  count(): Awaitable<number>;
}

/**
 * Things kept by an id. Whoever owns them reads them all once when it starts, holds them in memory from then on, and
 * writes what changes. All methods reject with `StoreError` when the store is in trouble. Changes of one id settle in the
 * order in which they were asked for. What is given is kept as it is at that moment: plain data, Buffers, Dates, BigInts.
 */
export interface KeyedStore<T> {
  /** Adds it, or replaces the one of this id. @throws {InvalidArgumentError} it holds what no store can keep (a function). */
  put(id: string, thing: T): Awaitable<void>;
  /** @returns whether there was one. */
  remove(id: string): Awaitable<boolean>;
  all(): AsyncIterable<readonly [string, T]> | Iterable<readonly [string, T]>;
}

/** Who takes what comes of an order that outlives its process. */
export interface OrderOrigin {
  /** Of all the members of one order the same. */
  readonly run: string;
  /** Who ordered, for finding it again: a node's id. */
  readonly owner: string;
  /** What the owner wants back with the outcome: plain data. */
  readonly note: unknown;
  /** Whether the target named many devices. */
  readonly many: boolean;
}

/** An order that waits for a device that sleeps or is suspended. Its id sorts by the time of the order. */
export interface StoredOrder {
  readonly endpoint: string;
  readonly operation: Operation;
  readonly user?: string;
  /** ms since 1970 */
  readonly queuedAt: number;
  /** ms since 1970 */
  readonly expiresAt: number;
  /** It must not be done twice, and was sent: after a restart nobody knows whether the device did it. */
  readonly sent?: true;
  /** Absent: nobody waits for the outcome. */
  readonly origin?: OrderOrigin;
}

/** All that the server needs to outlive a process. */
export interface ServerStore {
  readonly registrations: RegistrationStore;
  readonly observations: ObservationStore;
  readonly orders: KeyedStore<StoredOrder>;
}
