import type { Clock, Timer } from '../util/clock';
import type { Log } from '../util/log';
import type { OrderQueue } from './order-queue';
import type { RegisteredClient } from './registered-client';
import type { RegisteredClients } from './registered-clients';
import type { Registration } from './registration';
import type { ServerListener } from './server-listener';
import type { RegistrationStore } from './store';

const TICK = 1000;
const EXPIRED_AT_ONCE = 1000;

export interface ExpiryContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: RegistrationStore;
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

  constructor(context: ExpiryContext) {
    this.#context = context;
  }

  start(): void {
    const { clock, log } = this.#context;
    this.#timer = clock.setTimer(() => {
      this.start();
      if (this.#ticking) return;
      this.#ticking = true;
      this.#tick()
        .catch((error: unknown) => log.error(`expiry: ${error instanceof Error ? error.message : String(error)}`))
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
    for (;;) {
      const expired = await store.takeExpired(EXPIRED_AT_ONCE);
      for (const registration of expired) this.#expired(registration);
      if (expired.length < EXPIRED_AT_ONCE) return;
    }
  }

  #expired({ endpoint, id }: Registration): void {
    const { clients, orders, listener, ended } = this.#context;
    const client = clients.get(endpoint);
    if (client === undefined || client.registration.id !== id) return;
    clients.delete(client);
    ended(client);
    orders.abandon(client);
    listener.expired(client);
  }
}
