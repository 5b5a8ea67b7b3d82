import { StoreError } from '../errors';
import type { Clock, Timer } from '../util/clock';
import { describeError, type Log } from '../util/log';
import type { OrderQueue } from './order-queue';
import type { RegisteredClient } from './registered-client';
import type { RegisteredClients } from './registered-clients';
import type { Registration } from './registration';
import type { ServerListener } from './server-listener';
import type { RegistrationStore } from './store';
import type { StoreHealth } from './store-health';

const TICK = 1000;
const EXPIRED_AT_ONCE = 1000;
/**
 * How long no lifetime ends after the store was in trouble, ms: devices that could not update meanwhile were told to wait,
 * and have lost nothing.
 */
const PARDON = 60_000;

export interface ExpiryContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: RegistrationStore;
  readonly health: StoreHealth;
  readonly clients: RegisteredClients;
  readonly orders: OrderQueue;
  readonly listener: ServerListener;
  /** A registration ended: what hung on it is over. */
  readonly ended: (client: RegisteredClient) => void;
}

/** Looks once a second for what time has ended: lifetimes, awake times, orders that wait. */
export class Expiry {
  readonly #context: ExpiryContext;
  #timer: Timer | undefined;
  #ticking = false;
  #pardonUntil = 0;

  constructor(context: ExpiryContext) {
    this.#context = context;
  }

  start(): void {
    const { clock, log, health } = this.#context;
    this.#timer?.cancel();
    this.#timer = clock.setTimer(() => {
      this.start();
      if (this.#ticking) return;
      this.#ticking = true;
      this.#tick()
        .catch((error: unknown) => {
          if (error instanceof StoreError) health.failed(error);
          else log.error(`expiry: ${describeError(error)}`);
        })
        .finally(() => {
          this.#ticking = false;
        });
    }, TICK);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #tick(): Promise<void> {
    const { orders, clients, listener, store } = this.#context;
    orders.expire();
    for (const client of clients.takeAsleep(Infinity)) listener.asleep(client);
    if (this.#isPardoned()) return;
    for (;;) {
      const expired = await store.takeExpired(EXPIRED_AT_ONCE);
      for (const registration of expired) this.#expired(registration);
      if (expired.length < EXPIRED_AT_ONCE) return;
    }
  }

  #isPardoned(): boolean {
    const { clock, health } = this.#context;
    const now = clock.monotonic();
    if (health.error !== undefined) this.#pardonUntil = now + PARDON;
    return now < this.#pardonUntil;
  }

  #expired({ endpoint, id }: Registration): void {
    const { clients, listener, ended } = this.#context;
    const client = clients.get(endpoint);
    if (client === undefined || client.registration.id !== id) return;
    clients.delete(client);
    ended(client);
    listener.expired(client);
  }
}
