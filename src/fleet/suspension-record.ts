import type { RegisteredClient } from '../server';
import type { Device } from './device';
import type { StoredSuspension, SuspensionResult, SuspensionView } from './suspension';
import type { NotTold } from './suspension-telling';
import { eventPayload } from './views';

/** A device is overdue so long after its end, or a tenth of its suspension if that is longer, ms (DESIGN section 4). */
const MIN_GRACE = 60_000;

/** What is asked of one device. */
export interface SuspensionWanted {
  readonly endpoint: string;
  readonly seconds: number;
  readonly user: string | undefined;
  /** Whether it is going to be told to stay away. */
  readonly told: boolean;
}

/** The suspension that takes the place of the one before, if any. */
export function suspensionOf(
  { endpoint, seconds, user, told }: SuspensionWanted,
  device: Device | undefined,
  before: StoredSuspension | undefined,
  now: number,
): StoredSuspension {
  const client: RegisteredClient | undefined = device?.client;
  const opensAt = now + seconds * 1000;
  // One that is away already comes back when it was told to, whatever is wanted of it now.
  const stillAway = client === undefined && before?.awayUntil !== undefined && before.awayUntil > now;
  const awayUntil = told ? opensAt : stillAway ? before.awayUntil : undefined;
  return {
    endpoint,
    since: before !== undefined && now < before.until ? before.since : now,
    until: Math.max(opensAt, awayUntil ?? 0),
    mode: awayUntil !== undefined && awayUntil >= opensAt ? 'device' : 'server',
    user,
    opensAt,
    awayUntil,
    registered: client === undefined ? before?.registered : eventPayload(client.registration, device),
  };
}

/** ms since 1970 */
export function overdueAt({ since, until }: StoredSuspension): number {
  return until + Math.max(MIN_GRACE, (until - since) / 10);
}

export function viewOf({ endpoint, since, until, mode, overdue }: StoredSuspension): SuspensionView {
  return { endpoint, since, until, mode, state: overdue === undefined ? 'suspended' : 'overdue' };
}

export function resultOf(stored: StoredSuspension, notTold?: NotTold): SuspensionResult {
  const { endpoint, state, mode, until } = viewOf(stored);
  return { endpoint, state, mode, until, ...notTold };
}
