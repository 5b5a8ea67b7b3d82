import type { ResourceValue } from '../model';
import {
  checkOperation,
  type RegisteredClient,
  type Registration,
  type Rejection,
  type SentValue,
  type Server,
  type ServerListener,
} from '../server';
import type { Clock } from '../util/clock';
import type { Log } from '../util/log';
import type { DeviceEvent, LifecycleTopic } from './device-event';
import { DeviceRecords } from './device-records';
import type { DeviceRecord } from './device-record';
import { ObservationPolicies } from './observation-policies';
import type { Order, OrderRun } from './order';
import { OrderExecution } from './order-execution';
import { eventPayload } from './views';

export interface FleetOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Hears what happens to devices; `undefined` while nobody listens, so that nothing is made for nobody. */
  readonly emit: () => ((event: DeviceEvent) => void) | undefined;
}

/** Many devices as one: what is known of each, orders to many, standing observations. */
export class Fleet implements ServerListener {
  readonly records: DeviceRecords;
  readonly policies: ObservationPolicies;
  readonly #options: FleetOptions;
  readonly #orders = new Set<OrderExecution>();
  #server: Server | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.records = new DeviceRecords((client) => this.#server?.clients.isAwake(client) ?? false);
    this.policies = new ObservationPolicies({
      records: this.records,
      log: options.log,
      observe: (endpoint, spec, subscriber, performOptions) =>
        this.#serving().observe(endpoint, spec, subscriber, performOptions),
    });
  }

  /** The server whose devices these are. Fleet and server know each other, so one must come second. */
  serve(server: Server): void {
    this.#server = server;
  }

  /** Devices that the server took up from its store. */
  takeUp(): void {
    for (const client of this.#serving().clients) this.policies.registered(this.records.registered(client));
  }

  /** @throws {InvalidArgumentError} a target or an operation that cannot be. */
  order(order: Order): OrderRun {
    checkOperation(order.operation);
    const members = this.records.members(order.target);
    const server = this.#serving();
    const context = { clock: this.#options.clock, perform: server.perform.bind(server) };
    const execution = new OrderExecution(context, order, members, !('endpoint' in order.target));
    this.#orders.add(execution);
    void execution.finished.then(() => this.#orders.delete(execution));
    execution.start();
    return execution;
  }

  close(): void {
    this.policies.close();
    for (const order of this.#orders) order.cancel();
  }

  registered(client: RegisteredClient, registration: Registration): void {
    const record = this.records.registered(client);
    this.#emit('registered', registration, record);
    this.policies.registered(record);
  }

  updated(client: RegisteredClient, registration: Registration): void {
    const record = this.records.registered(client);
    this.#emit('updated', registration, record);
    this.policies.updated(record);
  }

  deregistered(client: RegisteredClient): void {
    this.#left('deregistered', client);
  }

  expired(client: RegisteredClient): void {
    this.#left('expired', client);
  }

  awake(client: RegisteredClient): void {
    this.#emit('awake', client.registration, this.records.get(client.endpoint));
  }

  asleep(client: RegisteredClient): void {
    this.#emit('asleep', client.registration, this.records.get(client.endpoint));
  }

  rejected(rejection: Rejection): void {
    this.#options.emit()?.({ topic: 'rejected', endpoint: rejection.endpoint, payload: rejection });
  }

  sent({ endpoint }: RegisteredClient, payload: SentValue[]): void {
    this.#options.emit()?.({ topic: 'sent', endpoint, payload });
  }

  reported({ endpoint }: RegisteredClient, values: readonly ResourceValue[], at: number): void {
    this.records.get(endpoint)?.values.reported(values, at);
  }

  written(
    { endpoint }: RegisteredClient,
    values: readonly ResourceValue[],
    at: number,
    user: string | undefined,
  ): void {
    this.records.get(endpoint)?.values.commanded(values, at, user);
  }

  #left(topic: 'deregistered' | 'expired', client: RegisteredClient): void {
    const record = this.records.left(client);
    this.policies.left(client.endpoint);
    this.#emit(topic, client.registration, record);
  }

  #emit(topic: LifecycleTopic, registration: Registration, record: DeviceRecord | undefined): void {
    const emit = this.#options.emit();
    emit?.({ topic, endpoint: registration.endpoint, payload: eventPayload(registration, record) });
  }

  #serving(): Server {
    if (this.#server === undefined) throw new Error('the fleet has no server yet');
    return this.#server;
  }
}
