import { StoreError, type Engine } from '../../src/index';
import type { FlowState } from '../shared/flow-state';

/** When it is tried again what the store refused, ms. */
const RETRY = 30_000;

export interface PolicyOwnersContext {
  readonly flows: FlowState;
  readonly engine: () => Engine;
  /** As of the host. */
  readonly whenServing: (task: () => void) => () => void;
  readonly warn: (text: string) => void;
}

/**
 * The nodes that own observation policies of a server. Policies outlive their nodes, in the engine and in its store; when
 * the flows run, those whose node is not there any more are ended, also of a node that was removed while nothing ran.
 */
export class PolicyOwners {
  readonly #context: PolicyOwnersContext;
  /** The node object of each id. */
  readonly #owners = new Map<string, object>();
  #planned: (() => void)[] = [];
  #retry: NodeJS.Timeout | undefined;

  constructor(context: PolicyOwnersContext) {
    this.#context = context;
    this.#sweepSoon();
  }

  /** A node is there. */
  claim(id: string, node: object): void {
    this.#owners.set(id, node);
  }

  /** A node closes, for good or because a deploy makes it again. */
  release(id: string, node: object): void {
    if (this.#owners.get(id) !== node) return;
    this.#owners.delete(id);
    this.#sweepSoon();
  }

  close(): void {
    this.#forgetPlans();
  }

  /** When all nodes had their chance to come back. */
  #sweepSoon(): void {
    this.#forgetPlans();
    const { flows, whenServing } = this.#context;
    const planned = this.#planned;
    planned.push(flows.whenRunning(() => planned.push(whenServing(() => void this.#sweep()))));
  }

  async #sweep(): Promise<void> {
    const { engine, warn } = this.#context;
    try {
      await engine().settlePolicies((owner) => this.#owners.has(owner));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      warn(`observation policies of removed nodes are still in the store: ${error.message}`);
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.#sweepSoon(), RETRY);
      this.#retry.unref();
    }
  }

  #forgetPlans(): void {
    clearTimeout(this.#retry);
    for (const forget of this.#planned) forget();
    this.#planned = [];
  }
}
