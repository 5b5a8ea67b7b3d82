import { randomUUID } from 'node:crypto';
import { AccessDeniedError, CancelledError, Lwm2mError } from '../errors';
import { checkOperation, DEFAULT_EXPIRES, supersedeKey } from '../server';
import type { Operation, OperationResult, OrderOrigin, PerformOptions, RestoredOrder, Server } from '../server';
import type { Clock } from '../util/clock';
import { describeError, escapeForLog, type Log } from '../util/log';
import { nextTurn } from '../util/next-turn';
import { Confirmations, type WaitingConfirmation } from './confirmations';
import type { Devices } from './devices';
import { openOrder, type OpenOrder } from './open-orders';
import type { Order, OrderOutcome, OrderRun, OrderToAuthorize, TakenUpOrder } from './order';
import { OrderExecution, type MemberOptions, type OrderContext } from './order-execution';

type Parked = WaitingConfirmation & { readonly given: Promise<void> };

/** How many orders of the process before this one are taken up before everything else has its turn. */
const TAKEN_UP_AT_ONCE = 500;

export interface OrdersContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly devices: Devices;
  /** Asked when an order is given and again right before it is sent: an error, and nothing goes on the wire. */
  readonly authorize?: (order: OrderToAuthorize) => Lwm2mError | undefined;
  /** Told what came of an order, device by device. */
  readonly ordered?: (outcome: OrderOutcome) => void;
  server(): Server;
}

/** The orders under way: those given to this process, and those that waited when the one before it ended. */
export class Orders {
  readonly confirmations: Confirmations;
  readonly #context: OrdersContext;
  readonly #executions = new Set<OrderExecution>();
  /** Those of them with members whose turn has not come: few, though many orders may wait for devices that sleep. */
  readonly #partlyBegun = new Set<OrderExecution>();
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
    const parked = this.#parked(order, members);
    const id = parked?.id ?? randomUUID();
    const perform = parked === undefined ? this.#unconfirmed(order) : this.#confirmed(parked.given);
    const many = !('endpoint' in order.target);
    const execution = new OrderExecution(this.#contextOf(id, order, perform), {
      id,
      order,
      members,
      many,
      confirmation: parked,
    });
    if (parked === undefined) this.#supersede(order, members);
    else this.#whenConfirmed(parked, execution, () => this.#supersede(order, members, execution));
    this.#begin(execution);
    return execution;
  }

  /**
   * One operation on one device.
   * @throws {InvalidArgumentError} an operation that cannot be. Rejects as `Server.perform`.
   */
  perform(endpoint: string, operation: Operation, options: PerformOptions = {}): Promise<OperationResult> {
    checkOperation(operation);
    this.#supersede({ operation, ...options }, [endpoint]);
    return this.#perform(endpoint, operation, options);
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

  /** Goes on with the orders that waited when the process before this one ended; many of them let everything else have its turn. */
  async takeUp(): Promise<void> {
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
    let count = 0;
    for (const { origin, members } of runs.values()) {
      this.#takeUpRun(origin, members);
      count += 1;
      if (count % TAKEN_UP_AT_ONCE !== 0) continue;
      await nextTurn();
      // What was not taken up stays in the store.
      if (this.#closed) return;
    }
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

  /** One operation on one device, which may be a member of an order; it has passed `checkOperation`. */
  #perform(endpoint: string, operation: Operation, options: MemberOptions): Promise<OperationResult> {
    if (this.#closed) return Promise.reject(new CancelledError('the engine was closed'));
    const { clock } = this.#context;
    const { user, run, expires = DEFAULT_EXPIRES } = options;
    const since = clock.now();
    return this.#follow({ endpoint, operation, user, run, since, expires: since + expires }, options, (tracked) => {
      const denied = tracked.permit?.();
      return denied === undefined
        ? this.#context.server().perform(endpoint, operation, tracked)
        : Promise.reject<OperationResult>(denied);
    });
  }

  #contextOf(
    run: string,
    { operation, user }: Pick<Order, 'operation' | 'user'>,
    perform: OrderContext['perform'],
  ): OrderContext {
    const { clock, ordered } = this.#context;
    return {
      clock,
      perform,
      dropped: (endpoint, error) => ordered?.({ endpoint, operation, user, run, error }),
    };
  }

  /** Does something once a second person has agreed; when the order is over, nobody is asked any more. */
  #whenConfirmed({ id, given }: Parked, execution: OrderExecution, act: () => void): void {
    // That nobody agreed is told member by member.
    given.then(act, () => undefined);
    void execution.finished.then(() => this.confirmations.drop(id));
  }

  /**
   * Does a member's part at once. An order that needs a second person and was parked for none was denied on all its devices,
   * and stays so: a right that comes before the turn of the last one sends nothing that nobody has agreed to.
   */
  #unconfirmed({ confirmation }: Order): OrderContext['perform'] {
    if (confirmation === undefined) return this.#perform.bind(this);
    const { authorize, ordered } = this.#context;
    return (endpoint, operation, { user, run }) => {
      const error =
        authorize?.({ endpoint, operation, user }) ??
        new AccessDeniedError(
          `the right of ${user ?? 'nobody'} to ${operation.operation} on ${endpoint} began after the order: give it again`,
        );
      ordered?.({ endpoint, operation, user, run, error });
      return Promise.reject(error);
    };
  }

  /** Does a member's part when the order is confirmed; it is an order from then on. */
  #confirmed(given: Promise<void>): OrderContext['perform'] {
    return async (endpoint, operation, options) => {
      try {
        await unlessAborted(given, options.signal);
      } catch (error) {
        const { user, run } = options;
        if (error instanceof Lwm2mError) this.#context.ordered?.({ endpoint, operation, user, run, error });
        throw error;
      }
      return this.#perform(endpoint, operation, options);
    };
  }

  #begin(execution: OrderExecution): void {
    this.#executions.add(execution);
    void execution.finished.then(() => {
      this.#executions.delete(execution);
      this.#partlyBegun.delete(execution);
    });
    execution.start();
    if (!execution.isBegun) this.#partlyBegun.add(execution);
  }

  /**
   * The last order wins also against those whose turn has not come; not on devices where its user may not give it.
   * @param own of the order itself, when it is under way already.
   */
  #supersede(
    { operation, user, supersede }: Pick<Order, 'operation' | 'user' | 'supersede'>,
    members: readonly string[],
    own?: OrderExecution,
  ): void {
    if (supersede === false || this.#partlyBegun.size === 0) return;
    const key = supersedeKey(operation);
    const older = [...this.#partlyBegun].filter((execution) => execution !== own && execution.key === key);
    if (key === undefined || older.length === 0) return;
    const { authorize } = this.#context;
    const endpoints = new Set(members.filter((endpoint) => authorize?.({ endpoint, operation, user }) === undefined));
    for (const execution of older) execution.supersede(endpoints);
  }

  #takeUpRun(origin: OrderOrigin, members: ReadonlyMap<string, RestoredOrder>): void {
    const [first] = members.values();
    if (first === undefined) return;
    const { operation, user } = first.stored;
    const endpoints = [...members.keys()];
    const order = { target: { endpoints }, operation, user };
    const context = this.#contextOf(origin.run, order, (endpoint, _operation, options) => {
      const restored = members.get(endpoint);
      if (restored === undefined) throw new Error(`${endpoint} is no member of the order`);
      return this.#resume(restored, options);
    });
    const { run: id, many } = origin;
    const execution = new OrderExecution(context, { id, order, members: endpoints, many });
    execution.keepOutcomes();
    this.#begin(execution);
    this.#offer(origin.owner, { run: execution, operation, note: origin.note });
  }

  #offer(owner: string, order: TakenUpOrder): void {
    const taker = this.#takers.get(owner);
    if (taker !== undefined) {
      taker(order);
    } else if (!this.#isOwner(owner)) {
      order.run.cancel();
    } else {
      const untaken = this.#untaken.get(owner);
      if (untaken === undefined) this.#untaken.set(owner, [order]);
      else untaken.push(order);
    }
  }

  /** Nobody waits for what comes of it. */
  #resumeAlone(restored: RestoredOrder): void {
    this.#resume(restored, {}).catch((error: unknown) => {
      const { endpoint, operation } = restored.stored;
      this.#context.log.warn(`${operation.operation} on ${escapeForLog(endpoint)}: ${describeError(error)}`);
    });
  }

  #resume(restored: RestoredOrder, options: MemberOptions): Promise<OperationResult> {
    const { endpoint, operation, user, queuedAt, expiresAt } = restored.stored;
    const order = { endpoint, operation, user, run: options.run, since: queuedAt, expires: expiresAt };
    return this.#follow(order, options, (tracked) => restored.follow(tracked));
  }

  /** Shows an order with its device while it is under way, asks for its right when it is sent, and tells what came of it. */
  async #follow(
    order: Omit<OrderOutcome, 'error' | 'code'> & Pick<OpenOrder, 'since' | 'expires'>,
    options: PerformOptions,
    start: (options: PerformOptions) => Promise<OperationResult>,
  ): Promise<OperationResult> {
    const { devices, ordered, authorize } = this.#context;
    const { endpoint, operation, user, run, since, expires } = order;
    const permit = authorize && (() => authorize({ endpoint, operation, user }));
    const device = devices.get(endpoint);
    if (device === undefined && ordered === undefined) return start({ ...options, permit });
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
    const tracked = { ...options, permit, sent: moved('sent', options.sent), queued };
    try {
      const result = await start(tracked);
      device?.orders.done(open, undefined);
      ordered?.({ endpoint, operation, user, run, code: result.code });
      return result;
    } catch (error) {
      device?.orders.done(open, error);
      // What waits lives on when the engine closes; what comes of it is told by the process that sees it.
      const livesOn = this.#closed && isStored && error instanceof CancelledError;
      if (error instanceof Lwm2mError && !livesOn) ordered?.({ endpoint, operation, user, run, error });
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
