import { randomFillSync } from 'node:crypto';

const ID_BYTES = 16;
const POOL = Buffer.allocUnsafeSlow(ID_BYTES * 256);
let used = POOL.length;

/** 128 random bits as text for a path: whoever knows it may update the registration, so nobody may guess it. */
export function newRegistrationId(): string {
  if (used === POOL.length) {
    randomFillSync(POOL);
    used = 0;
  }
  const id = POOL.toString('base64url', used, used + ID_BYTES);
  used += ID_BYTES;
  return id;
}
