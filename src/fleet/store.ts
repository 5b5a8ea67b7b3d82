import type { Awaitable, KeyedStore, ServerStore } from '../server';
import type { DeviceRecord } from './device-record';
import type { StoredDeviceValues } from './device-values';
import type { StoredGroup } from './group';
import type { StoredPolicy } from './observation-policy';
import type { StoredSuspension } from './suspension';

/**
 * Where device records live, apart from registrations. They hold keys: a store that writes them to a disk keeps them from
 * others. Every change is compare-and-set, as of registrations. All methods reject with `StoreError` when the store is in
 * trouble. Changes of one endpoint settle in the order in which they were asked for.
 */
export interface DeviceRecordStore {
  get(endpoint: string): Awaitable<DeviceRecord | undefined>;
  /**
   * Sets the record of its endpoint. An identity of a pre-shared key, a public key and a name of certificates belong to one
   * record at most.
   * @param expectedRevision what the stored one must have; 0: there must be none.
   * @returns false, and changes nothing, when that is not so, or when another record has the identity, key or name.
   */
  put(record: DeviceRecord, expectedRevision: number): Awaitable<boolean>;
  /** @returns false when the endpoint has no record of this revision. */
  remove(endpoint: string, expectedRevision: number): Awaitable<boolean>;
  /** All records, in no order. What changes meanwhile may or may not be seen. */
  all(): AsyncIterable<DeviceRecord> | Iterable<DeviceRecord>;
  /** These three take as long for what is unknown as for what is known. */
  byPskIdentity(identity: string): Awaitable<DeviceRecord | undefined>;
  /** @param publicKey SubjectPublicKeyInfo in DER. */
  byPublicKey(publicKey: Buffer): Awaitable<DeviceRecord | undefined>;
  byCertificateName(name: string): Awaitable<DeviceRecord | undefined>;
}

/** Where the server keeps secrets of its own. Rejects with `StoreError`. */
export interface SecretStore {
  get(name: string): Awaitable<Buffer | undefined>;
  /** Keeps a secret for ever. @returns false, and changes nothing, when there is one of this name. */
  add(name: string, secret: Buffer): Awaitable<boolean>;
}

/** All that must outlive a process. */
export interface Store extends ServerStore {
  readonly devices: DeviceRecordStore;
  readonly secrets: SecretStore;
  /** Observation policies, by id. */
  readonly policies: KeyedStore<StoredPolicy>;
  /** Groups made by a rule, by name. */
  readonly groups: KeyedStore<StoredGroup>;
  /** Suspensions, by endpoint. */
  readonly suspensions: KeyedStore<StoredSuspension>;
  /** What was commanded to devices and what they reported, by endpoint. The last moments may be lost with the machine. */
  readonly values: KeyedStore<StoredDeviceValues>;
  /**
   * May be called again after it has failed, and after `close`.
   * @throws {StoreError} it cannot be opened; then it holds no file and no lock.
   */
  open(): Promise<void>;
  /**
   * Writes something that changes nothing, as durably as it writes anything, and reads it: whether a store that was in
   * trouble is well again.
   * @throws {StoreError} it is in trouble.
   */
  check(): Promise<void>;
  /** Also of a store that is not open. */
  close(): Promise<void>;
}
