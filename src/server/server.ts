import { CoapCode, isSuccess, type CoapStack, type HandlerResponse, type IncomingRequest } from '../coap';
import { CancelledError, Lwm2mError, NotRegisteredError, StoreError } from '../errors';
import { parsePath, type ObjectDefinitions } from '../model';
import type { Channel, PeerAddress, PeerIdentity, Scheme } from '../transport/transport';
import type { Clock } from '../util/clock';
import { describeError, escapeForLog, rateLimited, type Log } from '../util/log';
import { Admission, isLoopback, NOTHING_PROVISIONED, type NoSecPolicy, type Provisioning } from './admission';
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
import { OrderQueue } from './order-queue';
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
import type { StoreHealth } from './store-health';
import type { ServerStore, StoredOrder } from './store';
import type { HeldOrder, QueuedRequest, QueuedResult, WaitingOptions } from './waiting-order';
import { takeUp } from './taking-up';

const DEFAULT_AWAKE_TIME = 93;
const DEFAULT_MAX_REGISTRATIONS = 250_000;
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
  /** Of one device, s; `undefined`: as of all. */
  readonly awakeTimeOf?: (endpoint: string) => number | undefined;
  /** Whether a notification shows a queue-mode device to be awake; it does by default. */
  readonly awakeOnNotify?: boolean;
  /** How many devices may be registered at once; 250,000 by default. */
  readonly maxRegistrations?: number;
  readonly provisioning?: Provisioning;
  readonly profiles?: Profiles;
  readonly gate?: Gate;
  /** The channel to an address now; see `OperationContext`. */
  readonly channelTo: (scheme: Scheme, address: PeerAddress) => Channel | undefined;
  readonly health: StoreHealth;
}

export interface PerformOptions extends WaitingOptions {
  /** Send it now or fail: it never waits, neither for a device that sleeps nor for one that is suspended. */
  readonly urgent?: boolean;
}

/** An order that waited when the process before this one ended. */
export interface RestoredOrder {
  readonly stored: StoredOrder;
  /** Lets it go on. Rejects as `Server.perform`. */
  follow(options: Pick<WaitingOptions, 'queued' | 'sent' | 'permit' | 'signal'>): Promise<OperationResult>;
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
  readonly #gate: Gate;
  readonly #orders: OrderQueue;
  readonly #sending: SendContext;
  readonly #expiry: Expiry;
  #operations: OperationContext | undefined;
  #observations: Observations | undefined;
  #heldOrders: readonly HeldOrder<OperationResult>[] | undefined;
  #closed = false;
  /** Requests that wait for the store to be taken up. */
  #early = 0;

  constructor(options: ServerOptions) {
    const { clock, listener, store } = options;
    this.#options = options;
    this.#log = rateLimited(options.log, clock, LOG_LINES_PER_MINUTE);
    this.#lifetimes = new LifetimeBounds(options.lifetimeMin, options.lifetimeMax);
    this.#afterResponse = new AfterResponse(this.#log);
    this.#rejections = new Rejections(clock, listener, this.#afterResponse);
    const { awakeTime = DEFAULT_AWAKE_TIME } = options;
    const awakeTimeOf = (endpoint: string): number => (options.awakeTimeOf?.(endpoint) ?? awakeTime) * 1000;
    this.#gate = options.gate ?? OPEN_GATE;
    this.clients = new RegisteredClients(clock, new DeviceModels(options.definitions), awakeTimeOf);
    this.#orders = new OrderQueue({
      clock,
      log: this.#log,
      clients: this.clients,
      gate: this.#gate,
      store: store.orders,
      storeFailed: (error) => options.health.failed(error),
    });
    this.#echo = new Echo(clock);
    this.#admission = new Admission(options.noSec, options.provisioning ?? NOTHING_PROVISIONED);
    const shared = {
      clock,
      admission: this.#admission,
      gate: this.#gate,
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
      health: options.health,
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
      gone: (client) => this.#gone(client),
    });
  }

  /** Orders that wait for devices that sleep or are suspended. */
  get waiting(): number {
    return this.#orders.size;
  }

  /**
   * Takes up what the store holds, and begins to watch lifetimes; devices are served when the store's health says that it
   * is open. May be called again after it has failed. @throws {StoreError} @throws {CancelledError} closed meanwhile.
   */
  async takeUp(stack: CoapStack): Promise<void> {
    const { clock, store, listener, channelTo } = this.#options;
    const notified = (client: RegisteredClient): void => this.#notified(client);
    this.#operations ??= { clock, stack, clients: this.clients, listener, channelTo, notified };
    this.#observations ??= new Observations(this.#operations, store.observations, this.#log);
    this.#heldOrders ??= await this.#orders.restore((stored) => this.#requestOf(stored));
    await takeUp({
      store,
      owner: this.#options.owner,
      clients: this.clients,
      observations: this.#observations,
      channelTo,
      isClosed: () => this.#closed,
    });
    this.#expiry.start();
  }

  /** The orders that waited when the process before this one ended. They go on when they are followed. To be taken once. */
  takeRestoredOrders(): RestoredOrder[] {
    const held = this.#heldOrders ?? [];
    this.#heldOrders = [];
    return held.map((order) => ({ stored: order.stored, follow: (options) => order.follow(options).then(resultOf) }));
  }

  /** Sends what waits for an endpoint (for all when absent) that can be reached now, though it was not heard. */
  sendWaiting(endpoint?: string): void {
    if (endpoint === undefined) this.#orders.drainAll();
    else void this.#orders.drain(endpoint);
  }

  /** From now on orders that wait are let go of (`CancelledError`) and stay in the store. */
  closeOrders(): void {
    this.#orders.close();
  }

  /** Orders under way must be ended by closing the CoAP stack; those that wait are let go of, as by `closeOrders`. */
  close(): void {
    this.#closed = true;
    this.#expiry.close();
    this.#operations = undefined;
    this.#observations?.close();
    this.#afterResponse.close();
    this.#orders.close();
    this.clients.clear();
  }

  /** Answers a request of a device. */
  handle(request: IncomingRequest): HandlerResponse | Promise<HandlerResponse> {
    const { health } = this.#options;
    if (!health.isOpen) return health.error === undefined ? this.#handleEarly(request) : STORE_IN_TROUBLE;
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
   * Does an operation on a device: when it wakes if it sleeps, when it is back if it is suspended. The operation must have passed `checkOperation`.
   * Rejects with `NotRegisteredError`, `QueueExpiredError`, `TimeoutError`, `CancelledError`, `ResponseError`,
   * `InvalidArgumentError`, `TransportError` or `CodecError`.
   */
  perform(endpoint: string, operation: Operation, options: PerformOptions = {}): Promise<OperationResult> {
    const client = this.clients.get(endpoint);
    const isSuspended = options.urgent !== true && this.#gate.isSuspended(endpoint);
    if (this.#operations === undefined || (client === undefined && !isSuspended)) {
      return Promise.reject(new NotRegisteredError(endpoint));
    }
    if (client !== undefined && (options.urgent === true || this.#isAtHand(client, isSuspended))) {
      const denied = options.permit?.();
      if (denied !== undefined) return Promise.reject(denied);
      options.sent?.();
      return perform(new Exchange(this.#operations, client, options.signal, options.user), operation);
    }
    return this.#orders.submit(this.#requestOf({ endpoint, operation, user: options.user }), options).then(resultOf);
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
    const send = (to: RegisteredClient) =>
      observations.observe(new Exchange(operations, to, options.signal, options.user), spec, subscriber);
    if (this.#isAtHand(client, this.#gate.isSuspended(endpoint))) return send(client);
    return (await this.#orders.submit({ endpoint, idempotent: true, send }, options)).result;
  }

  /** After a restart: takes up what a device observes since before it; see `Observations.adopt`. */
  adopt(endpoint: string, spec: ObservationSpec, subscriber: ObservationSubscriber): Subscription | undefined {
    const client = this.clients.get(endpoint);
    return client === undefined ? undefined : this.#observations?.adopt(client, spec, subscriber);
  }

  /** The ends of all observations of before the restart that nobody has taken up. */
  *unclaimed(): Iterable<() => Promise<void>> {
    if (this.#observations === undefined) return;
    for (const client of this.clients) yield* this.#observations.unclaimed(client);
  }

  /**
   * Ends the registration of an endpoint without a word of the device; it is said as `deregistered`.
   * Rejects with `StoreError`.
   * @returns whose it was; `undefined`: there was none.
   */
  async deregister(endpoint: string): Promise<PeerIdentity | undefined> {
    return (await this.#registrations.cutOff(endpoint))?.identity;
  }

  /** As `deregister`; and what waits for the endpoint fails, though it is suspended. */
  async cutOff(endpoint: string): Promise<PeerIdentity | undefined> {
    this.#orders.abandon(endpoint);
    return this.deregister(endpoint);
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

  /** A device that comes while the store is taken up is served when that is done; one of many, or when it takes long, is put off. */
  async #handleEarly(request: IncomingRequest): Promise<HandlerResponse> {
    const { health } = this.#options;
    if (this.#early >= MAX_EARLY) return TAKING_UP;
    this.#early += 1;
    await health.opening(EARLY_PATIENCE);
    this.#early -= 1;
    if (health.isOpen && !this.#closed) return this.handle(request);
    return health.error === undefined ? TAKING_UP : STORE_IN_TROUBLE;
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
        const why = error instanceof Lwm2mError ? error.message : describeError(error);
        this.#log.warn(`${escapeForLog(client.endpoint)} was not told its lifetime of ${lifetime} s: ${why}`);
      },
    );
  }

  /** The device was heard and has its answer: what waits for it goes out. */
  #reached({ endpoint }: RegisteredClient): void {
    if (this.#orders.has(endpoint)) void this.#orders.drain(endpoint);
  }

  #notified(client: RegisteredClient): void {
    const { awakeOnNotify = true, clock, listener } = this.#options;
    if (!awakeOnNotify) {
      client.lastHeard = clock.now();
      return;
    }
    if (this.clients.heard(client)) listener.awake(client);
    if (this.#orders.has(client.endpoint)) this.#afterResponse.defer(() => this.#reached(client));
  }

  /** The device has de-registered. What waits for one that is suspended waits on, and so it does when it is back already. */
  #gone({ endpoint }: RegisteredClient): void {
    if (this.clients.get(endpoint) === undefined && !this.#gate.isSuspended(endpoint)) this.#orders.abandon(endpoint);
  }

  /** Whether an order is sent to the device at once, whatever comes of it. */
  #isAtHand({ endpoint, registration }: RegisteredClient, isSuspended: boolean): boolean {
    return !registration.queueMode && !isSuspended && !this.#orders.has(endpoint);
  }

  #requestOf({
    endpoint,
    operation,
    user,
  }: Pick<StoredOrder, 'endpoint' | 'operation' | 'user'>): QueuedRequest<OperationResult> {
    return {
      endpoint,
      operation,
      idempotent: isIdempotent(operation),
      send: (client, signal) => {
        if (this.#operations === undefined) throw new CancelledError('the engine was closed');
        return perform(new Exchange(this.#operations, client, signal, user), operation);
      },
    };
  }

  /** One function each for all requests. */
  readonly #stored = (response: HandlerResponse): HandlerResponse => {
    // Of what the store is asked, only this is sure to be written before it is answered.
    const { health } = this.#options;
    if (health.error !== undefined && response.code === CoapCode.Created) health.succeeded();
    return response;
  };

  readonly #unstored = (error: unknown): HandlerResponse => {
    if (!(error instanceof StoreError)) throw error;
    this.#options.health.failed(error);
    return STORE_IN_TROUBLE;
  };
}

/** So many requests may wait while the store is taken up, and so long, ms. */
const MAX_EARLY = 1000;
const EARLY_PATIENCE = 2000;
/** Max-Age is what a device is told to wait, s. */
const STORE_IN_TROUBLE: HandlerResponse = { code: CoapCode.ServiceUnavailable, options: { maxAge: 30 } };
const TAKING_UP: HandlerResponse = { code: CoapCode.ServiceUnavailable, options: { maxAge: 5 } };
function resultOf({ result, queuedFor }: QueuedResult<OperationResult>): OperationResult {
  return queuedFor === 0 ? result : { ...result, queuedFor };
}

const METHOD_NOT_ALLOWED: HandlerResponse = { code: CoapCode.MethodNotAllowed };
const NOT_FOUND: HandlerResponse = { code: CoapCode.NotFound };
