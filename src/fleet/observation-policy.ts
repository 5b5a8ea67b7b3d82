import type { Lwm2mError } from '../errors';
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

/** An observation that could not be made or that the device ended; said once, tried again at its next registration or update. */
export interface ObservationFailure {
  readonly endpoint: string;
  readonly path: string;
  readonly error: Lwm2mError;
}

export interface ObservationListener {
  value(value: ObservedValue): void;
  failed(failure: ObservationFailure): void;
}

export interface PolicyStatus {
  /** Devices that match and have the paths. */
  readonly devices: number;
  /** Observations that run. */
  readonly observing: number;
  /** Observations that failed and wait for the device's next sign of life. */
  readonly failed: number;
}

/** A listener's hold on a policy. */
export interface PolicyHandle {
  readonly id: string;
  status(): PolicyStatus;
  /** The listener goes, the policy stays: values are kept (bounded, oldest dropped) for the next `observePolicy` with this id. */
  detach(): void;
  /** Ends the policy and its observations on the devices. */
  cancel(): Promise<void>;
}

/** A policy that holds after a restart. */
export interface StoredPolicy {
  readonly policy: ObservationPolicy;
}
