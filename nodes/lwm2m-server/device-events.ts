import type { DeviceEvent, ServerEvent } from '../../src/index';
import type { FlowState } from '../shared/flow-state';

/** Something that happened to a device, or to the server itself. */
export type HostEvent = DeviceEvent | ServerEvent;

type Listener = (event: HostEvent) => void;
type DeviceListener = (event: DeviceEvent) => void;

/** Events that are kept at most while the flows are between two deploys. */
const MOST_HELD = 10_000;

/**
 * Hands an engine's events to the nodes: to all who listen, and cheaply to those who care for one endpoint.
 * While a deploy is on, when the nodes that would hear them do not exist, events wait, in order.
 */
export class DeviceEvents {
  readonly #flows: FlowState;
  readonly #warn: (text: string) => void;
  readonly #all = new Set<Listener>();
  readonly #byEndpoint = new Map<string, Set<DeviceListener>>();
  #held: HostEvent[] = [];
  #lost = 0;
  #cancelRelease: (() => void) | undefined;

  constructor(flows: FlowState, warn: (text: string) => void) {
    this.#flows = flows;
    this.#warn = warn;
  }

  listen(listener: Listener): () => void {
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  }

  listenTo(endpoint: string, listener: DeviceListener): () => void {
    const listeners = this.#byEndpoint.get(endpoint) ?? new Set();
    this.#byEndpoint.set(endpoint, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#byEndpoint.delete(endpoint);
    };
  }

  close(): void {
    this.#cancelRelease?.();
    this.#held = [];
    this.#all.clear();
    this.#byEndpoint.clear();
  }

  receive(event: HostEvent): void {
    if (this.#flows.running && this.#held.length === 0) {
      this.#dispatch(event);
      return;
    }
    if (this.#held.length === MOST_HELD) {
      this.#held.shift();
      this.#lost += 1;
    }
    this.#held.push(event);
    this.#cancelRelease ??= this.#flows.whenRunning(() => this.#release());
  }

  #release(): void {
    this.#cancelRelease = undefined;
    const held = this.#held;
    this.#held = [];
    if (this.#lost > 0) this.#warn(`${this.#lost} events were lost during the deploy`);
    this.#lost = 0;
    for (const event of held) this.#dispatch(event);
  }

  #dispatch(event: HostEvent): void {
    for (const listener of this.#all) listener(event);
    if (!('endpoint' in event)) return;
    const listeners = this.#byEndpoint.get(event.endpoint);
    if (listeners !== undefined) for (const listener of listeners) listener(event);
  }
}
