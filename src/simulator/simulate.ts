import { InvalidArgumentError, type Lwm2mError } from '../errors';
import { systemClock, type Clock } from '../util/clock';
import { anyEvent } from './any-event';
import { DEVICE_VERSIONS, type DeviceVersion } from './device-formats';
import { SimulatedDevice } from './device';
import type { ResourceInstances } from './device-objects';
import { DEVICE_KINDS, isDeviceKind, kindOf } from './kinds';
import type { Vanishing } from './presence';
import type { PskSecurity } from './psk-security';
import type { RegistrationTiming } from './registration';
import { Ticker } from './ticker';
import type { Value } from '../model';

/** Which devices are simulated, and where they register. */
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
  /** s; default 60, of meters 3600. */
  readonly lifetime?: number;
  /** `1.0`, `1.1` (default) or `1.2`. */
  readonly version?: string;
  /** Whether the devices sleep (LwM2M Core 1.1 s6.5). Default: as it is usual for the kind. */
  readonly queueMode?: boolean;
  /** s that they are awake after each exchange; default 93. */
  readonly awakeTime?: number;
  /** s between two updates, where the lifetime does not ask for more. Default: as it is usual for the kind. */
  readonly updateInterval?: number;
  /** Modems that lose their network now and then. Default: as it is usual for the kind. */
  readonly vanishing?: Vanishing;
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

/** Something that a simulated device did, or that was done to it. */
export type FleetEvent = { readonly endpoint: string } & (
  | { readonly topic: 'registered'; readonly location: string }
  | { readonly topic: 'updated' | 'deregistered' | 'asleep' | 'awake' | 'vanished' | 'returned' }
  | { readonly topic: 'disabled'; readonly seconds: number }
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

/** Simulated devices of one kind. */
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
    const { behaviours, ...usual } = kindOf(kind);
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const { lifetime, queueMode, awakeTime, updateInterval, vanishing }: Partial<FleetOptions> = { ...usual, ...given };
    this.#clock = options.clock ?? systemClock;
    this.#inFlight = options.inFlight ?? DEFAULT_IN_FLIGHT;
    this.#ticker = new Ticker(this.#clock, options.tick ?? DEFAULT_TICK);
    this.devices = Array.from({ length: options.count }, (_, index) => {
      const { endpointPrefix, serverUri, clock, seed, rebootTime, timing } = options;
      const endpoint = `${endpointPrefix}${index + 1}`;
      const device = new SimulatedDevice({
        endpoint,
        serverUri,
        security: securityOf(options, endpoint),
        behaviours,
        lifetime,
        version,
        queueMode,
        awakeTime,
        updateInterval,
        vanishing,
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
      const answered = anyEvent(device, ['registered', 'failed', 'closed']);
      await device.start();
      await answered;
    });
  }

  /** De-registers all and closes their ports. Takes five seconds at most when the server is gone. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /**
   * The device stops to answer, without a word to the server.
   * @param seconds after which it is back by itself, from another address
   * @throws {InvalidArgumentError} no such device.
   */
  vanish(endpoint: string, seconds?: number): void {
    this.device(endpoint).vanish(seconds);
  }

  /** A vanished device is there again, at another address if that is wanted. @throws {InvalidArgumentError} no such device. */
  comeBack(endpoint: string, elsewhere = false): void {
    this.device(endpoint).comeBack(elsewhere);
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
  for (const topic of ['updated', 'deregistered', 'asleep', 'awake', 'vanished', 'returned'] as const) {
    device.on(topic, () => onEvent({ endpoint, topic }));
  }
  device.on('disabled', (seconds) => onEvent({ endpoint, topic: 'disabled', seconds }));
  device.on('failed', (error) => onEvent({ endpoint, topic: 'failed', error }));
  device.on('fault', (error) => onEvent({ endpoint, topic: 'fault', error }));
  device.on('written', (path, value) => onEvent({ endpoint, topic: 'written', path, value }));
  device.on('executed', (path, args) => onEvent({ endpoint, topic: 'executed', path, args }));
}

async function inParallel<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}
