import type { ResourceValue } from '../model';
import {
  checkOperation,
  type Operation,
  type OperationResult,
  type PerformOptions,
  type PeerIdentity,
  type RegisteredClient,
  type Registration,
  type Rejection,
  type SentValue,
  type Server,
  type ServerListener,
} from '../server';
import type { Lwm2mError } from '../errors';
import type { Clock } from '../util/clock';
import type { Log } from '../util/log';
import type { DeviceEvent, LifecycleTopic } from './device-event';
import { deviceOf, Devices } from './devices';
import type { Device } from './device';
import { DeviceGroups } from './device-groups';
import { DeviceProvisioning } from './device-provisioning';
import { GroupRules } from './group-rules';
import { ObservationPolicies } from './observation-policies';
import type { Order, OrderRun, OrderToAuthorize } from './order';
import { OrderExecution } from './order-execution';
import type { DeviceRecordStore, Store } from './store';
import { eventPayload } from './views';

export interface FleetOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly records: DeviceRecordStore;
  readonly groups: Store['groups'];
  /** Ends all sessions of an identity. */
  readonly endSessions: (identity: PeerIdentity) => void;
  /** Asked when an order is given and again right before it is sent: an error, and nothing goes on the wire. */
  readonly authorize?: (order: OrderToAuthorize) => Lwm2mError | undefined;
  /** Hears what happens to devices; `undefined` while nobody listens, so that nothing is made for nobody. */
  readonly emit: () => ((event: DeviceEvent) => void) | undefined;
}

/** Many devices as one: what is known of each, orders to many, standing observations. */
export class Fleet implements ServerListener {
  readonly devices: Devices;
  readonly policies: ObservationPolicies;
  readonly provisioning: DeviceProvisioning;
  readonly groups: DeviceGroups;
  readonly #options: FleetOptions;
  readonly #groupRules = new GroupRules();
  readonly #orders = new Set<OrderExecution>();
  #server: Server | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.devices = new Devices({
      isAwake: (client) => this.#server?.clients.isAwake(client) ?? false,
      groupRules: this.#groupRules,
    });
    this.policies = new ObservationPolicies({
      devices: this.devices,
      log: options.log,
      observe: (endpoint, spec, subscriber, performOptions) =>
        this.#serving().observe(endpoint, spec, subscriber, performOptions),
    });
    this.groups = new DeviceGroups({
      store: options.groups,
      rules: this.#groupRules,
      devices: this.devices,
      log: options.log,
      regrouped: (device) => this.policies.updated(device),
    });
    this.provisioning = new DeviceProvisioning({
      store: options.records,
      devices: this.devices,
      log: options.log,
      entered: (device) => this.policies.updated(device),
      endSessions: options.endSessions,
      recheck: (endpoint) => this.#serving().recheck(endpoint),
      deregister: (endpoint) => this.#serving().deregister(endpoint),
    });
  }

  /** The server whose devices these are. Fleet and server know each other, so one must come second. */
  serve(server: Server): void {
    this.#server = server;
  }

  /** Devices that the server took up from its store. */
  takeUp(): void {
    for (const client of this.#serving().clients) this.policies.registered(this.devices.registered(client));
  }

  /** @throws {InvalidArgumentError} a target or an operation that cannot be. */
  order(order: Order): OrderRun {
    checkOperation(order.operation);
    const members = this.devices.members(order.target);
    const context = { clock: this.#options.clock, perform: this.perform.bind(this) };
    const execution = new OrderExecution(context, order, members, !('endpoint' in order.target));
    this.#orders.add(execution);
    void execution.finished.then(() => this.#orders.delete(execution));
    execution.start();
    return execution;
  }

  /** One operation on one device; it must have passed `checkOperation`. Rejects as `Server.perform`. */
  perform(endpoint: string, operation: Operation, options: PerformOptions = {}): Promise<OperationResult> {
    const { authorize } = this.#options;
    if (authorize === undefined) return this.#serving().perform(endpoint, operation, options);
    const permit = (): Lwm2mError | undefined => authorize({ endpoint, operation, user: options.user });
    const denied = permit();
    if (denied !== undefined) return Promise.reject(denied);
    return this.#serving().perform(endpoint, operation, { ...options, permit });
  }

  close(): void {
    this.policies.close();
    for (const order of this.#orders) order.cancel();
  }

  registered(client: RegisteredClient, registration: Registration): void {
    const device = this.devices.registered(client);
    this.#emit('registered', registration, device);
    this.policies.registered(device);
  }

  updated(client: RegisteredClient, registration: Registration): void {
    const device = this.devices.registered(client);
    this.#emit('updated', registration, device);
    this.policies.updated(device);
  }

  deregistered(client: RegisteredClient): void {
    this.#left('deregistered', client);
  }

  expired(client: RegisteredClient): void {
    this.#left('expired', client);
  }

  awake(client: RegisteredClient): void {
    this.#emit('awake', client.registration, this.devices.get(client.endpoint));
  }

  asleep(client: RegisteredClient): void {
    this.#emit('asleep', client.registration, this.devices.get(client.endpoint));
  }

  rejected(rejection: Rejection): void {
    this.#options.emit()?.({ topic: 'rejected', endpoint: rejection.endpoint, payload: rejection });
  }

  sent({ endpoint }: RegisteredClient, payload: SentValue[]): void {
    this.#options.emit()?.({ topic: 'sent', endpoint, payload });
  }

  reported(client: RegisteredClient, values: readonly ResourceValue[], at: number): void {
    this.#deviceOf(client)?.values.reported(values, at);
  }

  written(client: RegisteredClient, values: readonly ResourceValue[], at: number, user: string | undefined): void {
    this.#deviceOf(client)?.values.commanded(values, at, user);
  }

  /** A value may come when its device is no longer registered. */
  #deviceOf(client: RegisteredClient): Device | undefined {
    return deviceOf(client) ?? this.devices.get(client.endpoint);
  }

  #left(topic: 'deregistered' | 'expired', client: RegisteredClient): void {
    const device = this.devices.left(client);
    this.policies.left(client.endpoint);
    this.#emit(topic, client.registration, device);
  }

  #emit(topic: LifecycleTopic, registration: Registration, device: Device | undefined): void {
    const emit = this.#options.emit();
    emit?.({ topic, endpoint: registration.endpoint, payload: eventPayload(registration, device) });
  }

  #serving(): Server {
    if (this.#server === undefined) throw new Error('the fleet has no server yet');
    return this.#server;
  }
}
