import type { NodeAPI } from 'node-red';
import { flowStateOf, type FlowState } from './flow-state';

/** How long something waits for its next node when the runtime says nothing, ms. */
const GRACE = 10_000;

export interface Closable {
  close(): Promise<void>;
}

/** What is being closed, of this and other types of nodes and of flows that were loaded before: it may still hold a port. */
const closing = new Set<Promise<void>>();

interface Entry<T> {
  readonly thing: T;
  readonly key: string;
  /** Runs while no node owns it. */
  grace?: NodeJS.Timeout;
}

/**
 * What a deploy must not end, by the id of the node that owns it: engines, simulated devices. A deploy closes nodes only
 * to make them again: what is released goes on, and the next node with this id and equal settings takes it over. It is
 * closed when the node is removed, has other settings, does not come back with the deploy, or the runtime stops.
 */
export class Survivors<T extends Closable> {
  readonly #flows: FlowState;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(RED: NodeAPI) {
    this.#flows = flowStateOf(RED);
  }

  /**
   * The one of this id if its key is this, else a new one.
   * @param make gets a promise of the end of those that are being closed and may still hold a port.
   */
  acquire(id: string, key: string, make: (before: Promise<unknown>) => T): T {
    const known = this.#entries.get(id);
    if (known?.key === key) {
      clearTimeout(known.grace);
      known.grace = undefined;
      return known.thing;
    }
    if (known !== undefined) void this.#close(id, known);
    const thing = make(Promise.all(closing));
    this.#entries.set(id, { thing, key });
    return thing;
  }

  /** Its node closes: for good, or because a deploy makes it again. */
  async release(id: string, thing: T, removed: boolean): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry?.thing !== thing) return;
    if (removed) {
      await this.#close(id, entry);
      return;
    }
    const closeIfReleased = (): void => {
      if (entry.grace !== undefined) void this.#close(id, entry);
    };
    entry.grace = setTimeout(closeIfReleased, GRACE);
    this.#flows.whenSettled(closeIfReleased);
  }

  #close(id: string, entry: Entry<T>): Promise<void> {
    clearTimeout(entry.grace);
    entry.grace = undefined;
    if (this.#entries.get(id) === entry) this.#entries.delete(id);
    const closed = entry.thing.close().finally(() => closing.delete(closed));
    closing.add(closed);
    return closed;
  }
}
