import { InvalidArgumentError } from '../errors';
import type { RegisteredClient } from '../server';
import { Device, type DeviceContext } from './device';
import type { DeviceRecord } from './device-record';
import type { FoundDevice } from './device-view';
import { parseSelector, type SelectorSubject } from './selector';
import type { Target } from './target';

const MAX_OFFLINE = 10_000;

/** All devices known. Devices that were never entered are forgotten, oldest first, when too many of them are offline. */
export class Devices {
  readonly #devices = new Map<string, Device>();
  readonly #offline = new Set<Device>();
  readonly #context: DeviceContext;

  constructor(context: DeviceContext) {
    this.#context = context;
  }

  get(endpoint: string): Device | undefined {
    return this.#devices.get(endpoint);
  }

  [Symbol.iterator](): IterableIterator<Device> {
    return this.#devices.values();
  }

  /** The device is registered. It is made when it was not known. */
  registered(client: RegisteredClient): Device {
    const held = deviceOf(client);
    if (held !== undefined) return held;
    const device = this.#known(client.endpoint);
    this.#offline.delete(device);
    device.removed = false;
    device.client = client;
    client.context = device;
    return device;
  }

  /** The device's registration is over. */
  left(client: RegisteredClient): Device | undefined {
    const device = this.#devices.get(client.endpoint);
    if (device?.client !== client) return device;
    device.left();
    this.#gone(device);
    return device;
  }

  /** The connection of the device is suspended. It is made when it was not known. */
  suspended(endpoint: string): void {
    const device = this.#known(endpoint);
    this.#offline.delete(device);
    device.suspended = true;
  }

  /** The suspension of the device is over, or it is not expected any more. */
  unsuspended(endpoint: string): void {
    const device = this.#devices.get(endpoint);
    if (device?.suspended !== true) return;
    device.suspended = false;
    if (device.client === undefined) this.#gone(device);
  }

  /** Something is remembered of the device. It is made when it was not known. */
  remembered(endpoint: string): Device {
    const known = this.#devices.get(endpoint);
    if (known !== undefined) return known;
    const device = this.#known(endpoint);
    this.#rememberOffline(device);
    return device;
  }

  /** The device has this record now. It is made when it was not known. */
  entered(record: DeviceRecord): Device {
    const device = this.#known(record.endpoint);
    this.#offline.delete(device);
    device.enter(record);
    return device;
  }

  /** The device has no record any more. It is forgotten, at once or when its registration ends. */
  removed(endpoint: string): Device | undefined {
    const device = this.#devices.get(endpoint);
    if (device === undefined) return undefined;
    device.enter(undefined);
    if (device.client === undefined) this.#gone(device);
    return device;
  }

  /**
   * The endpoints of a target, sorted unless the target lists them. Those that a target names need not be known.
   * @throws {InvalidArgumentError} an empty or unreadable target.
   */
  members(target: Target): string[] {
    if ('endpoint' in target) return [namedEndpoint(target.endpoint)];
    if ('endpoints' in target) return [...new Set(target.endpoints.map(namedEndpoint))];
    const matches = this.matcher(target);
    const members: string[] = [];
    for (const device of this) if (matches(device)) members.push(device.endpoint);
    return members.sort();
  }

  /** A test of a device. @throws {InvalidArgumentError} an empty or unreadable target. */
  matcher(target: Target): (subject: SelectorSubject) => boolean {
    if ('endpoint' in target) {
      const wanted = namedEndpoint(target.endpoint);
      return ({ endpoint }) => endpoint === wanted;
    }
    if ('endpoints' in target) {
      const wanted = new Set(target.endpoints.map(namedEndpoint));
      return ({ endpoint }) => wanted.has(endpoint);
    }
    if ('group' in target) {
      const { group } = target;
      if (typeof group !== 'string' || group === '') throw new InvalidArgumentError('the group has no name');
      return ({ groups }) => groups.has(group);
    }
    if ('selector' in target) return parseSelector(target.selector);
    if ('all' in target) return () => true;
    throw new InvalidArgumentError('there is no target');
  }

  /** What a matcher may ask of an endpoint, known or not. */
  subject(endpoint: string): SelectorSubject {
    return this.#devices.get(endpoint) ?? new Device(endpoint, this.#context);
  }

  /** Devices whose endpoint contains the text, whatever its case. */
  search(text: string, limit: number): FoundDevice[] {
    const wanted = text.toLowerCase();
    const found: Device[] = [];
    for (const device of this) if (device.endpoint.toLowerCase().includes(wanted)) found.push(device);
    return found
      .sort((a, b) => (a.endpoint < b.endpoint ? -1 : 1))
      .slice(0, Math.max(0, limit))
      .map(({ endpoint, connectivity }) => ({ endpoint, connectivity }));
  }

  #known(endpoint: string): Device {
    let device = this.#devices.get(endpoint);
    if (device === undefined) {
      device = new Device(endpoint, this.#context);
      this.#devices.set(endpoint, device);
    }
    return device;
  }

  /** A device that is not registered is kept as long as it has a record or is suspended. */
  #gone(device: Device): void {
    if (device.suspended || device.revision > 0) return;
    if (device.removed) this.#forget(device);
    else this.#rememberOffline(device);
  }

  #rememberOffline(device: Device): void {
    this.#offline.add(device);
    if (this.#offline.size <= MAX_OFFLINE) return;
    for (const oldest of this.#offline) {
      this.#offline.delete(oldest);
      this.#forget(oldest);
      return;
    }
  }

  #forget(device: Device): void {
    this.#devices.delete(device.endpoint);
    this.#context.forgotten?.(device);
  }
}

/** The device that a client was given, while it is still its own. */
export function deviceOf(client: RegisteredClient): Device | undefined {
  const { context } = client;
  return context instanceof Device && context.client === client ? context : undefined;
}

function namedEndpoint(endpoint: unknown): string {
  if (typeof endpoint !== 'string' || endpoint === '') throw new InvalidArgumentError('the target names no endpoint');
  return endpoint;
}
