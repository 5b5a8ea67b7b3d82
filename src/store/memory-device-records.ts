import { credentialOf, type DeviceRecord, type DeviceRecordStore } from '../fleet';

/** Device records in the memory of this process. */
export class MemoryDeviceRecords implements DeviceRecordStore {
  readonly #byEndpoint = new Map<string, DeviceRecord>();
  /** By what a peer proves, `credentialOf`. */
  readonly #byCredential = new Map<string, DeviceRecord>();

  get(endpoint: string): DeviceRecord | undefined {
    return this.#byEndpoint.get(endpoint);
  }

  put(record: DeviceRecord, expectedRevision: number): boolean {
    if (!this.accepts(record, expectedRevision)) return false;
    this.#forget(this.#byEndpoint.get(record.endpoint));
    this.#byEndpoint.set(record.endpoint, record);
    const credential = credentialOf(record.security);
    if (credential !== undefined) this.#byCredential.set(credential, record);
    return true;
  }

  /** Whether `put` would set it. */
  accepts(record: DeviceRecord, expectedRevision: number): boolean {
    const current = this.#byEndpoint.get(record.endpoint);
    if ((current?.revision ?? 0) !== expectedRevision) return false;
    const credential = credentialOf(record.security);
    const holder = credential === undefined ? undefined : this.#byCredential.get(credential);
    return holder === undefined || holder === current;
  }

  remove(endpoint: string, expectedRevision: number): boolean {
    const current = this.#byEndpoint.get(endpoint);
    if (current?.revision !== expectedRevision) return false;
    this.#forget(current);
    return true;
  }

  *all(): Iterable<DeviceRecord> {
    yield* this.#byEndpoint.values();
  }

  byPskIdentity(identity: string): DeviceRecord | undefined {
    return this.#byCredential.get(`psk ${identity}`);
  }

  byPublicKey(publicKey: Buffer): DeviceRecord | undefined {
    return this.#byCredential.get(`rpk ${publicKey.toString('base64')}`);
  }

  byCertificateName(name: string): DeviceRecord | undefined {
    return this.#byCredential.get(`x509 ${name}`);
  }

  #forget(record: DeviceRecord | undefined): void {
    if (record === undefined) return;
    this.#byEndpoint.delete(record.endpoint);
    const credential = credentialOf(record.security);
    if (credential !== undefined) this.#byCredential.delete(credential);
  }
}
