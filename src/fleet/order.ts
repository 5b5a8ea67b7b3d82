import type { Operation, OperationResult } from '../server';
import type { ErrorCode, Lwm2mError } from '../errors';
import type { ConfirmationWish, WaitingConfirmation } from './confirmations';
import type { Target } from './target';

/** One operation on one or many devices. */
export interface Order {
  readonly target: Target;
  readonly operation: Operation;
  /** Who orders it; kept with what was commanded. */
  readonly user?: string;
  /** How long it may wait for a device that sleeps or is suspended, ms; 24 h when absent. */
  readonly expires?: number;
  /**
   * Whether it takes the place of older orders that wait: writes of the same paths, equal reads and discovers, attributes of
   * the same names. Those fail with `CancelledError`. It does when absent.
   */
  readonly supersede?: boolean;
  /** It goes out when a second person has agreed (`Engine.confirm`). */
  readonly confirmation?: ConfirmationWish;
  readonly signal?: AbortSignal;
  /** Who takes what comes of it (`Engine.takeUpOrders`) when this process ends before the order. */
  readonly origin?: {
    readonly owner: string;
    /** What the owner wants back then: plain data. Asked once, when the order comes to wait. */
    readonly note: () => unknown;
  };
}

/** An order of the process before this one. */
export interface TakenUpOrder {
  /** Those of its members that were not done. It keeps what came of them until there is a listener. */
  readonly run: OrderRun;
  readonly operation: Operation;
  /** What the order's `origin.note` said. */
  readonly note: unknown;
}

/** `waiting` for its turn; `queued` for a device that sleeps or is suspended; `sent`: on its way to the device. */
export type MemberState = 'waiting' | 'queued' | 'sent' | 'succeeded' | 'failed' | 'expired';

/** One device's part in a summary. */
export interface MemberResult {
  endpoint: string;
  state: MemberState;
  /** The response code of a success or of a `RESPONSE` error. */
  code?: string;
  /** The error's code, such as `NOT_REGISTERED`. */
  error?: ErrorCode;
  payload?: unknown;
}

/** What a right is needed for. */
export interface OrderToAuthorize {
  readonly endpoint: string;
  readonly operation: Operation;
  /** Who orders it. */
  readonly user?: string;
}

/** What came of an order at one device. */
export interface OrderOutcome extends OrderToAuthorize {
  /** Of all members of an order the same (`OrderRun.id`); absent: it was for this device alone. */
  readonly run?: string;
  /** Absent: it succeeded. */
  readonly error?: Lwm2mError;
  /** The device's code, of a success. */
  readonly code?: string;
}

/** How far an order to many is. `queued` waits for sleeping devices; `expired` waited in vain. */
export interface Summary {
  total: number;
  succeeded: number;
  failed: number;
  queued: number;
  expired: number;
  results: MemberResult[];
}

/** The failure of one member of an order. */
export interface MemberFailure {
  readonly endpoint: string;
  readonly error: Lwm2mError;
}

/** An order under way. Listeners added in the same turn as `order()` miss nothing. */
export interface OrderRun {
  /** Its members have it in the audit trail as `run`; so has an agreement that it waits for as its `id`. A restart keeps it. */
  readonly id: string;
  /** Whether the target names many devices, even when there is one or none of them. */
  readonly many: boolean;
  /** The endpoints ordered, in a stable order. */
  readonly members: readonly string[];
  /** The second person's agreement that it waits for, when one is needed. */
  readonly confirmation?: WaitingConfirmation;
  /** Called once for each member, with its result or its error. */
  onResult(listener: (outcome: OperationResult | MemberFailure) => void): void;
  /** Called with the summary at most once a second while the order is under way; the last one comes by `finished`. */
  onProgress(listener: (summary: Summary) => void): void;
  /** Called when a member's order begins to wait for a device that sleeps or is suspended. */
  onQueued(listener: (endpoint: string) => void): void;
  /** Resolves, never rejects, when every member is done. */
  readonly finished: Promise<Summary>;
  /** Members that are not done fail with `CancelledError`. */
  cancel(): void;
}

/** Whether a member of an order failed. */
export function isFailure(outcome: OperationResult | MemberFailure): outcome is MemberFailure {
  return 'error' in outcome;
}
