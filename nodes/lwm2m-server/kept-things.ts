import type { FlowState } from '../shared/flow-state';

/** Something that outlives the node that began it: orders under way, observation policies. */
export interface Kept {
  /** Nobody came for it: it must end. */
  abandon(): void;
  /** The engine closes, and with it all that is under way. What is to hold after a restart holds. */
  engineCloses(): void;
}

/**
 * What the nodes of a server leave when a deploy closes them, each under its id, for the node that follows. What nobody
 * has taken when the flows run again is abandoned: its node was disabled or now uses another server.
 */
export class KeptThings {
  readonly #flows: FlowState;
  readonly #kept = new Map<string, Kept>();

  constructor(flows: FlowState) {
    this.#flows = flows;
  }

  keep(nodeId: string, thing: Kept): void {
    this.#kept.get(nodeId)?.abandon();
    this.#kept.set(nodeId, thing);
    // Only a close within a deploy leaves something, and then the flows start again.
    this.#flows.whenRunning(() => {
      if (this.#kept.get(nodeId) !== thing) return;
      this.#kept.delete(nodeId);
      thing.abandon();
    });
  }

  take(nodeId: string): Kept | undefined {
    const thing = this.#kept.get(nodeId);
    this.#kept.delete(nodeId);
    return thing;
  }

  engineCloses(): void {
    for (const thing of this.#kept.values()) thing.engineCloses();
    this.#kept.clear();
  }
}
