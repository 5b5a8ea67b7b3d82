import { createSecretKey, type KeyObject } from 'node:crypto';
import type { PeerIdentity } from '../transport/transport';
import type { CipherSuite } from './cipher-suites/cipher-suite';
import type { DtlsChannel } from './dtls-channel';

export const SESSION_ID_LENGTH = 16;

/** What a session can be resumed from (RFC 5246 s7.4.1.2). All of them were made with an extended master secret. */
export interface ResumableSession {
  /** The channel that lives on when the session is resumed; `undefined` once it is closed. */
  channel: DtlsChannel | undefined;
  /** By `packId`. */
  readonly id: string;
  /** By `packSecret`. */
  readonly masterSecret: string;
  readonly suite: CipherSuite;
  readonly identity: PeerIdentity;
  /** `monotonic()` ms. */
  readonly deadline: number;
}

/** Sessions by their id, the oldest given up first. */
export class SessionCache {
  readonly #capacity: number;
  readonly #sessions = new Map<string, ResumableSession>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#sessions.size;
  }

  put(session: ResumableSession): void {
    this.#sessions.set(session.id, session);
    if (this.#sessions.size <= this.#capacity) return;
    for (const oldest of this.#sessions.keys()) {
      this.#sessions.delete(oldest);
      return;
    }
  }

  get(id: Buffer, now: number): ResumableSession | undefined {
    if (id.length !== SESSION_ID_LENGTH) return undefined;
    const session = this.#sessions.get(packId(id));
    if (session === undefined || session.deadline > now) return session;
    this.remove(session);
    return undefined;
  }

  remove(session: ResumableSession): void {
    this.#sessions.delete(session.id);
  }

  removeIdentity(isCutOff: (identity: PeerIdentity) => boolean): void {
    for (const session of this.#sessions.values()) if (isCutOff(session.identity)) this.remove(session);
  }

  removeExpired(now: number): void {
    for (const session of this.#sessions.values()) if (session.deadline <= now) this.remove(session);
  }

  clear(): void {
    this.#sessions.clear();
  }
}

/*
 * Sessions live for a day and there are many of them. As a string a value costs its own length; a KeyObject costs 1.2 KB, and
 * a small Buffer may keep the 8 KiB alive that it was cut from.
 */

export function packId(id: Buffer): string {
  return id.toString('latin1');
}

export function unpackId(id: string): Buffer {
  return Buffer.from(id, 'latin1');
}

export function packSecret(secret: KeyObject): string {
  return secret.export().toString('latin1');
}

export function unpackSecret(secret: string): KeyObject {
  return createSecretKey(secret, 'latin1');
}
