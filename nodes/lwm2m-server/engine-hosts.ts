import type { NodeAPI } from 'node-red';
import type { RuntimeEvents, RuntimeStateEvent } from '../shared/node-red';
import { flowStateOf } from '../shared/flow-state';
import { EngineHost, type HostVoice } from './engine-host';
import type { ServerSettings } from './server-settings';

/** How long an engine waits for its next config node when the runtime says nothing, ms. */
const GRACE = 10_000;

interface Entry {
  readonly host: EngineHost;
  readonly key: string;
  /** Runs while no config node owns the engine. */
  grace?: NodeJS.Timeout;
}

/**
 * The engines of this runtime by the id of their config node. A deploy closes config nodes only to make them again:
 * a released engine goes on, and the next node with this id and equal settings takes it over with its sockets,
 * registrations, observations and orders. It is closed when the node is removed, has other settings, does not come back
 * with the deploy, or the runtime stops.
 */
export class EngineHosts {
  readonly #RED: NodeAPI;
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new Set<Promise<void>>();

  constructor(RED: NodeAPI) {
    this.#RED = RED;
    (RED.events as RuntimeEvents).on('runtime-event', (event: RuntimeStateEvent) => {
      const stopped = event.id === 'runtime-state' && event.payload?.state === 'stop';
      if (stopped && event.payload?.deploy !== true) this.#closeReleased();
    });
  }

  /** The running engine of this id if its settings are these, else a new one that starts when the old one is closed. */
  acquire(id: string, voice: HostVoice, settings: ServerSettings): EngineHost {
    const key = JSON.stringify(settings);
    const known = this.#entries.get(id);
    if (known?.key === key) {
      clearTimeout(known.grace);
      known.grace = undefined;
      known.host.adopt(voice);
      return known.host;
    }
    if (known !== undefined) void this.#close(id, known);
    const host = new EngineHost(this.#RED, voice, settings, Promise.all(this.#closing));
    this.#entries.set(id, { host, key });
    return host;
  }

  /** Its config node closes: for good, or because a deploy makes it again. */
  async release(id: string, host: EngineHost, removed: boolean): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry?.host !== host) return;
    if (removed) {
      await this.#close(id, entry);
      return;
    }
    const closeIfReleased = (): void => {
      if (entry.grace !== undefined) void this.#close(id, entry);
    };
    entry.grace = setTimeout(closeIfReleased, GRACE);
    flowStateOf(this.#RED).whenRunning(closeIfReleased);
  }

  #closeReleased(): void {
    for (const [id, entry] of [...this.#entries]) {
      if (entry.grace !== undefined) void this.#close(id, entry);
    }
  }

  #close(id: string, entry: Entry): Promise<void> {
    clearTimeout(entry.grace);
    entry.grace = undefined;
    if (this.#entries.get(id) === entry) this.#entries.delete(id);
    const closing = entry.host.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
    return closing;
  }
}
