import type { Channel } from '../transport/transport';
import type { Clock } from '../util/clock';
import { DeadlineIndex } from '../util/deadline-index';
import type { DeviceModels } from './device-model';
import type { Registration } from './registration';
import { RegisteredClient } from './registered-client';

/** The devices that are registered here, by endpoint and by the address they speak from; and who of them is awake. */
export class RegisteredClients {
  readonly #byEndpoint = new Map<string, RegisteredClient>();
  readonly #byPeer = new Map<string | Channel, RegisteredClient>();
  readonly #awake: DeadlineIndex<RegisteredClient>;

  /** @param awakeTimeOf how long a queue-mode device is awake after it was last heard, ms. */
  constructor(
    private readonly clock: Clock,
    private readonly models: DeviceModels,
    private readonly awakeTimeOf: (endpoint: string) => number,
  ) {
    this.#awake = new DeadlineIndex(clock);
  }

  get size(): number {
    return this.#byEndpoint.size;
  }

  get(endpoint: string): RegisteredClient | undefined {
    return this.#byEndpoint.get(endpoint);
  }

  /** The device that speaks from this channel, if its identity is that of the registration. */
  at(channel: Channel): RegisteredClient | undefined {
    return this.#byPeer.get(peerKey(channel));
  }

  [Symbol.iterator](): IterableIterator<RegisteredClient> {
    return this.#byEndpoint.values();
  }

  /**
   * Takes over a registration as it is in the store now, with the channel it came by; `undefined`: the device has to come
   * back before it can be reached.
   * @param replaced called with a client that had another registration before it takes the new one.
   */
  set(
    registration: Registration,
    channel: Channel | undefined,
    replaced?: (client: RegisteredClient) => void,
  ): RegisteredClient {
    const client = this.#byEndpoint.get(registration.endpoint);
    return client === undefined
      ? this.add(registration, channel)
      : this.change(client, registration, channel, replaced);
  }

  /** `set` of an endpoint that is known not to be here. */
  add(registration: Registration, channel: Channel | undefined): RegisteredClient {
    const client = new RegisteredClient(registration, channel, this.models.of(registration.objects));
    this.#byEndpoint.set(registration.endpoint, client);
    if (channel !== undefined) this.#byPeer.set(peerKey(channel), client);
    return client;
  }

  /** `set` of an endpoint whose client is at hand. */
  change(
    client: RegisteredClient,
    registration: Registration,
    channel: Channel | undefined,
    replaced?: (client: RegisteredClient) => void,
  ): RegisteredClient {
    replaced?.(client);
    this.moveTo(client, channel);
    if (client.registration.objects !== registration.objects) {
      client.model = this.models.of(registration.objects);
      // Another object list is often another firmware: what the old one refused says nothing of it.
      client.refused = 0;
    }
    client.registration = registration;
    return client;
  }

  delete(client: RegisteredClient): void {
    client.over = true;
    this.#awake.delete(client);
    if (this.#byEndpoint.get(client.endpoint) === client) this.#byEndpoint.delete(client.endpoint);
    this.#leave(client);
  }

  /** The device speaks from this channel now. */
  moveTo(client: RegisteredClient, channel: Channel | undefined): void {
    if (client.channel === channel) return;
    this.#leave(client);
    client.channel = channel;
    if (channel !== undefined) this.#byPeer.set(peerKey(channel), client);
  }

  /**
   * The device was heard: its awake time starts anew.
   * @returns whether that woke it, having been said to be asleep.
   */
  heard(client: RegisteredClient): boolean {
    client.lastHeard = this.clock.now();
    if (client.over) return false;
    if (client.registration.queueMode) this.#awake.set(client, this.awakeTimeOf(client.endpoint));
    else if (client.awake) return false;
    else this.#awake.delete(client);
    const woke = !client.awake;
    client.awake = true;
    return woke;
  }

  /** Whether a request may be sent to the device now. One that sleeps is not called while it has no DTLS session. */
  isAwake(client: RegisteredClient): boolean {
    if (!client.registration.queueMode) return true;
    return client.awake && this.clock.monotonic() < client.deadline && client.channel?.isOpen === true;
  }

  /** The device did not answer: if it is one that sleeps, it does, whatever its awake time says. */
  fellAsleep(client: RegisteredClient): void {
    if (client.registration.queueMode && client.awake && !client.over) this.#awake.set(client, 0);
  }

  /** Queue-mode devices whose awake time is over, at most `limit`; each is said once until it is heard again. */
  takeAsleep(limit: number): RegisteredClient[] {
    const asleep = this.#awake.takeDue(limit).filter(({ registration }) => registration.queueMode);
    for (const client of asleep) client.awake = false;
    return asleep;
  }

  clear(): void {
    this.#awake.clear();
    this.#byEndpoint.clear();
    this.#byPeer.clear();
  }

  #leave(client: RegisteredClient): void {
    if (client.channel === undefined) return;
    const key = peerKey(client.channel);
    if (this.#byPeer.get(key) === client) this.#byPeer.delete(key);
  }
}

/** Of CoAP the address; of DTLS the session, which may move to another address (RFC 9146). */
function peerKey(channel: Channel): string | Channel {
  return channel.scheme === 'coap' ? `${channel.address.port} ${channel.address.host}` : channel;
}
