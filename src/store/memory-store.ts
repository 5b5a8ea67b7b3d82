import type { AccessStore, StoredGrant } from '../access';
import type { Store, StoredDeviceValues, StoredGroup, StoredPolicy, StoredSuspension } from '../fleet';
import type { StoredOrder } from '../server';
import { systemClock, type Clock } from '../util/clock';
import { MemoryAudit } from './memory-audit';
import { MemoryDeviceRecords } from './memory-device-records';
import { MemoryKeyed } from './memory-keyed';
import { MemoryObservations } from './memory-observations';
import { MemoryRegistrations } from './memory-registrations';
import { MemorySecrets } from './memory-secrets';

/** A store that lives as long as the process: for tests, and for who needs nothing to outlive it. */
export class MemoryStore implements Store, AccessStore {
  readonly registrations: MemoryRegistrations;
  readonly observations = new MemoryObservations();
  readonly devices = new MemoryDeviceRecords();
  readonly secrets = new MemorySecrets();
  readonly orders = new MemoryKeyed<StoredOrder>();
  readonly policies = new MemoryKeyed<StoredPolicy>();
  readonly groups = new MemoryKeyed<StoredGroup>();
  readonly suspensions = new MemoryKeyed<StoredSuspension>();
  readonly values = new MemoryKeyed<StoredDeviceValues>();
  readonly grants = new MemoryKeyed<StoredGrant>();
  readonly audit = new MemoryAudit();

  constructor(clock: Clock = systemClock) {
    this.registrations = new MemoryRegistrations(clock);
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  check(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
