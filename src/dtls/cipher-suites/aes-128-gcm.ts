import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { AeadAlgorithm } from './aead-cipher';

const OPTIONS = { authTagLength: 16 };

/** AES-128 in GCM with a tag of 16 bytes (RFC 5288 s3). */
export const aes128Gcm: AeadAlgorithm = {
  tagLength: OPTIONS.authTagLength,
  encipher: (key, nonce) => createCipheriv('aes-128-gcm', key, nonce, OPTIONS),
  decipher: (key, nonce) => createDecipheriv('aes-128-gcm', key, nonce, OPTIONS),
};
