import { CancelledError, Lwm2mError, QueueExpiredError } from '../errors';
import {
  formatPath,
  fromCompositePayload,
  fromPayload,
  parsePath,
  pathLevel,
  type DefinitionOf,
  type Path,
} from '../model';
import { operationPath, type Operation } from '../server';
import { isWithin } from './device-values';
import type { OpenOrderView, PendingValue, ValueView } from './device-view';

/** How many orders of a device are shown. */
const MAX_SHOWN = 20;
const MAX_PENDING = 256;

/** An order that is not done yet. */
export interface OpenOrder {
  readonly operation: Operation;
  /** ms since 1970 */
  readonly since: number;
  readonly expires: number;
  readonly by: string | undefined;
  state: 'queued' | 'sent' | undefined;
  /** What it writes, by path of the resource. */
  readonly values: ReadonlyMap<string, unknown> | undefined;
}

interface Pending {
  readonly order: OpenOrder;
  readonly value: unknown;
  state: PendingValue['state'];
}

/** The orders for one device that are not done, and the values that were ordered and that it has not accepted. Bounded. */
export class OpenOrders {
  readonly #orders = new Set<OpenOrder>();
  readonly #pending = new Map<string, Pending>();

  /** How many wait for the device. */
  get waiting(): number {
    let waiting = 0;
    for (const { state } of this.#orders) if (state === 'queued') waiting += 1;
    return waiting;
  }

  /** An order is under way: it is `sent`, or `queued` for the device. */
  moved(order: OpenOrder, state: 'queued' | 'sent'): void {
    const isNew = order.state === undefined;
    order.state = state;
    if (isNew) {
      this.#orders.add(order);
      for (const [path, value] of order.values ?? []) this.#expect(path, { order, value, state });
    } else {
      for (const pending of this.#pendingOf(order)) pending.state = state;
    }
  }

  /** An order is over; values that the device has not accepted are shown until others are ordered. */
  done(order: OpenOrder, error: unknown): void {
    this.#orders.delete(order);
    for (const [path] of order.values ?? []) {
      const pending = this.#pending.get(path);
      if (pending?.order !== order) continue;
      // What was taken back, or replaced by a newer order, is not expected any more.
      if (error === undefined || error instanceof CancelledError) this.#pending.delete(path);
      else pending.state = error instanceof QueueExpiredError ? 'expired' : 'failed';
    }
  }

  /** Those longest under way first. */
  view(): OpenOrderView[] {
    const shown: OpenOrderView[] = [];
    for (const { operation, state, since, expires, by } of this.#orders) {
      if (shown.length === MAX_SHOWN) break;
      if (state === undefined) continue;
      const what = { operation: operation.operation, path: operationPath(operation) };
      shown.push({ ...what, state, since, expires, ...(by === undefined ? {} : { by }) });
    }
    return shown;
  }

  /** Adds to the values of a device what was ordered. */
  addTo(values: Record<string, ValueView>, within: readonly Path[] | undefined): void {
    for (const [path, { value, state, order }] of this.#pending) {
      if (within !== undefined && !isWithin(parsePath(path), within)) continue;
      const by = order.by === undefined ? {} : { by: order.by };
      values[path] = { ...values[path], pending: { value, at: order.since, ...by, state } };
    }
  }

  *#pendingOf(order: OpenOrder): Iterable<Pending> {
    for (const [path] of order.values ?? []) {
      const pending = this.#pending.get(path);
      if (pending?.order === order) yield pending;
    }
  }

  #expect(path: string, pending: Pending): void {
    this.#pending.delete(path);
    if (this.#pending.size >= MAX_PENDING) {
      for (const oldest of this.#pending.keys()) {
        this.#pending.delete(oldest);
        break;
      }
    }
    this.#pending.set(path, pending);
  }
}

/** An order that is about to be given to a device. @param definitionOf the device's, if it is registered. */
export function openOrder(
  operation: Operation,
  { by, since, expires }: Pick<OpenOrder, 'by' | 'since' | 'expires'>,
  definitionOf: DefinitionOf = () => undefined,
): OpenOrder {
  return { operation, since, expires, by, state: undefined, values: writtenValues(operation, definitionOf) };
}

/** What an operation writes, by path of the resource; of a multiple resource an object by resource instance id. */
function writtenValues(operation: Operation, definitionOf: DefinitionOf): ReadonlyMap<string, unknown> | undefined {
  if (operation.operation !== 'write' && operation.operation !== 'write-composite') return undefined;
  if (operation.operation === 'write' && pathLevel(operation.path) === 'resource' && isScalar(operation.value)) {
    return new Map([[formatPath(operation.path), operation.value]]);
  }
  try {
    const values =
      operation.operation === 'write'
        ? fromPayload(operation.path, operation.value, definitionOf)
        : fromCompositePayload(operation.values, definitionOf);
    const written = new Map<string, unknown>();
    for (const { path, value } of values) {
      const { objectId, objectInstanceId, resourceId, resourceInstanceId } = path;
      const resource = formatPath({ objectId, objectInstanceId, resourceId });
      if (resourceInstanceId === undefined) written.set(resource, value);
      else written.set(resource, { ...(written.get(resource) as object | undefined), [resourceInstanceId]: value });
    }
    return written;
  } catch (error) {
    // The operation itself will say so.
    if (error instanceof Lwm2mError) return undefined;
    throw error;
  }
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}
