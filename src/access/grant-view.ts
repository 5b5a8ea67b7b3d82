import type { GrantTarget, StoredGrant } from './store';

/** A right for a time, as `lwm2m-grant` sends it: times as ISO 8601 in UTC. A fresh object that its reader may change. */
export interface GrantView {
  id: string;
  user: string;
  /** An endpoint, or which devices. */
  target: string | { group: string } | { selector: string };
  operations: string[];
  /** Absent: all. */
  paths?: string[];
  from: string;
  /** Absent: until it is revoked. */
  until?: string;
  pauses: string[];
  grantedBy?: string;
  grantedAt: string;
  /** Whether it is still to begin, holds, or is over. */
  state: 'waiting' | 'active' | 'ended';
}

export function grantView(grant: StoredGrant, now: number): GrantView {
  const { id, user, target, operations, paths, from, until, pauses, grantedBy, grantedAt } = grant;
  return {
    id,
    user,
    target: 'endpoint' in target ? target.endpoint : { ...target },
    operations: [...operations],
    ...(paths === undefined ? {} : { paths: [...paths] }),
    from: new Date(from).toISOString(),
    ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
    pauses: [...pauses],
    ...(grantedBy === undefined ? {} : { grantedBy }),
    grantedAt: new Date(grantedAt).toISOString(),
    state: stateOf(grant, now),
  };
}

/** It begins with `from` and is over with `until`. */
export function stateOf({ from, until }: StoredGrant, now: number): GrantView['state'] {
  if (now < from) return 'waiting';
  return until === undefined || now < until ? 'active' : 'ended';
}

export function targetText(target: GrantTarget): string {
  if ('endpoint' in target) return target.endpoint;
  return 'group' in target ? `the group ${target.group}` : `the devices ${target.selector}`;
}
