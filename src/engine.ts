import { EventEmitter } from 'node:events';
import { ALL_DEVICES } from './access';
import type {
  AccessOperation,
  AccessSettings,
  AccessStore,
  AuditView,
  GrantEvent,
  GrantView,
  RevokeInput,
} from './access';
import { CoapStack } from './coap';
import { DtlsTransport } from './dtls';
import { combinedGate } from './engine/combined-gate';
import { Conditions, type ServerEvent } from './engine/conditions';
import { DeviceCredentials } from './engine/device-credentials';
import type { EngineOptions } from './engine/engine-options';
import { Rights } from './engine/rights';
import { LoadGate } from './engine/load-gate';
import { readServerCredentials } from './engine/server-credentials';
import { StoreKeeper } from './engine/store-keeper';
import { CancelledError, Lwm2mError, StoreError, type AccessDeniedError } from './errors';
import { deviceView, listDevices, type DeviceList, type ListOptions } from './fleet';
import { Fleet, type DeviceEvent, type DeviceView, type FoundDevice } from './fleet';
import type {
  CancelOptions,
  ObservationListener,
  ObservationPolicy,
  Order,
  OrderRun,
  TakenUpOrder,
  PolicyHandle,
} from './fleet';
import type { PolicyOptions, PolicyRecord, Target, WaitingConfirmation } from './fleet';
import type { JoinOptions, JoinView, PendingDevice } from './fleet';
import type { ProvisionManyOptions } from './fleet/device-provisioning';
import type { GroupView, ProvisionedDevice, ProvisionOptions, Store } from './fleet';
import type { ResumeOptions, SuspendOptions, SuspensionRun, SuspensionView } from './fleet';
import { DefinitionsFolder, ObjectDefinitions, type Path } from './model';
import { checkOperation, profilesOf, Server } from './server';
import type { Operation, OperationResult, PeerIdentity } from './server';
import { MemoryStore } from './store/memory-store';
import type { Channel, PeerAddress, Scheme, Transport } from './transport/transport';
import { TransportOpener } from './transport/transport-opener';
import { UdpTransport } from './transport/udp';
import { systemClock, type Clock } from './util/clock';
import { LagMeter } from './util/lag-meter';
import { describeError, silentLog, type Log } from './util/log';
import { secureRandom } from './util/random';

export type { Concern, ServerCondition, ServerEvent } from './engine/conditions';
export type { EngineOptions } from './engine/engine-options';
export type { NoSecPolicy } from './server';

const DEFAULT_COAP_PORT = 5683;
const DEFAULT_OWNER = 'engine';
const DEFAULT_MAX_LAG = 200;

export interface EngineAddress extends PeerAddress {
  readonly scheme: Scheme;
}

export interface EngineEvents {
  device: [event: DeviceEvent];
  /** A socket or the store is in trouble (`error`) or well again (`undefined`). */
  trouble: [error: Error | undefined];
  /** The same of each for itself, and when more devices come than can be served; for people. */
  condition: [event: ServerEvent];
  /** A right for a time was given, began, ended or was taken back. */
  grant: [event: GrantEvent];
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
  readonly #store: Store & AccessStore;
  readonly #rights: Rights;
  readonly #transports: readonly Transport[];
  readonly #dtls: readonly DtlsTransport[];
  readonly #credentials: DeviceCredentials;
  readonly #events = new EventEmitter<EngineEvents>();
  readonly #folder: DefinitionsFolder | undefined;
  readonly #fleet: Fleet;
  readonly #server: Server;
  readonly #stack: CoapStack;
  readonly #opener: TransportOpener;
  readonly #keeper: StoreKeeper;
  readonly #lag: LagMeter;
  readonly #loadGate: LoadGate;
  readonly #conditions: Conditions;
  #state: 'new' | 'started' | 'closed' = 'new';

  /** @throws {InvalidArgumentError} a profile that is no object list, or credentials that do not fit together. */
  constructor(options: EngineOptions = {}) {
    const clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLog;
    this.#store = options.store ?? new MemoryStore(clock);
    this.#folder = options.objectsDir === undefined ? undefined : this.#watch(options.objectsDir, clock);
    this.#conditions = new Conditions({ clock, emit: (event) => this.#emit('condition', event) });
    this.#keeper = this.#storeKeeper(clock);
    this.#lag = new LagMeter(clock);
    this.#loadGate = this.#makeLoadGate(options, clock);
    this.#rights = new Rights({
      clock,
      log: this.#log,
      store: this.#store,
      definitions: this.definitions,
      devices: () => this.#fleet.devices,
      emit: (event) => {
        this.#emit('grant', event);
        this.#fleet.rightsChanged(event.grant.target);
      },
    });
    this.#fleet = new Fleet({
      authorize: this.#rights.authorize,
      authorizeObservation: (endpoint, paths, user) => this.#rights.observe(endpoint, paths, user),
      authorizeSuspension: (endpoint, user) => this.#rights.may('suspend', endpoint, user),
      ordered: this.#rights.ordered,
      clock,
      log: this.#log,
      emit: () => this.#deviceListener(),
      records: this.#store.devices,
      noSec: options.noSec ?? 'loopback',
      mismatchGrace: options.mismatchGrace === undefined ? undefined : options.mismatchGrace * 1000,
      groups: this.#store.groups,
      policies: this.#store.policies,
      values: this.#store.values,
      observationRate: options.observationRate,
      suspensions: this.#store.suspensions,
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
      awakeTimeOf: (endpoint) => this.#fleet.devices.get(endpoint)?.awakeTime,
      provisioning: this.#fleet.provisioning,
      owner: options.owner ?? DEFAULT_OWNER,
      noSec: options.noSec ?? 'loopback',
      profiles: profilesOf(options.profiles ?? {}),
      channelTo: (scheme, address) => this.#channelTo(scheme, address),
      gate: combinedGate(this.#fleet.suspensions, this.#loadGate),
      health: this.#keeper,
    });
    this.#fleet.serve(this.#server);
    this.#stack = new CoapStack({
      clock,
      log: this.#log,
      handler: (request) => this.#server.handle(request),
      doubt: (channel, echo) => this.#server.doubt(channel, echo),
      isRestoring: () => !this.#keeper.isOpen,
    });
    this.#opener = new TransportOpener({
      clock,
      open: (transport) => this.#stack.open(transport),
      changed: (error) => {
        this.#conditions.set('port', error);
        this.#emit('trouble', this.trouble);
      },
    });
    this.#rights.configure(options.access);
    // Any number of nodes may listen.
    this.#events.setMaxListeners(0);
  }

  /**
   * Opens the sockets and the store, and takes up what the store holds. When one of two ports is taken the engine runs on
   * the other; when the store cannot be opened, devices are answered 5.03 and orders fail with `StoreError`. Then the engine
   * is in `trouble`, and tries again until all is well.
   * @throws {TransportError} no port can be opened. @throws {CancelledError} it was closed meanwhile.
   */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw new CancelledError('an engine starts once');
    this.#state = 'started';
    try {
      await this.#folder?.start();
      await this.#opener.start(this.#transports);
      this.#conditions.set('port', this.#opener.error);
      await this.#keeper.start();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Stops listening; everything under way fails with `CancelledError`. What the store holds stays there. */
  async close(): Promise<void> {
    if (this.#state !== 'started') return;
    this.#state = 'closed';
    this.#loadGate.close();
    this.#lag.close();
    this.#rights.close();
    this.#fleet.close();
    this.#server.close();
    await this.#keeper.close();
    await this.#opener.close();
    await this.#stack.close();
    await this.#fleet.values.close();
    await this.#folder?.close();
    await this.#store.close();
  }

  /** What keeps a running engine from all that it should do: its store, or a port that is taken. */
  get trouble(): Error | undefined {
    return this.#keeper.error ?? this.#opener.error;
  }

  /** Whether all that the store holds was taken up: devices are served and orders taken. */
  get isServing(): boolean {
    return this.#state === 'started' && this.#keeper.isOpen;
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
    const about = { right: 'provision', user: options?.user, endpoint: endpointOfRecord(input) } as const;
    return this.#rights.audited(about, () => this.#fleet.provisioning.put(input, options));
  }

  /**
   * As `provision` of many records, of which all are checked before the first is stored. What fails after that is an error
   * whose `cause` is a `BatchFailure`: it names what is stored.
   */
  provisionAll(inputs: readonly unknown[], options?: ProvisionOptions): Promise<ProvisionedDevice[]> {
    return this.#fleet.provisioning.putAll(inputs, this.#provisioningMany(options));
  }

  /**
   * As `provisionAll` of the records of a CSV text, whose first line names the columns: endpoint, mode, identity, key,
   * publicKey, name, groups, priority, owner, `label:site`, `metadata:serial`. An error names line and column.
   * `csvOfRecords` writes such a text.
   */
  provisionCsv(text: string, options?: ProvisionOptions): Promise<ProvisionedDevice[]> {
    return this.#fleet.provisioning.putCsv(text, this.#provisioningMany(options));
  }

  /** Devices that were turned away because nobody has provisioned them, at most 1,000; who came last is first. */
  pending(): PendingDevice[] {
    return this.#fleet.newcomers.pending.list();
  }

  /**
   * Provisions a pending device: as `provision`; of a record that names no security it is what the device came with. Rejects
   * as `provision`, also when no such device is pending, or when a key is needed.
   * @param input its endpoint, or a record.
   */
  async accept(input: unknown, options?: ProvisionOptions): Promise<ProvisionedDevice> {
    return await this.provision(this.#fleet.newcomers.acceptedInput(input), options);
  }

  /** As `accept` of many, stored as by `provisionAll`. */
  async acceptAll(inputs: readonly unknown[], options?: ProvisionOptions): Promise<ProvisionedDevice[]> {
    const records = inputs.map((input) => this.#fleet.newcomers.acceptedInput(input));
    return await this.provisionAll(records, options);
  }

  /**
   * Opens a join window: for a time, unknown devices without DTLS that register get a record, and where only provisioned
   * ones are let in (`noSec: provisioned`) they are let in for it. Said as `joined`. It ends by itself, and with the process.
   * Rejects with `InvalidArgumentError` when no device may come without DTLS (`noSec: none`).
   */
  async permitJoin(options: JoinOptions = {}): Promise<JoinView> {
    const about = { right: 'provision', name: 'join', user: options.user, endpoint: ALL_DEVICES } as const;
    return await this.#rights.audited(about, () => Promise.resolve(this.#fleet.newcomers.permitJoin(options)));
  }

  /** The join window that is open, or was last. */
  get joinWindow(): JoinView | undefined {
    return this.#fleet.newcomers.window;
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
    const about = { right: 'provision', name: 'unprovision', user: options?.user, endpoint } as const;
    return this.#rights.audited(about, async () => {
      const isRemoved = await this.#fleet.provisioning.remove(endpoint, options);
      // Who gets the name next gets no rights with it.
      await this.#rights.forget(endpoint);
      return isRemoved;
    });
  }

  /**
   * Hands a device over to another provider (OMA LwM2M requirements, use case B.3, case 5): its record is made anew from the
   * input, a pre-shared key must be another one, its registration ends, grants on it, orders that wait for it and its values
   * are wiped. The audit trail stays. Needs the right to provision. Rejects as `provision`.
   * @returns the new record, without its key.
   */
  handOver(input: unknown, options?: ProvisionOptions): Promise<ProvisionedDevice> {
    const endpoint = endpointOfRecord(input);
    const about = { right: 'provision', name: 'hand-over', user: options?.user, endpoint } as const;
    return this.#rights.audited(about, async () => {
      this.#needStore();
      const record = await this.#fleet.handOver(input, options);
      await this.#rights.forget(endpoint);
      return record;
    });
  }

  /**
   * Makes a group by a rule, or gives it another rule: every device that the selector matches belongs to it, now and
   * later. A rule may not ask for `state:`, nor for another group that has a rule.
   * Rejects with `InvalidArgumentError` or `StoreError`.
   */
  defineGroup(name: string, selector: string, options?: ProvisionOptions): Promise<GroupView> {
    const about = { right: 'provision', user: options?.user, endpoint: ALL_DEVICES } as const;
    return this.#rights.audited(about, () => this.#fleet.groups.define(name, selector, options));
  }

  /** Takes the rule of a group away; whose record names the group stays in it. Rejects as `defineGroup`. */
  removeGroup(name: string, options?: ProvisionOptions): Promise<boolean> {
    const about = { right: 'provision', user: options?.user, endpoint: ALL_DEVICES } as const;
    return this.#rights.audited(about, () => this.#fleet.groups.remove(name, options));
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
   * Sets who may do what to which devices from now on; `undefined`: everybody everything. Orders that wait are asked about
   * again before they are sent.
   * @throws {InvalidArgumentError} saying which role or user cannot be. Then nobody may do anything, until settings come
   * that can be read.
   */
  setAccess(settings: AccessSettings | undefined): void {
    if (this.#rights.configure(settings)) this.#fleet.rightsChanged();
  }

  /** Whether a user may do something to a device now: `undefined`, or what is missing. */
  denial(
    operation: AccessOperation,
    endpoint: string,
    user: string | undefined,
    paths?: readonly Path[],
  ): AccessDeniedError | undefined {
    return this.#rights.access.check({ operation, endpoint, user, paths });
  }

  /**
   * Gives a right for a time: `{ user, target, operations, paths, from, until, pauses }` as `lwm2m-grant` takes it.
   * Rejects with `InvalidArgumentError`, `AccessDeniedError` or `StoreError`.
   */
  grant(input: unknown, options?: { readonly user?: string }): Promise<GrantView> {
    return this.#rights.grant(input, options);
  }

  /** Ends grants at once: `{ id }`, or `{ user, target }`. Answers those it ended. Rejects as `grant`. */
  revoke(input: RevokeInput, options?: { readonly user?: string }): Promise<GrantView[]> {
    return this.#rights.revoke(input, options);
  }

  /** All grants, by their beginning; those that are over are listed for 30 days. */
  grants(): GrantView[] {
    return this.#rights.grants();
  }

  /**
   * Who ordered what, newest first: `{ from, to, user, endpoint, operation, outcome, before, limit }`, all optional; times as
   * ISO 8601 or ms since 1970; 100 entries unless told otherwise. Rejects with `InvalidArgumentError` or `StoreError`.
   */
  audit(query?: unknown): Promise<readonly AuditView[]> {
    return this.#rights.query(query);
  }

  /**
   * A second person agrees to an order that waits for that (`Order.confirmation`): another than who ordered, with the right
   * to do it himself on all its devices. It goes out at once.
   * @throws {InvalidArgumentError} no order of this id waits. @throws {AccessDeniedError} this person may not.
   */
  confirm(id: string, { user }: { readonly user?: string } = {}): WaitingConfirmation {
    return this.#rights.confirmed(user, this.#fleet.orders.confirmations.get(id), () =>
      this.#fleet.orders.confirm(id, user),
    );
  }

  /** The orders that wait for a second person. */
  confirmations(): WaitingConfirmation[] {
    return this.#fleet.orders.confirmations.list();
  }

  /**
   * Gives an order to one or many devices; it is under way when this returns.
   * @throws {InvalidArgumentError} a target that is empty or unreadable, or an operation that can be seen to be wrong for
   * every device (objects 0, 21 and 23, attributes that contradict each other). @throws {StoreError} the store is not open.
   */
  order(order: Order): OrderRun {
    this.#needStore();
    return this.#fleet.orders.order(order);
  }

  /**
   * Hands over the orders of this owner (`Order.origin`) that waited when the process before this one ended, each once: now,
   * and when the store that holds them can only be read later. They go on whether somebody takes them or not, and keep what
   * comes of them until then. Returns what ends it.
   */
  takeUpOrders(owner: string, taker: (order: TakenUpOrder) => void): () => void {
    return this.#fleet.orders.claim(owner, taker);
  }

  /**
   * From now on orders of the process before this one are cancelled when nobody has taken them up and their owner is no more.
   */
  endOrders(isOwner: (owner: string) => boolean): void {
    this.#fleet.orders.endUnclaimed(isOwner);
  }

  /**
   * One operation on one device, the short way.
   * Rejects with `InvalidArgumentError`, `NotRegisteredError`, `QueueExpiredError`, `TimeoutError`, `CancelledError`,
   * `ResponseError`, `TransportError`, `CodecError` or `StoreError`.
   */
  perform(endpoint: string, operation: Operation, options?: PerformOptions): Promise<OperationResult> {
    try {
      this.#needStore();
      checkOperation(operation);
    } catch (error) {
      if (!(error instanceof Lwm2mError)) throw error;
      return Promise.reject(error);
    }
    return this.#fleet.orders.perform(endpoint, operation, options);
  }

  /**
   * Declares a policy of observation, or takes up the one that runs under this id, since before a restart perhaps: an equal
   * one is left alone and the values kept while nobody listened are delivered; a different one replaces it. Resolves when
   * the store has it.
   * Rejects with `InvalidArgumentError` as `order`, or `StoreError`; then nothing has changed.
   */
  async observePolicy(
    id: string,
    policy: ObservationPolicy,
    listener: ObservationListener,
    options?: PolicyOptions,
  ): Promise<PolicyHandle> {
    this.#needStore();
    return await this.#fleet.policies.declare(id, policy, listener, options);
  }

  /** The policies of an owner as the store has them, those too that were cancelled to be remembered. */
  policiesOf(owner: string): PolicyRecord[] {
    return this.#fleet.policies.of(owner);
  }

  /** As `cancel` of the policy's handle, for one that nobody has taken up. */
  async cancelPolicy(id: string, options?: CancelOptions): Promise<void> {
    this.#needStore();
    await this.#fleet.policies.cancel(id, options);
  }

  /**
   * To be called when all owners of policies had their chance to declare them: ends the policies of owners who are gone,
   * and what devices still observe since before a restart that no policy wants.
   * Rejects with `StoreError`; the policies that could not be ended hold on.
   */
  async settlePolicies(isThere: (owner: string) => boolean): Promise<void> {
    this.#needStore();
    await this.#fleet.policies.settle(isThere);
  }

  /**
   * Suspends the connection of devices for a time: they are told to stay away (Disable Timeout and Disable, LwM2M Core 1.2
   * appendix E.2), are refused until their end with 5.03 and Max-Age, and their orders wait. A device that cannot be told is
   * only refused. Devices of high priority are left alone. It is under way when this returns, and outlives the process.
   * @throws {InvalidArgumentError} a target, a duration or a stagger that cannot be. @throws {StoreError} it is not open.
   */
  suspend(target: Target, options: SuspendOptions): SuspensionRun {
    this.#needStore();
    return this.#rights.suspended('suspend', this.#fleet.suspensions.suspend(target, options), options.user);
  }

  /**
   * Lets suspended devices in before their end. One that was told to stay away may come as late as it was told; one that
   * was only refused, and is still registered, is back at once.
   * @throws {InvalidArgumentError} a target that cannot be. @throws {StoreError} the store is not open.
   */
  resume(target: Target, options?: ResumeOptions): SuspensionRun {
    this.#needStore();
    return this.#rights.suspended('resume', this.#fleet.suspensions.resume(target, options), options?.user);
  }

  /**
   * The suspensions of the devices of a target (all when absent), sorted by endpoint; of those that are back for an hour.
   * @throws {InvalidArgumentError} as `order`.
   */
  suspensions(target?: Target): SuspensionView[] {
    return this.#fleet.suspensions.list(target);
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
   * As `devices`, of a part of them if wanted, and with pauses, so that everything else goes on however many they are.
   * Rejects with `InvalidArgumentError`.
   */
  listDevices(target: Target = { all: true }, options?: ListOptions): Promise<DeviceList> {
    return listDevices(this.#fleet.devices, target, options);
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

  /** Nothing can be ordered and nothing kept before the store is open. @throws {StoreError} */
  #needStore(): void {
    if (this.#state !== 'started' || this.#keeper.isOpen) return;
    const cause = this.#keeper.error;
    throw new StoreError(cause?.message ?? 'what the store holds is still being taken up', { cause });
  }

  #storeKeeper(clock: Clock): StoreKeeper {
    return new StoreKeeper({
      clock,
      log: this.#log,
      open: () => this.#takeUp(),
      check: () => this.#store.check(),
      changed: (error) => {
        this.#conditions.set('store', error);
        this.#emit('trouble', this.trouble);
      },
    });
  }

  /** Opens the store and takes up all that it holds. What fails half way leaves the store closed, and can be repeated. */
  async #takeUp(): Promise<void> {
    try {
      await this.#store.open();
      await this.#fleet.provisioning.takeUp();
      await this.#fleet.groups.takeUp();
      await this.#fleet.policies.takeUp();
      await this.#fleet.values.takeUp();
      await this.#fleet.suspensions.takeUp();
      await this.#rights.takeUp();
      if (this.#dtls.length > 0) await this.#credentials.takeUp();
      await this.#server.takeUp(this.#stack);
      await this.#fleet.takeUp();
    } catch (error) {
      try {
        await this.#store.close();
      } catch (fault) {
        this.#log.warn(`the store could not be closed: ${describeError(fault)}`);
      }
      throw error;
    }
  }

  #makeLoadGate({ lag, maxLag = DEFAULT_MAX_LAG }: EngineOptions, clock: Clock): LoadGate {
    return new LoadGate({
      clock,
      random: secureRandom,
      lag: lag ?? (() => this.#lag.lag()),
      maxLag,
      priorityOf: (endpoint) => this.#fleet.devices.get(endpoint)?.priority ?? 'normal',
      began: (overload) => this.#conditions.overloaded(overload),
      ended: (overload) => this.#conditions.overloadEnded(overload),
    });
  }

  /** The rights to provision many devices are asked before the first is stored; a denial is noted like any. */
  #provisioningMany(options: ProvisionOptions = {}): ProvisionManyOptions {
    const { user } = options;
    return {
      ...options,
      check: async (endpoint) => {
        if (this.#rights.may('provision', endpoint, user) === undefined) return;
        await this.#rights.audited({ right: 'provision', user, endpoint }, () => Promise.resolve());
      },
      put: (input) => this.provision(input, options),
    };
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

/** The device that a record is for, when it can be read; what cannot is refused by whoever reads it all. */
function endpointOfRecord(input: unknown): string {
  const isRecord = typeof input === 'object' && input !== null && 'endpoint' in input;
  return isRecord && typeof input.endpoint === 'string' ? input.endpoint : ALL_DEVICES;
}

function coapTransports({ host, coapPort = DEFAULT_COAP_PORT }: EngineOptions): Transport[] {
  return coapPort === null ? [] : [new UdpTransport({ host, port: coapPort })];
}

export interface PerformOptions {
  readonly user?: string;
  /** ms; 24 h when absent. */
  readonly expires?: number;
  readonly signal?: AbortSignal;
  /** Whether it takes the place of older orders for the same paths that wait, as `Order.supersede`. */
  readonly supersede?: boolean;
  /** Send it now or fail: it never waits, neither for a device that sleeps nor for one that is suspended. */
  readonly urgent?: boolean;
}
