import { byTime, type ReceivedContent } from './content';
import type { ObservationSubscriber, SharedObservation } from './shared-observation';

/** How many values of an observation are kept until they can be told. */
const MAX_KEPT = 10;

/**
 * Gives what a device told to the subscribers: a batch of values with times is one content a time, in their order. What
 * comes after a restart before anybody has taken the observation up waits for him.
 * @param now ms since 1970
 */
export function deliverObserved(
  shared: SharedObservation,
  { values, contentFormat, warnings }: ReceivedContent,
  first: boolean,
  now: number,
  subscribers: Iterable<ObservationSubscriber> = shared.subscribers,
): void {
  const { path, spec } = shared;
  const groups = values.length === 0 ? [{ at: now, values: [] }] : byTime(values, now);
  for (const group of groups) {
    const content = {
      path,
      paths: spec.paths,
      values: group.values,
      contentFormat,
      warnings,
      timestamp: group.at,
      first,
    };
    for (const subscriber of subscribers) subscriber.value(content);
    if (shared.restored && shared.subscribers.size === 0) keepNewest((shared.unheard ??= []), content);
  }
}

/** Adds what cannot be told yet; of too much the oldest goes. */
export function keepNewest<T>(kept: T[], newest: T): void {
  if (kept.length >= MAX_KEPT) kept.shift();
  kept.push(newest);
}
