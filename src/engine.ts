import type { Log } from './util/log';
import { systemClock, type Clock } from './util/clock';
import type { Transport, PeerAddress, Scheme } from './transport/transport';
import { ObjectDefinitions, type Path } from './model';
import type { Operation, OperationResult, Store } from './server';
import type {
  DeviceEvent,
  DeviceView,
  FoundDevice,
  ObservationListener,
  ObservationPolicy,
  Order,
  OrderRun,
  PolicyHandle,
  Target,
} from './fleet';

/** Who may register without DTLS: nobody, this machine, devices provisioned so, or anybody. */
export type NoSecPolicy = 'none' | 'loopback' | 'provisioned' | 'any';

export interface EngineOptions {
  /** The address to listen on; `::` (the default) is every address, IPv4 and IPv6. */
  readonly host?: string;
  /** UDP port of CoAP, 5683 by default; `null` is off, 0 one that is free. */
  readonly coapPort?: number | null;
  /** `loopback` by default. */
  readonly noSec?: NoSecPolicy;
  /** Bounds of the effective lifetime, s. By default 1 and 2^32 - 1. */
  readonly lifetimeMin?: number;
  readonly lifetimeMax?: number;
  /** How long a queue-mode device is awake after it was last heard, s; 93 by default. */
  readonly awakeTime?: number;
  /** A folder of object definitions (DDF files), watched. */
  readonly objectsDir?: string;
  /** Where registrations and observations live; in memory by default. */
  readonly store?: Store;
  /** The name of this instance among those that share the store. */
  readonly owner?: string;
  readonly clock?: Clock;
  /** Instead of `host` and `coapPort`: for tests and for other transports. */
  readonly transports?: readonly Transport[];
  readonly log?: Log;
}

export interface EngineAddress extends PeerAddress {
  readonly scheme: Scheme;
}

export interface EngineEvents {
  device: [event: DeviceEvent];
  /** A socket or the store is in trouble (`error`) or well again (`undefined`). */
  trouble: [error: Error | undefined];
}

/**
 * An LwM2M server with its fleet: the whole library behind one door.
 *
 * ```ts
 * const engine = new Engine({ noSec: 'loopback' });
 * engine.on('device', (event) => console.log(event.topic, event.endpoint));
 * await engine.start();
 * const result = await engine.perform('lamp-1', { operation: 'read', paths: [parsePath('/3311/0/5850')] });
 * ```
 */
export class Engine {
  readonly definitions: ObjectDefinitions = ObjectDefinitions.builtIn();
  private readonly clock: Clock;

  constructor(options: EngineOptions = {}) {
    this.clock = options.clock ?? systemClock;
  }

  /**
   * Opens the store and the sockets.
   * @throws {TransportError} a port is taken. @throws {StoreError} the store cannot be opened.
   */
  start(): Promise<void> {
    return Promise.reject(new Error(`being written ${this.clock.now()}`));
  }

  /** Stops listening; everything under way fails with `CancelledError`. The registrations stay in the store. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The addresses listened on, once started. */
  get addresses(): readonly EngineAddress[] {
    return [];
  }

  on<E extends keyof EngineEvents>(_event: E, _listener: (...args: EngineEvents[E]) => void): this {
    return this;
  }

  off<E extends keyof EngineEvents>(_event: E, _listener: (...args: EngineEvents[E]) => void): this {
    return this;
  }

  /**
   * Gives an order to one or many devices; it is under way when this returns.
   * @throws {InvalidArgumentError} a target that is empty or unreadable, or an operation that can be seen to be wrong for
   * every device (objects 0, 21 and 23, attributes that contradict each other).
   */
  order(_order: Order): OrderRun {
    throw new Error('being written');
  }

  /**
   * One operation on one device, the short way.
   * Rejects with `InvalidArgumentError`, `NotRegisteredError`, `QueueExpiredError`, `TimeoutError`, `CancelledError`,
   * `ResponseError`, `TransportError` or `CodecError`.
   */
  perform(_endpoint: string, _operation: Operation, _options?: PerformOptions): Promise<OperationResult> {
    return Promise.reject(new Error('being written'));
  }

  /**
   * Declares a policy of observation, or takes up the one that runs under this id: an equal one is left alone and the
   * values kept while nobody listened are delivered; a different one replaces it.
   * @throws {InvalidArgumentError} as `order`.
   */
  observePolicy(_id: string, _policy: ObservationPolicy, _listener: ObservationListener): PolicyHandle {
    throw new Error('being written');
  }

  /**
   * What is known of the devices of a target (all when absent), sorted by endpoint.
   * @param paths only values at or below these; all known values when absent.
   * @throws {InvalidArgumentError} as `order`.
   */
  devices(_target?: Target, _paths?: readonly Path[]): DeviceView[] {
    return [];
  }

  /**
   * A test of whether a device is of a target, for filtering events.
   * @throws {InvalidArgumentError} as `order`.
   */
  matcher(_target: Target): (endpoint: string) => boolean {
    return () => false;
  }

  /** Devices whose endpoint contains the text, at most `limit`, sorted: for pickers. */
  searchDevices(_text: string, _limit: number): FoundDevice[] {
    return [];
  }
}

export interface PerformOptions {
  readonly user?: string;
  /** ms; 24 h when absent. */
  readonly expires?: number;
  readonly signal?: AbortSignal;
}
