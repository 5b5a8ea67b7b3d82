import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const FILE = 'server-key.pem';

/**
 * The private key (PEM) of a server that was given none: made at its first start and kept where the server keeps its
 * things, readable by its owner only, so that devices that know the server by its public key know it after a restart.
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
