import { createHash } from 'node:crypto';

/** The same text for equal settings, credentials among them, that shows none of them. */
export function fingerprintOf(settings: unknown): string {
  return createHash('sha256').update(JSON.stringify(settings)).digest('hex');
}
