import type { Awaitable, KeyedStore } from '../server';

/** The devices of a right for a time, as a target of an order that can be written down. */
export type GrantTarget = { readonly endpoint: string } | { readonly group: string } | { readonly selector: string };

/** A right for a time. All times in ms since 1970. */
export interface StoredGrant {
  readonly id: string;
  readonly user: string;
  readonly target: GrantTarget;
  readonly operations: readonly string[];
  /** Absent: all paths. */
  readonly paths?: readonly string[];
  readonly from: number;
  /** Absent: until it is revoked. */
  readonly until?: number;
  /** Whose rights on these devices rest meanwhile. */
  readonly pauses: readonly string[];
  readonly grantedBy?: string;
  readonly grantedAt: number;
}

/** Who ordered what, when, of which device, and what came of it. Never a value, a key or an argument. */
export interface AuditEntry {
  /** ms since 1970 */
  readonly at: number;
  /** Absent: nobody was named. */
  readonly user?: string;
  /** The operation, or `suspend`, `resume`, `provision`, `unprovision`, `hand-over`, `join`, `confirm`, `grant`, `revoke`. */
  readonly operation: string;
  /** Absent: it was about no device. */
  readonly endpoint?: string;
  readonly paths: readonly string[];
  readonly outcome: 'succeeded' | 'failed' | 'denied' | 'expired' | 'cancelled';
  /** The response code of the device. */
  readonly code?: string;
  /** The code of the error. */
  readonly error?: string;
  /** Of all the members of one order, or of one suspension, the same; the agreement of a second person has it too. */
  readonly run?: string;
}

/** Which entries of the audit trail are wanted; all that is given must hold. */
export interface AuditQuery {
  /** ms since 1970; from is included, to is not. */
  readonly from?: number;
  readonly to?: number;
  readonly user?: string;
  readonly endpoint?: string;
  readonly operation?: string;
  readonly outcome?: AuditEntry['outcome'];
  /** Only entries older than the one of this number: for the next page. */
  readonly before?: number;
  /** At most so many, newest first. */
  readonly limit: number;
}

/**
 * Append-only; what is written is never changed. A store keeps at least its newest entries, a number of its own; older ones
 * go by and by. Rejects with `StoreError` like all stores.
 */
export interface AuditStore {
  append(entry: AuditEntry): Awaitable<void>;
  /** Newest first, each with its number, which grows by the time it was written. */
  query(query: AuditQuery): Awaitable<readonly (AuditEntry & { readonly number: number })[]>;
}

/** What access must keep. */
export interface AccessStore {
  readonly grants: KeyedStore<StoredGrant>;
  readonly audit: AuditStore;
}
