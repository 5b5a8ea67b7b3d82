import { CancelledError, type Lwm2mError } from '../errors';
import { NO_BUCKET, type Deadlined } from '../util/deadline-index';
import type { Operation } from './operation';
import type { RegisteredClient } from './registered-client';
import type { OrderOrigin, StoredOrder } from './store';

/** How an order may wait. */
export interface WaitingOptions {
  /** How long it may wait, ms; 24 h when absent. */
  readonly expires?: number;
  readonly signal?: AbortSignal;
  /** Called when it begins to wait, and is safe in the store. */
  readonly queued?: () => void;
  /** Called each time it goes on its way to the device. */
  readonly sent?: () => void;
  /** Asked right before it is sent, also when it has waited: an error, and nothing is sent. */
  readonly permit?: () => Lwm2mError | undefined;
  /** Who orders it. */
  readonly user?: string;
  /** Whether it takes the place of older orders of its kind for the same paths that wait; it does when absent. */
  readonly supersede?: boolean;
  /** Who takes what comes of it when this process is no more. Asked once, when it comes to be stored. */
  readonly origin?: () => OrderOrigin;
}

/** What is to be done at a device. */
export interface QueuedRequest<T> {
  readonly endpoint: string;
  /** Whether it may be sent again when the device did not answer. */
  readonly idempotent: boolean;
  /** What outlives the process; absent: it ends with it. */
  readonly operation?: Operation;
  send(client: RegisteredClient, signal: AbortSignal | undefined): Promise<T>;
}

/** What came of an order, and how long it had waited, ms. */
export interface QueuedResult<T> {
  readonly result: T;
  readonly queuedFor: number;
}

/**
 * `storing`: on its way into the store; `held`: of a process before this one, and nobody follows it yet; `sending`: at the
 * head of its line and being done; `settled`: it is over.
 */
export type WaitingState = 'storing' | 'held' | 'waiting' | 'sending' | 'settled';

/** An order in the line of its device. */
export interface WaitingOrder extends Deadlined {
  /** Sorts by the time of the order. */
  readonly id: string;
  readonly endpoint: string;
  /** Whether somebody gave it; an observation that a policy wants is none. */
  readonly isOrder: boolean;
  /** Whether it may be sent again when the device did not answer. */
  readonly idempotent: boolean;
  /** When it was given, monotonic, ms. */
  readonly since: number;
  /** Monotonic, ms. */
  readonly expiresAt: number;
  /** Orders with equal keys replace each other; absent: each one counts. */
  readonly key: string | undefined;
  options: WaitingOptions;
  state: WaitingState;
  /** As it is in the store; `undefined`: it is not. */
  stored: StoredOrder | undefined;
  /** Settles when the store has it, or has refused it. */
  storing: Promise<void> | undefined;
  /** Listens to the signal of its options. */
  cancelled: (() => void) | undefined;
  /** Sends it. @returns what tells its result. */
  attempt(client: RegisteredClient): Promise<() => void>;
  /** Tells its failure. */
  reject(error: unknown): void;
}

/** An order of a process before this one. It is held until somebody follows it. */
export interface HeldOrder<T> {
  readonly id: string;
  readonly stored: StoredOrder;
  /** Lets it go on. @returns what comes of it; rejects as `Server.perform`. */
  follow(options: Pick<WaitingOptions, 'queued' | 'sent' | 'permit' | 'signal'>): Promise<QueuedResult<T>>;
}

interface OrderInit {
  readonly id: string;
  readonly key: string | undefined;
  readonly since: number;
  readonly expiresAt: number;
  readonly options: WaitingOptions;
  readonly request: Omit<QueuedRequest<unknown>, 'send'>;
}

/** An order that nobody awaits as yet. */
export function orderOf({
  id,
  key,
  since,
  expiresAt,
  options,
  request: { endpoint, idempotent, operation },
}: OrderInit): WaitingOrder {
  return {
    deadline: 0,
    bucket: NO_BUCKET,
    id,
    endpoint,
    isOrder: operation !== undefined,
    idempotent,
    since,
    expiresAt,
    key,
    options,
    state: 'storing',
    stored: undefined,
    storing: undefined,
    cancelled: undefined,
    attempt: () => Promise.reject(new CancelledError('nobody awaits the order')),
    reject: () => undefined,
  };
}

/** Sends it if it may be sent. */
export async function sendNow<T>(
  request: QueuedRequest<T>,
  client: RegisteredClient,
  options: WaitingOptions,
): Promise<T> {
  const denied = options.permit?.();
  if (denied !== undefined) throw denied;
  options.sent?.();
  return request.send(client, options.signal);
}

export function isSettled({ state }: WaitingOrder): boolean {
  return state === 'settled';
}
