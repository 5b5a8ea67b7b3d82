import type { PeerAddress, PeerIdentity } from '../transport/transport';
import { Admission } from './admission';
import type { DtlsChannel } from './dtls-channel';

/** All live sessions, by identity; counted in total and per network. */
export class SessionTable {
  readonly admission: Admission;
  readonly #perIdentity: number;
  /** Of each identity the sessions in the order they were made. */
  readonly #byIdentity = new Map<string, DtlsChannel[]>();

  constructor(total: number, perNetwork: number, perIdentity: number) {
    this.admission = new Admission(total, perNetwork);
    this.#perIdentity = perIdentity;
  }

  /** Adds a session; answers those of the same identity that must go for it. */
  add(channel: DtlsChannel): DtlsChannel[] {
    const key = keyOf(channel.identity);
    const channels = this.#byIdentity.get(key) ?? [];
    this.#byIdentity.set(key, [...channels, channel]);
    this.admission.take(channel.address.host);
    return channels.slice(0, Math.max(0, channels.length + 1 - this.#perIdentity));
  }

  remove(channel: DtlsChannel): void {
    const key = keyOf(channel.identity);
    const channels = this.#byIdentity.get(key) ?? [];
    const left = channels.filter((other) => other !== channel);
    if (left.length === channels.length) return;
    if (left.length === 0) this.#byIdentity.delete(key);
    else this.#byIdentity.set(key, left);
    this.admission.release(channel.address.host);
  }

  /** Counts the session where its peer is now. Call it before the channel's address changes. */
  move(channel: DtlsChannel, to: PeerAddress): void {
    this.admission.release(channel.address.host);
    this.admission.take(to.host);
  }

  of(identity: PeerIdentity): readonly DtlsChannel[] {
    return this.#byIdentity.get(keyOf(identity)) ?? [];
  }

  all(): DtlsChannel[] {
    return [...this.#byIdentity.values()].flat();
  }
}

function keyOf({ mode, name }: PeerIdentity): string {
  return `${mode} ${name ?? ''}`;
}
