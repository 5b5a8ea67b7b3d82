import type { ResourceValue } from '../model';
import type { RegisteredClient } from './registered-client';
import type { Registration } from './registration';
import type { Rejection, SentValue } from './rejection';

/**
 * Who is told what happens at the server. Always after the store has it and the device has its answer. None may throw.
 */
export interface ServerListener {
  /** `registration` is the one that was made; the client may have a newer one already. */
  registered(client: RegisteredClient, registration: Registration): void;
  updated(client: RegisteredClient, registration: Registration): void;
  /** The client is no longer registered here when this is called, nor by the next two. */
  deregistered(client: RegisteredClient): void;
  expired(client: RegisteredClient): void;
  awake(client: RegisteredClient): void;
  asleep(client: RegisteredClient): void;
  rejected(rejection: Rejection): void;
  /** One call a timestamp. */
  sent(client: RegisteredClient, values: SentValue[]): void;
  /** The device told these values: in an answer, a notification or a Send. `at`: of those without a time of their own. */
  reported(client: RegisteredClient, values: readonly ResourceValue[], at: number): void;
  /** The device accepted these values. */
  written(client: RegisteredClient, values: readonly ResourceValue[], at: number, user: string | undefined): void;
}
