import type { NodeAPI } from 'node-red';
import {
  InvalidArgumentError,
  simulateFleet,
  type FleetEvent,
  type FleetOptions,
  type SimulatedFleet,
} from '../../src/index';
import { flowStateOf, type FlowState } from '../shared/flow-state';
import { localServersOf } from '../shared/local-servers';
import { givenKey, ownKeys, type DeviceKeys } from './device-keys';
import { LocalProvisioning } from './local-provisioning';

/** Who is told what the devices do: the node of the moment. */
export interface SimulationListener {
  event(event: FleetEvent): void;
  /** Devices could not be made known to their server. */
  trouble(error: Error): void;
}

export interface SimulationSettings extends Pick<
  FleetOptions,
  | 'kind'
  | 'count'
  | 'endpointPrefix'
  | 'serverUri'
  | 'lifetime'
  | 'queueMode'
  | 'awakeTime'
  | 'updateInterval'
  | 'vanishing'
> {
  readonly security: 'nosec' | 'psk';
  /** Of all devices, in hexadecimal. Without it each has its own, and a server of this Node-RED is told of them. */
  readonly key?: string;
}

const DEFAULT_COAPS_PORT = 5684;

/**
 * The devices of one simulator node. Like real ones they know nothing of a deploy; what they do while the flows are not
 * there is told afterwards.
 */
export class Simulation {
  readonly #settings: SimulationSettings;
  readonly #flows: FlowState;
  readonly #RED: NodeAPI;
  readonly #keys: DeviceKeys | undefined;
  #listener: SimulationListener;
  #fleet: SimulatedFleet;
  #provisioning: LocalProvisioning | undefined;
  #state: 'new' | 'running' | 'stopped' = 'new';
  #stopping = Promise.resolve();

  /** @throws {InvalidArgumentError} settings that cannot be. */
  constructor(RED: NodeAPI, settings: SimulationSettings, listener: SimulationListener) {
    this.#RED = RED;
    this.#settings = settings;
    this.#flows = flowStateOf(RED);
    this.#listener = listener;
    if (settings.security === 'psk') this.#keys = settings.key === undefined ? ownKeys() : givenKey(settings.key);
    this.#fleet = this.#makeFleet();
  }

  get counts(): { total: number; registered: number } {
    return this.#fleet.counts;
  }

  adopt(listener: SimulationListener): void {
    this.#listener = listener;
  }

  /** Starts the devices of a new simulation; one that was taken over or stopped is left as it is. */
  async startOnce(): Promise<void> {
    if (this.#state === 'new') await this.start();
  }

  /**
   * Starts the devices; those that were stopped begin a new life.
   * @throws {InvalidArgumentError} they have keys that no server will know.
   */
  async start(): Promise<void> {
    if (this.#state === 'running') return;
    if (this.#state === 'stopped') {
      await this.#stopping;
      this.#fleet = this.#makeFleet();
    }
    this.#provisioning = this.#makeProvisioning();
    this.#state = 'running';
    const fleet = this.#fleet;
    await this.#provisioning?.done;
    if (this.#isRunning(fleet)) await fleet.start();
  }

  /** De-registers the devices. */
  async stop(): Promise<void> {
    if (this.#state === 'running') this.#stopping = this.#fleet.stop();
    this.#state = 'stopped';
    this.#provisioning?.close();
    this.#provisioning = undefined;
    await this.#stopping;
  }

  /** The device, or all of them, no longer answer, for so many seconds. @throws {InvalidArgumentError} no such device. */
  vanish(endpoint: string | undefined, seconds: number | undefined): void {
    if (seconds !== undefined && seconds <= 0) throw new InvalidArgumentError('duration must be above 0');
    for (const device of this.#devices(endpoint)) device.vanish(seconds);
  }

  /** And are there again. @throws {InvalidArgumentError} no such device. */
  comeBack(endpoint: string | undefined, elsewhere: boolean): void {
    for (const device of this.#devices(endpoint)) device.comeBack(elsewhere);
  }

  /** What the device, or each of them, has and does, by path. @throws {InvalidArgumentError} no such device. */
  states(endpoint: string | undefined): { endpoint: string; values: Record<string, unknown> }[] {
    return this.#devices(endpoint).map((device) => ({ endpoint: device.endpoint, values: device.state() }));
  }

  /** What can happen to its devices besides. */
  get controls(): readonly string[] {
    return this.#fleet.devices[0]?.controls ?? [];
  }

  /** @param control one of `controls` @throws {InvalidArgumentError} no such device. */
  control(endpoint: string | undefined, control: string): void {
    for (const device of this.#devices(endpoint)) device.control(control);
  }

  close(): Promise<void> {
    return this.stop();
  }

  #devices(endpoint: string | undefined): SimulatedFleet['devices'] {
    return endpoint === undefined ? this.#fleet.devices : [this.#fleet.device(endpoint)];
  }

  /** Not stopped while it waited. */
  #isRunning(fleet: SimulatedFleet): boolean {
    return this.#state === 'running' && this.#fleet === fleet;
  }

  #makeFleet(): SimulatedFleet {
    const { kind, count, endpointPrefix, serverUri, lifetime } = this.#settings;
    const { queueMode, awakeTime, updateInterval, vanishing } = this.#settings;
    const keys = this.#keys;
    return simulateFleet({
      kind,
      count,
      endpointPrefix,
      serverUri,
      lifetime,
      queueMode,
      awakeTime,
      updateInterval,
      vanishing,
      security: keys && ((endpoint) => ({ mode: 'psk', ...keys.of(endpoint) })),
      onEvent: (event) => this.#tell((listener) => listener.event(event)),
    });
  }

  /** Devices whose keys nobody was given must be made known by us. */
  #makeProvisioning(): LocalProvisioning | undefined {
    const { serverUri, key } = this.#settings;
    if (this.#keys === undefined || key !== undefined) return undefined;
    const { hostname, port } = new URL(serverUri);
    return new LocalProvisioning(
      localServersOf(this.#RED),
      { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? DEFAULT_COAPS_PORT : Number(port) },
      this.#fleet.devices.map(({ endpoint }) => endpoint),
      this.#keys,
      (error) => this.#tell((listener) => listener.trouble(error)),
    );
  }

  #tell(what: (listener: SimulationListener) => void): void {
    this.#flows.whenRunning(() => what(this.#listener));
  }
}
