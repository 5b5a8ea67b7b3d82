import type { NodeAPI } from 'node-red';
import { simulateFleet, type FleetEvent, type FleetOptions, type SimulatedFleet } from '../../src/index';
import { flowStateOf, type FlowState } from '../shared/flow-state';

/** Who is told what the devices do: the node of the moment. */
export interface SimulationListener {
  event(event: FleetEvent): void;
}

export type SimulationSettings = Pick<FleetOptions, 'kind' | 'count' | 'endpointPrefix' | 'serverUri' | 'lifetime'>;

/**
 * The devices of one simulator node. Like real ones they know nothing of a deploy; what they do while the flows are not
 * there is told afterwards.
 */
export class Simulation {
  readonly #settings: SimulationSettings;
  readonly #flows: FlowState;
  #listener: SimulationListener;
  #fleet: SimulatedFleet;
  #state: 'new' | 'running' | 'stopped' = 'new';
  #stopping = Promise.resolve();

  /** @throws {InvalidArgumentError} settings that cannot be. */
  constructor(RED: NodeAPI, settings: SimulationSettings, listener: SimulationListener) {
    this.#settings = settings;
    this.#flows = flowStateOf(RED);
    this.#listener = listener;
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

  /** Starts the devices; those that were stopped begin a new life. */
  async start(): Promise<void> {
    if (this.#state === 'running') return;
    if (this.#state === 'stopped') {
      await this.#stopping;
      this.#fleet = this.#makeFleet();
    }
    this.#state = 'running';
    await this.#fleet.start();
  }

  /** De-registers the devices. */
  async stop(): Promise<void> {
    if (this.#state === 'running') this.#stopping = this.#fleet.stop();
    this.#state = 'stopped';
    await this.#stopping;
  }

  /** The device, or all of them, no longer answer. @throws {InvalidArgumentError} no such device. */
  vanish(endpoint: string | undefined): void {
    for (const device of this.#devices(endpoint)) device.vanish();
  }

  /** And are there again. @throws {InvalidArgumentError} no such device. */
  comeBack(endpoint: string | undefined): void {
    for (const device of this.#devices(endpoint)) device.comeBack();
  }

  close(): Promise<void> {
    return this.stop();
  }

  #devices(endpoint: string | undefined): readonly Pick<SimulatedFleet['devices'][number], 'vanish' | 'comeBack'>[] {
    return endpoint === undefined ? this.#fleet.devices : [this.#fleet.device(endpoint)];
  }

  #makeFleet(): SimulatedFleet {
    return simulateFleet({
      ...this.#settings,
      onEvent: (event) => this.#flows.whenRunning(() => this.#listener.event(event)),
    });
  }
}
