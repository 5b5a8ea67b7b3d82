import { CoapCode, isSuccess, type CoapStack, type HandlerResponse, type IncomingRequest } from '../coap';
import { Lwm2mError, NotRegisteredError, StoreError } from '../errors';
import { parsePath, type ObjectDefinitions } from '../model';
import type { Channel, PeerAddress, PeerIdentity, Scheme } from '../transport/transport';
import type { Clock } from '../util/clock';
import { escapeForLog, rateLimited, type Log } from '../util/log';
import {
  Admission,
  isLoopback,
  isSameIdentity,
  NOTHING_PROVISIONED,
  type NoSecPolicy,
  type Provisioning,
} from './admission';
import { AfterResponse } from './after-response';
import { DeviceModels } from './device-model';
import { Echo } from './echo';
import { Exchange, type OperationContext } from './exchange';
import { Expiry } from './expiry';
import { OPEN_GATE, type Gate } from './gate';
import { LifetimeBounds } from './lifetime-bounds';
import { Observations, type Subscription } from './observations';
import type { Operation, OperationResult } from './operation';
import { sayRefusal, type HandshakeRefusal } from './handshake-refusal';
import { isIdempotent, perform } from './operations';
import { OrderQueue, type WaitingOptions } from './order-queue';
import { NO_PROFILES, type Profiles } from './profiles';
import type { RegisteredClient } from './registered-client';
import { RegisteredClients } from './registered-clients';
import { RegisteredObjectsCache } from './registered-objects';
import type { Registration } from './registration';
import { Registrations } from './registrations';
import { Rejections } from './rejections';
import { receiveSend, type SendContext } from './send';
import type { ServerListener } from './server-listener';
import type { ObservationSpec, ObservationSubscriber } from './shared-observation';
import type { ServerStore } from './store';

const DEFAULT_AWAKE_TIME = 93;
const DEFAULT_MAX_REGISTRATIONS = 250_000;
/** What a device is told to wait when the store is in trouble, s. */
const STORE_RETRY = 30;
const LOG_LINES_PER_MINUTE = 60;

export interface ServerOptions {
  readonly clock: Clock;
  readonly store: ServerStore;
  readonly log: Log;
  readonly definitions: ObjectDefinitions;
  readonly listener: ServerListener;
  /** The name of this instance among those that share the store. */
  readonly owner: string;
  readonly noSec: NoSecPolicy;
  /** s */
  readonly lifetimeMin?: number;
  readonly lifetimeMax?: number;
  readonly awakeTime?: number;
  /** How many devices may be registered at once; 250,000 by default. */
  readonly maxRegistrations?: number;
  readonly provisioning?: Provisioning;
  readonly profiles?: Profiles;
  readonly gate?: Gate;
  /** The channel to an address now; see `OperationContext`. */
  readonly channelTo: (scheme: Scheme, address: PeerAddress) => Channel | undefined;
  /** The store is in trouble, or well again. */
  readonly trouble?: (error: StoreError | undefined) => void;
}

export interface PerformOptions extends WaitingOptions {
  /** Who orders it. */
  readonly user?: string;
  /** Send it now or fail: it never waits, neither for a device that sleeps nor for one that is suspended. */
  readonly urgent?: boolean;
}

/**
 * The LwM2M server: answers what devices ask (`handle`), and does on registered devices what is ordered (`perform`,
 * `observe`). The sockets are not its own: the engine joins it with a CoAP stack.
 */
export class Server {
  readonly clients: RegisteredClients;
  readonly #options: ServerOptions;
  readonly #log: Log;
  readonly #lifetimes: LifetimeBounds;
  readonly #afterResponse: AfterResponse;
  readonly #echo: Echo;
  readonly #admission: Admission;
  readonly #rejections: Rejections;
  readonly #registrations: Registrations;
  readonly #orders: OrderQueue;
  readonly #sending: SendContext;
  readonly #expiry: Expiry;
  #operations: OperationContext | undefined;
  #observations: Observations | undefined;
  #storeInTrouble = false;

  constructor(options: ServerOptions) {
    const { clock, listener, store } = options;
    this.#options = options;
    this.#log = rateLimited(options.log, clock, LOG_LINES_PER_MINUTE);
    this.#lifetimes = new LifetimeBounds(options.lifetimeMin, options.lifetimeMax);
    this.#afterResponse = new AfterResponse(this.#log);
    this.#rejections = new Rejections(clock, listener, this.#afterResponse);
    const awakeTime = (options.awakeTime ?? DEFAULT_AWAKE_TIME) * 1000;
    this.clients = new RegisteredClients(clock, new DeviceModels(options.definitions), awakeTime);
    this.#orders = new OrderQueue(clock, this.clients);
    this.#echo = new Echo(clock);
    this.#admission = new Admission(options.noSec, options.provisioning ?? NOTHING_PROVISIONED);
    const shared = {
      clock,
      admission: this.#admission,
      gate: options.gate ?? OPEN_GATE,
      listener,
      clients: this.clients,
      rejections: this.#rejections,
      afterResponse: this.#afterResponse,
      reached: (client: RegisteredClient) => this.#reached(client),
      moved: (client: RegisteredClient, from: Channel | undefined) => this.#moved(client, from),
    };
    this.#sending = shared;
    this.#expiry = new Expiry({
      ...shared,
      log: this.#log,
      orders: this.#orders,
      store: store.registrations,
      ended: (client) => this.#observations?.endAll(client),
    });
    this.#registrations = new Registrations({
      ...shared,
      owner: options.owner,
      maxRegistrations: options.maxRegistrations ?? DEFAULT_MAX_REGISTRATIONS,
      store: store.registrations,
      echo: this.#echo,
      lifetimes: this.#lifetimes,
      profiles: options.profiles ?? NO_PROFILES,
      objectLists: new RegisteredObjectsCache(),
      ended: (client) => this.#observations?.endAll(client),
      registered: (client, previous) => this.#registered(client, previous),
      gone: (client) => this.#orders.abandon(client),
    });
  }

  /** Orders that wait for sleeping devices. */
  get waiting(): number {
    return this.#orders.size;
  }

  /** Takes up the registrations that the store holds, and begins to watch lifetimes. @throws {StoreError} */
  async start(stack: CoapStack): Promise<void> {
    const { clock, store, listener, channelTo } = this.#options;
    this.#operations = { clock, stack, clients: this.clients, listener, channelTo };
    this.#observations = new Observations(this.#operations, store.observations, this.#log);
    for await (const registration of store.registrations.all()) await this.#restore(registration);
    this.#expiry.start();
  }

  /** Orders under way must be ended by closing the CoAP stack; those that wait are cancelled here. */
  close(): void {
    this.#expiry.close();
    this.#operations = undefined;
    this.#observations?.close();
    this.#afterResponse.close();
    this.#orders.close();
    this.clients.clear();
  }

  /** Answers a request of a device. */
  handle(request: IncomingRequest): HandlerResponse | Promise<HandlerResponse> {
    try {
      const response = this.#route(request);
      if (response instanceof Promise) return response.then(this.#stored, this.#unstored);
      // A Send succeeds without the store.
      const isFromStore = isSuccess(response.code) && request.options.uriPath?.[0] === 'rd';
      return isFromStore ? this.#stored(response) : response;
    } catch (error) {
      return this.#unstored(error);
    }
  }

  /**
   * Does an operation on a device, when it wakes if it sleeps. The operation must have passed `checkOperation`.
   * Rejects with `NotRegisteredError`, `QueueExpiredError`, `TimeoutError`, `CancelledError`, `ResponseError`,
   * `InvalidArgumentError`, `TransportError` or `CodecError`.
   */
  perform(endpoint: string, operation: Operation, options: PerformOptions = {}): Promise<OperationResult> {
    const client = this.clients.get(endpoint);
    if (client === undefined || this.#operations === undefined) return Promise.reject(new NotRegisteredError(endpoint));
    const exchange = new Exchange(this.#operations, client, options.signal, options.user);
    const send = async (): Promise<OperationResult> => {
      const denied = options.permit?.();
      if (denied !== undefined) throw denied;
      options.sent?.();
      return perform(exchange, operation);
    };
    if (options.urgent === true || !client.registration.queueMode) return send();
    return this.#orders
      .submit(client, send, isIdempotent(operation), options)
      .then(({ result, queuedFor }) => (queuedFor === 0 ? result : { ...result, queuedFor }));
  }

  /** Observes paths of a device for a subscriber, when it wakes if it sleeps. Rejects as `perform`. */
  async observe(
    endpoint: string,
    spec: ObservationSpec,
    subscriber: ObservationSubscriber,
    options: PerformOptions = {},
  ): Promise<Subscription> {
    const client = this.clients.get(endpoint);
    const observations = this.#observations;
    const operations = this.#operations;
    if (client === undefined || observations === undefined || operations === undefined) {
      throw new NotRegisteredError(endpoint);
    }
    const exchange = new Exchange(operations, client, options.signal, options.user);
    const send = () => observations.observe(exchange, spec, subscriber);
    if (!client.registration.queueMode) return send();
    return (await this.#orders.submit(client, send, true, options)).result;
  }

  /**
   * Ends the registration of an endpoint without a word of the device; it is said as `deregistered`.
   * Rejects with `StoreError`.
   * @returns whose it was; `undefined`: there was none.
   */
  async deregister(endpoint: string): Promise<PeerIdentity | undefined> {
    return (await this.#registrations.cutOff(endpoint))?.identity;
  }

  /** What must be proved to be this endpoint has changed: as `deregister`, if who is registered did not prove it. */
  async recheck(endpoint: string): Promise<PeerIdentity | undefined> {
    return (await this.#registrations.recheck(endpoint))?.identity;
  }

  /**
   * The Echo value for a peer whose address may be forged: one without DTLS that is not of this machine and not registered
   * there; `undefined` for all others, and when it brings the value back.
   */
  doubt(channel: Channel, echo: Buffer | undefined): Buffer | undefined {
    const { identity, address } = channel;
    if (identity.mode !== 'nosec' || isLoopback(address.host) || this.clients.at(channel) !== undefined)
      return undefined;
    return this.#echo.isFresh(echo, address) ? undefined : this.#echo.challenge(address);
  }

  /** A peer could not prove in its handshake who it claimed to be. */
  handshakeRefused(refusal: HandshakeRefusal): void {
    sayRefusal(refusal, this.#admission, this.#rejections);
  }

  #route(request: IncomingRequest): HandlerResponse | Promise<HandlerResponse> {
    const path = request.options.uriPath ?? [];
    if (path[0] === 'rd' && path.length <= 2) {
      const id = path[1];
      if (id === undefined || id === '') {
        return request.code === CoapCode.POST ? this.#registrations.register(request) : METHOD_NOT_ALLOWED;
      }
      switch (request.code) {
        case CoapCode.POST:
        case CoapCode.PUT: // of the drafts of 1.0; some clients still update so
          return this.#registrations.update(id, request);
        case CoapCode.DELETE:
          return this.#registrations.deregister(id, request);
        default:
          return METHOD_NOT_ALLOWED;
      }
    }
    if (path[0] === 'dp' && path.length === 1) {
      return request.code === CoapCode.POST ? receiveSend(this.#sending, request) : METHOD_NOT_ALLOWED;
    }
    return NOT_FOUND;
  }

  async #restore(registration: Registration): Promise<void> {
    if (registration.owner !== this.#options.owner) return;
    // A DTLS session does not outlive its process: the device is registered, but it has to come back to be reached.
    const found = this.#options.channelTo(registration.scheme, registration.address);
    const channel = found !== undefined && isSameIdentity(found.identity, registration.identity) ? found : undefined;
    if (channel === undefined && registration.scheme !== 'coaps') return;
    await this.#observations?.restore(this.clients.set(registration, channel));
  }

  /** The device is at its channel now and was at another. */
  #moved(client: RegisteredClient, from: Channel | undefined): void {
    const { channel } = client;
    if (channel === undefined) return;
    if (from?.isOpen === true) this.#operations?.stack.moveChannel(from, channel);
    this.#observations?.resume(client);
  }

  #registered(client: RegisteredClient, previous: Registration | undefined): void {
    const { lifetime, lifetimeRequested, objects } = client.registration;
    if (!this.#lifetimes.isAbove(lifetimeRequested) || previous?.lifetimeRequested === lifetimeRequested) return;
    // Which of several Server instances is ours the registration does not say.
    const instances = objects.objects.find(({ id }) => id === 1)?.instances ?? [];
    if (instances.length !== 1) return;
    const path = parsePath(`/1/${instances[0]}/1`);
    this.perform(client.endpoint, { operation: 'write', path, value: lifetime, mode: 'replace' }).catch(
      (error: unknown) => {
        if (!(error instanceof Lwm2mError)) throw error;
        this.#log.warn(`${escapeForLog(client.endpoint)} was not told its lifetime of ${lifetime} s: ${error.message}`);
      },
    );
  }

  /** The device was heard and has its answer: what waits for it goes out. */
  #reached(client: RegisteredClient): void {
    if (client.waiting === undefined || client.waiting.length === 0) return;
    this.#orders
      .drain(client)
      .catch((error: unknown) => this.#log.error(`orders for ${escapeForLog(client.endpoint)}: ${String(error)}`));
  }

  /** One function each for all requests. */
  readonly #stored = (response: HandlerResponse): HandlerResponse => {
    if (this.#storeInTrouble) this.#troubled(undefined);
    return response;
  };

  readonly #unstored = (error: unknown): HandlerResponse => {
    if (!(error instanceof StoreError)) throw error;
    this.#troubled(error);
    return { code: CoapCode.ServiceUnavailable, options: { maxAge: STORE_RETRY } };
  };

  #troubled(error: StoreError | undefined): void {
    if (error !== undefined) this.#log.error(`the store: ${error.message}`);
    this.#storeInTrouble = error !== undefined;
    this.#options.trouble?.(error);
  }
}

const METHOD_NOT_ALLOWED: HandlerResponse = { code: CoapCode.MethodNotAllowed };
const NOT_FOUND: HandlerResponse = { code: CoapCode.NotFound };
