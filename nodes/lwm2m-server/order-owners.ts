import type { Engine, TakenUpOrder } from '../../src/index';
import type { FlowState } from '../shared/flow-state';

export interface OrderOwnersContext {
  readonly flows: FlowState;
  readonly engine: () => Engine;
  /** As of the host. */
  readonly whenServing: (task: () => void) => () => void;
}

type Taker = (order: TakenUpOrder) => void;

/**
 * The nodes that give orders to a server. Orders that wait outlive the process: when the flows run again each is handed to
 * the node that gave it, and those of nodes that are no more are cancelled.
 */
export class OrderOwners {
  readonly #context: OrderOwnersContext;
  readonly #takers = new Map<string, Taker>();
  readonly #claims = new Map<string, () => void>();
  #planned: (() => void)[] = [];

  constructor(context: OrderOwnersContext) {
    this.#context = context;
    this.#settleSoon();
  }

  /** A node is there, and takes its orders. */
  claim(id: string, taker: Taker): void {
    this.#takers.set(id, taker);
    this.#settleSoon();
  }

  /** A node closes, for good or because a deploy makes it again. */
  release(id: string, taker: Taker): void {
    if (this.#takers.get(id) !== taker) return;
    this.#takers.delete(id);
    this.#claims.get(id)?.();
    this.#claims.delete(id);
  }

  close(): void {
    for (const forget of this.#planned) forget();
    this.#planned = [];
  }

  /** When all nodes are there, and what the store holds is known. */
  #settleSoon(): void {
    this.close();
    const { flows, whenServing } = this.#context;
    const planned = this.#planned;
    planned.push(flows.whenRunning(() => planned.push(whenServing(() => this.#settle()))));
  }

  #settle(): void {
    const engine = this.#context.engine();
    for (const [id, taker] of this.#takers) this.#claims.set(id, engine.takeUpOrders(id, taker));
    engine.endOrders((id) => this.#takers.has(id));
  }
}
