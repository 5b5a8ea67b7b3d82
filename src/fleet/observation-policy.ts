import type { Lwm2mError } from '../errors';
import { formatPath } from '../model';
import type { Attributes, ContentFormatName, Keys, Path } from '../server';
import type { Target } from './target';

/**
 * A standing wish: these paths of every matching device, now and later, are observed until the policy is cancelled.
 * A policy that is declared again with the same id and an equal text touches nothing on the wire.
 */
export interface ObservationPolicy {
  readonly target: Target;
  /** Several paths: Observe-Composite where the device can, else one observation a path. */
  readonly paths: readonly Path[];
  /** Written to each path before it is observed, or carried in the request to a 1.2 device. */
  readonly attributes?: Attributes;
  readonly contentFormat?: ContentFormatName;
  readonly keys?: Keys;
}

/** One observed value of one device. */
export interface ObservedValue {
  readonly operation: 'observe';
  readonly endpoint: string;
  /** The path observed; of a composite observation all of them, separated by commas. */
  readonly path: string;
  readonly payload: unknown;
  readonly code: string;
  readonly contentFormat?: ContentFormatName;
  /** ms since 1970: the device's own time of the value, else of arrival. */
  readonly timestamp: number;
  readonly queuedFor: number;
  /** The answer to the observation itself, not a notification. */
  readonly first?: true;
  readonly warnings?: readonly string[];
}

/**
 * An observation that could not be made or that the device ended. Said once for a device and path until it succeeds; tried
 * again at the device's next registration or update, and with growing patience when the cause may pass by itself.
 */
export interface ObservationFailure {
  readonly endpoint: string;
  readonly path: string;
  readonly error: Lwm2mError;
}

/** Hears what a policy observes, value by value, and what could not be observed. */
export interface ObservationListener {
  value(value: ObservedValue): void;
  failed(failure: ObservationFailure): void;
}

/** Devices that match and have the paths, and how they are. */
export interface PolicyStatus {
  readonly devices: number;
  /** Their observations run. */
  readonly observing: number;
  /** They have not been asked yet, have not answered yet, or sleep. */
  readonly waiting: number;
  /** They refused or did not answer, and will be asked again. */
  readonly failed: number;
}

/** Whose a policy is. */
export interface PolicyOptions {
  /** Whose it is, for finding it again (`policiesOf`) and for ending it when the owner is gone: a node's id. */
  readonly owner?: string;
  /** For whom it observes, of whom the rights are asked. */
  readonly user?: string;
  /** What the owner wants to find with it. */
  readonly note?: string;
}

/** How a policy is cancelled. */
export interface CancelOptions {
  /** The policy ends, and its record stays, marked as cancelled, until it is declared again or its owner is gone. */
  readonly remember?: boolean;
}

/** A listener's hold on a policy. */
export interface PolicyHandle {
  readonly id: string;
  status(): PolicyStatus;
  /** The listener goes, the policy stays: values are kept (bounded, oldest dropped) for the next `observePolicy` with this id. */
  detach(): void;
  /**
   * Ends the policy. Resolves when the store has it; the devices are told in their turn. Rejects with `StoreError`: then the
   * policy holds on.
   */
  cancel(options?: CancelOptions): Promise<void>;
}

/** A policy that holds after a restart, or one that was cancelled and is not to come back by itself. */
export interface StoredPolicy extends PolicyOptions {
  readonly policy: ObservationPolicy;
  readonly cancelled?: true;
}

/** A stored policy under its id. */
export interface PolicyRecord extends StoredPolicy {
  readonly id: string;
}

/** Equal policies have equal texts. */
export function policyText({ target, paths, attributes, contentFormat, keys }: ObservationPolicy): string {
  const sorted = Object.entries(attributes ?? {})
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([target, paths.map(formatPath), sorted, contentFormat ?? null, keys ?? 'id']);
}
