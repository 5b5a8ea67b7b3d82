import { InvalidArgumentError, StoreError } from '../errors';
import { isSameIdentity, type PeerIdentity, type Provisioning } from '../server';
import { escapeForLog, type Log } from '../util/log';
import { Turns } from '../util/turns';
import type { Device } from './device';
import { identityOf, shownRecord, type DeviceRecord, type ProvisionedDevice } from './device-record';
import { holderOf, putBatch, takenMessage } from './device-record-batch';
import { recordsOfCsv } from './device-record-csv';
import { endpointName, endpointOfInput, recordOfInput, type RecordTemplate } from './device-record-input';
import type { Devices } from './devices';
import type { DeviceRecordStore } from './store';
import type { Target } from './target';

/** How often a change is tried again when another writer was faster. */
const MAX_TRIES = 8;

export interface ProvisioningContext {
  readonly store: DeviceRecordStore;
  readonly devices: Devices;
  readonly log: Log;
  /** What is known of a device was entered or changed. */
  readonly entered: (device: Device) => void;
  /** Ends all sessions of an identity: what it proved does not hold any more. */
  readonly endSessions: (identity: PeerIdentity) => void;
  /**
   * Ends the registration of an endpoint if whoever made it may not act as the endpoint any more, and answers whose it was.
   */
  readonly recheck: (endpoint: string) => Promise<PeerIdentity | undefined>;
  /** Whether a device that nobody has provisioned may come in for now, to be provisioned. */
  readonly mayJoin: (endpoint: string) => boolean;
  /** Ends the registration of an endpoint and answers whose it was. */
  readonly deregister: (endpoint: string) => Promise<PeerIdentity | undefined>;
}

/** Who changes a record. */
export interface ProvisionOptions {
  /** Who does it. */
  readonly user?: string;
}

export interface ProvisionManyOptions extends ProvisionOptions {
  /** Rejects when the user may not provision this device: asked of all before the first is stored. */
  readonly check?: (endpoint: string) => Promise<void>;
  /** Instead of `put` for each record. */
  readonly put?: (input: unknown) => Promise<ProvisionedDevice>;
  /** What an error says of the record of an index; `record 3 of the array: ...` when absent. */
  readonly describe?: (index: number, message: string) => string;
}

/**
 * Device records: who may register as whom, and what is known of a device before it is ever heard. The keys stay in the
 * store; what is asked at every request is in memory.
 */
export class DeviceProvisioning implements Provisioning {
  readonly #context: ProvisioningContext;
  /** Endpoints by the identity that a record names; raw public keys are found by their endpoint. */
  readonly #endpoints = { psk: new Map<string, string>(), x509: new Map<string, string>() };
  /** Changes of one endpoint, so that memory follows them in the order of the store. */
  readonly #changes = new Turns();

  constructor(context: ProvisioningContext) {
    this.#context = context;
  }

  /** Takes up the records of the store. @throws {StoreError} */
  async takeUp(): Promise<void> {
    for await (const record of this.#context.store.all()) this.#enter(record);
  }

  /**
   * Makes or changes the record of a device.
   * @param input what `lwm2m-provision` takes: `{ endpoint, security, labels, groups, priority, owner, metadata }`.
   * @throws {InvalidArgumentError} @throws {StoreError}
   */
  async put(input: unknown, options: ProvisionOptions = {}): Promise<ProvisionedDevice> {
    const endpoint = endpointOfInput(input);
    const device = await this.#changes.run(endpoint, () => this.#put(endpoint, () => input, options));
    if (device === undefined) throw new InvalidArgumentError('there is no device record');
    return device;
  }

  /**
   * As `put` of many, of which all are checked before the first is stored. The `cause` of an error that comes later is a
   * `BatchFailure`.
   * @throws {InvalidArgumentError} @throws {StoreError}
   */
  async putAll(inputs: readonly unknown[], options: ProvisionManyOptions = {}): Promise<ProvisionedDevice[]> {
    return await putBatch(inputs, {
      store: this.#context.store,
      check: () => Promise.resolve(),
      put: (input) => this.put(input, options),
      describe: (index, message) => `record ${index + 1} of the array: ${message}`,
      ...options,
    });
  }

  /** As `putAll` of the records of a CSV text. @throws {InvalidArgumentError} @throws {StoreError} */
  async putCsv(text: string, options: ProvisionManyOptions = {}): Promise<ProvisionedDevice[]> {
    const records = recordsOfCsv(text);
    const describe = (index: number, message: string): string =>
      `line ${records[index]?.line}: ${message.replace(/\bsecurity\.(?=[a-zA-Z])/g, '')}`;
    const inputs = records.map(({ input }) => input);
    return await this.putAll(inputs, { ...options, describe });
  }

  /**
   * Gives a device a record, of which it may be that nobody has said what it must prove: one that there is keeps what it
   * says, and gets the security alone.
   * @returns false: somebody has said it meanwhile, and nothing is changed. @throws {InvalidArgumentError} @throws {StoreError}
   */
  async join(endpoint: string, template: RecordTemplate, options: ProvisionOptions = {}): Promise<boolean> {
    const inputFor = (current: DeviceRecord | undefined): unknown => {
      if (current?.security !== undefined) return undefined;
      return current === undefined ? { ...template, endpoint } : { endpoint, security: template['security'] };
    };
    return (await this.#changes.run(endpoint, () => this.#put(endpoint, inputFor, options))) !== undefined;
  }

  /** Whether a device that nobody has provisioned may come in for now. */
  mayJoin(endpoint: string): boolean {
    return this.#context.mayJoin(endpoint);
  }

  /** `null`: there is none. @throws {InvalidArgumentError} @throws {StoreError} */
  async get(endpoint: string): Promise<ProvisionedDevice | null> {
    const record = await this.#context.store.get(endpointName(endpoint));
    return record === undefined ? null : shownRecord(record);
  }

  /** The records of a target's devices, sorted by endpoint. @throws {InvalidArgumentError} @throws {StoreError} */
  async list(target: Target): Promise<ProvisionedDevice[]> {
    const { store, devices } = this.#context;
    const matches = devices.matcher(target);
    const list: ProvisionedDevice[] = [];
    for await (const record of store.all()) {
      if (matches(devices.subject(record.endpoint))) list.push(shownRecord(record));
    }
    return list.sort((one, other) => (one.endpoint < other.endpoint ? -1 : 1));
  }

  /**
   * Removes the record of a device and cuts the device off at once.
   * @returns whether there was one. @throws {InvalidArgumentError} @throws {StoreError}
   */
  async remove(endpoint: string, options: ProvisionOptions = {}): Promise<boolean> {
    return await this.#changes.run(endpointName(endpoint), () => this.#remove(endpoint, options));
  }

  identityOf(endpoint: string): PeerIdentity | undefined {
    return this.#context.devices.get(endpoint)?.identity;
  }

  /** A certificate that no record names is that of the endpoint of its name, unless something else was said of that. */
  endpointOf({ mode, name = '' }: PeerIdentity): string | undefined {
    switch (mode) {
      case 'psk':
        return this.#endpoints.psk.get(name);
      case 'rpk':
        return this.identityOf(name)?.mode === 'rpk' ? name : undefined;
      case 'x509':
        return this.#endpoints.x509.get(name) ?? (this.identityOf(name) === undefined ? name : undefined);
      case 'nosec':
        return undefined;
    }
  }

  /** @param inputFor what to make of the record there is; `undefined`: nothing. */
  async #put(
    endpoint: string,
    inputFor: (current: DeviceRecord | undefined) => unknown,
    { user }: ProvisionOptions,
  ): Promise<ProvisionedDevice | undefined> {
    const { store } = this.#context;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const current = await store.get(endpoint);
      const input = inputFor(current);
      if (input === undefined) return undefined;
      const record = recordOfInput(input, current);
      if (await store.put(record, current?.revision ?? 0)) {
        this.#say(endpoint, 'changed', user);
        await this.#changed(record, current);
        return shownRecord(record);
      }
      await this.#refuseTaken(record);
    }
    throw new StoreError(`the record of ${endpoint} changes too fast`);
  }

  async #remove(endpoint: string, { user }: ProvisionOptions): Promise<boolean> {
    const { store, devices, deregister } = this.#context;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const current = await store.get(endpoint);
      if (current === undefined) return false;
      if (!(await store.remove(endpoint, current.revision))) continue;
      this.#say(endpoint, 'removed', user);
      this.#forgetIdentity(endpoint, this.identityOf(endpoint));
      devices.removed(endpoint);
      this.#endSessions(identityOf(current));
      this.#endSessions(await deregister(endpoint));
      return true;
    }
    throw new StoreError(`the record of ${endpoint} changes too fast`);
  }

  /** Why it was refused, if it was because another device has the identity. */
  async #refuseTaken(record: DeviceRecord): Promise<void> {
    const holder = await holderOf(record.security, this.#context.store);
    if (holder === undefined || holder.endpoint === record.endpoint) return;
    throw new InvalidArgumentError(takenMessage(record, holder.endpoint));
  }

  async #changed(record: DeviceRecord, previous: DeviceRecord | undefined): Promise<void> {
    const { entered, recheck } = this.#context;
    const { endpoint, security } = record;
    const device = this.#enter(record);
    if (previous !== undefined && !hasSameSecurity(previous, record)) this.#endSessions(identityOf(previous));
    this.#endSessions(await recheck(endpoint));
    // A certificate of this name may have stood for the endpoint of the name until now.
    if (security?.mode === 'x509' && security.name !== endpoint) this.#endSessions(await recheck(security.name));
    entered(device);
  }

  #enter(record: DeviceRecord): Device {
    const { endpoint } = record;
    this.#forgetIdentity(endpoint, this.identityOf(endpoint));
    const { mode, name } = identityOf(record) ?? {};
    if ((mode === 'psk' || mode === 'x509') && name !== undefined) this.#endpoints[mode].set(name, endpoint);
    return this.#context.devices.entered(record);
  }

  #forgetIdentity(endpoint: string, { mode, name = '' }: Partial<PeerIdentity> = {}): void {
    if (mode !== 'psk' && mode !== 'x509') return;
    // Another device may have it by now.
    if (this.#endpoints[mode].get(name) === endpoint) this.#endpoints[mode].delete(name);
  }

  #endSessions(identity: PeerIdentity | undefined): void {
    if (identity !== undefined && identity.mode !== 'nosec') this.#context.endSessions(identity);
  }

  #say(endpoint: string, what: string, user: string | undefined): void {
    const by = user === undefined ? '' : ` by ${escapeForLog(user)}`;
    this.#context.log.info(`the record of ${escapeForLog(endpoint)} was ${what}${by}`);
  }
}

function hasSameSecurity(one: DeviceRecord, other: DeviceRecord): boolean {
  const [before, after] = [one.security, other.security];
  if (before?.mode === 'psk' && after?.mode === 'psk') {
    return before.identity === after.identity && before.key.equals(after.key);
  }
  if (before?.mode === 'rpk' && after?.mode === 'rpk') return before.publicKey.equals(after.publicKey);
  const [identity, next] = [identityOf(one), identityOf(other)];
  return identity === next || (identity !== undefined && next !== undefined && isSameIdentity(identity, next));
}
