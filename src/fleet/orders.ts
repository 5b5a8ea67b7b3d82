import { CancelledError, Lwm2mError } from '../errors';
import { checkOperation, supersedeKey } from '../server';
import type { Operation, OperationResult, OrderOrigin, PerformOptions, RestoredOrder, Server } from '../server';
import type { Clock } from '../util/clock';
import { describeError, escapeForLog, type Log } from '../util/log';
import { Confirmations, type WaitingConfirmation } from './confirmations';
import type { Devices } from './devices';
import { openOrder, type OpenOrder } from './open-orders';
import type { Order, OrderRun, OrderToAuthorize, TakenUpOrder } from './order';
import { OrderExecution, type OrderContext } from './order-execution';

type Parked = WaitingConfirmation & { readonly given: Promise<void> };

const DEFAULT_EXPIRES = 24 * 3600_000;

export interface OrdersContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly devices: Devices;
  /** Asked when an order is given and again right before it is sent: an error, and nothing goes on the wire. */
  readonly authorize?: (order: OrderToAuthorize) => Lwm2mError | undefined;
  /** Told what came of an order: of a success the device's code. */
  readonly ordered?: (order: OrderToAuthorize, error: Lwm2mError | undefined, code?: string) => void;
  server(): Server;
}

/** The orders under way: those given to this process, and those that waited when the one before it ended. */
export class Orders {
  readonly confirmations: Confirmations;
  readonly #context: OrdersContext;
  readonly #executions = new Set<OrderExecution>();
  /** Of the process before this one, by owner: until somebody takes them up. */
  readonly #untaken = new Map<string, TakenUpOrder[]>();
  readonly #takers = new Map<string, (order: TakenUpOrder) => void>();
  #closed = false;
  #isOwner: (owner: string) => boolean = () => true;

  constructor(context: OrdersContext) {
    this.#context = context;
    this.confirmations = new Confirmations(context.clock);
  }

  /** @throws {InvalidArgumentError} a target or an operation that cannot be. */
  order(order: Order): OrderRun {
    checkOperation(order.operation);
    const members = this.#context.devices.members(order.target);
    const key = order.supersede === false ? undefined : supersedeKey(order.operation);
    const parked = this.#parked(order, members);
    const perform = parked === undefined ? this.perform.bind(this) : this.#confirmed(parked.given);
    const context = { clock: this.#context.clock, perform };
    const execution = new OrderExecution(context, order, members, !('endpoint' in order.target), parked);
    if (key !== undefined) this.#supersede(key, members);
    this.#begin(execution);
    if (parked !== undefined) void execution.finished.then(() => this.confirmations.drop(parked.id));
    return execution;
  }

  /**
   * A second person agrees to an order that waits for that.
   * @throws {InvalidArgumentError} no order of this id waits. @throws {AccessDeniedError} this person may not.
   */
  confirm(id: string, user: string | undefined): WaitingConfirmation {
    const { authorize } = this.#context;
    const waiting = this.confirmations.get(id);
    const { members, operation } = waiting;
    this.confirmations.confirm(id, user, () => {
      for (const endpoint of members) {
        const denied = authorize?.({ endpoint, operation, user });
        if (denied !== undefined) return denied;
      }
      return undefined;
    });
    return waiting;
  }

  /** One operation on one device; it must have passed `checkOperation`. Rejects as `Server.perform`. */
  perform(endpoint: string, operation: Operation, options: PerformOptions = {}): Promise<OperationResult> {
    const { clock, authorize } = this.#context;
    const asked = { endpoint, operation, user: options.user };
    const since = clock.now();
    return this.#follow(
      { ...asked, since, expires: since + (options.expires ?? DEFAULT_EXPIRES) },
      { ...options, permit: authorize === undefined ? undefined : () => authorize(asked) },
      (tracked) => {
        const denied = tracked.permit?.();
        return denied === undefined
          ? this.#context.server().perform(endpoint, operation, tracked)
          : Promise.reject<OperationResult>(denied);
      },
    );
  }

  /** Goes on with the orders that waited when the process before this one ended. */
  takeUp(): void {
    const runs = new Map<string, { origin: OrderOrigin; members: Map<string, RestoredOrder> }>();
    for (const restored of this.#context.server().takeRestoredOrders()) {
      const { origin, endpoint } = restored.stored;
      if (origin === undefined) this.#resumeAlone(restored);
      else {
        const run = runs.get(origin.run) ?? { origin, members: new Map<string, RestoredOrder>() };
        run.members.set(endpoint, restored);
        runs.set(origin.run, run);
      }
    }
    for (const { origin, members } of runs.values()) this.#takeUpRun(origin, members);
  }

  /**
   * Hands over the orders of the process before this one that are this owner's, each once: now, and when the store that holds
   * them can only be read later. Returns what ends it.
   */
  claim(owner: string, taker: (order: TakenUpOrder) => void): () => void {
    this.#takers.set(owner, taker);
    const untaken = this.#untaken.get(owner) ?? [];
    this.#untaken.delete(owner);
    for (const order of untaken) taker(order);
    return () => {
      if (this.#takers.get(owner) === taker) this.#takers.delete(owner);
    };
  }

  /** From now on orders of the process before this one are cancelled when nobody has claimed them and their owner is no more. */
  endUnclaimed(isOwner: (owner: string) => boolean): void {
    this.#isOwner = isOwner;
    for (const [owner, orders] of [...this.#untaken]) {
      if (isOwner(owner)) continue;
      this.#untaken.delete(owner);
      for (const { run } of orders) run.cancel();
    }
  }

  /** Everything under way is cancelled; what waits in the store stays there. */
  close(): void {
    this.confirmations.close();
    this.#closed = true;
    this.#context.server().closeOrders();
    for (const execution of this.#executions) execution.cancel();
    this.#untaken.clear();
    this.#takers.clear();
  }

  /** Nobody is asked to confirm what nobody of it may be done anyway. */
  #parked({ confirmation, operation, user, signal }: Order, members: readonly string[]): Parked | undefined {
    const { authorize } = this.#context;
    const isDenied = (endpoint: string): boolean => authorize?.({ endpoint, operation, user }) !== undefined;
    if (confirmation === undefined || members.every(isDenied)) return undefined;
    return this.confirmations.ask({ user, operation, members }, confirmation, signal);
  }

  /** Does a member's part when the order is confirmed; it is an order from then on. */
  #confirmed(given: Promise<void>): OrderContext['perform'] {
    return async (endpoint, operation, options) => {
      try {
        await unlessAborted(given, options.signal);
      } catch (error) {
        if (error instanceof Lwm2mError) this.#context.ordered?.({ endpoint, operation, user: options.user }, error);
        throw error;
      }
      return this.perform(endpoint, operation, options);
    };
  }

  #begin(execution: OrderExecution): void {
    this.#executions.add(execution);
    void execution.finished.then(() => this.#executions.delete(execution));
    execution.start();
  }

  /** The last order wins also against those whose turn has not come. */
  #supersede(key: string, members: readonly string[]): void {
    const endpoints = new Set(members);
    for (const execution of this.#executions) if (execution.key === key) execution.supersede(endpoints);
  }

  #takeUpRun(origin: OrderOrigin, members: ReadonlyMap<string, RestoredOrder>): void {
    const [first] = members.values();
    if (first === undefined) return;
    const { operation, user } = first.stored;
    const endpoints = [...members.keys()];
    const context = {
      clock: this.#context.clock,
      perform: (endpoint: string, _operation: Operation, options: PerformOptions): Promise<OperationResult> => {
        const restored = members.get(endpoint);
        if (restored === undefined) throw new Error(`${endpoint} is no member of the order`);
        return this.#resume(restored, options);
      },
    };
    const execution = new OrderExecution(context, { target: { endpoints }, operation, user }, endpoints, origin.many);
    execution.keepOutcomes();
    this.#begin(execution);
    this.#offer(origin.owner, { run: execution, operation, note: origin.note });
  }

  #offer(owner: string, order: TakenUpOrder): void {
    const taker = this.#takers.get(owner);
    if (taker !== undefined) taker(order);
    else if (!this.#isOwner(owner)) order.run.cancel();
    else this.#untaken.set(owner, [...(this.#untaken.get(owner) ?? []), order]);
  }

  /** Nobody waits for what comes of it. */
  #resumeAlone(restored: RestoredOrder): void {
    this.#resume(restored, {}).catch((error: unknown) => {
      const { endpoint, operation } = restored.stored;
      this.#context.log.warn(`${operation.operation} on ${escapeForLog(endpoint)}: ${describeError(error)}`);
    });
  }

  #resume(restored: RestoredOrder, options: PerformOptions): Promise<OperationResult> {
    const { endpoint, operation, user, queuedAt, expiresAt } = restored.stored;
    const { authorize } = this.#context;
    const permit = authorize === undefined ? undefined : () => authorize({ endpoint, operation, user });
    return this.#follow(
      { endpoint, operation, user, since: queuedAt, expires: expiresAt },
      { ...options, permit },
      (tracked) => restored.follow(tracked),
    );
  }

  /** Shows an order with its device while it is under way, and tells what came of it. */
  async #follow(
    order: OrderToAuthorize & Pick<OpenOrder, 'since' | 'expires'>,
    options: PerformOptions,
    start: (options: PerformOptions) => Promise<OperationResult>,
  ): Promise<OperationResult> {
    const { devices, ordered } = this.#context;
    const { endpoint, operation, user, since, expires } = order;
    const device = devices.get(endpoint);
    if (device === undefined && ordered === undefined) return start(options);
    const open = openOrder(operation, { by: user, since, expires }, device?.client?.model.definitionOf);
    const moved = (state: 'queued' | 'sent', tell: (() => void) | undefined) => (): void => {
      device?.orders.moved(open, state);
      tell?.();
    };
    let isStored = false;
    const queued = moved('queued', () => {
      isStored = true;
      options.queued?.();
    });
    const tracked = { ...options, sent: moved('sent', options.sent), queued };
    try {
      const result = await start(tracked);
      device?.orders.done(open, undefined);
      ordered?.({ endpoint, operation, user }, undefined, result.code);
      return result;
    } catch (error) {
      device?.orders.done(open, error);
      // What waits lives on when the engine closes; what comes of it is told by the process that sees it.
      const livesOn = this.#closed && isStored && error instanceof CancelledError;
      if (error instanceof Lwm2mError && !livesOn) ordered?.({ endpoint, operation, user }, error);
      throw error;
    }
  }
}

async function unlessAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return promise;
  let aborted: (() => void) | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      aborted = (): void => reject(new CancelledError('the order was cancelled'));
      if (signal.aborted) aborted();
      signal.addEventListener('abort', aborted, { once: true });
      promise.then(resolve, reject);
    });
  } finally {
    if (aborted !== undefined) signal.removeEventListener('abort', aborted);
  }
}
