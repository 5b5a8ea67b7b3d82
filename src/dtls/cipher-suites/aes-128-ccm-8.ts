import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { AeadAlgorithm } from './aead-cipher';

const OPTIONS = { authTagLength: 8 };

/** AES-128 in CCM with a tag of 8 bytes (RFC 6655 s4). */
export const aes128Ccm8: AeadAlgorithm = {
  tagLength: OPTIONS.authTagLength,
  encipher: (key, nonce) => createCipheriv('aes-128-ccm', key, nonce, OPTIONS),
  decipher: (key, nonce) => createDecipheriv('aes-128-ccm', key, nonce, OPTIONS),
};
