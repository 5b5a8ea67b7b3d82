import type { PeerIdentity, RegisteredClient, RegisteredObjects } from '../server';
import { identityOf, type DeviceRecord } from './device-record';
import { DeviceValues } from './device-values';
import type { Connectivity, Priority } from './device-view';
import { OpenOrders } from './open-orders';
import type { GroupRules } from './group-rules';
import type { RuleSubject } from './selector';

const NO_LABELS: ReadonlyMap<string, string> = new Map();
const NO_GROUPS: ReadonlySet<string> = new Set();

/** What all devices share. */
export interface DeviceContext {
  isAwake(client: RegisteredClient): boolean;
  readonly groupRules: GroupRules;
  /** Nothing is known of the device any more. */
  forgotten?(device: Device): void;
}

/** What is known of a device, whether it is registered or not. */
export class Device implements RuleSubject {
  /** While it is registered here. */
  client: RegisteredClient | undefined = undefined;
  labels = NO_LABELS;
  recordGroups = NO_GROUPS;
  priority: Priority = 'normal';
  owner: string | undefined = undefined;
  /** As its record says, s. */
  awakeTime: number | undefined = undefined;
  /** What it must prove, as its record says. */
  identity: PeerIdentity | undefined = undefined;
  /** Of its record; 0: it has none. A device with a record is never forgotten. */
  revision = 0;
  /** Its record was removed: it is forgotten as soon as it is gone. */
  removed = false;
  /** Its connection is suspended, and it is not back. Such a device is not forgotten. */
  suspended = false;
  #lastSeen: number | undefined = undefined;
  #objects: RegisteredObjects | undefined = undefined;
  #values: DeviceValues | undefined = undefined;
  #openOrders: OpenOrders | undefined = undefined;

  /** The groups it belongs to, as they were found by the rules of this generation for these objects. */
  #groups = NO_GROUPS;
  #groupsGeneration = -1;
  #groupsObjects: RegisteredObjects | undefined = undefined;

  constructor(
    readonly endpoint: string,
    private readonly context: DeviceContext,
  ) {}

  /** The groups that its record names, and those that it belongs to by a rule. */
  get groups(): ReadonlySet<string> {
    const { groupRules } = this.context;
    const { objects } = this;
    if (this.#groupsGeneration !== groupRules.generation || this.#groupsObjects !== objects) {
      this.#groups = groupRules.groupsOf(this);
      this.#groupsGeneration = groupRules.generation;
      this.#groupsObjects = objects;
    }
    return this.#groups;
  }

  get connectivity(): Connectivity {
    if (this.suspended) return 'suspended';
    if (this.client === undefined) return 'offline';
    return this.isAwake ? 'online' : 'asleep';
  }

  /** Whether a request can be sent to it now. */
  get isAwake(): boolean {
    return this.client !== undefined && this.context.isAwake(this.client);
  }

  /** ms since 1970; `undefined` when it was never heard. */
  get lastSeen(): number | undefined {
    return this.client?.lastHeard ?? this.#lastSeen;
  }

  /** What it registered, or had registered last. */
  get objects(): RegisteredObjects | undefined {
    return this.client?.registration.objects ?? this.#objects;
  }

  get values(): DeviceValues {
    return (this.#values ??= new DeviceValues());
  }

  /** What was known of it is nobody's business any more. */
  forgetValues(): void {
    this.#values = undefined;
  }

  /** Its values, if it ever had any. */
  get knownValues(): DeviceValues | undefined {
    return this.#values;
  }

  /** The orders for it that are not done. */
  get orders(): OpenOrders {
    return (this.#openOrders ??= new OpenOrders());
  }

  /** The same, if there ever were any. */
  get openOrders(): OpenOrders | undefined {
    return this.#openOrders;
  }

  has(objectId: number, objectInstanceId: number | undefined): boolean {
    const object = this.objects?.objects.find(({ id }) => id === objectId);
    return object !== undefined && (objectInstanceId === undefined || object.instances.includes(objectInstanceId));
  }

  /** Takes over what its record says, all but the key; `undefined`: it has none any more. */
  enter(record: DeviceRecord | undefined): void {
    const labels = Object.entries(record?.labels ?? {});
    this.labels = labels.length === 0 ? NO_LABELS : new Map(labels);
    this.recordGroups = record === undefined || record.groups.length === 0 ? NO_GROUPS : new Set(record.groups);
    this.#groupsGeneration = -1;
    this.priority = record?.priority ?? 'normal';
    this.owner = record?.owner;
    this.awakeTime = record?.awakeTime;
    this.identity = record === undefined ? undefined : identityOf(record);
    this.revision = record?.revision ?? 0;
    this.removed = record === undefined;
  }

  /** It is not registered any more; what it had is remembered. */
  left(): void {
    this.#lastSeen = this.client?.lastHeard;
    this.#objects = this.client?.registration.objects;
    this.client = undefined;
  }
}
