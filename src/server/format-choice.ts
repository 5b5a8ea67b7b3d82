import type { ContentFormatName } from '../content';
import { pathLevel, type Path, type ResourceValue } from '../model';
import type { DeviceModel } from './device-model';
import { isAcceptRefused, isAnnounced, isContentRefused } from './refusals';
import type { RegisteredClient } from './registered-client';

/** Formats for more than one value, best first, of the versions where they are at home (LwM2M Core 1.2 s7.4). */
const STRUCTURED_1_0: readonly ContentFormatName[] = ['tlv', 'json'];
const STRUCTURED_1_1: readonly ContentFormatName[] = ['senml-cbor', 'tlv', 'senml-json', 'json'];
/** Of a device that says what it speaks. TLV is compact and the best tested there is; LwM2M CBOR is the youngest. */
const ANNOUNCED: readonly ContentFormatName[] = ['senml-cbor', 'tlv', 'senml-json', 'lwm2m-cbor', 'json'];
/** Formats that can carry several paths of any object (LwM2M Core 1.2 s6.3.8). */
const COMPOSITE: readonly ContentFormatName[] = ['senml-cbor', 'senml-json', 'lwm2m-cbor'];
const COMPOSITE_WITH_REMOVAL: readonly ContentFormatName[] = ['senml-etch-cbor', 'senml-etch-json'];
const ANY_COMPOSITE: readonly ContentFormatName[] = [...COMPOSITE, ...COMPOSITE_WITH_REMOVAL];

/**
 * The Accept options to try for a read, best first; after them none, which lets the device choose. A read says only what
 * somebody wishes or what the device announced: everything that comes can be decoded.
 */
export function acceptChoices(
  client: RegisteredClient,
  path: Path,
  wish: ContentFormatName | undefined,
): readonly ContentFormatName[] {
  const choices: ContentFormatName[] = [];
  if (wish !== undefined && !isAcceptRefused(client, wish)) choices.push(wish);
  if (path.resourceId === undefined && client.registration.objects.contentFormats.length > 0) {
    const best = ANNOUNCED.find((format) => isAnnounced(client, format) && !isAcceptRefused(client, format));
    if (best !== undefined && best !== wish) choices.push(best);
  }
  return choices;
}

/** The Content-Formats to try for a body of values at `path`, best first. */
export function contentChoices(
  client: RegisteredClient,
  path: Path,
  values: readonly ResourceValue[],
  wish: ContentFormatName | undefined,
): readonly ContentFormatName[] {
  const choices = new Set<ContentFormatName>();
  if (wish !== undefined) choices.add(wish);
  const single = singleValueFormat(client.model, path, values);
  if (single !== undefined) choices.add(single);
  for (const format of structuredFormats(client)) choices.add(format);
  return withoutRefused(client, choices);
}

/** The Content-Formats to try for the paths or values of a composite operation, best first. */
export function compositeChoices(
  client: RegisteredClient,
  wish: ContentFormatName | undefined,
  values: readonly ResourceValue[] = [],
): readonly ContentFormatName[] {
  const formats = values.some(({ value }) => value === null) ? COMPOSITE_WITH_REMOVAL : COMPOSITE;
  const announced = formats.filter((format) => isAnnounced(client, format));
  const wished = ANY_COMPOSITE.filter((format) => format === wish);
  return withoutRefused(client, new Set([...wished, ...announced, ...formats]));
}

function structuredFormats(client: RegisteredClient): readonly ContentFormatName[] {
  const usual = client.registration.version === '1.0' ? STRUCTURED_1_0 : STRUCTURED_1_1;
  if (client.registration.objects.contentFormats.length === 0) return usual;
  return [...ANNOUNCED.filter((format) => isAnnounced(client, format)), ...usual];
}

/** Text, or opaque, for the one value of a resource or resource instance; every version has them. */
function singleValueFormat(
  model: DeviceModel,
  path: Path,
  values: readonly ResourceValue[],
): ContentFormatName | undefined {
  const [value] = values;
  const level = pathLevel(path);
  if (values.length !== 1 || value === undefined || value.value === null) return undefined;
  if (level !== 'resource-instance' && (level !== 'resource' || pathLevel(value.path) !== 'resource')) return undefined;
  if (Buffer.isBuffer(value.value))
    return model.typeOf(path) === 'opaque' || model.typeOf(path) === undefined ? 'opaque' : 'text';
  return 'text';
}

/** What the device refused is not tried again, unless it has refused everything: then it may have changed its mind. */
function withoutRefused(client: RegisteredClient, choices: ReadonlySet<ContentFormatName>): ContentFormatName[] {
  const all = [...choices];
  const left = all.filter((format) => !isContentRefused(client, format));
  return left.length > 0 ? left : all;
}
