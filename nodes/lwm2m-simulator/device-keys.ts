import { createHmac, randomBytes } from 'node:crypto';
import { InvalidArgumentError } from '../../src/index';
import { isEmpty } from '../shared/options';

/** What a simulated device proves itself with. */
export interface DeviceKey {
  readonly identity: string;
  readonly key: Buffer;
}

/** The keys of the devices of one simulator node. */
export interface DeviceKeys {
  of(endpoint: string): DeviceKey;
}

const KEY_LENGTH = 16;
const LONGEST_KEY = 64;

/** An identity that begins so belongs to a simulated device whose key nobody but its simulator has. */
const PREFIX = 'simulated:';

/**
 * Keys that no one has to know: one a device, from a secret that lives as long as the simulation and is kept nowhere. The
 * server of the same Node-RED is told them; see docs/decisions/0006.
 */
export function ownKeys(): DeviceKeys {
  const secret = randomBytes(32);
  return {
    of: (endpoint) => ({
      identity: ownIdentity(endpoint),
      key: createHmac('sha256', secret).update(endpoint).digest().subarray(0, KEY_LENGTH),
    }),
  };
}

export function ownIdentity(endpoint: string): string {
  return PREFIX + endpoint;
}

/**
 * The key that the node's credentials hold, for all its devices: their server is elsewhere, and was told of it there. The
 * identity of each is its endpoint.
 * @throws {InvalidArgumentError} it is no key; the text does not show it.
 */
export function givenKey(text: string): DeviceKeys {
  const hex = text.replaceAll(/[\s:]/g, '');
  const key = Buffer.from(hex, 'hex');
  if (isEmpty(hex) || key.length * 2 !== hex.length || key.length > LONGEST_KEY) {
    throw new InvalidArgumentError(`the key must be 1 to ${LONGEST_KEY} bytes in hexadecimal`);
  }
  return { of: (endpoint) => ({ identity: endpoint, key }) };
}
