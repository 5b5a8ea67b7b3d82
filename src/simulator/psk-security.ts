import { InvalidArgumentError } from '../errors';

/** What a simulated device proves its name with, over `coaps://`: a key that it shares with the server (RFC 4279). */
export interface PskSecurity {
  readonly mode: 'psk';
  /** Default: the endpoint's name. */
  readonly identity?: string;
  readonly key: Buffer;
}

/** One device's identity and key. */
export interface PskCredentials {
  readonly identity: string;
  readonly key: Buffer;
}

/** What every implementation must be able to take, in bytes (RFC 4279 s5.3). */
const MAX_IDENTITY = 128;
const MAX_KEY = 64;

/** @throws {InvalidArgumentError} an identity or a key that no device has; the text never shows the key. */
export function credentialsOf(endpoint: string, { mode, identity = endpoint, key }: PskSecurity): PskCredentials {
  if (mode !== 'psk') throw new InvalidArgumentError(`simulated devices have no security mode '${String(mode)}'`);
  const length = Buffer.byteLength(identity);
  if (length < 1 || length > MAX_IDENTITY) {
    throw new InvalidArgumentError(`the identity of ${endpoint} has ${length} bytes, not 1 to ${MAX_IDENTITY}`);
  }
  if (!Buffer.isBuffer(key) || key.length < 1 || key.length > MAX_KEY) {
    throw new InvalidArgumentError(`the key of ${endpoint} is no Buffer of 1 to ${MAX_KEY} bytes`);
  }
  return { identity, key };
}

/**
 * What a device needs for its server.
 * @throws {InvalidArgumentError} `coaps://` without a key, a key without it, or what `credentialsOf` refuses.
 */
export function credentialsFor(
  scheme: 'coap' | 'coaps',
  endpoint: string,
  security: PskSecurity | undefined,
): PskCredentials | undefined {
  const credentials = security && credentialsOf(endpoint, security);
  if (scheme === 'coaps' && !credentials) throw new InvalidArgumentError('coaps:// needs a key');
  if (scheme === 'coap' && credentials) throw new InvalidArgumentError('a key needs a server at coaps://');
  return credentials;
}

/** Reads a key as people write it: hex digits. @throws {InvalidArgumentError} without showing what was given. */
export function parseKey(hex: string, whose: string): Buffer {
  if (!/^([0-9a-f]{2})+$/i.test(hex)) throw new InvalidArgumentError(`${whose} is not written in pairs of hex digits`);
  return Buffer.from(hex, 'hex');
}

/**
 * Reads the credentials of a fleet: a JSON array of `{ "endpoint", "identity", "key" }`, the identity being optional and
 * the key in hex digits.
 * @throws {InvalidArgumentError} anything else.
 */
export function parseCredentials(json: string): ReadonlyMap<string, PskSecurity> {
  const list = parseJson(json);
  if (!Array.isArray(list)) throw new InvalidArgumentError('the credentials are no JSON array');
  const credentials = new Map<string, PskSecurity>();
  list.forEach((entry: unknown, index) => {
    const { endpoint, identity, key } = (entry ?? {}) as Record<string, unknown>;
    const isEntry = typeof endpoint === 'string' && typeof key === 'string';
    if (!isEntry || !(identity === undefined || typeof identity === 'string')) {
      throw new InvalidArgumentError(
        `entry ${index + 1} of the credentials is no { endpoint, identity, key } of texts`,
      );
    }
    if (credentials.has(endpoint)) throw new InvalidArgumentError(`the credentials name ${endpoint} twice`);
    credentials.set(endpoint, { mode: 'psk', identity, key: parseKey(key, `the key of ${endpoint}`) });
  });
  return credentials;
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // The parser's own message would quote the text, and with it perhaps a key.
    throw new InvalidArgumentError('the credentials are no JSON');
  }
}
