import type { Node, NodeAPI, NodeMessage, NodeMessageInFlow } from 'node-red';
import {
  CancelledError,
  isFailure,
  operationPath,
  type Engine,
  type MemberFailure,
  type Operation,
  type Order,
  type OrderRun,
  type OperationResult,
  type Summary,
  type TakenUpOrder,
} from '../../src/index';
import type { Kept } from '../lwm2m-server/kept-things';
import { messageOf } from './order-note';
import { confirmationMessage, fillFailure, fillMessage, memberMessage, Sequence, summaryMessage } from './output';
import type { StatusLine } from './status-line';

/** One message in and what is to come of it. */
export interface Request {
  readonly msg: NodeMessageInFlow;
  readonly send: (msg: NodeMessage | (NodeMessage | null)[]) => void;
  readonly done: (error?: Error) => void;
}

/** The node that a desk works for. */
export interface Counter {
  readonly node: Node;
  readonly status: StatusLine;
}

/**
 * The orders that one node has under way. It outlives the node object: an order that waits for a sleeping device goes on
 * when a deploy makes the node anew, and its result leaves by the new node.
 */
export class OrderDesk implements Kept {
  readonly #RED: NodeAPI;
  readonly #underWay = new Set<AbortController>();
  #counter: Counter;
  #abandoned = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(RED: NodeAPI, counter: Counter) {
    this.#RED = RED;
    this.#counter = counter;
  }

  /** Another node object works on. */
  handOver(counter: Counter): void {
    this.#counter = counter;
    counter.status.underWay(this.#underWay.size);
  }

  /** Cancels everything under way, waiting orders too. */
  cancelAll(): void {
    for (const controller of [...this.#underWay]) controller.abort();
  }

  /** Nobody is left who could be told. */
  abandon(): void {
    this.#abandoned = true;
    this.cancelAll();
  }

  /** Orders that wait live on in the store, and those given meanwhile come to nothing. */
  engineCloses(): void {
    this.#abandoned = true;
  }

  /** Goes on with an order of the process before this one. */
  takeUp({ run, operation, note }: TakenUpOrder): void {
    if (this.#abandoned) {
      run.cancel();
      return;
    }
    const msg = messageOf(this.#RED, note);
    const delivery: Delivery = {
      msg,
      send: (output) => this.#counter.node.send(output),
      done: (error) => {
        if (error !== undefined) this.#counter.node.error(error, msg);
      },
    };
    const controller = new AbortController();
    controller.signal.addEventListener('abort', () => run.cancel(), { once: true });
    this.#counter.status.queued();
    void this.#conclude(delivery, controller, this.#follow(delivery, operation, run));
  }

  /**
   * Serves one message: makes the order from it, gives it, and sends what comes of it. `done` is called once, at the end.
   * @param name of the operation, for an error before there is one.
   */
  async serve(
    { msg, send, done }: Request,
    name: string,
    orderOf: (signal: AbortSignal) => Promise<{ engine: Engine; order: Order }>,
  ): Promise<void> {
    const client = this.#counter.node;
    const isClient = (): boolean => client === this.#counter.node;
    const delivery: Delivery = {
      msg,
      // After a redeploy the old node leads nowhere: the new one sends, and its Catch nodes get the error.
      send: (output) => (isClient() ? send(output) : this.#counter.node.send(output)),
      done: (error) => (error === undefined || isClient() ? done(error) : this.#counter.node.error(error, msg)),
    };
    const controller = new AbortController();
    await this.#conclude(delivery, controller, this.#perform(delivery, name, controller.signal, orderOf));
  }

  /** An order is under way until its outcome is said. */
  async #conclude(delivery: Delivery, controller: AbortController, outcome: Promise<Error | undefined>): Promise<void> {
    this.#underWay.add(controller);
    this.#counter.status.underWay(this.#underWay.size);
    const failure = await outcome;
    this.#underWay.delete(controller);
    if (this.#abandoned) return;
    this.#counter.status.underWay(this.#underWay.size);
    if (failure !== undefined) this.#counter.status.failed(failure);
    delivery.done(failure);
  }

  async #perform(
    delivery: Delivery,
    name: string,
    signal: AbortSignal,
    orderOf: (signal: AbortSignal) => Promise<{ engine: Engine; order: Order }>,
  ): Promise<Error | undefined> {
    try {
      const { outcome } = await this.#inTurn(async () => {
        const { engine, order } = await orderOf(signal);
        if (signal.aborted || this.#abandoned) throw new CancelledError('cancelled before it was sent');
        const run = engine.order(order);
        return { outcome: this.#follow(delivery, order.operation, run) };
      });
      return await outcome;
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      fillFailure(delivery.msg, { operation: name }, failure);
      return failure;
    }
  }

  #follow(delivery: Delivery, operation: Operation, run: OrderRun): Promise<Error | undefined> {
    if (run.confirmation !== undefined) {
      this.#counter.status.queued();
      delivery.send([null, confirmationMessage(this.#RED, delivery.msg, run.confirmation)]);
    }
    return run.many ? this.#serveMany(delivery, run) : this.#serveOne(delivery, operation, run);
  }

  /** Messages become orders in the order they came in, however long it takes to look up what one of them names. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(task);
    this.#turn = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  async #serveOne({ msg, send }: Delivery, operation: Operation, run: OrderRun): Promise<Error | undefined> {
    const outcomes: (OperationResult | MemberFailure)[] = [];
    run.onResult((outcome) => outcomes.push(outcome));
    run.onQueued(() => this.#counter.status.queued());
    await run.finished;
    const [outcome] = outcomes;
    if (this.#abandoned || outcome === undefined) return undefined;
    if (isFailure(outcome)) {
      const about = { operation: operation.operation, endpoint: outcome.endpoint, path: operationPath(operation) };
      fillFailure(msg, about, outcome.error);
      return outcome.error;
    }
    this.#counter.status.value(outcome.payload);
    send([fillMessage(msg, outcome)]);
    return undefined;
  }

  async #serveMany({ msg, send }: Delivery, run: OrderRun): Promise<undefined> {
    const sequence = new Sequence(this.#RED, msg, run.members);
    run.onResult((outcome) => {
      if (this.#abandoned) return;
      if (isFailure(outcome)) sequence.failed(outcome.endpoint);
      else send([memberMessage(this.#RED, msg, outcome, sequence.partsOf(outcome.endpoint))]);
    });
    run.onQueued(() => this.#counter.status.queued());
    const summarize = (summary: Summary, complete: boolean): void => {
      if (this.#abandoned) return;
      this.#counter.status.summary(summary);
      send([null, summaryMessage(this.#RED, msg, summary, complete)]);
    };
    run.onProgress((summary) => summarize(summary, false));
    summarize(await run.finished, true);
    return undefined;
  }
}

/** Where the outcome of one message goes. */
interface Delivery {
  readonly msg: NodeMessageInFlow;
  readonly send: (output: (NodeMessage | null)[]) => void;
  readonly done: (error?: Error) => void;
}
