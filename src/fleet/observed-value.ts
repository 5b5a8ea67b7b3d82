import { toCompositePayload, toPayload } from '../model';
import type { ObservedContent, RegisteredClient } from '../server';
import type { ObservationPolicy, ObservedValue } from './observation-policy';

/** What a device told, as the listeners of a policy get it. */
export function observedValue(
  { keys = 'id' }: ObservationPolicy,
  { endpoint, model }: RegisteredClient,
  content: ObservedContent,
): ObservedValue {
  const { paths, values, path, contentFormat, timestamp, first, warnings } = content;
  const options = { keys, definitionOf: model.definitionOf };
  const [single] = paths;
  const payload =
    paths.length === 1 && single !== undefined
      ? toPayload(single, values, options)
      : toCompositePayload(paths, values, options);
  return {
    operation: 'observe',
    endpoint,
    path,
    payload,
    code: '2.05',
    contentFormat,
    timestamp,
    queuedFor: 0,
    ...(first ? { first: true } : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}
