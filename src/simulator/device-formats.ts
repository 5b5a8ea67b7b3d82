import { contentFormatId, contentFormatName, type ContentFormatName } from '../content';
import { pathLevel, type Path, type ResourceDefinition } from '../model';
import { Refusal } from './refusal';

/** A version of LwM2M that a simulated device speaks. */
export type DeviceVersion = '1.0' | '1.1' | '1.2';

export const DEVICE_VERSIONS: readonly DeviceVersion[] = ['1.0', '1.1', '1.2'];

const OF_1_0: readonly ContentFormatName[] = ['text', 'opaque', 'tlv', 'json'];
const OF_1_1: readonly ContentFormatName[] = [...OF_1_0, 'cbor', 'senml-json', 'senml-cbor'];
const OF_1_2: readonly ContentFormatName[] = [...OF_1_1, 'senml-etch-json', 'senml-etch-cbor', 'lwm2m-cbor'];

const FORMATS: Readonly<Record<DeviceVersion, readonly ContentFormatName[]>> = {
  '1.0': OF_1_0,
  '1.1': OF_1_1,
  '1.2': OF_1_2,
};

/** Formats of one value (LwM2M Core 1.2 s7.4.1 to s7.4.3). */
const OF_ONE_VALUE: readonly ContentFormatName[] = ['text', 'opaque', 'cbor'];

/** Formats that only say how to change things (RFC 8790), never what is. */
const ETCH: readonly ContentFormatName[] = ['senml-etch-json', 'senml-etch-cbor'];

/** What a 1.1 device tells in `ct` of its root link: all that is not mandatory for every device. */
export function announcedFormats(version: DeviceVersion): string {
  return FORMATS[version]
    .filter((name) => name !== 'text' && name !== 'opaque')
    .map(contentFormatId)
    .sort((a, b) => a - b)
    .join(' ');
}

/**
 * The format of the answer to a Read.
 * @param definition of the resource, when the path leads to one
 * @throws {Refusal} 4.06: the server accepts none that this path can be written in.
 */
export function formatOfAnswer(
  version: DeviceVersion,
  accept: number | undefined,
  path: Path,
  definition: ResourceDefinition | undefined,
): number {
  const single = isOneValue(path, definition);
  if (accept === undefined) return contentFormatId(preferredFormat(version, single, definition));
  const name = contentFormatName(accept);
  if (name === undefined || !FORMATS[version].includes(name) || ETCH.includes(name)) {
    throw new Refusal('4.06', `content format ${accept} is not supported`);
  }
  const fits = single ? name !== 'opaque' || definition?.type === 'opaque' : !OF_ONE_VALUE.includes(name);
  if (!fits) throw new Refusal('4.06', `content format ${accept} cannot carry this`);
  return accept;
}

/** The format of the answer to a composite read: one that can name several paths. @throws {Refusal} 4.06 */
export function formatOfComposite(version: DeviceVersion, accept: number | undefined): number {
  const format = accept ?? contentFormatId('senml-cbor');
  const name = contentFormatName(format);
  const fits = name === 'senml-json' || name === 'senml-cbor' || name === 'lwm2m-cbor';
  if (!fits || !FORMATS[version].includes(name)) {
    throw new Refusal('4.06', `content format ${format} cannot carry several paths`);
  }
  return format;
}

/** Checks the format of a request's payload. @throws {Refusal} 4.15 */
export function formatOfRequest(version: DeviceVersion, contentFormat: number | undefined): number {
  // Without the option it is text (LwM2M 1.0 s6.4).
  const format = contentFormat ?? contentFormatId('text');
  const name = contentFormatName(format);
  if (name === undefined || !FORMATS[version].includes(name)) {
    throw new Refusal('4.15', `content format ${format} is not supported`);
  }
  return format;
}

function isOneValue(path: Path, definition: ResourceDefinition | undefined): boolean {
  const level = pathLevel(path);
  return level === 'resource-instance' || (level === 'resource' && definition?.multiple === false);
}

function preferredFormat(
  version: DeviceVersion,
  single: boolean,
  definition: ResourceDefinition | undefined,
): ContentFormatName {
  if (single) return definition?.type === 'opaque' ? 'opaque' : 'text';
  return version === '1.0' ? 'tlv' : 'senml-cbor';
}
