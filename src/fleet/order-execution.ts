import { setMaxListeners } from 'node:events';
import { CancelledError, Lwm2mError, QueueExpiredError, ResponseError, TransportError } from '../errors';
import { supersedeKey, type Operation, type OperationResult, type OrderOrigin, type PerformOptions } from '../server';
import type { Clock, Timer } from '../util/clock';
import type { WaitingConfirmation } from './confirmations';
import type { MemberFailure, MemberResult, MemberState, Order, OrderRun, Summary } from './order';

/** How many devices of one order are asked at a time; those that sleep do not count. */
const MAX_IN_FLIGHT = 256;
const PROGRESS_INTERVAL = 1000;

/** How one member of an order is done. */
export interface MemberOptions extends PerformOptions {
  /** Of all members of the order the same. */
  readonly run?: string;
}

export interface OrderContext {
  readonly clock: Clock;
  perform(endpoint: string, operation: Operation, options: MemberOptions): Promise<OperationResult>;
  /** Told of a member that failed before its turn. */
  dropped(endpoint: string, error: Lwm2mError): void;
}

/** What is ordered of whom, and how it is known. */
export interface OrderInit {
  readonly id: string;
  readonly order: Order;
  readonly members: readonly string[];
  readonly many: boolean;
  readonly confirmation?: WaitingConfirmation;
}

/** An order under way: a bounded number of its members at a time, each with a result of its own. */
export class OrderExecution implements OrderRun {
  readonly id: string;
  readonly members: readonly string[];
  readonly many: boolean;
  readonly confirmation?: WaitingConfirmation;
  readonly finished: Promise<Summary>;
  readonly #context: OrderContext;
  readonly #order: Order;
  readonly #results: MemberResult[];
  readonly #abort = new AbortController();
  /** Orders with equal keys replace each other. */
  readonly key: string | undefined;
  #finish: (summary: Summary) => void = () => undefined;
  #result: ((outcome: OperationResult | MemberFailure) => void) | undefined;
  #progress: ((summary: Summary) => void) | undefined;
  #kept: (OperationResult | MemberFailure)[] | undefined;
  #note: { readonly value: unknown } | undefined;
  #queued: ((endpoint: string) => void) | undefined;
  #timer: Timer | undefined;
  #next = 0;
  #inFlight = 0;
  #changed = false;
  #open: number;
  readonly #cancelled = (): void => this.cancel();

  constructor(context: OrderContext, { id, order, members, many, confirmation }: OrderInit) {
    this.#context = context;
    this.#order = order;
    this.id = id;
    this.members = members;
    this.many = many;
    this.confirmation = confirmation;
    this.key = supersedeKey(order.operation);
    this.#open = members.length;
    this.#results = members.map((endpoint) => ({ endpoint, state: 'waiting' }));
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    // Each member in flight listens to it.
    setMaxListeners(0, this.#abort.signal);
    order.signal?.addEventListener('abort', this.#cancelled, { once: true });
  }

  /** Begins; listeners added in the same turn hear everything. */
  start(): void {
    if (this.members.length === 0) this.#end();
    else if (this.#order.signal?.aborted === true) queueMicrotask(this.#cancelled);
    else this.#fill();
  }

  /** Whether the turn of every member has come. */
  get isBegun(): boolean {
    return this.#next >= this.members.length;
  }

  onResult(listener: (outcome: OperationResult | MemberFailure) => void): void {
    this.#result = listener;
    const kept = this.#kept ?? [];
    this.#kept = undefined;
    for (const outcome of kept) listener(outcome);
  }

  /** What comes of members is kept until there is a listener for it. To be called before `start`. */
  keepOutcomes(): void {
    this.#kept = [];
  }

  /** A newer order is about the same for these devices: members whose turn has not come fail. */
  supersede(endpoints: ReadonlySet<string>): void {
    for (let index = this.#next; index < this.members.length; index += 1) {
      if (!endpoints.has(this.members[index] ?? '') || this.#results[index]?.state !== 'waiting') continue;
      this.#drop(index, new CancelledError('superseded by a newer order for the same path'));
    }
  }

  onProgress(listener: (summary: Summary) => void): void {
    this.#progress = listener;
    if (this.#changed) this.#tellSoon();
  }

  onQueued(listener: (endpoint: string) => void): void {
    this.#queued = listener;
  }

  cancel(): void {
    if (this.#open === 0 || this.#abort.signal.aborted) return;
    this.#abort.abort();
    // Those in flight fail by the signal, those not begun here.
    for (; this.#next < this.members.length; this.#next += 1) {
      if (this.#results[this.#next]?.state === 'waiting') {
        this.#drop(this.#next, new CancelledError('the order was cancelled'));
      }
    }
  }

  #fill(): void {
    while (this.#inFlight < MAX_IN_FLIGHT && this.#next < this.members.length) {
      const index = this.#next;
      this.#next += 1;
      if (this.#results[index]?.state !== 'waiting') continue;
      this.#ask(index).catch((error: unknown) => this.#failed(index, asLwm2mError(error)));
    }
  }

  async #ask(index: number): Promise<void> {
    const { operation, user, expires, supersede, origin } = this.#order;
    const endpoint = this.members[index] ?? '';
    let counted = true;
    this.#inFlight += 1;
    const release = (): void => {
      if (counted) this.#inFlight -= 1;
      counted = false;
    };
    let settled = false;
    const sent = (): void => this.#set(index, { state: 'sent' });
    const queued = (): void => {
      this.#set(index, { state: 'queued' });
      // Told a moment later: listeners may come after `order()`, and thousands that sleep must not pile up on the stack.
      queueMicrotask(() => {
        if (settled) return;
        release();
        this.#queued?.(endpoint);
        this.#fill();
      });
    };
    let outcome: OperationResult | Lwm2mError;
    try {
      outcome = await this.#context.perform(endpoint, operation, {
        signal: this.#abort.signal,
        user,
        expires,
        queued,
        sent,
        supersede,
        run: this.id,
        origin: origin === undefined ? undefined : () => this.#origin(origin.owner, origin.note),
      });
    } catch (error) {
      outcome = asLwm2mError(error);
    }
    settled = true;
    release();
    if (outcome instanceof Lwm2mError) this.#failed(index, outcome);
    else this.#succeeded(index, outcome);
    this.#fill();
  }

  #succeeded(index: number, result: OperationResult): void {
    this.#set(index, { state: 'succeeded', code: result.code, payload: result.payload });
    this.#tell(result);
    this.#done();
  }

  /** A member whose turn has not come fails. */
  #drop(index: number, error: Lwm2mError): void {
    this.#context.dropped(this.members[index] ?? '', error);
    this.#failed(index, error);
  }

  #failed(index: number, error: Lwm2mError): void {
    const state: MemberState = error instanceof QueueExpiredError ? 'expired' : 'failed';
    const code = error instanceof ResponseError ? error.responseCode : undefined;
    this.#set(index, code === undefined ? { state, error: error.code } : { state, error: error.code, code });
    this.#tell({ endpoint: this.members[index] ?? '', error });
    this.#done();
  }

  #tell(outcome: OperationResult | MemberFailure): void {
    if (this.#result === undefined) this.#kept?.push(outcome);
    else this.#result(outcome);
  }

  #origin(owner: string, note: () => unknown): OrderOrigin {
    this.#note ??= { value: note() };
    return { run: this.id, owner, note: this.#note.value, many: this.many };
  }

  #set(index: number, change: Partial<MemberResult> & { state: MemberState }): void {
    this.#results[index] = { endpoint: this.members[index] ?? '', ...change };
    this.#changed = true;
    this.#tellSoon();
  }

  #tellSoon(): void {
    if (this.#progress === undefined || this.#timer !== undefined || this.#open === 0) return;
    this.#timer = this.#context.clock.setTimer(() => {
      this.#timer = undefined;
      this.#progress?.(this.#summary());
    }, PROGRESS_INTERVAL);
  }

  #done(): void {
    this.#open -= 1;
    if (this.#open === 0) this.#end();
  }

  #end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#order.signal?.removeEventListener('abort', this.#cancelled);
    this.#finish(this.#summary());
  }

  #summary(): Summary {
    const summary: Summary = {
      total: this.members.length,
      succeeded: 0,
      failed: 0,
      queued: 0,
      expired: 0,
      results: this.#results.map((result) => ({ ...result })),
    };
    for (const { state } of this.#results) if (state !== 'waiting' && state !== 'sent') summary[state] += 1;
    return summary;
  }
}

/** What is no error of ours is a fault of ours; the member fails all the same, with the fault as its cause. */
function asLwm2mError(error: unknown): Lwm2mError {
  if (error instanceof Lwm2mError) return error;
  return new TransportError(`the order failed: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  });
}
