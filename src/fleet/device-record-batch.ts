import { AccessDeniedError, InvalidArgumentError, Lwm2mError, StoreError } from '../errors';
import { nextTurn } from '../util/next-turn';
import { credentialOf, type DeviceRecord, type DeviceSecurity, type ProvisionedDevice } from './device-record';
import { endpointOfInput, recordOfInput } from './device-record-input';
import type { DeviceRecordStore } from './store';

/** How many records are put at once. */
const MAX_RECORDS = 100_000;
/** So many are checked, or put, at the same time: a store commits them together. */
const AT_ONCE = 100;

export interface BatchContext {
  readonly store: DeviceRecordStore;
  /** Rejects when this device must not be provisioned. */
  readonly check: (endpoint: string) => Promise<void>;
  readonly put: (input: unknown) => Promise<ProvisionedDevice>;
  /** What an error says of the record of this index: `record 3 of the array: the priority ...`. */
  readonly describe: (index: number, message: string) => string;
}

/** What became of many records that could not all be stored; the `cause` of the error. */
export interface BatchFailure {
  /** The endpoints whose records were stored, in their order. */
  readonly stored: readonly string[];
  readonly failed: readonly { readonly endpoint: string; readonly message: string }[];
  /** How many were not tried any more. */
  readonly notTried: number;
}

/**
 * Puts many records. All are checked before the first is stored; what fails after that (the store, or another writer who
 * was faster) ends it, and the error says what is stored: its `cause` is a `BatchFailure`.
 * @throws {InvalidArgumentError} @throws {StoreError}
 */
export async function putBatch(inputs: readonly unknown[], context: BatchContext): Promise<ProvisionedDevice[]> {
  await checkBatch(inputs, context);
  const devices: ProvisionedDevice[] = [];
  for (let start = 0; start < inputs.length; start += AT_ONCE) {
    const outcomes = await Promise.allSettled(inputs.slice(start, start + AT_ONCE).map((input) => context.put(input)));
    const stored = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    devices.push(...stored);
    if (stored.length < outcomes.length) throw batchError(inputs, start, outcomes, devices, context);
    await nextTurn();
  }
  return devices;
}

/** Checks all records against those there are, those before them, and each other. */
async function checkBatch(inputs: readonly unknown[], { store, check, describe }: BatchContext): Promise<void> {
  if (inputs.length > MAX_RECORDS)
    throw new InvalidArgumentError(`there may be at most ${MAX_RECORDS} records at once`);
  const made = new Map<string, { record: DeviceRecord; index: number }>();
  for (let start = 0; start < inputs.length; start += AT_ONCE) {
    const chunk = inputs.slice(start, start + AT_ONCE);
    const endpoints = chunk.map((input, at) => checked(start + at, describe, () => endpointOfInput(input)));
    const current = await Promise.all(
      endpoints.map(async (endpoint) => made.get(endpoint)?.record ?? (await store.get(endpoint))),
    );
    for (const [at, endpoint] of endpoints.entries()) {
      const index = start + at;
      const before = made.get(endpoint)?.record ?? current[at];
      made.set(endpoint, { record: checked(index, describe, () => recordOfInput(chunk[at], before)), index });
    }
    await nextTurn();
  }
  await checkCredentials(made, store, describe);
  for (const endpoint of made.keys()) await check(endpoint);
}

/** No two devices prove the same. */
async function checkCredentials(
  made: ReadonlyMap<string, { record: DeviceRecord; index: number }>,
  store: DeviceRecordStore,
  describe: BatchContext['describe'],
): Promise<void> {
  const endpoints = new Map<string, string>();
  let looked = 0;
  for (const { record, index } of made.values()) {
    const { endpoint, security } = record;
    const credential = credentialOf(security);
    if (credential === undefined) continue;
    const other = endpoints.get(credential);
    endpoints.set(credential, endpoint);
    const holder = other ?? (await holderOf(security, store))?.endpoint;
    // A holder among the records has another one now, or has been found already.
    const isTaken = other !== undefined || (holder !== undefined && holder !== endpoint && !made.has(holder));
    if (isTaken && holder !== undefined) {
      throw new InvalidArgumentError(describe(index, takenMessage(record, holder)));
    }
    looked += 1;
    if (looked % AT_ONCE === 0) await nextTurn();
  }
}

function checked<T>(index: number, describe: BatchContext['describe'], read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw new InvalidArgumentError(describe(index, error.message));
    throw error;
  }
}

function batchError(
  inputs: readonly unknown[],
  start: number,
  outcomes: readonly PromiseSettledResult<ProvisionedDevice>[],
  stored: readonly ProvisionedDevice[],
  { describe }: BatchContext,
): Lwm2mError {
  const failures = outcomes.flatMap((outcome, at) =>
    outcome.status === 'rejected' ? [{ index: start + at, reason: outcome.reason as unknown }] : [],
  );
  const fault = failures.find(({ reason }) => !(reason instanceof Lwm2mError));
  if (fault !== undefined) throw fault.reason;
  const failed = failures.map(({ index, reason }) => ({
    endpoint: endpointOfInput(inputs[index]),
    message: (reason as Lwm2mError).message,
  }));
  const cause: BatchFailure = {
    stored: stored.map(({ endpoint }) => endpoint),
    failed,
    notTried: inputs.length - start - outcomes.length,
  };
  const [first] = failures;
  const why = describe(first?.index ?? start, failed[0]?.message ?? '');
  const message = `${why}; ${stored.length} of ${inputs.length} records are stored, which the cause names`;
  if (first?.reason instanceof StoreError) return new StoreError(message, { cause });
  if (first?.reason instanceof AccessDeniedError) return new AccessDeniedError(message, { cause });
  return new InvalidArgumentError(message, { cause });
}

/** Who has what a record names, if anybody. */
export async function holderOf(
  security: DeviceSecurity | undefined,
  store: DeviceRecordStore,
): Promise<DeviceRecord | undefined> {
  switch (security?.mode) {
    case 'psk':
      return await store.byPskIdentity(security.identity);
    case 'rpk':
      return await store.byPublicKey(security.publicKey);
    case 'x509':
      return await store.byCertificateName(security.name);
    case 'nosec':
    case undefined:
      return undefined;
  }
}

export function takenMessage({ endpoint, security }: DeviceRecord, holder: string): string {
  const what = { psk: 'identity', rpk: 'public key', x509: 'name', nosec: '' }[security?.mode ?? 'nosec'];
  return `the ${what} of ${endpoint} is already that of ${holder}`;
}
