import { InvalidArgumentError, type Lwm2mError } from '../errors';
import { systemClock, type Clock } from '../util/clock';
import { DEVICE_VERSIONS, type DeviceVersion } from './device-formats';
import { SimulatedDevice } from './device';
import type { ResourceInstances } from './device-objects';
import { behavioursOf, DEVICE_KINDS, isDeviceKind } from './kinds';
import type { PskSecurity } from './psk-security';
import type { RegistrationTiming } from './registration';
import { Ticker } from './ticker';
import type { Value } from '../model';

export interface FleetOptions {
  /** One of `DEVICE_KINDS`. */
  readonly kind: string;
  readonly count: number;
  /** The devices are named by it and their number, from 1: `lamp-1`. */
  readonly endpointPrefix: string;
  /** `coap://host[:port]` or `coaps://host[:port]` */
  readonly serverUri: string;
  /** For `coaps://`: one key for all devices, each with its name as its identity; or what each of them has. */
  readonly security?: PskSecurity | ((endpoint: string) => PskSecurity);
  /** s; default 60. */
  readonly lifetime?: number;
  /** `1.0`, `1.1` (default) or `1.2`. */
  readonly version?: string;
  readonly clock?: Clock;
  readonly seed?: number;
  /** ms between two looks of the devices at the time; what the server reads is always up to date. Default 5,000. */
  readonly tick?: number;
  /** How many devices register at the same time. Default 32. */
  readonly inFlight?: number;
  readonly rebootTime?: number;
  readonly timing?: Partial<RegistrationTiming>;
  readonly onEvent?: (event: FleetEvent) => void;
}

export type FleetEvent = { readonly endpoint: string } & (
  | { readonly topic: 'registered'; readonly location: string }
  | { readonly topic: 'updated' | 'deregistered' }
  | { readonly topic: 'failed'; readonly error: Lwm2mError }
  | { readonly topic: 'fault'; readonly error: Error }
  | { readonly topic: 'written'; readonly path: string; readonly value: Value | ResourceInstances }
  | { readonly topic: 'executed'; readonly path: string; readonly args: string }
);

const MAX_COUNT = 100_000;
const MAX_PREFIX = 64;
const DEFAULT_TICK = 5_000;
const DEFAULT_IN_FLIGHT = 32;

/** ms that a fleet takes at most to say goodbye: a server that is gone must not hold up the end. */
const LONGEST_GOODBYE = 5_000;

/**
 * A fleet of simulated devices, made and not yet started.
 * @throws {InvalidArgumentError} an option that cannot be; the text is for people.
 */
export function simulateFleet(options: FleetOptions): SimulatedFleet {
  return new SimulatedFleet(options);
}

export class SimulatedFleet {
  readonly devices: readonly SimulatedDevice[];
  readonly #byEndpoint: ReadonlyMap<string, SimulatedDevice>;
  readonly #ticker: Ticker;
  readonly #ticks: ReadonlyMap<SimulatedDevice, () => void>;
  readonly #inFlight: number;
  readonly #clock: Clock;
  #stopped: Promise<void> | undefined;

  constructor(options: FleetOptions) {
    const { kind, version } = checkOptions(options);
    const behaviours = behavioursOf(kind);
    this.#clock = options.clock ?? systemClock;
    this.#inFlight = options.inFlight ?? DEFAULT_IN_FLIGHT;
    this.#ticker = new Ticker(this.#clock, options.tick ?? DEFAULT_TICK);
    this.devices = Array.from({ length: options.count }, (_, index) => {
      const { endpointPrefix, serverUri, lifetime, clock, seed, rebootTime, timing } = options;
      const endpoint = `${endpointPrefix}${index + 1}`;
      const device = new SimulatedDevice({
        endpoint,
        serverUri,
        security: securityOf(options, endpoint),
        behaviours,
        lifetime,
        version,
        clock,
        seed,
        rebootTime,
        timing,
      });
      if (options.onEvent) forwardEvents(device, options.onEvent);
      return device;
    });
    this.#byEndpoint = new Map(this.devices.map((device) => [device.endpoint, device]));
    this.#ticks = new Map(this.devices.map((device) => [device, () => device.advance()]));
  }

  get counts(): { total: number; registered: number } {
    return { total: this.devices.length, registered: this.devices.filter(({ registered }) => registered).length };
  }

  /**
   * Starts the devices, a few at a time. Done when each has had a first answer, be it a refusal or silence; those go on
   * trying by themselves.
   * @throws {TransportError} a port could not be opened, or the server's name has no address.
   */
  async start(): Promise<void> {
    await inParallel(this.devices, this.#inFlight, async (device) => {
      if (this.#stopped) return;
      const tick = this.#ticks.get(device);
      if (tick) this.#ticker.add(tick);
      const answered = firstAnswer(device);
      await device.start();
      await answered;
    });
  }

  /** De-registers all and closes their ports. Takes five seconds at most when the server is gone. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** The device stops to answer, without a word to the server. @throws {InvalidArgumentError} no such device. */
  vanish(endpoint: string): void {
    this.device(endpoint).vanish();
  }

  /** A vanished device is there again. @throws {InvalidArgumentError} no such device. */
  comeBack(endpoint: string): void {
    this.device(endpoint).comeBack();
  }

  /** @throws {InvalidArgumentError} no such device. */
  device(endpoint: string): SimulatedDevice {
    const device = this.#byEndpoint.get(endpoint);
    if (device === undefined) throw new InvalidArgumentError(`there is no simulated device '${endpoint}'`);
    return device;
  }

  async #stop(): Promise<void> {
    for (const tick of this.#ticks.values()) this.#ticker.delete(tick);
    const deadline = this.#clock.monotonic() + LONGEST_GOODBYE;
    await inParallel(this.devices, 2 * this.#inFlight, async (device) => {
      const left = Math.max(0, deadline - this.#clock.monotonic());
      await device.close(Math.min(left, LONGEST_GOODBYE / 2));
    });
  }
}

function checkOptions(options: FleetOptions): { kind: (typeof DEVICE_KINDS)[number]; version: DeviceVersion } {
  const { kind, count, endpointPrefix } = options;
  if (!isDeviceKind(kind)) {
    throw new InvalidArgumentError(`there is no kind of device '${kind}' (there is ${DEVICE_KINDS.join(', ')})`);
  }
  if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT) {
    throw new InvalidArgumentError(`the number of devices is a whole number from 1 to ${MAX_COUNT}`);
  }
  if (endpointPrefix.length > MAX_PREFIX) {
    throw new InvalidArgumentError(`the prefix of the names has ${MAX_PREFIX} characters at most`);
  }
  const version = DEVICE_VERSIONS.find((known) => known === (options.version ?? '1.1'));
  if (version === undefined) {
    throw new InvalidArgumentError(
      `LwM2M ${options.version} is not simulated (there is ${DEVICE_VERSIONS.join(', ')})`,
    );
  }
  return { kind, version };
}

function securityOf({ security, count }: FleetOptions, endpoint: string): PskSecurity | undefined {
  if (typeof security === 'function') return security(endpoint);
  // A server holds each identity to one endpoint.
  if (security?.identity !== undefined && count > 1) {
    throw new InvalidArgumentError('the devices of a fleet have an identity each: give a function, or none');
  }
  return security;
}

function forwardEvents(device: SimulatedDevice, onEvent: (event: FleetEvent) => void): void {
  const { endpoint } = device;
  device.on('registered', (location) => onEvent({ endpoint, topic: 'registered', location }));
  device.on('updated', () => onEvent({ endpoint, topic: 'updated' }));
  device.on('deregistered', () => onEvent({ endpoint, topic: 'deregistered' }));
  device.on('failed', (error) => onEvent({ endpoint, topic: 'failed', error }));
  device.on('fault', (error) => onEvent({ endpoint, topic: 'fault', error }));
  device.on('written', (path, value) => onEvent({ endpoint, topic: 'written', path, value }));
  device.on('executed', (path, args) => onEvent({ endpoint, topic: 'executed', path, args }));
}

/** Settles when the device has registered, has failed to, or was closed before. */
function firstAnswer(device: SimulatedDevice): Promise<void> {
  return new Promise((resolve) => {
    const events = ['registered', 'failed', 'closed'] as const;
    const settle = () => {
      for (const event of events) device.off(event, settle);
      resolve();
    };
    for (const event of events) device.on(event, settle);
  });
}

async function inParallel<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}
