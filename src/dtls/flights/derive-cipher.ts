import type { KeyObject } from 'node:crypto';
import type { HandshakeContext } from '../handshake-context';
import type { RecordCipher } from '../record/record-cipher';
import { keyBlock } from '../prf';

/** The record keys from the master secret and both randoms (RFC 5246 s6.3). */
export function deriveCipher(context: HandshakeContext, masterSecret: KeyObject): RecordCipher {
  const { agreement, serverRandom, hello } = context;
  const { protection } = agreement.suite;
  const block = keyBlock(masterSecret, serverRandom, hello.random, protection.keyBlockLength);
  const cipher = protection.create(block, agreement.encryptThenMac);
  block.fill(0);
  context.cipher = cipher;
  return cipher;
}
