import { generateKeyPairSync, type KeyObject } from 'node:crypto';

/** A fresh key on P-256, and its public key as device makers hand it over: the SubjectPublicKeyInfo in DER. */
export function newKeyPair(): { privateKey: KeyObject; spki: Buffer } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, spki: publicKey.export({ format: 'der', type: 'spki' }) };
}
