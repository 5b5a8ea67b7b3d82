import { generateKeyPairSync } from 'node:crypto';

/** A fresh key on P-256 as device makers hand it over: base64 of its SubjectPublicKeyInfo. */
export function newRawPublicKey(): string {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
}
