import { createPublicKey, type KeyObject } from 'node:crypto';
import { InvalidArgumentError } from '../errors';
import { PARTIES, type DeviceRecord, type DeviceSecurity } from './device-record';
import type { Priority } from './device-view';

const MAX_ENDPOINT = 255;
const MAX_NAME = 128;
const MAX_TEXT = 256;
/** RFC 4279 s5.3: identities of up to 128 and keys of up to 64 bytes must be supported; no device needs more. */
const MAX_PSK_IDENTITY = 128;
const MAX_PSK = 64;
const MAX_LABELS = 64;
const MAX_GROUPS = 64;
const MAX_METADATA = 16_384;
const MAX_AWAKE_TIME = 86_400;

const PRIORITIES: readonly Priority[] = ['low', 'normal', 'high'];
const PROPERTIES = ['endpoint', 'security', 'labels', 'groups', 'priority', ...PARTIES, 'metadata', 'awakeTime'];

type Properties = Readonly<Record<string, unknown>>;

/** What a record says, without an endpoint. */
export type RecordTemplate = Readonly<Record<string, unknown>>;

/**
 * The input that makes a record anew: what is not said is as in a new record, and a key that its former holder knows is
 * replaced.
 * @throws {InvalidArgumentError}
 */
export function inputOfHandOver(input: unknown, current: DeviceSecurity | undefined): Properties {
  const given = propertiesOf(input, 'a device record');
  const isKnownKey = (): boolean => {
    if (current?.mode !== 'psk') return false;
    const next = given['security'] === undefined ? current : securityOf(given['security'], current);
    return next.mode === 'psk' && next.key.equals(current.key);
  };
  if (isKnownKey()) {
    throw new InvalidArgumentError('the former provider knows the key of the device: give security with another one');
  }
  const blank = Object.fromEntries(PROPERTIES.filter((name) => name !== 'security').map((name) => [name, null]));
  return { ...blank, ...given };
}

/** The endpoint that a record is for. @throws {InvalidArgumentError} */
export function endpointOfInput(input: unknown): string {
  return endpointName(propertiesOf(input, 'a device record')['endpoint']);
}

/** @throws {InvalidArgumentError} what is given is no endpoint. */
export function endpointName(endpoint: unknown): string {
  return text(endpoint, 'endpoint', MAX_ENDPOINT);
}

/**
 * The record that an input makes of the one there is: what the input says is set, what it does not say stays as it is, what
 * it says is `null` is as in a new record. No message says a key.
 * @param current `undefined`: there is none.
 * @throws {InvalidArgumentError} saying what is wrong to who wrote the input.
 */
export function recordOfInput(input: unknown, current: DeviceRecord | undefined): DeviceRecord {
  const given = propertiesOf(input, 'a device record');
  refuseUnknown(given, PROPERTIES, 'a device record');
  const endpoint = endpointName(given['endpoint']);
  const set = <T>(name: string, before: T, initial: T, read: (value: unknown) => T): T => {
    const value = given[name];
    if (value === undefined) return before;
    return value === null ? initial : read(value);
  };
  const party = (name: (typeof PARTIES)[number]): string | undefined =>
    set(name, current?.[name], undefined, (value) => text(value, name, MAX_TEXT));
  return {
    endpoint,
    security: set('security', current?.security, undefined, (value) => securityOf(value, current?.security)),
    labels: set('labels', current?.labels ?? {}, {}, labelsOf),
    groups: set('groups', current?.groups ?? [], [], groupsOf),
    priority: set('priority', current?.priority ?? 'normal', 'normal', priorityOf),
    owner: party('owner'),
    provider: party('provider'),
    subscriber: party('subscriber'),
    user: party('user'),
    networkSubscriber: party('networkSubscriber'),
    metadata: set('metadata', current?.metadata, undefined, metadataOf),
    awakeTime: set('awakeTime', current?.awakeTime, undefined, awakeTimeOf),
    revision: (current?.revision ?? 0) + 1,
  };
}

function securityOf(value: unknown, current: DeviceSecurity | undefined): DeviceSecurity {
  const given = propertiesOf(value, 'security');
  const { mode } = given;
  switch (mode) {
    case 'psk': {
      refuseUnknown(given, ['mode', 'identity', 'key'], 'security of mode psk');
      const before = current?.mode === 'psk' ? current : undefined;
      // A record without its key, as it is shown, may be given back.
      return {
        mode,
        identity:
          given['identity'] === undefined && before !== undefined ? before.identity : pskIdentity(given['identity']),
        key: given['key'] === undefined && before !== undefined ? before.key : pskKey(given['key']),
      };
    }
    case 'rpk': {
      refuseUnknown(given, ['mode', 'publicKey'], 'security of mode rpk');
      const before = current?.mode === 'rpk' ? current : undefined;
      const isKept = given['publicKey'] === undefined && before !== undefined;
      return { mode, publicKey: isKept ? before.publicKey : publicKeyOf(given['publicKey']) };
    }
    case 'x509':
      refuseUnknown(given, ['mode', 'name'], 'security of mode x509');
      return { mode, name: text(given['name'], 'security.name', MAX_ENDPOINT) };
    case 'nosec':
      refuseUnknown(given, ['mode'], 'security of mode nosec');
      return { mode };
    default:
      throw new InvalidArgumentError("security.mode must be 'psk', 'rpk', 'x509' or 'nosec'");
  }
}

function pskIdentity(value: unknown): string {
  const identity = text(value, 'security.identity', MAX_PSK_IDENTITY);
  if (Buffer.byteLength(identity) > MAX_PSK_IDENTITY) {
    throw new InvalidArgumentError(`security.identity must have at most ${MAX_PSK_IDENTITY} bytes`);
  }
  return identity;
}

const HEX = /^(?:[0-9a-f]{2})+$/i;

function pskKey(value: unknown): Buffer {
  const isText = typeof value === 'string';
  if (isText && !HEX.test(value)) {
    throw new InvalidArgumentError('security.key must be hexadecimal text, two digits a byte, or a Buffer');
  }
  if (!isText && !(value instanceof Uint8Array)) {
    throw new InvalidArgumentError('security.key is missing: hexadecimal text or a Buffer');
  }
  const key = isText ? Buffer.from(value, 'hex') : Buffer.from(value);
  if (key.length < 1 || key.length > MAX_PSK) {
    throw new InvalidArgumentError(`security.key must have 1 to ${MAX_PSK} bytes`);
  }
  return key;
}

const PEM_LABEL = /-----BEGIN ([A-Z ]+)-----/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

function publicKeyOf(value: unknown): Buffer {
  let key: KeyObject | undefined;
  if (value instanceof Uint8Array) key = readPublicKey(Buffer.from(value));
  else if (typeof value === 'string') key = publicKeyOfText(value.trim());
  if (key === undefined) {
    throw new InvalidArgumentError(
      'security.publicKey must be a public key as PEM, or its SubjectPublicKeyInfo (DER) as base64 or a Buffer',
    );
  }
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new InvalidArgumentError('security.publicKey must be a key on the curve P-256 (secp256r1)');
  }
  return key.export({ format: 'der', type: 'spki' });
}

function publicKeyOfText(value: string): KeyObject | undefined {
  const label = PEM_LABEL.exec(value)?.[1];
  if (label?.endsWith('PRIVATE KEY') === true) {
    throw new InvalidArgumentError("security.publicKey is a private key: it is the device's own, give its public key");
  }
  if (label !== undefined) return label === 'PUBLIC KEY' ? readPublicKey(value) : undefined;
  const base64 = value.replace(/\s+/g, '');
  return BASE64.test(base64) ? readPublicKey(Buffer.from(base64, 'base64')) : undefined;
}

function readPublicKey(key: Buffer | string): KeyObject | undefined {
  try {
    return typeof key === 'string' ? createPublicKey(key) : createPublicKey({ key, format: 'der', type: 'spki' });
  } catch {
    // What OpenSSL says of it helps nobody; the caller says what was expected.
    return undefined;
  }
}

function labelsOf(value: unknown): Record<string, string> {
  const entries = Object.entries(propertiesOf(value, 'labels'));
  if (entries.length > MAX_LABELS) throw new InvalidArgumentError(`there may be at most ${MAX_LABELS} labels`);
  return Object.fromEntries(
    entries.map(([name, label]) => {
      if (name === '' || name.length > MAX_NAME || /[\s=]/.test(name)) {
        throw new InvalidArgumentError("the name of a label must not be empty, and have no spaces and no '='");
      }
      const plain = typeof label === 'number' || typeof label === 'boolean' ? String(label) : label;
      if (typeof plain !== 'string' || plain.length > MAX_TEXT) {
        throw new InvalidArgumentError(`the label '${name}' must be a text of at most ${MAX_TEXT} characters`);
      }
      return [name, plain];
    }),
  );
}

function groupsOf(value: unknown): string[] {
  if (!Array.isArray(value) || value.length > MAX_GROUPS) {
    throw new InvalidArgumentError(`groups must be an array of at most ${MAX_GROUPS} names`);
  }
  return [...new Set(value.map((group) => groupName(group)))];
}

/** @throws {InvalidArgumentError} what is given is no name of a group. */
export function groupName(name: unknown): string {
  return text(name, 'the name of a group', MAX_NAME);
}

function priorityOf(value: unknown): Priority {
  const priority = PRIORITIES.find((known) => known === value);
  if (priority === undefined) throw new InvalidArgumentError("priority must be 'low', 'normal' or 'high'");
  return priority;
}

function metadataOf(value: unknown): Record<string, unknown> {
  let copy: unknown;
  try {
    const json = JSON.stringify(propertiesOf(value, 'metadata'));
    if (json.length > MAX_METADATA) throw new InvalidArgumentError(`metadata has more than ${MAX_METADATA} characters`);
    copy = JSON.parse(json);
  } catch (error) {
    // Circles, BigInts.
    if (error instanceof TypeError) throw new InvalidArgumentError('metadata must be an object that JSON can hold');
    throw error;
  }
  return { ...propertiesOf(copy, 'metadata') };
}

function awakeTimeOf(value: unknown): number {
  if (typeof value !== 'number' || !(value >= 1 && value <= MAX_AWAKE_TIME)) {
    throw new InvalidArgumentError(`awakeTime must be a number of seconds of 1 to ${MAX_AWAKE_TIME}`);
  }
  return value;
}

function text(value: unknown, name: string, maxLength: number): string {
  if (typeof value !== 'string' || value === '' || value.length > maxLength) {
    throw new InvalidArgumentError(`${name} must be a text of 1 to ${maxLength} characters`);
  }
  return value;
}

function propertiesOf(value: unknown, name: string): Properties {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw new InvalidArgumentError(`${name} must be an object`);
  }
  return value as Properties;
}

/** A misspelt property must not make a device less protected than its owner thinks. */
function refuseUnknown(given: Properties, known: readonly string[], name: string): void {
  const unknown = Object.keys(given).find((property) => !known.includes(property));
  if (unknown === undefined) return;
  throw new InvalidArgumentError(`${name} has no '${unknown.slice(0, 50)}', only ${known.join(', ')}`);
}
