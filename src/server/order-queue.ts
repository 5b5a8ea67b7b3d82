import {
  CancelledError,
  InvalidArgumentError,
  NotRegisteredError,
  QueueExpiredError,
  TimeoutError,
  TransportError,
  type StoreError,
} from '../errors';
import type { Channel } from '../transport/transport';
import type { Clock } from '../util/clock';
import { DeadlineIndex } from '../util/deadline-index';
import { describeError, escapeForLog, type Log } from '../util/log';
import type { Gate } from './gate';
import { OrderIds } from './order-id';
import type { RegisteredClient } from './registered-client';
import type { RegisteredClients } from './registered-clients';
import type { KeyedStore, StoredOrder } from './store';
import { StoredOrders } from './stored-orders';
import { supersedeKey } from './supersede';
import { isSettled, orderOf, sendNow } from './waiting-order';
import type { HeldOrder, QueuedRequest, QueuedResult, WaitingOptions, WaitingOrder } from './waiting-order';

/** How long an order waits that does not say, ms. */
export const DEFAULT_EXPIRES = 24 * 3600_000;
/** For ever, as far as a store is concerned (100 years). */
const LONGEST_EXPIRES = 100 * 365 * 24 * 3600_000;
const MAX_PER_DEVICE = 100;
/** Of orders. Observations that wait are not counted: there are no more than policies want of devices. */
const MAX_ORDERS = 200_000;

export interface OrderQueueContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly clients: RegisteredClients;
  readonly gate: Gate;
  readonly store: KeyedStore<StoredOrder>;
  /** How many orders may wait in all; 200,000 when absent. */
  readonly maxOrders?: number;
  /** The store did not take an order. */
  readonly storeFailed: (error: StoreError) => void;
}

/** The orders that wait for one device, oldest first. */
interface Line {
  readonly orders: WaitingOrder[];
  /** Whether they are being sent. */
  draining: boolean;
  /** The device was heard while they were being sent: what it could not be sent before it can be sent now. */
  again: boolean;
}

/**
 * Orders that wait for devices that sleep (LwM2M Core 1.2 s6.5) or are suspended: held until the device is heard, then
 * sent one at a time, oldest first. They outlive registrations, and what is in the store outlives the process.
 */
export class OrderQueue {
  readonly #context: OrderQueueContext;
  readonly #stored: StoredOrders;
  readonly #expiry: DeadlineIndex<WaitingOrder>;
  readonly #lines = new Map<string, Line>();
  readonly #ids = new OrderIds();
  #orders = 0;
  #closed = false;

  constructor(context: OrderQueueContext) {
    this.#context = context;
    this.#stored = new StoredOrders(context.store, context.storeFailed);
    this.#expiry = new DeadlineIndex(context.clock);
  }

  /** How many orders wait. */
  get size(): number {
    return this.#orders;
  }

  /** Whether orders wait for the device: a new one has to wait behind them. */
  has(endpoint: string): boolean {
    return this.#ordersOf(endpoint).length > 0;
  }

  /**
   * Sends to a device that may sleep or be suspended: now if it can be reached and nothing waits before, else later.
   * Rejects with what the request rejects with, `QueueExpiredError`, `CancelledError`, `StoreError` or, when too many wait,
   * `InvalidArgumentError`.
   */
  async submit<T>(request: QueuedRequest<T>, options: WaitingOptions): Promise<QueuedResult<T>> {
    const { clock, clients } = this.#context;
    const { endpoint } = request;
    const id = this.#ids.next(clock.now());
    const since = clock.monotonic();
    const client = this.has(endpoint) ? undefined : this.#ready(endpoint);
    if (client !== undefined) {
      const { lastHeard, channel } = client;
      try {
        return { result: await sendNow(request, client, options), queuedFor: 0 };
      } catch (error) {
        if (!isLost(error, channel)) throw error;
        if (client.lastHeard === lastHeard) clients.fellAsleep(client);
        if (!request.idempotent) throw error;
      }
    }
    const expires = options.expires ?? DEFAULT_EXPIRES;
    const key = request.operation === undefined ? undefined : supersedeKey(request.operation);
    return this.#wait(orderOf({ id, key, since, expiresAt: since + expires, options, request }), request);
  }

  /** The device was heard: sends what waits for it, if it can be reached. Never rejects. */
  async drain(endpoint: string): Promise<void> {
    const line = this.#lines.get(endpoint);
    if (line !== undefined) line.again = true;
    await this.#drain(endpoint);
  }

  async #drain(endpoint: string): Promise<void> {
    const line = this.#lines.get(endpoint);
    if (line === undefined || line.draining) return;
    line.draining = true;
    try {
      for (let order = line.orders[0]; order !== undefined; order = line.orders[0]) {
        line.again = false;
        if (order.state === 'storing') await order.storing;
        else if (!(await this.#attempt(order)) && !line.again) break;
      }
    } catch (error) {
      this.#context.log.error(`orders for ${escapeForLog(endpoint)}: ${describeError(error)}`);
    } finally {
      line.draining = false;
      if (line.orders.length === 0) this.#lines.delete(endpoint);
    }
  }

  /** Sends what waits for devices that can be reached now. */
  drainAll(): void {
    for (const endpoint of [...this.#lines.keys()]) void this.drain(endpoint);
  }

  /** The device is gone for good: what waits for it fails. */
  abandon(endpoint: string): void {
    for (const order of [...this.#ordersOf(endpoint)]) {
      void this.#settle(order, () => order.reject(new NotRegisteredError(endpoint)));
    }
  }

  /** To be called every second: fails the orders that have waited too long. */
  expire(): void {
    for (const order of this.#expiry.takeDue(Infinity)) {
      const error = new QueueExpiredError(`${order.endpoint} did not come back before the order expired`);
      void this.#settle(order, () => order.reject(error));
    }
    this.#stored.retry();
  }

  /**
   * Reads the orders of a process before this one. They are held until somebody follows them.
   * @param requestOf what is to be done for an order.
   * @throws {StoreError}
   */
  async restore<T>(requestOf: (stored: StoredOrder) => QueuedRequest<T>): Promise<HeldOrder<T>[]> {
    const { clock } = this.#context;
    return (await this.#stored.all()).map(([id, stored]) => {
      this.#ids.follow(id);
      const request = requestOf(stored);
      // A clock that was set back meanwhile makes no order younger than new.
      const since = clock.monotonic() - Math.max(0, clock.now() - stored.queuedAt);
      const expiresAt = since + (stored.expiresAt - stored.queuedAt);
      const key = supersedeKey(stored.operation);
      const order = orderOf({ id, key, since, expiresAt, options: { user: stored.user }, request });
      order.state = 'held';
      order.stored = stored;
      this.#enter(order);
      return { id, stored, follow: (options) => this.#follow(order, stored, request, options) };
    });
  }

  /** Everything that waits is let go of; what is in the store stays there. */
  close(): void {
    this.#closed = true;
    for (const { orders } of [...this.#lines.values()]) {
      for (const order of [...orders]) {
        void this.#settle(order, () => order.reject(new CancelledError('the engine was closed')));
      }
    }
  }

  /** The device, if something can be sent to it now. One without its DTLS session has to come back first. */
  #ready(endpoint: string): RegisteredClient | undefined {
    const { clients, gate } = this.#context;
    const client = clients.get(endpoint);
    if (client === undefined || !clients.isAwake(client) || gate.isSuspended(endpoint)) return undefined;
    return client.registration.scheme === 'coaps' && client.channel?.isOpen !== true ? undefined : client;
  }

  #ordersOf(endpoint: string): readonly WaitingOrder[] {
    return this.#lines.get(endpoint)?.orders ?? NO_ORDERS;
  }

  async #wait<T>(order: WaitingOrder, request: QueuedRequest<T>): Promise<QueuedResult<T>> {
    const { endpoint, options, isOrder } = order;
    if (this.#closed || options.signal?.aborted === true) throw new CancelledError('the order was cancelled');
    const replaced = this.#replacedBy(order).length;
    const isFull = isOrder && replaced === 0 && this.#orders >= (this.#context.maxOrders ?? MAX_ORDERS);
    if (isFull || this.#ordersOf(endpoint).length - replaced >= MAX_PER_DEVICE) {
      throw new InvalidArgumentError(`too many orders wait for ${endpoint}`);
    }
    this.#enter(order);
    const outcome = this.#outcomeOf(order, request);
    order.storing = this.#store(order, request.operation).catch((error: unknown) => {
      // What its owner wants to be noted with it may be at fault.
      void this.#settle(order, () => order.reject(error));
    });
    return outcome;
  }

  /** Joins an order with whoever awaits what comes of it. */
  #outcomeOf<T>(order: WaitingOrder, request: QueuedRequest<T>): Promise<QueuedResult<T>> {
    const { clock } = this.#context;
    const { signal } = order.options;
    return new Promise((resolve, reject) => {
      order.reject = reject;
      order.attempt = async (client) => {
        const queuedFor = Math.round(clock.monotonic() - order.since);
        const result = await sendNow(request, client, order.options);
        return () => resolve({ result, queuedFor });
      };
      order.cancelled = () => {
        void this.#settle(order, () => reject(new CancelledError('the order was cancelled')));
      };
      signal?.addEventListener('abort', order.cancelled, { once: true });
      this.#expiry.set(order, Math.max(0, order.expiresAt - clock.monotonic()));
    });
  }

  /** An order waits when the store has it, and not before. */
  async #store(order: WaitingOrder, operation: QueuedRequest<unknown>['operation']): Promise<void> {
    const { id, options, endpoint } = order;
    if (operation !== undefined) {
      const queuedAt = this.#context.clock.now() - (this.#context.clock.monotonic() - order.since);
      order.stored = {
        endpoint,
        operation,
        queuedAt,
        expiresAt: queuedAt + Math.min(order.expiresAt - order.since, LONGEST_EXPIRES),
        ...(options.user === undefined ? {} : { user: options.user }),
        ...(options.origin === undefined ? {} : { origin: options.origin() }),
      };
      const error = await this.#stored.put(id, order.stored);
      if (error !== undefined) {
        order.stored = undefined;
        void this.#settle(order, () => order.reject(error));
      }
    }
    if (order.state !== 'storing') return;
    order.state = 'waiting';
    this.#supersede(order);
    if (isSettled(order)) return;
    options.queued?.();
    void this.#drain(endpoint);
  }

  /** Orders that wait in the place of which this one comes. One that is being done is past that. */
  #replacedBy({ endpoint, key, id, options }: WaitingOrder): WaitingOrder[] {
    if (key === undefined || options.supersede === false) return [];
    return this.#ordersOf(endpoint).filter(
      (other) => other.key === key && other.id < id && (other.state === 'waiting' || other.state === 'storing'),
    );
  }

  /** The last order wins, whichever of them was the first to wait. */
  #supersede(order: WaitingOrder): void {
    const { key, id, endpoint } = order;
    if (key === undefined) return;
    const isBehind = this.#ordersOf(endpoint).some(
      (other) => other.key === key && other.id > id && other.state === 'waiting' && other.options.supersede !== false,
    );
    for (const old of isBehind ? [order] : this.#replacedBy(order)) {
      void this.#settle(old, () => old.reject(new CancelledError('superseded by a newer order for the same path')));
    }
  }

  /** Does the order at the head of a line. @returns whether to go on with the line. */
  async #attempt(order: WaitingOrder): Promise<boolean> {
    const client = order.state === 'held' ? undefined : this.#ready(order.endpoint);
    if (client === undefined) return false;
    const { lastHeard, channel } = client;
    order.state = 'sending';
    this.#expiry.delete(order);
    try {
      if (!(await this.#mark(order))) return this.#waitOn(order);
      // It may have been cancelled, and so taken out, meanwhile.
      if (isSettled(order)) return true;
      const tell = await order.attempt(client);
      void this.#settle(order, tell);
      return true;
    } catch (error) {
      const isHeardSince = client.lastHeard !== lastHeard;
      if (error instanceof TimeoutError && !isHeardSince) this.#context.clients.fellAsleep(client);
      const mayWait = order.idempotent && this.#context.clock.monotonic() < order.expiresAt;
      if (mayWait && isLost(error, channel)) {
        this.#waitOn(order);
        return isHeardSince;
      }
      void this.#settle(order, () => order.reject(error));
      return true;
    }
  }

  /**
   * Writes down that something that must not be done twice is about to be sent.
   * @returns false when it cannot be sent now.
   */
  async #mark(order: WaitingOrder): Promise<boolean> {
    const { id, stored } = order;
    if (order.idempotent || stored === undefined) return true;
    if ((await this.#stored.put(id, { ...stored, sent: true })) !== undefined) return false;
    if (isSettled(order) || this.#ready(order.endpoint) !== undefined) return true;
    // The device was suspended, or fell asleep, while the store wrote.
    await this.#stored.put(id, stored);
    return false;
  }

  #waitOn(order: WaitingOrder): false {
    if (order.state !== 'sending') return false;
    order.state = 'waiting';
    this.#expiry.set(order, Math.max(0, order.expiresAt - this.#context.clock.monotonic()));
    order.options.queued?.();
    return false;
  }

  async #follow<T>(
    order: WaitingOrder,
    { sent }: StoredOrder,
    request: QueuedRequest<T>,
    options: WaitingOptions,
  ): Promise<QueuedResult<T>> {
    if (order.state !== 'held') throw new CancelledError('the order is over, or followed already');
    order.options = { ...order.options, ...options };
    const outcome = this.#outcomeOf(order, request);
    order.state = 'waiting';
    if (options.signal?.aborted === true) order.cancelled?.();
    else if (sent === true) void this.#settle(order, () => order.reject(new TimeoutError(UNKNOWN_OUTCOME)));
    else {
      options.queued?.();
      void this.#drain(order.endpoint);
    }
    return outcome;
  }

  #enter(order: WaitingOrder): void {
    const line = this.#lines.get(order.endpoint) ?? { orders: [], draining: false, again: false };
    this.#lines.set(order.endpoint, line);
    const { orders } = line;
    // One that was sent first and got no answer is older than those that have come to wait since.
    let index = orders.length;
    while (index > 0 && isBefore(order, orders[index - 1])) index -= 1;
    orders.splice(index, 0, order);
    if (order.isOrder) this.#orders += 1;
  }

  /** An order is over: first it leaves the store, then its outcome is told. */
  async #settle(order: WaitingOrder, tell: () => void): Promise<void> {
    if (isSettled(order)) return;
    order.state = 'settled';
    this.#expiry.delete(order);
    if (order.cancelled !== undefined) order.options.signal?.removeEventListener('abort', order.cancelled);
    const line = this.#lines.get(order.endpoint);
    const index = line?.orders.indexOf(order) ?? -1;
    if (line !== undefined && index >= 0) {
      line.orders.splice(index, 1);
      if (order.isOrder) this.#orders -= 1;
      if (line.orders.length === 0 && !line.draining) this.#lines.delete(order.endpoint);
    }
    if (order.stored !== undefined && !this.#closed) await this.#stored.delete(order.id);
    tell();
  }
}

const NO_ORDERS: readonly WaitingOrder[] = [];
const UNKNOWN_OUTCOME = 'the server stopped while the device was asked: nobody knows whether it did it';

/** Whether nobody knows that the device heard the request: no answer, or a session that ended under it. */
function isLost(error: unknown, channel: Channel | undefined): boolean {
  return error instanceof TimeoutError || (error instanceof TransportError && channel?.isOpen !== true);
}

function isBefore(order: WaitingOrder, other: WaitingOrder | undefined): boolean {
  // The head that is being done stays the head.
  return other !== undefined && other.state !== 'sending' && order.id < other.id;
}
