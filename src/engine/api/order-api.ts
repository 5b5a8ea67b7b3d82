import type { Order, OrderRun, TakenUpOrder, WaitingConfirmation } from '../../fleet';
import type { Operation, OperationResult } from '../../server';
import type { EngineParts } from '../engine-parts';

/** How `Engine.perform` does it. */
export interface PerformOptions {
  /** Who orders it; kept with what was commanded, and in the audit trail. */
  readonly user?: string;
  /** How long it may wait for a device that sleeps or is suspended, ms; 24 h when absent. */
  readonly expires?: number;
  readonly signal?: AbortSignal;
  /** Whether it takes the place of older orders for the same paths that wait, as `Order.supersede`. */
  readonly supersede?: boolean;
  /** Send it now or fail: it never waits, neither for a device that sleeps nor for one that is suspended. */
  readonly urgent?: boolean;
}

/** Operations on devices. */
export class OrderApi {
  constructor(private readonly parts: EngineParts) {}

  /**
   * One operation on one device, the short way. When it waits it goes on after a restart, but nobody hears what comes of it
   * then: that is for an `order` with an `origin`.
   * Rejects with `InvalidArgumentError`, `AccessDeniedError`, `NotRegisteredError`, `QueueExpiredError`, `TimeoutError`,
   * `CancelledError`, `ResponseError`, `TransportError`, `CodecError` or `StoreError`.
   */
  async perform(endpoint: string, operation: Operation, options?: PerformOptions): Promise<OperationResult> {
    this.parts.keeper.needOpen();
    return await this.parts.fleet.orders.perform(endpoint, operation, options);
  }

  /**
   * Gives an order to one or many devices; it is under way when this returns. What comes of it is said device by device, and
   * with the codes of the errors of `perform`.
   * @throws {InvalidArgumentError} a target that is empty or unreadable, or an operation that can be seen to be wrong for
   * every device (objects 0, 21 and 23, attributes that contradict each other). @throws {StoreError} the store is not open.
   */
  order(order: Order): OrderRun {
    this.parts.keeper.needOpen();
    return this.parts.fleet.orders.order(order);
  }

  /**
   * Hands over the orders of this owner (`Order.origin`) that waited when the process before this one ended, each once: now,
   * and when the store that holds them can only be read later. They go on whether somebody takes them or not, and keep what
   * comes of them until then. Returns what ends it.
   */
  takeUpOrders(owner: string, taker: (order: TakenUpOrder) => void): () => void {
    return this.parts.fleet.orders.claim(owner, taker);
  }

  /**
   * From now on orders of the process before this one are cancelled when nobody has taken them up and their owner is no more.
   */
  endOrders(isOwner: (owner: string) => boolean): void {
    this.parts.fleet.orders.endUnclaimed(isOwner);
  }

  /**
   * A second person agrees to an order that waits for that (`Order.confirmation`): another than who ordered, with the right
   * to do it himself on all its devices. It goes out at once.
   * @throws {InvalidArgumentError} no order of this id waits. @throws {AccessDeniedError} this person may not.
   */
  confirm(id: string, { user }: { readonly user?: string } = {}): WaitingConfirmation {
    const { fleet, rights } = this.parts;
    return rights.confirmed(user, fleet.orders.confirmations.get(id), () => fleet.orders.confirm(id, user));
  }

  /** The orders that wait for a second person. */
  confirmations(): WaitingConfirmation[] {
    return this.parts.fleet.orders.confirmations.list();
  }
}
