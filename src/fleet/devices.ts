import { InvalidArgumentError } from '../errors';
import type { RegisteredClient } from '../server';
import { Device } from './device';
import type { FoundDevice } from './device-view';
import { parseSelector, type SelectorSubject } from './selector';
import type { Target } from './target';

const MAX_OFFLINE = 10_000;

/** All devices known. Devices that were never entered are forgotten, oldest first, when too many of them are offline. */
export class Devices {
  readonly #devices = new Map<string, Device>();
  readonly #offline = new Set<Device>();
  readonly #isAwake: (client: RegisteredClient) => boolean;

  constructor(isAwake: (client: RegisteredClient) => boolean) {
    this.#isAwake = isAwake;
  }

  get(endpoint: string): Device | undefined {
    return this.#devices.get(endpoint);
  }

  [Symbol.iterator](): IterableIterator<Device> {
    return this.#devices.values();
  }

  /** The device is registered: its device, made when there is none. */
  registered(client: RegisteredClient): Device {
    let device = this.#devices.get(client.endpoint);
    if (device === undefined) {
      device = new Device(client.endpoint, this.#isAwake);
      this.#devices.set(client.endpoint, device);
    } else {
      this.#offline.delete(device);
    }
    device.client = client;
    return device;
  }

  /** The device's registration is over. */
  left(client: RegisteredClient): Device | undefined {
    const device = this.#devices.get(client.endpoint);
    if (device?.client !== client) return device;
    device.left();
    if (device.provisioned) return device;
    this.#offline.add(device);
    if (this.#offline.size > MAX_OFFLINE) {
      for (const oldest of this.#offline) {
        this.#offline.delete(oldest);
        this.#devices.delete(oldest.endpoint);
        break;
      }
    }
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
    return this.#devices.get(endpoint) ?? new Device(endpoint, this.#isAwake);
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
}

function namedEndpoint(endpoint: unknown): string {
  if (typeof endpoint !== 'string' || endpoint === '') throw new InvalidArgumentError('the target names no endpoint');
  return endpoint;
}
