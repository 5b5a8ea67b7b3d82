import type { CoapResponse } from '../coap';
import { contentFormatId, contentFormatName, decodeContent, type ContentFormatName } from '../content';
import { deviations, type Path, type ResourceValue } from '../model';
import type { DeviceModel } from './device-model';
import { isHiddenObject } from './registered-objects';

/** What a device told, read. */
export interface ReceivedContent {
  readonly values: readonly ResourceValue[];
  readonly contentFormat: ContentFormatName;
  /** How it differs from the object definitions. */
  readonly warnings: readonly string[];
}

/**
 * Reads the content of a response or notification.
 * @param path of the request; the root for a composite one.
 * @param asked the paths of a composite request.
 * @throws {CodecError} it is not of its format.
 */
export function readContent(
  model: DeviceModel,
  path: Path,
  { options, payload }: Pick<CoapResponse, 'options' | 'payload'>,
  now: number,
  asked?: readonly Path[],
): ReceivedContent {
  const formatId = options.contentFormat ?? contentFormatId(usualFormat(model, path));
  const all = decodeContent(formatId, path, payload, model, { now });
  const values = path.objectId === undefined ? visibleOf(all) : all;
  return {
    values,
    contentFormat: contentFormatName(formatId) ?? 'opaque',
    warnings: deviations(values, model.definitionOf, asked),
  };
}

/** Without what some clients give away of objects that hold keys when many objects are asked for at once, or none. */
export function visibleOf(values: readonly ResourceValue[]): ResourceValue[] {
  return values.filter(({ path }) => path.objectId === undefined || !isHiddenObject(path.objectId));
}

/** Old clients leave out the Content-Format; then it is what 1.0 has for the level of the path (LwM2M 1.0 s6.4). */
function usualFormat(model: DeviceModel, path: Path): ContentFormatName {
  if (path.resourceId === undefined) return 'tlv';
  if (path.resourceInstanceId === undefined && model.isMultiple(path) === true) return 'tlv';
  return model.typeOf(path) === 'opaque' ? 'opaque' : 'text';
}

/** Values in groups of the same time, in the order of time; those without a time of their own are of `now`. */
export function byTime(values: readonly ResourceValue[], now: number): { at: number; values: ResourceValue[] }[] {
  const groups = new Map<number, ResourceValue[]>();
  for (const value of values) {
    const at = value.timestamp ?? now;
    const group = groups.get(at);
    if (group === undefined) groups.set(at, [value]);
    else group.push(value);
  }
  return [...groups].map(([at, group]) => ({ at, values: group })).sort((a, b) => a.at - b.at);
}
