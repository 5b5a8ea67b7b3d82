import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const FILE = 'server-key.pem';

/**
 * The private key (PEM) of a server that was given none and whose store forgets: made at its first start and kept where the
 * server keeps its things, readable by its owner only, so that devices that know the server by its public key know it after
 * a restart.
 * @param warn told when it cannot be kept; the server then has another key after a restart.
 */
export function serverKeyIn(directory: string, warn: (text: string) => void): string {
  const file = path.join(directory, FILE);
  try {
    if (existsSync(file)) return readFileSync(file, 'utf8');
  } catch (error) {
    warn(`the server's key cannot be read, so it has a new one until the next start: ${reasonOf(error)}`);
    return makeKey();
  }
  const key = makeKey();
  try {
    keep(directory, file, key);
  } catch (error) {
    warn(`the server's key cannot be kept, so it has another one after the next start: ${reasonOf(error)}`);
  }
  return key;
}

/**
 * The key of a server that kept it in a file until now, and whose store keeps it from now on.
 * @param warn told when there is one that cannot be read.
 */
export function formerServerKeyIn(directory: string, warn: (text: string) => void): string | undefined {
  const file = path.join(directory, FILE);
  try {
    if (!existsSync(file)) return undefined;
    const key = readFileSync(file, 'utf8');
    publicKeyOf(key);
    return key;
  } catch (error) {
    warn(`the server's key in ${file} cannot be read, and is not taken over: ${reasonOf(error)}`);
    return undefined;
  }
}

/**
 * Removes the file of a key that the store has now.
 * @param publicKey of the server, as the store knows it: base64 of the SubjectPublicKeyInfo in DER.
 * @returns whether it was removed; a file with another key stays.
 */
export function removeServerKeyFrom(directory: string, key: string, publicKey: string | undefined): boolean {
  if (publicKeyOf(key) !== publicKey) return false;
  rmSync(path.join(directory, FILE), { force: true });
  return true;
}

function publicKeyOf(privateKey: string): string {
  return createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).toString('base64');
}

/** A key on P-256, the one curve that all devices know (RFC 7925 s4.4). */
function makeKey(): string {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return privateKey;
}

/** Whole or not at all: half a key would keep the server from starting. */
function keep(directory: string, file: string, key: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const unfinished = `${file}.new`;
  writeFileSync(unfinished, key, { mode: 0o600 });
  renameSync(unfinished, file);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
