import { byTime, type ReceivedContent } from './content';
import type { ObservationSubscriber, ObservedContent, SharedObservation } from './shared-observation';

/** How many values of an observation are kept until somebody takes it up after a restart. */
const MAX_UNHEARD = 10;

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
    if (shared.restored && shared.subscribers.size === 0) keepUnheard(shared, content);
  }
}

function keepUnheard(shared: SharedObservation, content: ObservedContent): void {
  const unheard = (shared.unheard ??= []);
  if (unheard.length >= MAX_UNHEARD) unheard.shift();
  unheard.push(content);
}
