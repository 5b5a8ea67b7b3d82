import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

/** PRF(secret, label, seed) = P_SHA256(secret, label + seed) (RFC 5246 s5), of all suites that we have. */
export function prf(secret: KeyObject, label: string, seed: Buffer, length: number): Buffer {
  const labelled = Buffer.concat([Buffer.from(label, 'ascii'), seed]);
  const output: Buffer[] = [];
  let a = labelled;
  for (let made = 0; made < length; made += 32) {
    a = createHmac('sha256', secret).update(a).digest();
    output.push(createHmac('sha256', secret).update(a).update(labelled).digest());
  }
  return Buffer.concat(output).subarray(0, length);
}

const MASTER_SECRET_LENGTH = 48;

/** RFC 5246 s8.1. The premaster secret is wiped. */
export function masterSecret(premaster: Buffer, clientRandom: Buffer, serverRandom: Buffer): KeyObject {
  return deriveMasterSecret(premaster, 'master secret', Buffer.concat([clientRandom, serverRandom]));
}

/** RFC 7627 s4: bound to the whole handshake up to ClientKeyExchange. The premaster secret is wiped. */
export function extendedMasterSecret(premaster: Buffer, sessionHash: Buffer): KeyObject {
  return deriveMasterSecret(premaster, 'extended master secret', sessionHash);
}

function deriveMasterSecret(premaster: Buffer, label: string, seed: Buffer): KeyObject {
  const secret = createSecretKey(premaster);
  premaster.fill(0);
  const master = prf(secret, label, seed, MASTER_SECRET_LENGTH);
  const key = createSecretKey(master);
  master.fill(0);
  return key;
}

/** RFC 5246 s6.3: the server's random comes first here. */
export function keyBlock(master: KeyObject, serverRandom: Buffer, clientRandom: Buffer, length: number): Buffer {
  return prf(master, 'key expansion', Buffer.concat([serverRandom, clientRandom]), length);
}

export const VERIFY_DATA_LENGTH = 12;

/** RFC 5246 s7.4.9. */
export function verifyData(master: KeyObject, sender: 'client' | 'server', handshakeHash: Buffer): Buffer {
  return prf(master, `${sender} finished`, handshakeHash, VERIFY_DATA_LENGTH);
}

/** `other_secret` and `psk` as the premaster secret of all PSK key exchanges (RFC 4279 s2, RFC 5489 s2). The other secret is wiped. */
export function pskPremasterSecret(otherSecret: Buffer, psk: Buffer): Buffer {
  const premaster = Buffer.alloc(4 + otherSecret.length + psk.length);
  premaster.writeUInt16BE(otherSecret.length, 0);
  otherSecret.copy(premaster, 2);
  premaster.writeUInt16BE(psk.length, 2 + otherSecret.length);
  psk.copy(premaster, 4 + otherSecret.length);
  otherSecret.fill(0);
  return premaster;
}
