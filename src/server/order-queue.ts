import {
  CancelledError,
  InvalidArgumentError,
  NotRegisteredError,
  QueueExpiredError,
  TimeoutError,
  type Lwm2mError,
} from '../errors';
import type { Clock } from '../util/clock';
import { DeadlineIndex, NO_BUCKET, type Deadlined } from '../util/deadline-index';
import type { RegisteredClient } from './registered-client';
import type { RegisteredClients } from './registered-clients';

const DEFAULT_EXPIRES = 24 * 3600_000;
const MAX_PER_DEVICE = 100;
const MAX_TOTAL = 200_000;

/** How an order may wait. */
export interface WaitingOptions {
  /** How long it may wait, ms. */
  readonly expires?: number;
  readonly signal?: AbortSignal;
  /** Called when it begins to wait, and is safe in the store. */
  readonly queued?: () => void;
  /** Called each time it goes on its way to the device. */
  readonly sent?: () => void;
  /** Asked right before it is sent, also when it has waited: an error, and nothing is sent. */
  readonly permit?: () => Lwm2mError | undefined;
}

/** An order for a device that sleeps. */
export interface WaitingOrder extends Deadlined {
  readonly client: RegisteredClient;
  readonly since: number;
  readonly expiresAt: number;
  /** Sends it and settles it. @returns false when the device did not answer and the order is to wait on. */
  send(): Promise<boolean>;
  fail(error: Error): void;
}

/**
 * Orders that wait for queue-mode devices (LwM2M Core 1.2 s6.5): held until the device is heard, then sent one at a
 * time, oldest first.
 */
export class OrderQueue {
  readonly #expiry: DeadlineIndex<WaitingOrder>;
  #total = 0;

  constructor(
    private readonly clock: Clock,
    private readonly clients: RegisteredClients,
  ) {
    this.#expiry = new DeadlineIndex(clock);
  }

  get size(): number {
    return this.#total;
  }

  /**
   * Sends to a device that may sleep: now if it is awake and nothing waits before it, else when it wakes.
   * @param idempotent whether it may be sent again when the device did not answer.
   */
  async submit<T>(
    client: RegisteredClient,
    send: () => Promise<T>,
    idempotent: boolean,
    options: WaitingOptions,
  ): Promise<{ result: T; queuedFor: number }> {
    if (this.clients.isAwake(client) && (client.waiting === undefined || client.waiting.length === 0)) {
      try {
        return { result: await send(), queuedFor: 0 };
      } catch (error) {
        if (!(error instanceof TimeoutError)) throw error;
        this.clients.fellAsleep(client);
        if (!idempotent) throw error;
      }
    }
    return this.#wait(client, send, idempotent, options);
  }

  /** The device is awake: sends what waits for it. */
  async drain(client: RegisteredClient): Promise<void> {
    const { waiting } = client;
    if (waiting === undefined || client.draining) return;
    client.draining = true;
    while (waiting.length > 0 && this.clients.isAwake(client)) {
      const order = waiting[0] as WaitingOrder;
      this.#expiry.delete(order);
      const settled = await order.send();
      // It may have been cancelled, and so taken out, meanwhile.
      if (settled) this.#remove(order);
      else this.#waitOn(order);
    }
    client.draining = false;
  }

  /** The device is gone: what waits for it fails. */
  abandon(client: RegisteredClient): void {
    for (const order of [...(client.waiting ?? [])]) {
      this.#remove(order);
      order.fail(new NotRegisteredError(client.endpoint));
    }
  }

  /** Fails the orders that have waited too long. */
  expire(): void {
    for (const order of this.#expiry.takeDue(Infinity)) {
      this.#remove(order);
      order.fail(new QueueExpiredError(`${order.client.endpoint} slept on until the order expired`));
    }
  }

  /** Everything that waits is cancelled. */
  close(): void {
    for (const client of this.clients) {
      for (const order of [...(client.waiting ?? [])]) {
        this.#remove(order);
        order.fail(new CancelledError('the engine was closed'));
      }
    }
  }

  #wait<T>(
    client: RegisteredClient,
    send: () => Promise<T>,
    idempotent: boolean,
    { expires = DEFAULT_EXPIRES, signal, queued }: WaitingOptions,
  ): Promise<{ result: T; queuedFor: number }> {
    const waiting = (client.waiting ??= []);
    if (signal?.aborted === true) return Promise.reject(new CancelledError('the order was cancelled'));
    if (waiting.length >= MAX_PER_DEVICE || this.#total >= MAX_TOTAL) {
      return Promise.reject(new InvalidArgumentError(`too many orders wait for ${client.endpoint}`));
    }
    return new Promise((resolve, reject) => {
      const { clock } = this;
      const since = clock.monotonic();
      const cancel = (): void => {
        this.#remove(order);
        order.fail(new CancelledError('the order was cancelled'));
      };
      const order: WaitingOrder = {
        client,
        since,
        expiresAt: since + expires,
        deadline: 0,
        bucket: NO_BUCKET,
        fail: (error) => {
          signal?.removeEventListener('abort', cancel);
          reject(error);
        },
        send: async () => {
          const queuedFor = Math.round(clock.monotonic() - since);
          try {
            const result = await send();
            signal?.removeEventListener('abort', cancel);
            resolve({ result, queuedFor });
          } catch (error) {
            if (error instanceof TimeoutError) this.clients.fellAsleep(client);
            if (error instanceof TimeoutError && idempotent && clock.monotonic() < order.expiresAt) return false;
            order.fail(error as Error);
          }
          return true;
        },
      };
      signal?.addEventListener('abort', cancel, { once: true });
      waiting.push(order);
      this.#total += 1;
      this.#expiry.set(order, expires);
      queued?.();
    });
  }

  #waitOn(order: WaitingOrder): void {
    if (order.client.waiting?.includes(order) === true) {
      this.#expiry.set(order, Math.max(0, order.expiresAt - this.clock.monotonic()));
    }
  }

  #remove(order: WaitingOrder): void {
    this.#expiry.delete(order);
    const { waiting } = order.client;
    const index = waiting?.indexOf(order) ?? -1;
    if (waiting === undefined || index < 0) return;
    waiting.splice(index, 1);
    this.#total -= 1;
  }
}
