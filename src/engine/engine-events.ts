import { EventEmitter } from 'node:events';
import type { GrantEvent } from '../access';
import type { DeviceEvent } from '../fleet';
import { describeError, type Log } from '../util/log';
import type { ServerEvent } from './conditions';

/** What an engine says, by name of the event. */
export interface EngineEvents {
  device: [event: DeviceEvent];
  /** A socket or the store is in trouble (`error`) or well again (`undefined`). */
  trouble: [error: Error | undefined];
  /** The same of each for itself, and when more devices come than can be served; for people. */
  condition: [event: ServerEvent];
  /** A right for a time was given, began, ended or was taken back. */
  grant: [event: GrantEvent];
}

/** Who listens to what. A listener's fault is logged; the engine and the other listeners go on. */
export class EventListeners {
  readonly #emitter = new EventEmitter<EngineEvents>();

  constructor(private readonly log: Log) {
    // Any number of nodes may listen.
    this.#emitter.setMaxListeners(0);
  }

  add<E extends keyof EngineEvents>(event: E, listener: (...args: EngineEvents[E]) => void): void {
    this.#emitter.on<keyof EngineEvents>(event, listener as (...args: unknown[]) => void);
  }

  remove<E extends keyof EngineEvents>(event: E, listener: (...args: EngineEvents[E]) => void): void {
    this.#emitter.off<keyof EngineEvents>(event, listener as (...args: unknown[]) => void);
  }

  /** Whether an event has to be made at all. */
  has(event: keyof EngineEvents): boolean {
    return this.#emitter.listenerCount(event) > 0;
  }

  tell<E extends keyof EngineEvents>(event: E, ...args: EngineEvents[E]): void {
    for (const listener of this.#emitter.listeners(event)) {
      try {
        (listener as (...args: EngineEvents[E]) => void)(...args);
      } catch (error) {
        this.log.error(`a listener of '${event}' failed: ${describeError(error)}`);
      }
    }
  }
}
