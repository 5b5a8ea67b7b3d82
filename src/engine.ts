import type { AccessOperation, AccessSettings, AuditView, GrantView, RevokeInput } from './access';
import { AccessApi } from './engine/api/access-api';
import { DeviceApi } from './engine/api/device-api';
import { GroupApi } from './engine/api/group-api';
import { NewcomerApi } from './engine/api/newcomer-api';
import { OrderApi, type PerformOptions } from './engine/api/order-api';
import { PolicyApi } from './engine/api/policy-api';
import { ProvisioningApi } from './engine/api/provisioning-api';
import { SuspensionApi } from './engine/api/suspension-api';
import type { EngineEvents } from './engine/engine-events';
import type { EngineOptions } from './engine/engine-options';
import { EngineParts } from './engine/engine-parts';
import type { EngineAddress } from './engine/ports';
import { CancelledError, type AccessDeniedError } from './errors';
import type {
  CancelOptions,
  DeviceList,
  DeviceView,
  FoundDevice,
  GroupView,
  JoinOptions,
  JoinView,
  ListOptions,
  ObservationListener,
  ObservationPolicy,
  Order,
  OrderRun,
  PendingDevice,
  PolicyHandle,
  PolicyOptions,
  PolicyRecord,
  ProvisionedDevice,
  ProvisionOptions,
  ResumeOptions,
  SuspendOptions,
  SuspensionRun,
  SuspensionView,
  TakenUpOrder,
  Target,
  WaitingConfirmation,
} from './fleet';
import type { ObjectDefinitions, Path } from './model';
import type { Operation, OperationResult } from './server';

/** The public methods of a class. A method of the engine without words of its own has those of the class it is listed under. */
type Offers<Api> = Pick<Api, keyof Api>;

/**
 * An LwM2M server with its fleet: the whole library behind one door.
 *
 * ```ts
 * const engine = new Engine({ noSec: 'loopback' });
 * engine.on('device', (event) => console.log(event.topic, event.endpoint));
 * await engine.start();
 * const result = await engine.perform('lamp-1', { operation: 'read', paths: [parsePath('/3311/0/5850')] });
 * ```
 *
 * It is put together in `engine/engine-parts.ts`. What can be done with it is written, with its types, units and errors, in
 * `engine/api/`, a file a theme; editors show those words here too.
 */
export class Engine
  implements
    Offers<DeviceApi>,
    Offers<OrderApi>,
    Offers<PolicyApi>,
    Offers<SuspensionApi>,
    Offers<ProvisioningApi>,
    Offers<NewcomerApi>,
    Offers<GroupApi>,
    Offers<AccessApi>
{
  readonly #parts: EngineParts;
  readonly #devices: DeviceApi;
  readonly #orders: OrderApi;
  readonly #policies: PolicyApi;
  readonly #suspensions: SuspensionApi;
  readonly #provisioning: ProvisioningApi;
  readonly #newcomers: NewcomerApi;
  readonly #groups: GroupApi;
  readonly #access: AccessApi;
  #state: 'new' | 'started' | 'closed' = 'new';

  /**
   * @throws {InvalidArgumentError} a profile that is no object list, credentials that do not fit together, or a role or user
   * that cannot be.
   */
  constructor(options: EngineOptions = {}) {
    const parts = new EngineParts(options);
    this.#parts = parts;
    this.#devices = new DeviceApi(parts);
    this.#orders = new OrderApi(parts);
    this.#policies = new PolicyApi(parts);
    this.#suspensions = new SuspensionApi(parts);
    this.#provisioning = new ProvisioningApi(parts);
    this.#newcomers = new NewcomerApi(parts, this.#provisioning);
    this.#groups = new GroupApi(parts);
    this.#access = new AccessApi(parts);
  }

  // ---- its life ----

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
      await this.#parts.start();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * Writes at once what is known of the values of devices, which is otherwise written soon: for when the process may end
   * without `close`. What the store refuses is tried again later.
   */
  async flush(): Promise<void> {
    await this.#parts.fleet.values.flush();
  }

  /** Stops listening; everything under way fails with `CancelledError`. What the store holds stays there. */
  async close(): Promise<void> {
    if (this.#state !== 'started') return;
    this.#state = 'closed';
    await this.#parts.close();
  }

  /** Listens to an event; what a listener throws is logged. */
  on<E extends keyof EngineEvents>(event: E, listener: (...args: EngineEvents[E]) => void): this {
    this.#parts.listeners.add(event, listener);
    return this;
  }

  /** Listens no longer. */
  off<E extends keyof EngineEvents>(event: E, listener: (...args: EngineEvents[E]) => void): this {
    this.#parts.listeners.remove(event, listener);
    return this;
  }

  // ---- how it is ----

  /** What keeps a running engine from all that it should do: its store, or a port that is taken. */
  get trouble(): Error | undefined {
    return this.#parts.trouble;
  }

  /** Whether all that the store holds was taken up: devices are served and orders taken. */
  get isServing(): boolean {
    return this.#state === 'started' && this.#parts.keeper.isOpen;
  }

  /** The addresses listened on, once started. */
  get addresses(): readonly EngineAddress[] {
    return this.#parts.ports.addresses;
  }

  /**
   * The public key by which devices know this server (object 0, resource 4 for raw public keys): base64 of its
   * SubjectPublicKeyInfo in DER. `undefined` without DTLS, or before the start when the key was not given.
   */
  get serverPublicKey(): string | undefined {
    return this.#parts.credentials.serverPublicKey;
  }

  /** The definitions of objects: those built in, those of `objectsDir`, and what is added here. */
  get definitions(): ObjectDefinitions {
    return this.#parts.definitions;
  }

  // ---- devices: engine/api/device-api.ts ----

  devices(target?: Target, paths?: readonly Path[]): DeviceView[] {
    return this.#devices.devices(target, paths);
  }

  listDevices(target?: Target, options?: ListOptions): Promise<DeviceList> {
    return this.#devices.listDevices(target, options);
  }

  matcher(target: Target): (endpoint: string) => boolean {
    return this.#devices.matcher(target);
  }

  searchDevices(text: string, limit: number): FoundDevice[] {
    return this.#devices.searchDevices(text, limit);
  }

  // ---- orders: engine/api/order-api.ts ----

  perform(endpoint: string, operation: Operation, options?: PerformOptions): Promise<OperationResult> {
    return this.#orders.perform(endpoint, operation, options);
  }

  order(order: Order): OrderRun {
    return this.#orders.order(order);
  }

  takeUpOrders(owner: string, taker: (order: TakenUpOrder) => void): () => void {
    return this.#orders.takeUpOrders(owner, taker);
  }

  endOrders(isOwner: (owner: string) => boolean): void {
    this.#orders.endOrders(isOwner);
  }

  confirm(id: string, options?: { readonly user?: string }): WaitingConfirmation {
    return this.#orders.confirm(id, options);
  }

  confirmations(): WaitingConfirmation[] {
    return this.#orders.confirmations();
  }

  // ---- observation policies: engine/api/policy-api.ts ----

  observePolicy(
    id: string,
    policy: ObservationPolicy,
    listener: ObservationListener,
    options?: PolicyOptions,
  ): Promise<PolicyHandle> {
    return this.#policies.observePolicy(id, policy, listener, options);
  }

  policiesOf(owner: string): PolicyRecord[] {
    return this.#policies.policiesOf(owner);
  }

  cancelPolicy(id: string, options?: CancelOptions): Promise<void> {
    return this.#policies.cancelPolicy(id, options);
  }

  settlePolicies(isThere: (owner: string) => boolean): Promise<void> {
    return this.#policies.settlePolicies(isThere);
  }

  // ---- suspensions: engine/api/suspension-api.ts ----

  suspend(target: Target, options: SuspendOptions): SuspensionRun {
    return this.#suspensions.suspend(target, options);
  }

  resume(target: Target, options?: ResumeOptions): SuspensionRun {
    return this.#suspensions.resume(target, options);
  }

  suspensions(target?: Target): SuspensionView[] {
    return this.#suspensions.suspensions(target);
  }

  // ---- records of devices: engine/api/provisioning-api.ts ----

  provision(input: unknown, options?: ProvisionOptions): Promise<ProvisionedDevice> {
    return this.#provisioning.provision(input, options);
  }

  provisionAll(inputs: readonly unknown[], options?: ProvisionOptions): Promise<ProvisionedDevice[]> {
    return this.#provisioning.provisionAll(inputs, options);
  }

  provisionCsv(text: string, options?: ProvisionOptions): Promise<ProvisionedDevice[]> {
    return this.#provisioning.provisionCsv(text, options);
  }

  provisioned(endpoint: string): Promise<ProvisionedDevice | null> {
    return this.#provisioning.provisioned(endpoint);
  }

  provisionedDevices(target?: Target): Promise<ProvisionedDevice[]> {
    return this.#provisioning.provisionedDevices(target);
  }

  unprovision(endpoint: string, options?: ProvisionOptions): Promise<boolean> {
    return this.#provisioning.unprovision(endpoint, options);
  }

  handOver(input: unknown, options?: ProvisionOptions): Promise<ProvisionedDevice> {
    return this.#provisioning.handOver(input, options);
  }

  // ---- devices that nobody has provisioned: engine/api/newcomer-api.ts ----

  pending(): PendingDevice[] {
    return this.#newcomers.pending();
  }

  accept(input: unknown, options?: ProvisionOptions): Promise<ProvisionedDevice> {
    return this.#newcomers.accept(input, options);
  }

  acceptAll(inputs: readonly unknown[], options?: ProvisionOptions): Promise<ProvisionedDevice[]> {
    return this.#newcomers.acceptAll(inputs, options);
  }

  permitJoin(options?: JoinOptions): Promise<JoinView> {
    return this.#newcomers.permitJoin(options);
  }

  get joinWindow(): JoinView | undefined {
    return this.#newcomers.joinWindow;
  }

  // ---- groups: engine/api/group-api.ts ----

  defineGroup(name: string, selector: string, options?: ProvisionOptions): Promise<GroupView> {
    return this.#groups.defineGroup(name, selector, options);
  }

  removeGroup(name: string, options?: ProvisionOptions): Promise<boolean> {
    return this.#groups.removeGroup(name, options);
  }

  groups(): GroupView[] {
    return this.#groups.groups();
  }

  // ---- rights and the audit trail: engine/api/access-api.ts ----

  setAccess(settings: AccessSettings | undefined): void {
    this.#access.setAccess(settings);
  }

  denial(
    operation: AccessOperation,
    endpoint: string,
    user: string | undefined,
    paths?: readonly Path[],
  ): AccessDeniedError | undefined {
    return this.#access.denial(operation, endpoint, user, paths);
  }

  grant(input: unknown, options?: { readonly user?: string }): Promise<GrantView> {
    return this.#access.grant(input, options);
  }

  revoke(input: RevokeInput, options?: { readonly user?: string }): Promise<GrantView[]> {
    return this.#access.revoke(input, options);
  }

  grants(): GrantView[] {
    return this.#access.grants();
  }

  audit(query?: unknown): Promise<readonly AuditView[]> {
    return this.#access.audit(query);
  }
}
