import type { Channel } from '../transport/transport';
import type { AfterResponse } from './after-response';
import type { RegisteredClient } from './registered-client';
import type { RegisteredClients } from './registered-clients';
import type { Registration } from './registration';
import type { ServerListener } from './server-listener';

export interface RegistrationEffectsContext {
  readonly clients: RegisteredClients;
  readonly afterResponse: AfterResponse;
  readonly listener: ServerListener;
  /** A registration ended or was replaced: what hung on it is over. */
  readonly ended: (client: RegisteredClient) => void;
  /** A device's registration is in force, and it is awake; its answer is on its way. */
  reached(client: RegisteredClient): void;
  /** The device is at another channel than before. */
  moved(client: RegisteredClient, from: Channel | undefined): void;
  /** After `listener.registered` and `listener.updated`. */
  registered(client: RegisteredClient, previous: Registration | undefined): void;
  /** After `listener.deregistered`: the device is not to be reached any more. */
  gone(client: RegisteredClient): void;
}

/** What follows once the store has a registration, or has it no more: who is reachable where, and who hears of it. */
export class RegistrationEffects {
  constructor(private readonly context: RegistrationEffectsContext) {}

  /** @param client that had a registration before. */
  created(registration: Registration, channel: Channel, client: RegisteredClient | undefined): void {
    const { clients, ended } = this.context;
    // Whatever the device knew of observations went with its old registration.
    this.registered(
      client === undefined ? clients.add(registration, channel) : clients.change(client, registration, channel, ended),
    );
  }

  updated(registration: Registration, previous: Registration, channel: Channel): void {
    const { clients, afterResponse, listener } = this.context;
    const before = clients.get(registration.endpoint)?.channel;
    const client = clients.set(registration, channel);
    if (before !== channel) this.context.moved(client, before);
    const woke = clients.heard(client);
    afterResponse.defer(() => {
      listener.updated(client, registration);
      if (woke) listener.awake(client);
      if (registration !== previous) this.context.registered(client, previous);
      this.context.reached(client);
    });
  }

  /** By the device itself, at this channel. */
  deregistered(registration: Registration, channel: Channel): void {
    const { clients } = this.context;
    clients.heard(clients.get(registration.endpoint) ?? clients.set(registration, channel));
    this.ended(registration.endpoint);
  }

  /** The registration is out of the store. One that was never said to be there, or elsewhere, is not said to be gone. */
  ended(endpoint: string): void {
    const { clients, afterResponse, listener } = this.context;
    const client = clients.get(endpoint);
    if (client === undefined) return;
    clients.delete(client);
    this.context.ended(client);
    afterResponse.defer(() => {
      listener.deregistered(client);
      this.context.gone(client);
    });
  }

  private registered(client: RegisteredClient): void {
    const { clients, afterResponse, listener } = this.context;
    const { registration } = client;
    const woke = clients.heard(client);
    afterResponse.defer(() => {
      listener.registered(client, registration);
      if (woke) listener.awake(client);
      this.context.registered(client, undefined);
      this.context.reached(client);
    });
  }
}
