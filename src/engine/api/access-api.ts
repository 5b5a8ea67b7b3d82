import type { AccessOperation, AccessSettings, AuditView, GrantView, RevokeInput } from '../../access';
import type { AccessDeniedError } from '../../errors';
import type { Path } from '../../model';
import type { EngineParts } from '../engine-parts';

/** Who may do what, and who did. */
export class AccessApi {
  constructor(private readonly parts: EngineParts) {}

  /**
   * Sets who may do what to which devices from now on; `undefined`: everybody everything. Orders that wait are asked about
   * again before they are sent.
   * @throws {InvalidArgumentError} saying which role or user cannot be. Then nobody may do anything, until settings come
   * that can be read.
   */
  setAccess(settings: AccessSettings | undefined): void {
    const { fleet, rights } = this.parts;
    if (rights.configure(settings)) fleet.rightsChanged();
  }

  /** Whether a user may do something to a device now: `undefined`, or what is missing. */
  denial(
    operation: AccessOperation,
    endpoint: string,
    user: string | undefined,
    paths?: readonly Path[],
  ): AccessDeniedError | undefined {
    return this.parts.rights.access.check({ operation, endpoint, user, paths });
  }

  /**
   * Gives a right for a time: `{ user, target, operations, paths, from, until, pauses }` as `lwm2m-grant` takes it.
   * Rejects with `InvalidArgumentError`, `AccessDeniedError` or `StoreError`.
   */
  grant(input: unknown, options?: { readonly user?: string }): Promise<GrantView> {
    return this.parts.rights.grant(input, options);
  }

  /** Ends grants at once: `{ id }`, or `{ user, target }`. Answers those it ended. Rejects as `grant`. */
  revoke(input: RevokeInput, options?: { readonly user?: string }): Promise<GrantView[]> {
    return this.parts.rights.revoke(input, options);
  }

  /** All grants, by their beginning; those that are over are listed for 30 days. */
  grants(): GrantView[] {
    return this.parts.rights.grants();
  }

  /**
   * Who ordered what, newest first: `{ from, to, user, endpoint, operation, outcome, before, limit }`, all optional; times as
   * ISO 8601 or ms since 1970; 100 entries unless told otherwise. Rejects with `InvalidArgumentError` or `StoreError`.
   */
  audit(query?: unknown): Promise<readonly AuditView[]> {
    return this.parts.rights.query(query);
  }
}
