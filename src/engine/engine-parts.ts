import type { AccessStore } from '../access';
import { CoapStack } from '../coap';
import { Fleet, type Store } from '../fleet';
import { ObjectDefinitions, type DefinitionsFolder } from '../model';
import { profilesOf, Server } from '../server';
import { MemoryStore } from '../store/memory-store';
import { systemClock, type Clock } from '../util/clock';
import { LagMeter } from '../util/lag-meter';
import { describeError, silentLog, type Log } from '../util/log';
import { secureRandom } from '../util/random';
import { combinedGate } from './combined-gate';
import { Conditions } from './conditions';
import { DeviceCredentials } from './device-credentials';
import { EventListeners } from './engine-events';
import type { EngineOptions } from './engine-options';
import { LoadGate } from './load-gate';
import { Ports } from './ports';
import { Rights } from './rights';
import { readServerCredentials } from './server-credentials';
import { StoreKeeper } from './store-keeper';
import { watchedDefinitions } from './watched-definitions';

const DEFAULT_NO_SEC = 'loopback';
const DEFAULT_OWNER = 'engine';
const DEFAULT_MAX_LAG = 200;

/**
 * The rooms of the house, put together: what each of them is given of the others, and the order in which they begin and
 * end. Some know each other; those are made of functions that look here when they are called, not before.
 */
export class EngineParts {
  readonly definitions = ObjectDefinitions.builtIn();
  readonly listeners: EventListeners;
  readonly credentials: DeviceCredentials;
  readonly fleet: Fleet;
  readonly keeper: StoreKeeper;
  readonly ports: Ports;
  readonly rights: Rights;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #store: Store & AccessStore;
  readonly #folder: DefinitionsFolder | undefined;
  readonly #conditions: Conditions;
  readonly #lag: LagMeter;
  readonly #loadGate: LoadGate;
  readonly #server: Server;
  readonly #stack: CoapStack;

  /** @throws {InvalidArgumentError} options that cannot be. */
  constructor(options: EngineOptions) {
    const clock = options.clock ?? systemClock;
    const log = options.log ?? silentLog;
    this.#clock = clock;
    this.#log = log;
    this.#store = options.store ?? new MemoryStore(clock);
    this.listeners = new EventListeners(log);
    this.#folder =
      options.objectsDir === undefined
        ? undefined
        : watchedDefinitions(options.objectsDir, this.definitions, { clock, log });
    this.#conditions = new Conditions({ clock, emit: (event) => this.listeners.tell('condition', event) });
    this.keeper = this.#makeKeeper();
    this.#lag = new LagMeter(clock);
    this.#loadGate = this.#makeLoadGate(options);
    this.rights = this.#makeRights();
    this.fleet = this.#makeFleet(options);
    this.credentials = this.#makeCredentials(options);
    this.ports = this.#makePorts(options);
    this.#server = this.#makeServer(options);
    this.fleet.serve(this.#server);
    this.#stack = new CoapStack({
      clock,
      log,
      handler: (request) => this.#server.handle(request),
      doubt: (channel, echo) => this.#server.doubt(channel, echo),
      isRestoring: () => !this.keeper.isOpen,
    });
    this.rights.configure(options.access);
  }

  /** What keeps the engine from all that it should do. */
  get trouble(): Error | undefined {
    return this.keeper.error ?? this.ports.error;
  }

  /** Opens the sockets and the store. Rejects with `TransportError` when no port can be opened. */
  async start(): Promise<void> {
    await this.#folder?.start();
    await this.ports.start();
    this.#conditions.set('port', this.ports.error);
    await this.keeper.start();
  }

  /** Everything under way fails with `CancelledError`; sockets, then the store are closed. */
  async close(): Promise<void> {
    this.#loadGate.close();
    this.#lag.close();
    this.rights.close();
    this.fleet.close();
    this.#server.close();
    await this.keeper.close();
    await this.ports.close();
    await this.#stack.close();
    await this.fleet.values.close();
    await this.#folder?.close();
    await this.#store.close();
  }

  /** Opens the store and takes up all that it holds. What fails half way leaves the store closed, and can be repeated. */
  async #takeUp(): Promise<void> {
    try {
      await this.#store.open();
      await this.fleet.provisioning.takeUp();
      await this.fleet.groups.takeUp();
      await this.fleet.policies.takeUp();
      await this.fleet.values.takeUp();
      await this.fleet.suspensions.takeUp();
      await this.rights.takeUp();
      if (this.ports.isSecure) await this.credentials.takeUp();
      await this.#server.takeUp(this.#stack);
      await this.fleet.takeUp();
    } catch (error) {
      try {
        await this.#store.close();
      } catch (fault) {
        this.#log.warn(`the store could not be closed: ${describeError(fault)}`);
      }
      throw error;
    }
  }

  #makeKeeper(): StoreKeeper {
    return new StoreKeeper({
      clock: this.#clock,
      log: this.#log,
      open: () => this.#takeUp(),
      check: () => this.#store.check(),
      changed: (error) => {
        this.#conditions.set('store', error);
        this.listeners.tell('trouble', this.trouble);
      },
    });
  }

  #makeLoadGate({ lag, maxLag = DEFAULT_MAX_LAG }: EngineOptions): LoadGate {
    return new LoadGate({
      clock: this.#clock,
      random: secureRandom,
      lag: lag ?? (() => this.#lag.lag()),
      maxLag,
      priorityOf: (endpoint) => this.fleet.devices.get(endpoint)?.priority ?? 'normal',
      began: (overload) => this.#conditions.overloaded(overload),
      ended: (overload) => this.#conditions.overloadEnded(overload),
    });
  }

  #makeRights(): Rights {
    return new Rights({
      clock: this.#clock,
      log: this.#log,
      store: this.#store,
      definitions: this.definitions,
      devices: () => this.fleet.devices,
      emit: (event) => {
        this.listeners.tell('grant', event);
        this.fleet.rightsChanged(event.grant.target);
      },
    });
  }

  #makeFleet({ noSec = DEFAULT_NO_SEC, mismatchGrace, observationRate }: EngineOptions): Fleet {
    const { devices: records, groups, policies, values, suspensions } = this.#store;
    return new Fleet({
      clock: this.#clock,
      log: this.#log,
      records,
      groups,
      policies,
      values,
      suspensions,
      noSec,
      observationRate,
      mismatchGrace: mismatchGrace === undefined ? undefined : mismatchGrace * 1000,
      authorize: this.rights.authorize,
      authorizeObservation: (endpoint, paths, user) => this.rights.observe(endpoint, paths, user),
      authorizeSuspension: (endpoint, user) => this.rights.may('suspend', endpoint, user),
      ordered: this.rights.ordered,
      joined: this.rights.joined,
      endSessions: (identity) => this.ports.endSessions(identity),
      emit: () => (this.listeners.has('device') ? (event) => this.listeners.tell('device', event) : undefined),
    });
  }

  #makeCredentials({ credentials = {} }: EngineOptions): DeviceCredentials {
    return new DeviceCredentials({
      server: readServerCredentials(credentials),
      records: this.#store.devices,
      secrets: this.#store.secrets,
      isKnown: (endpoint) => this.fleet.devices.get(endpoint) !== undefined,
    });
  }

  #makePorts(options: EngineOptions): Ports {
    return new Ports(options, {
      clock: this.#clock,
      log: this.#log,
      credentials: this.credentials,
      open: (transport) => this.#stack.open(transport),
      refused: (refusal) => this.#server.handshakeRefused(refusal),
      changed: (error) => {
        this.#conditions.set('port', error);
        this.listeners.tell('trouble', this.trouble);
      },
    });
  }

  #makeServer(options: EngineOptions): Server {
    const { devices, provisioning, suspensions } = this.fleet;
    const { lifetimeMin, lifetimeMax, awakeTime, awakeOnNotify, maxRegistrations } = options;
    return new Server({
      lifetimeMin,
      lifetimeMax,
      awakeTime,
      awakeOnNotify,
      maxRegistrations,
      clock: this.#clock,
      log: this.#log,
      store: this.#store,
      definitions: this.definitions,
      listener: this.fleet,
      provisioning,
      awakeTimeOf: (endpoint) => devices.get(endpoint)?.awakeTime,
      owner: options.owner ?? DEFAULT_OWNER,
      noSec: options.noSec ?? DEFAULT_NO_SEC,
      profiles: profilesOf(options.profiles ?? {}),
      channelTo: (scheme, address) => this.ports.channelTo(scheme, address),
      gate: combinedGate(suspensions, this.#loadGate),
      health: this.keeper,
    });
  }
}
