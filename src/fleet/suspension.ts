import type { ErrorCode, Lwm2mError } from '../errors';
import type { DeviceEventPayload } from './device-event';

/** `device`: it was told and stays away by itself; `server`: it is only not let in. */
export type SuspensionMode = 'device' | 'server';

/** A device whose connection is suspended for a time. All times in ms since 1970. */
export interface StoredSuspension {
  readonly endpoint: string;
  readonly since: number;
  /** When it may be back: it is let in again, and does not stay away by itself any more. */
  readonly until: number;
  readonly mode: SuspensionMode;
  /** Who suspended it. */
  readonly user?: string;
  /** When it is let in again; before `until` when it was resumed, or told to stay away for longer than this. */
  readonly opensAt: number;
  /** Until when it stays away by itself, if it was told. */
  readonly awayUntil?: number;
  /** `overdue` was said. */
  readonly overdue?: true;
  /** What it was registered as when it was suspended; absent: it was not. */
  readonly registered?: DeviceEventPayload;
}

/** How a suspension is, as `status` of `lwm2m-suspend` answers it. Times in ms since 1970. */
export interface SuspensionView {
  endpoint: string;
  since: number;
  until: number;
  mode: SuspensionMode;
  /** `suspended` until it is back, even past its end; `overdue` when it is long past it. */
  state: 'suspended' | 'returned' | 'overdue';
}

/** For how long devices are suspended, and how their return is spread. */
export interface SuspendOptions {
  /** How long, s. */
  readonly duration: number;
  /** Over how many seconds more the ends are spread: the devices of the target get durations from `duration` to `duration + stagger`. */
  readonly stagger?: number;
  /** Who suspends. */
  readonly user?: string;
  /** Devices that were not reached yet are left alone when it aborts. */
  readonly signal?: AbortSignal;
}

/** How devices are let in before their time. */
export interface ResumeOptions {
  /** Who resumes. */
  readonly user?: string;
  /** Devices whose turn has not come stay suspended when it aborts. */
  readonly signal?: AbortSignal;
}

/**
 * Why a device is suspended on the server's side alone: `refused` (it answered an error), `noDisable` (it has no Server
 * object, or several, of which it does not say which is ours), `silent` (it did not answer), `asleep`, `offline`.
 * Or why it is not suspended: `highPriority` (such devices are never touched), `notSuspended` (there is nothing to resume).
 */
export type SuspensionReason =
  'refused' | 'noDisable' | 'silent' | 'asleep' | 'offline' | 'highPriority' | 'notSuspended';

/** One device's part in a summary. */
export interface SuspensionResult {
  endpoint: string;
  /** `waiting`: it is not its turn yet; `skipped`: it was left alone; `failed`: see `error`. */
  state: SuspensionView['state'] | 'waiting' | 'skipped' | 'failed';
  mode?: SuspensionMode;
  /** ms since 1970 */
  until?: number;
  reason?: SuspensionReason;
  /** The error's code, such as `STORE`. */
  error?: ErrorCode;
  /** What the device answered when it refused, such as `4.05`. */
  code?: string;
}

/** How far a suspension, or its end before time, is. */
export interface SuspensionSummary {
  total: number;
  /** Devices that are away or kept out now: `device` and `server`. */
  suspended: number;
  /** Those that were told and stay away by themselves. */
  device: number;
  /** Those that are only not let in, of which some ... */
  server: number;
  /** ... answered that they cannot, or have no Disable that is ours ... */
  refused: number;
  /** ... and some could not be told: silent, asleep or offline. */
  unreachable: number;
  /** Left alone: of high priority, or (resume) not suspended. */
  skipped: number;
  failed: number;
  /** Back, or let in again while they were still registered. */
  returned: number;
  /** When the first may be back, ms since 1970; absent when none is away. */
  nextBackAt?: number;
  /** When the last one may be. */
  lastBackAt?: number;
  results: SuspensionResult[];
}

/** A suspension, or its end before time, under way. Listeners added in the same turn as it began miss nothing. */
export interface SuspensionRun {
  /** The endpoints of the target, in a stable order. */
  readonly members: readonly string[];
  /** Called with the summary at most once a second while it is under way; the last one comes by `finished`. */
  onProgress(listener: (summary: SuspensionSummary) => void): void;
  /** Resolves, never rejects, when every member is done. */
  readonly finished: Promise<SuspensionSummary>;
  /** Why members failed, by endpoint. */
  readonly failures: ReadonlyMap<string, Lwm2mError>;
  /** Members whose turn has not come fail with `CANCELLED`; those that are suspended stay so. */
  cancel(): void;
}

/** Counts results. */
export function summarize(results: readonly SuspensionResult[]): SuspensionSummary {
  const summary: SuspensionSummary = {
    total: results.length,
    suspended: 0,
    device: 0,
    server: 0,
    refused: 0,
    unreachable: 0,
    skipped: 0,
    failed: 0,
    returned: 0,
    results: results.map((result) => ({ ...result })),
  };
  for (const result of results) count(summary, result);
  return summary;
}

function count(summary: SuspensionSummary, { state, mode, until, reason }: SuspensionResult): void {
  switch (state) {
    case 'waiting':
      return;
    case 'skipped':
    case 'failed':
    case 'returned':
      summary[state] += 1;
      return;
    case 'suspended':
    case 'overdue':
      summary.suspended += 1;
      if (mode !== undefined) summary[mode] += 1;
      if (reason === 'refused' || reason === 'noDisable') summary.refused += 1;
      else if (reason !== undefined) summary.unreachable += 1;
      if (until === undefined) return;
      summary.nextBackAt = Math.min(summary.nextBackAt ?? until, until);
      summary.lastBackAt = Math.max(summary.lastBackAt ?? until, until);
  }
}
