import { createSecretKey } from 'node:crypto';
import type { RecordCipher } from '../record/record-cipher';
import { AeadCipher, type AeadAlgorithm, type AeadKey } from './aead-cipher';
import { aes128Ccm8 } from './aes-128-ccm-8';
import { aes128Gcm } from './aes-128-gcm';
import { CbcCipher, type CbcKey } from './cbc-cipher';

export type KeyExchange = 'psk' | 'ecdhe-psk' | 'ecdhe-ecdsa';

/** How the records of a suite are protected. */
export interface RecordProtection {
  /** Bytes of the key block (RFC 5246 s6.3). */
  readonly keyBlockLength: number;
  /** Encrypt-then-MAC has a meaning only for CBC (RFC 7366 s3). */
  readonly isBlockCipher: boolean;
  /** The server's end: it writes with the server's keys and reads with the client's. */
  create(keyBlock: Buffer, encryptThenMac: boolean): RecordCipher;
}

/** A cipher suite; the PRF and the hash of all of ours are SHA-256. */
export interface CipherSuite {
  readonly id: number;
  /** As IANA writes it. */
  readonly name: string;
  readonly keyExchange: KeyExchange;
  readonly protection: RecordProtection;
}

function aead(algorithm: AeadAlgorithm): RecordProtection {
  const part = (block: Buffer, keyOffset: number, saltOffset: number): AeadKey => ({
    key: createSecretKey(block.subarray(keyOffset, keyOffset + 16)),
    salt: block.readUInt32BE(saltOffset),
  });
  return {
    keyBlockLength: 40,
    isBlockCipher: false,
    create: (block) => new AeadCipher(algorithm, part(block, 16, 36), part(block, 0, 32)),
  };
}

const cbcSha256: RecordProtection = {
  keyBlockLength: 96,
  isBlockCipher: true,
  create(block, encryptThenMac) {
    const part = (macOffset: number, keyOffset: number): CbcKey => ({
      macKey: createSecretKey(block.subarray(macOffset, macOffset + 32)),
      key: createSecretKey(block.subarray(keyOffset, keyOffset + 16)),
    });
    return new CbcCipher(part(32, 80), part(0, 64), encryptThenMac);
  },
};

/** All suites, the best first: this order, not the client's, decides. */
const CIPHER_SUITES = [
  { id: 0xc0a8, name: 'TLS_PSK_WITH_AES_128_CCM_8', keyExchange: 'psk', protection: aead(aes128Ccm8) },
  { id: 0xc0ae, name: 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8', keyExchange: 'ecdhe-ecdsa', protection: aead(aes128Ccm8) },
  {
    id: 0xc02b,
    name: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
    keyExchange: 'ecdhe-ecdsa',
    protection: aead(aes128Gcm),
  },
  { id: 0xc037, name: 'TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256', keyExchange: 'ecdhe-psk', protection: cbcSha256 },
  { id: 0xc023, name: 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256', keyExchange: 'ecdhe-ecdsa', protection: cbcSha256 },
  { id: 0x00ae, name: 'TLS_PSK_WITH_AES_128_CBC_SHA256', keyExchange: 'psk', protection: cbcSha256 },
] as const satisfies readonly CipherSuite[];

/** The name of a DTLS cipher suite as IANA registers it. */
export type CipherSuiteName = (typeof CIPHER_SUITES)[number]['name'];

/** What LwM2M devices need and no more (RFC 7925 s4.2): the CBC suites are for those that cannot do better. */
export const DEFAULT_CIPHER_SUITES: readonly CipherSuiteName[] = [
  'TLS_PSK_WITH_AES_128_CCM_8',
  'TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8',
  'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
];

/** All that this server knows, in its order of preference; those with CBC too. */
export const ALL_CIPHER_SUITES: readonly CipherSuiteName[] = CIPHER_SUITES.map((suite) => suite.name);

/** The chosen suites, in the server's order of preference. */
export function cipherSuites(names: readonly CipherSuiteName[]): readonly CipherSuite[] {
  return CIPHER_SUITES.filter((suite) => names.includes(suite.name));
}
