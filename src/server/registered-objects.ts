import { parseLinks, type Link } from '../content';

/** What the payload of a Register says. Shared by all registrations whose payload has the same bytes: never change it. */
export interface RegisteredObjects {
  /** In order of their ids. Without 0, 21 and 23, which no server but the bootstrap server may see. */
  readonly objects: readonly RegisteredObject[];
  /** The segments of the alternate root path (`rt="oma.lwm2m"`), empty for `/` (LwM2M Core 1.2 s6.2.1). */
  readonly rootPath: readonly string[];
  /** The content formats of `</>;ct=`, empty when the device announced none. */
  readonly contentFormats: readonly number[];
}

export interface RegisteredObject {
  readonly id: number;
  /** Of the object, `1.0` when the device says none (LwM2M Core 1.2 s7.2.2). */
  readonly version: string;
  /** In ascending order. */
  readonly instances: readonly number[];
}

/** Security, OSCORE and COSE: keys, for the bootstrap server's eyes only (LwM2M Core 1.2 s6.2.1, appendix E). */
const HIDDEN_OBJECTS: ReadonlySet<number> = new Set([0, 21, 23]);

export function isHiddenObject(objectId: number): boolean {
  return HIDDEN_OBJECTS.has(objectId);
}

/** Of a Register without payload. */
const EMPTY: RegisteredObjects = { objects: [], rootPath: [], contentFormats: [] };

const VERSION = /^[0-9]{1,5}\.[0-9]{1,5}$/;
const ID = /^(0|[1-9][0-9]{0,4})$/;
const MAX_ID = 65534;

/**
 * Reads the payload of a Register or an Update (LwM2M Core 1.2 s6.2.1): links to objects and object instances. Links
 * that are neither are somebody else's and left out, parameters that are not known are ignored.
 * @throws {CodecError} it is no link-format, or past the limits of one.
 */
export function parseRegisteredObjects(payload: Buffer): RegisteredObjects {
  if (payload.length === 0) return EMPTY;
  const links = parseLinks(payload);
  const root = links.find(({ attributes }) => unquoted(attributes.get('rt')) === 'oma.lwm2m');
  const rootPath = root === undefined ? [] : segmentsOf(root.target);
  const objects = new Map<number, { version: string; instances: Set<number> }>();
  for (const link of links) {
    const ids = idsBelow(rootPath, link.target);
    const [objectId, instanceId] = ids;
    if (objectId === undefined || isHiddenObject(objectId)) continue;
    let object = objects.get(objectId);
    if (object === undefined) objects.set(objectId, (object = { version: '1.0', instances: new Set() }));
    if (instanceId !== undefined) object.instances.add(instanceId);
    const version = unquoted(link.attributes.get('ver'));
    if (version !== undefined && VERSION.test(version)) object.version = version;
  }
  return {
    objects: [...objects]
      .map(([id, { version, instances }]) => ({ id, version, instances: [...instances].sort((a, b) => a - b) }))
      .sort((a, b) => a.id - b.id),
    rootPath,
    contentFormats: contentFormatsOf(root ?? links.find(({ target }) => segmentsOf(target).length === 0)),
  };
}

/** Adds what an object list says to a profile's (LwM2M Core 1.2 s6.2.1, Profile ID). */
export function mergeRegisteredObjects(profile: RegisteredObjects, extra: RegisteredObjects): RegisteredObjects {
  const objects = new Map(profile.objects.map((object) => [object.id, object]));
  for (const object of extra.objects) {
    const known = objects.get(object.id);
    const instances = new Set([...(known?.instances ?? []), ...object.instances]);
    objects.set(object.id, { ...object, instances: [...instances].sort((a, b) => a - b) });
  }
  return {
    objects: [...objects.values()].sort((a, b) => a.id - b.id),
    rootPath: extra.rootPath.length > 0 ? extra.rootPath : profile.rootPath,
    contentFormats: extra.contentFormats.length > 0 ? extra.contentFormats : profile.contentFormats,
  };
}

/** The ids of a link below the root path, at most object and instance; empty when it is no such link. */
function idsBelow(rootPath: readonly string[], target: string): number[] {
  let segments = segmentsOf(target);
  if (rootPath.length > 0) {
    if (!rootPath.every((segment, index) => segments[index] === segment)) return [];
    segments = segments.slice(rootPath.length);
  }
  if (segments.length === 0 || segments.length > 2) return [];
  const ids = segments.map((segment) => (ID.test(segment) ? Number(segment) : NaN));
  return ids.every((id) => id <= MAX_ID) ? ids : [];
}

/** Segments of a target; clients leave out the leading slash or add one at the end. */
function segmentsOf(target: string): string[] {
  return target.split('/').filter((segment) => segment !== '');
}

/** `ct=110`, `ct="110 112"`, and with commas as some clients write it. */
function contentFormatsOf(root: Link | undefined): number[] {
  const text = unquoted(root?.attributes.get('ct')) ?? '';
  return [...new Set(text.split(/[\s,]+/).filter((word) => ID.test(word)))].map(Number);
}

function unquoted(text: string | undefined): string | undefined {
  return text !== undefined && text.length >= 2 && text.startsWith('"') && text.endsWith('"')
    ? text.slice(1, -1)
    : text;
}

const MAX_CACHED = 1000;
const MAX_CACHED_BYTES = 2048;

/**
 * Parsed payloads by their bytes, so that a thousand devices of one kind share one object list: parsed once, kept once.
 * Bounded; the oldest goes first. What is no longer cached lives on in the registrations that use it.
 */
export class RegisteredObjectsCache {
  readonly #parsed = new Map<string, RegisteredObjects>();
  /** The last one asked for: in a storm of devices of one kind it is nearly always the next, too. */
  #lastPayload = Buffer.alloc(0);
  #last = EMPTY;

  /** @throws {CodecError} as `parseRegisteredObjects`. */
  parse(payload: Buffer): RegisteredObjects {
    if (payload.equals(this.#lastPayload)) return this.#last;
    if (payload.length > MAX_CACHED_BYTES) return parseRegisteredObjects(payload);
    const objects = this.#find(payload);
    // A copy: the payload is a window on the datagram.
    this.#lastPayload = Buffer.from(payload);
    this.#last = objects;
    return objects;
  }

  #find(payload: Buffer): RegisteredObjects {
    const key = payload.toString('latin1');
    let objects = this.#parsed.get(key);
    if (objects === undefined) {
      objects = parseRegisteredObjects(payload);
      if (this.#parsed.size >= MAX_CACHED) {
        for (const oldest of this.#parsed.keys()) {
          this.#parsed.delete(oldest);
          break;
        }
      }
      this.#parsed.set(key, objects);
    }
    return objects;
  }
}
