import { EventEmitter } from 'node:events';
import { CoapStack } from './coap';
import { DtlsTransport } from './dtls';
import { DeviceCredentials } from './engine/device-credentials';
import type { EngineOptions } from './engine/engine-options';
import { readServerCredentials } from './engine/server-credentials';
import { CancelledError, Lwm2mError } from './errors';
import { deviceView, Fleet, type DeviceEvent, type DeviceView, type FoundDevice } from './fleet';
import type { ObservationListener, ObservationPolicy, Order, OrderRun, PolicyHandle, Target } from './fleet';
import type { GroupView, ProvisionedDevice, ProvisionOptions, Store } from './fleet';
import { DefinitionsFolder, ObjectDefinitions, type Path } from './model';
import { checkOperation, profilesOf, Server } from './server';
import type { Operation, OperationResult, PeerIdentity } from './server';
import { MemoryStore } from './store/memory-store';
import type { Channel, PeerAddress, Scheme, Transport } from './transport/transport';
import { TransportOpener } from './transport/transport-opener';
import { UdpTransport } from './transport/udp';
import { systemClock, type Clock } from './util/clock';
import { describeError, silentLog, type Log } from './util/log';

export type { EngineOptions } from './engine/engine-options';
export type { NoSecPolicy } from './server';

const DEFAULT_COAP_PORT = 5683;
const DEFAULT_OWNER = 'engine';

export interface EngineAddress extends PeerAddress {
  readonly scheme: Scheme;
}

export interface EngineEvents {
  device: [event: DeviceEvent];
  /** A socket or the store is in trouble (`error`) or well again (`undefined`). */
  trouble: [error: Error | undefined];
}

/**
 * An LwM2M server with its fleet: the whole library behind one door.
 *
 * ```ts
 * const engine = new Engine({ noSec: 'loopback' });
 * engine.on('device', (event) => console.log(event.topic, event.endpoint));
 * await engine.start();
 * const result = await engine.perform('lamp-1', { operation: 'read', paths: [parsePath('/3311/0/5850')] });
 * ```
 */
export class Engine {
  readonly definitions: ObjectDefinitions = ObjectDefinitions.builtIn();
  readonly #log: Log;
  readonly #store: Store;
  readonly #transports: readonly Transport[];
  readonly #dtls: readonly DtlsTransport[];
  readonly #credentials: DeviceCredentials;
  readonly #events = new EventEmitter<EngineEvents>();
  readonly #folder: DefinitionsFolder | undefined;
  readonly #fleet: Fleet;
  readonly #server: Server;
  readonly #stack: CoapStack;
  readonly #opener: TransportOpener;
  #storeTrouble: Error | undefined;
  #state: 'new' | 'started' | 'closed' = 'new';

  /** @throws {InvalidArgumentError} a profile that is no object list, or credentials that do not fit together. */
  constructor(options: EngineOptions = {}) {
    const clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLog;
    this.#store = options.store ?? new MemoryStore(clock);
    this.#folder = options.objectsDir === undefined ? undefined : this.#watch(options.objectsDir, clock);
    this.#fleet = new Fleet({
      clock,
      log: this.#log,
      emit: () => this.#deviceListener(),
      records: this.#store.devices,
      groups: this.#store.groups,
      endSessions: (identity) => this.#endSessions(identity),
    });
    this.#credentials = new DeviceCredentials({
      server: readServerCredentials(options.credentials ?? {}),
      records: this.#store.devices,
      secrets: this.#store.secrets,
      isKnown: (endpoint) => this.#fleet.devices.get(endpoint) !== undefined,
    });
    this.#dtls = this.#dtlsTransports(options, clock);
    this.#transports = [...(options.transports ?? coapTransports(options)), ...this.#dtls];
    this.#server = new Server({
      ...options,
      clock,
      log: this.#log,
      store: this.#store,
      definitions: this.definitions,
      listener: this.#fleet,
      provisioning: this.#fleet.provisioning,
      owner: options.owner ?? DEFAULT_OWNER,
      noSec: options.noSec ?? 'loopback',
      profiles: profilesOf(options.profiles ?? {}),
      channelTo: (scheme, address) => this.#channelTo(scheme, address),
      trouble: (error) => {
        this.#storeTrouble = error;
        this.#emit('trouble', this.trouble);
      },
    });
    this.#fleet.serve(this.#server);
    this.#stack = new CoapStack({
      clock,
      log: this.#log,
      handler: (request) => this.#server.handle(request),
      doubt: (channel, echo) => this.#server.doubt(channel, echo),
    });
    this.#opener = new TransportOpener({
      clock,
      open: (transport) => this.#stack.open(transport),
      changed: () => this.#emit('trouble', this.trouble),
    });
    // Any number of nodes may listen.
    this.#events.setMaxListeners(0);
  }

  /**
   * Opens the store and the sockets, and takes up the registrations of the store. When one of two ports is taken the
   * engine runs on the other, is in `trouble`, and tries again until the port is free.
   * @throws {TransportError} no port can be opened. @throws {StoreError} the store cannot be opened.
   */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw new CancelledError('an engine starts once');
    this.#state = 'started';
    try {
      await this.#folder?.start();
      await this.#store.open();
      await this.#fleet.provisioning.takeUp();
      await this.#fleet.groups.takeUp();
      if (this.#dtls.length > 0) await this.#credentials.takeUp();
      await this.#opener.start(this.#transports);
      await this.#server.start(this.#stack);
      this.#fleet.takeUp();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Stops listening; everything under way fails with `CancelledError`. The registrations stay in the store. */
  async close(): Promise<void> {
    if (this.#state !== 'started') return;
    this.#state = 'closed';
    this.#fleet.close();
    this.#server.close();
    await this.#opener.close();
    await this.#stack.close();
    await this.#folder?.close();
    await this.#store.close();
  }

  /** What keeps a running engine from all that it should do: its store, or a port that is taken. */
  get trouble(): Error | undefined {
    return this.#storeTrouble ?? this.#opener.error;
  }

  /** The addresses listened on, once started. */
  get addresses(): readonly EngineAddress[] {
    return this.#transports.flatMap(({ scheme, localAddress }) =>
      localAddress === undefined ? [] : [{ scheme, host: localAddress.host, port: localAddress.port }],
    );
  }

  /**
   * The public key by which devices know this server (object 0, resource 4 for raw public keys): base64 of its
   * SubjectPublicKeyInfo in DER. `undefined` without DTLS, or before the start when the key was not given.
   */
  get serverPublicKey(): string | undefined {
    return this.#credentials.serverPublicKey;
  }

  /**
   * Makes or changes the record of a device: what it must prove to register, and its labels, groups, priority, owner and
   * metadata. Takes one record as `lwm2m-provision` does; what it does not say stays as it is, `null` takes it away. A
   * session that was made with another key ends at once.
   * Rejects with `InvalidArgumentError`, whose text never holds a key, or `StoreError`.
   * @returns the record, without its key.
   */
  provision(input: unknown, options?: ProvisionOptions): Promise<ProvisionedDevice> {
    return this.#fleet.provisioning.put(input, options);
  }

  /** The record of a device, without its key; `null` when there is none. Rejects as `provision`. */
  provisioned(endpoint: string): Promise<ProvisionedDevice | null> {
    return this.#fleet.provisioning.get(endpoint);
  }

  /** The records of the devices of a target, without their keys, sorted by endpoint. Rejects as `provision`. */
  provisionedDevices(target: Target = { all: true }): Promise<ProvisionedDevice[]> {
    return this.#fleet.provisioning.list(target);
  }

  /**
   * Removes the record of a device and cuts the device off at once: its DTLS session and its registration end, which is
   * said as `deregistered`. Rejects as `provision`.
   * @returns whether there was a record.
   */
  unprovision(endpoint: string, options?: ProvisionOptions): Promise<boolean> {
    return this.#fleet.provisioning.remove(endpoint, options);
  }

  /**
   * Makes a group by a rule, or gives it another rule: every device that the selector matches belongs to it, now and
   * later. A rule may not ask for `state:`, nor for another group that has a rule.
   * Rejects with `InvalidArgumentError` or `StoreError`.
   */
  defineGroup(name: string, selector: string, options?: ProvisionOptions): Promise<GroupView> {
    return this.#fleet.groups.define(name, selector, options);
  }

  /** Takes the rule of a group away; whose record names the group stays in it. Rejects as `defineGroup`. */
  removeGroup(name: string, options?: ProvisionOptions): Promise<boolean> {
    return this.#fleet.groups.remove(name, options);
  }

  /** All groups, by a rule or named by records, sorted by name. */
  groups(): GroupView[] {
    return this.#fleet.groups.list();
  }

  on<E extends keyof EngineEvents>(event: E, listener: (...args: EngineEvents[E]) => void): this {
    this.#events.on<keyof EngineEvents>(event, listener as (...args: unknown[]) => void);
    return this;
  }

  off<E extends keyof EngineEvents>(event: E, listener: (...args: EngineEvents[E]) => void): this {
    this.#events.off<keyof EngineEvents>(event, listener as (...args: unknown[]) => void);
    return this;
  }

  /**
   * Gives an order to one or many devices; it is under way when this returns.
   * @throws {InvalidArgumentError} a target that is empty or unreadable, or an operation that can be seen to be wrong for
   * every device (objects 0, 21 and 23, attributes that contradict each other).
   */
  order(order: Order): OrderRun {
    return this.#fleet.order(order);
  }

  /**
   * One operation on one device, the short way.
   * Rejects with `InvalidArgumentError`, `NotRegisteredError`, `QueueExpiredError`, `TimeoutError`, `CancelledError`,
   * `ResponseError`, `TransportError` or `CodecError`.
   */
  perform(endpoint: string, operation: Operation, options?: PerformOptions): Promise<OperationResult> {
    try {
      checkOperation(operation);
    } catch (error) {
      if (!(error instanceof Lwm2mError)) throw error;
      return Promise.reject(error);
    }
    return this.#fleet.perform(endpoint, operation, options);
  }

  /**
   * Declares a policy of observation, or takes up the one that runs under this id: an equal one is left alone and the
   * values kept while nobody listened are delivered; a different one replaces it.
   * @throws {InvalidArgumentError} as `order`.
   */
  observePolicy(id: string, policy: ObservationPolicy, listener: ObservationListener): PolicyHandle {
    return this.#fleet.policies.declare(id, policy, listener);
  }

  /**
   * What is known of the devices of a target (all when absent), sorted by endpoint.
   * @param paths only values of resources at, below or above these; all known values when absent.
   * @throws {InvalidArgumentError} as `order`.
   */
  devices(target: Target = { all: true }, paths?: readonly Path[]): DeviceView[] {
    const { devices } = this.#fleet;
    return devices
      .members(target)
      .sort()
      .flatMap((endpoint) => {
        const device = devices.get(endpoint);
        return device === undefined ? [] : [deviceView(device, paths)];
      });
  }

  /**
   * A test of whether a device is of a target, for filtering events.
   * @throws {InvalidArgumentError} as `order`.
   */
  matcher(target: Target): (endpoint: string) => boolean {
    const { devices } = this.#fleet;
    const matches = devices.matcher(target);
    return (endpoint) => matches(devices.subject(endpoint));
  }

  /** Devices whose endpoint contains the text, at most `limit`, sorted: for pickers. */
  searchDevices(text: string, limit: number): FoundDevice[] {
    return this.#fleet.devices.search(text, limit);
  }

  #dtlsTransports(options: EngineOptions, clock: Clock): DtlsTransport[] {
    const { host, coapsPort = null, cipherSuites, instance = 0 } = options;
    const own = coapsPort === null ? [] : [new UdpTransport({ host, port: coapsPort })];
    return (options.dtlsTransports ?? own).map(
      (inner) =>
        new DtlsTransport(inner, {
          clock,
          credentials: this.#credentials,
          instance,
          cipherSuites,
          log: this.#log,
          refused: (refusal) => this.#server.handshakeRefused(refusal),
        }),
    );
  }

  #endSessions(identity: PeerIdentity): void {
    for (const transport of this.#dtls) transport.cutOff(identity);
  }

  #channelTo(scheme: Scheme, address: PeerAddress): Channel | undefined {
    for (const transport of this.#transports) {
      const channel = transport.scheme === scheme ? transport.channel(address) : undefined;
      if (channel !== undefined) return channel;
    }
    return undefined;
  }

  #deviceListener(): ((event: DeviceEvent) => void) | undefined {
    return this.#events.listenerCount('device') === 0 ? undefined : (event) => this.#emit('device', event);
  }

  /** A listener's fault is logged; the engine and the other events go on. */
  #emit<E extends keyof EngineEvents>(event: E, ...args: EngineEvents[E]): void {
    for (const listener of this.#events.listeners(event)) {
      try {
        (listener as (...args: EngineEvents[E]) => void)(...args);
      } catch (error) {
        this.#log.error(`a listener of '${event}' failed: ${describeError(error)}`);
      }
    }
  }

  #watch(directory: string, clock: Clock): DefinitionsFolder {
    const folder = new DefinitionsFolder(directory, this.definitions, { clock });
    folder.on('loaded', ({ file, objects }) => {
      this.#log.info(`${file}: object ${objects.map(({ id, version }) => `${id} ${version}`).join(', ')}`);
    });
    folder.on('broken', ({ error }) => this.#log.warn(error.message));
    folder.on('removed', ({ file }) => this.#log.info(`${file} is gone, and its definitions with it`));
    return folder;
  }
}

function coapTransports({ host, coapPort = DEFAULT_COAP_PORT }: EngineOptions): Transport[] {
  return coapPort === null ? [] : [new UdpTransport({ host, port: coapPort })];
}

export interface PerformOptions {
  readonly user?: string;
  /** ms; 24 h when absent. */
  readonly expires?: number;
  readonly signal?: AbortSignal;
  /** Send it now or fail: it never waits, neither for a device that sleeps nor for one that is suspended. */
  readonly urgent?: boolean;
}
