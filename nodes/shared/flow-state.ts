import type { EventEmitter } from 'node:events';
import type { NodeAPI } from 'node-red';
import type { RuntimeEvents } from './node-red';

/**
 * Whether all nodes of the deployed flows exist. Between the first that is closed and the last that is made again a
 * message that is sent may find nobody, so what happens meanwhile waits.
 */
export class FlowState {
  #running = false;
  #waiting: (() => void)[] = [];
  #ending: (() => void)[] = [];

  constructor(events: RuntimeEvents) {
    events.on('flows:stopping', () => {
      this.#running = false;
    });
    events.on('flows:started', () => this.#started());
    events.on('runtime-event', ({ id, payload }) => {
      if (id === 'runtime-state' && payload?.state === 'stop' && payload.deploy !== true) this.#stopped();
    });
  }

  get running(): boolean {
    return this.#running;
  }

  /** Runs the task now, or as soon as the flows run. Returns what takes it back. */
  whenRunning(task: () => void): () => void {
    if (this.#running) {
      task();
      return () => undefined;
    }
    this.#waiting.push(task);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== task);
    };
  }

  /** Runs the task when a deploy is over: the flows run again, or were stopped to stay so. */
  whenSettled(task: () => void): void {
    if (this.#running) task();
    else this.#ending.push(task);
  }

  #started(): void {
    this.#running = true;
    const tasks = this.#waiting;
    this.#waiting = [];
    for (const task of tasks) task();
    this.#settled();
  }

  /** Those who wait for the flows are closed with them. */
  #stopped(): void {
    this.#waiting = [];
    this.#settled();
  }

  #settled(): void {
    const tasks = this.#ending;
    this.#ending = [];
    for (const task of tasks) task();
  }
}

const states = new WeakMap<EventEmitter, FlowState>();

/** The one state of a runtime. To be asked for when a node's module is loaded, before the first flow starts. */
export function flowStateOf(RED: NodeAPI): FlowState {
  const known = states.get(RED.events);
  if (known !== undefined) return known;
  const state = new FlowState(RED.events);
  states.set(RED.events, state);
  return state;
}
