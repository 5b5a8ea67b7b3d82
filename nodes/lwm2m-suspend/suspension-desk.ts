import type { NodeAPI, NodeMessage, NodeMessageInFlow } from 'node-red';
import { CancelledError, type Engine, type SuspensionRun, type SuspensionSummary, type Target } from '../../src/index';
import type { Kept } from '../lwm2m-server/kept-things';
import type { Counter, Request } from '../shared/order-desk';
import { fillFailure, summaryMessage } from '../shared/output';

/** What a message asks for. */
export type Wish =
  | { readonly action: 'status'; readonly engine: Engine; readonly target: Target | undefined }
  | {
      readonly action: 'suspend' | 'resume';
      readonly engine: Engine;
      readonly target: Target;
      readonly run: () => SuspensionRun;
    };

/**
 * The suspensions that one node has under way. It outlives the node object: to tell thousands of devices takes a while,
 * and what a deploy falls into goes on and leaves by the node that follows.
 */
export class SuspensionDesk implements Kept {
  readonly #RED: NodeAPI;
  readonly #underWay = new Set<AbortController>();
  #counter: Counter;
  #abandoned = false;
  /** Whom the last message was about: whose state the status shows. */
  #shown: { readonly engine: Engine; readonly target: Target | undefined } | undefined;

  constructor(RED: NodeAPI, counter: Counter) {
    this.#RED = RED;
    this.#counter = counter;
  }

  /** Another node object works on. */
  handOver(counter: Counter): void {
    this.#counter = counter;
    counter.status.underWay(this.#underWay.size);
    this.show();
  }

  /** Devices that were not told yet are left alone; those that are suspended stay so. */
  cancelAll(): void {
    for (const controller of [...this.#underWay]) controller.abort();
  }

  /** Nobody is left who could be told. */
  abandon(): void {
    this.#abandoned = true;
    this.cancelAll();
  }

  engineCloses(): void {
    this.abandon();
  }

  /** Shows how many are away. */
  show(): void {
    if (this.#shown === undefined || this.#abandoned) return;
    const { engine, target } = this.#shown;
    this.#counter.status.away(() => {
      const away = engine.suspensions(target).filter(({ state }) => state === 'suspended');
      const nextBackAt = away.reduce((next, { until }) => Math.min(next, until), Infinity);
      return { count: away.length, nextBackAt };
    });
  }

  /** Serves one message. `done` is called once, at the end. */
  async serve({ msg, send, done }: Request, wishOf: (signal: AbortSignal) => Promise<Wish>): Promise<void> {
    const client = this.#counter.node;
    const isClient = (): boolean => client === this.#counter.node;
    // After a redeploy the old node leads nowhere: the new one sends, and its Catch nodes get the error.
    const deliver = (output: (NodeMessage | null)[]): void => {
      if (!this.#abandoned) (isClient() ? send : (late: typeof output) => this.#counter.node.send(late))(output);
    };
    const controller = new AbortController();
    this.#underWay.add(controller);
    this.#counter.status.underWay(this.#underWay.size);
    let failure: Error | undefined;
    try {
      await this.#perform(msg, deliver, controller.signal, wishOf);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    this.#underWay.delete(controller);
    if (this.#abandoned) return;
    this.#counter.status.underWay(this.#underWay.size);
    if (failure !== undefined) this.#counter.status.failed(failure);
    if (failure === undefined || isClient()) done(failure);
    else this.#counter.node.error(failure, msg);
  }

  async #perform(
    msg: NodeMessageInFlow,
    deliver: (output: (NodeMessage | null)[]) => void,
    signal: AbortSignal,
    wishOf: (signal: AbortSignal) => Promise<Wish>,
  ): Promise<void> {
    let action: Wish['action'] | undefined;
    try {
      const wish = await wishOf(signal);
      if (signal.aborted) throw new CancelledError('cancelled before it was begun');
      ({ action } = wish);
      this.#shown = wish;
      if (wish.action === 'status') {
        msg.payload = wish.engine.suspensions(wish.target);
        this.show();
        deliver([msg]);
        return;
      }
      const summary = await this.#follow(wish.run(), msg, wish.target, deliver);
      this.show();
      const complete = summaryMessage(this.#RED, msg, summary, true);
      msg.payload = summary;
      msg.complete = true;
      deliver([msg, complete]);
    } catch (error) {
      fillFailure(msg, { operation: action ?? 'suspend' }, error);
      throw error;
    }
  }

  /** Waits for the end of a run. When it was about one device that failed, that is thrown. */
  async #follow(
    run: SuspensionRun,
    msg: NodeMessageInFlow,
    target: Target,
    deliver: (output: (NodeMessage | null)[]) => void,
  ): Promise<SuspensionSummary> {
    run.onProgress((summary) => deliver([null, summaryMessage(this.#RED, msg, summary, false)]));
    const summary = await run.finished;
    const failure = 'endpoint' in target ? run.failures.get(target.endpoint) : undefined;
    if (failure === undefined) return summary;
    msg.endpoint = run.members[0];
    throw failure;
  }
}
