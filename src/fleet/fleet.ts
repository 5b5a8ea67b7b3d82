import type { Path, ResourceValue } from '../model';
import {
  type NoSecPolicy,
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
import { nextTurn } from '../util/next-turn';
import type { DeviceEvent, LifecycleTopic, SuspensionEventPayload, SuspensionTopic } from './device-event';
import { deviceOf, Devices } from './devices';
import type { Device } from './device';
import { commandedView, reportedView, type ReportedCommand } from './device-values';
import { DeviceGroups } from './device-groups';
import { endpointOfInput, inputOfHandOver } from './device-record-input';
import type { ProvisionedDevice } from './device-record';
import { DeviceProvisioning, type ProvisionOptions } from './device-provisioning';
import { GroupRules } from './group-rules';
import { Mismatches, type MismatchTopic } from './mismatches';
import { Newcomers } from './newcomers';
import { ObservationPolicies } from './observation-policies';
import type { OrderOutcome, OrderToAuthorize } from './order';
import { Orders } from './orders';
import type { DeviceRecordStore, Store } from './store';
import { StoredValues } from './stored-values';
import { Suspensions } from './suspensions';
import type { Target } from './target';
import { eventPayload } from './views';

/** How many devices are taken up before everything else has its turn. */
const TAKEN_UP_AT_ONCE = 500;

export interface FleetOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly records: DeviceRecordStore;
  readonly noSec: NoSecPolicy;
  readonly groups: Store['groups'];
  readonly policies: Store['policies'];
  readonly values: Store['values'];
  /** How many observations may begin in a second. */
  readonly observationRate?: number;
  readonly suspensions: Store['suspensions'];
  /** How long a device may report something else than what it was commanded, ms; 10 s when absent. */
  readonly mismatchGrace?: number;
  /** Ends all sessions of an identity. */
  readonly endSessions: (identity: PeerIdentity) => void;
  /** Asked when an order is given and again right before it is sent: an error, and nothing goes on the wire. */
  readonly authorize?: (order: OrderToAuthorize) => Lwm2mError | undefined;
  /** Asked before a device is suspended or resumed: an error, and it is left as it is. */
  readonly authorizeSuspension?: (endpoint: string, user: string | undefined) => Lwm2mError | undefined;
  /** The same of an observation that a policy is about to make. */
  readonly authorizeObservation?: (endpoint: string, paths: readonly Path[], user?: string) => Lwm2mError | undefined;
  /** Told what came of an order, device by device. */
  readonly ordered?: (outcome: OrderOutcome) => void;
  /** Told of a device that a join window, which this user has opened, has made a record of. */
  readonly joined?: (endpoint: string, user: string | undefined) => void;
  /** Hears what happens to devices; `undefined` while nobody listens, so that nothing is made for nobody. */
  readonly emit: () => ((event: DeviceEvent) => void) | undefined;
}

/** Many devices as one: what is known of each, orders to many, standing observations. */
export class Fleet implements ServerListener {
  readonly devices: Devices;
  readonly policies: ObservationPolicies;
  readonly values: StoredValues;
  readonly provisioning: DeviceProvisioning;
  readonly groups: DeviceGroups;
  readonly newcomers: Newcomers;
  readonly suspensions: Suspensions;
  readonly orders: Orders;
  readonly #options: FleetOptions;
  readonly #groupRules = new GroupRules();
  readonly #mismatches: Mismatches;
  #server: Server | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.devices = new Devices({
      isAwake: (client) => this.#server?.clients.isAwake(client) ?? false,
      groupRules: this.#groupRules,
      forgotten: (device) => this.values.forgotten(device),
    });
    this.values = new StoredValues({ ...options, store: options.values, devices: this.devices });
    this.orders = new Orders({
      clock: options.clock,
      log: options.log,
      devices: this.devices,
      authorize: options.authorize,
      ordered: options.ordered,
      server: () => this.#serving(),
    });
    this.policies = new ObservationPolicies({
      clock: options.clock,
      log: options.log,
      store: options.policies,
      devices: this.devices,
      rate: options.observationRate,
      observe: (endpoint, spec, subscriber, performOptions) => {
        const permit = (): Lwm2mError | undefined =>
          options.authorizeObservation?.(endpoint, spec.paths, performOptions.user);
        const denied = permit();
        if (denied !== undefined) return Promise.reject(denied);
        return this.#serving().observe(endpoint, spec, subscriber, { ...performOptions, permit });
      },
      adopt: (endpoint, spec, subscriber, user) => {
        const denied = options.authorizeObservation?.(endpoint, spec.paths, user);
        return denied === undefined ? this.#serving().adopt(endpoint, spec, subscriber) : undefined;
      },
      refusal: options.authorizeObservation,
      unclaimed: () => this.#serving().unclaimed(),
    });
    this.groups = new DeviceGroups({
      store: options.groups,
      rules: this.#groupRules,
      devices: this.devices,
      log: options.log,
      regrouped: (device) => this.#regrouped(device),
    });
    this.provisioning = new DeviceProvisioning({
      store: options.records,
      devices: this.devices,
      log: options.log,
      entered: (device) => {
        if (device.identity !== undefined) this.newcomers.pending.known(device.endpoint, device.identity);
        this.#regrouped(device);
      },
      mayJoin: (endpoint) => this.newcomers.admits(endpoint),
      endSessions: options.endSessions,
      recheck: (endpoint) => this.#serving().recheck(endpoint),
      deregister: (endpoint) => this.#cutOff(endpoint),
    });
    this.newcomers = new Newcomers({
      clock: options.clock,
      log: options.log,
      noSec: options.noSec,
      identityOf: (endpoint) => this.provisioning.identityOf(endpoint),
      endpointOf: (identity) => this.provisioning.endpointOf(identity),
      join: (endpoint, template, user) => this.provisioning.join(endpoint, template, { user }),
      joined: (device, user) => {
        options.joined?.(device.endpoint, user);
        if (device.client !== undefined) this.#emit('joined', device.client.registration, device);
      },
    });
    this.#mismatches = new Mismatches({
      clock: options.clock,
      grace: options.mismatchGrace,
      say: (topic, device, command) => this.#emitMismatch(topic, device, command),
    });
    this.suspensions = new Suspensions({
      clock: options.clock,
      log: options.log,
      store: options.suspensions,
      devices: this.devices,
      authorize: (endpoint, user) => options.authorizeSuspension?.(endpoint, user),
      perform: (endpoint, operation, performOptions) => this.#serving().perform(endpoint, operation, performOptions),
      deregister: (endpoint) => this.#serving().deregister(endpoint),
      letIn: (endpoint) => this.#serving().sendWaiting(endpoint),
      emit: (topic, endpoint, payload) => this.#emitSuspension(topic, endpoint, payload),
    });
  }

  /** The server whose devices these are. Fleet and server know each other, so one must come second. */
  serve(server: Server): void {
    this.#server = server;
  }

  /** Devices that the server took up from its store. */
  async takeUp(): Promise<void> {
    let count = 0;
    for (const client of this.#serving().clients) {
      this.policies.takenUp(this.devices.registered(client));
      count += 1;
      if (count % TAKEN_UP_AT_ONCE === 0) await nextTurn();
    }
    this.suspensions.begin();
    this.values.restore();
    await this.orders.takeUp();
  }

  close(): void {
    this.policies.close();
    this.suspensions.close();
    this.#mismatches.close();
    this.orders.close();
  }

  /** Who may observe has changed on the devices of a target, or on all. */
  rightsChanged(target: Target = { all: true }): void {
    const devices = this.devices.members(target).flatMap((endpoint) => this.devices.get(endpoint) ?? []);
    this.policies.rightsChanged(devices);
  }

  /**
   * The device goes to others: its record is made anew, its registration and sessions end, what waited for it fails, and its
   * values are forgotten. Rejects as `provision`.
   */
  async handOver(input: unknown, options?: ProvisionOptions): Promise<ProvisionedDevice> {
    const endpoint = endpointOfInput(input);
    const current = await this.#options.records.get(endpoint);
    const record = await this.provisioning.put(inputOfHandOver(input, current?.security), options);
    await this.#cutOff(endpoint);
    const device = this.devices.get(endpoint);
    if (device !== undefined) {
      this.values.forgotten(device);
      device.forgetValues();
    }
    return record;
  }

  registered(client: RegisteredClient, registration: Registration): void {
    const device = this.devices.registered(client);
    this.#emit('registered', registration, device);
    this.newcomers.registered(device);
    this.suspensions.heard(device);
    this.policies.registered(device);
  }

  updated(client: RegisteredClient, registration: Registration): void {
    const device = this.devices.registered(client);
    this.#emit('updated', registration, device);
    this.suspensions.heard(device);
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
    this.newcomers.pending.rejected(rejection);
    this.#options.emit()?.({ topic: 'rejected', endpoint: rejection.endpoint, payload: rejection });
  }

  sent({ endpoint }: RegisteredClient, payload: SentValue[]): void {
    this.#options.emit()?.({ topic: 'sent', endpoint, payload });
  }

  reported(client: RegisteredClient, values: readonly ResourceValue[], at: number): void {
    const device = this.#deviceOf(client);
    if (device === undefined) return;
    const commands = device.values.reported(values, at);
    if (commands !== undefined) this.#mismatches.reported(device, commands);
    this.values.changed(device);
  }

  written(client: RegisteredClient, values: readonly ResourceValue[], at: number, user: string | undefined): void {
    const device = this.#deviceOf(client);
    if (device === undefined) return;
    this.#mismatches.commanded(device, device.values.commanded(values, at, user));
    this.values.changed(device);
  }

  /** Who it was is nobody's business any more: neither what waits for it nor whether it was suspended. */
  #cutOff(endpoint: string): Promise<PeerIdentity | undefined> {
    this.suspensions.forget(endpoint);
    return this.#serving().cutOff(endpoint);
  }

  /** It may have other labels and groups: other policies want it, and rights to groups are not those to it any more. */
  #regrouped(device: Device): void {
    this.policies.updated(device);
    this.policies.rightsChanged([device]);
  }

  /** A value may come when its device is no longer registered. */
  #deviceOf(client: RegisteredClient): Device | undefined {
    return deviceOf(client) ?? this.devices.get(client.endpoint);
  }

  #left(topic: 'deregistered' | 'expired', client: RegisteredClient): void {
    const device = this.devices.left(client);
    this.policies.left(client.endpoint);
    this.suspensions.left(client.endpoint);
    this.#emit(topic, client.registration, device);
  }

  #emitMismatch(topic: MismatchTopic, device: Device, { path, held }: ReportedCommand): void {
    const { endpoint } = device;
    const { commanded, reported } = held;
    if (commanded === undefined || reported === undefined || this.devices.get(endpoint) !== device) return;
    // That it was said is kept with the values.
    this.values.changed(device);
    const payload = { endpoint, path, commanded: commandedView(commanded), reported: reportedView(reported) };
    this.#options.emit()?.({ topic, endpoint, payload });
  }

  #emitSuspension(topic: SuspensionTopic, endpoint: string, payload: () => SuspensionEventPayload): void {
    this.#options.emit()?.({ topic, endpoint, payload: payload() });
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
