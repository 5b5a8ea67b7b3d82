import type { RegisteredClient, RegisteredObjects } from '../server';
import { DeviceValues } from './device-values';
import type { Connectivity, Priority } from './device-view';
import type { SelectorSubject } from './selector';

const NO_LABELS: ReadonlyMap<string, string> = new Map();
const NO_GROUPS: ReadonlySet<string> = new Set();

/** What is known of a device, whether it is registered or not. */
export class Device implements SelectorSubject {
  /** While it is registered here. */
  client: RegisteredClient | undefined = undefined;
  labels = NO_LABELS;
  groups = NO_GROUPS;
  priority: Priority = 'normal';
  owner: string | undefined = undefined;
  /** Somebody entered it: it is never forgotten. */
  provisioned = false;
  #lastSeen: number | undefined = undefined;
  #objects: RegisteredObjects | undefined = undefined;
  #values: DeviceValues | undefined = undefined;

  constructor(
    readonly endpoint: string,
    private readonly isAwake: (client: RegisteredClient) => boolean,
  ) {}

  get connectivity(): Connectivity {
    if (this.client === undefined) return 'offline';
    return this.isAwake(this.client) ? 'online' : 'asleep';
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

  /** Its values, if it ever had any. */
  get knownValues(): DeviceValues | undefined {
    return this.#values;
  }

  has(objectId: number, objectInstanceId: number | undefined): boolean {
    const object = this.objects?.objects.find(({ id }) => id === objectId);
    return object !== undefined && (objectInstanceId === undefined || object.instances.includes(objectInstanceId));
  }

  /** It is not registered any more; what it had is remembered. */
  left(): void {
    this.#lastSeen = this.client?.lastHeard;
    this.#objects = this.client?.registration.objects;
    this.client = undefined;
  }
}
