import type { PeerAddress, PeerIdentity } from '../transport/transport';
import type { RejectionReason } from './rejection';

/** Who may register without DTLS: nobody, this machine, devices provisioned so, or anybody. */
export type NoSecPolicy = 'none' | 'loopback' | 'provisioned' | 'any';

/** What is known of devices before they come. Asked for every request, so it answers from memory. */
export interface Provisioning {
  /** What a device must prove to be this endpoint; `undefined` when nobody has said. */
  identityOf(endpoint: string): PeerIdentity | undefined;
  /** The one endpoint that a proved identity may act as. */
  endpointOf(identity: PeerIdentity): string | undefined;
  /** Whether a device without security that nobody has provisioned may come in for now, to be provisioned. */
  mayJoin(endpoint: string): boolean;
}

export const NOTHING_PROVISIONED: Provisioning = {
  identityOf: () => undefined,
  endpointOf: () => undefined,
  mayJoin: () => false,
};

/** Who asks to act as an endpoint: a channel, or a registration that was made before. */
export interface Applicant {
  readonly identity: PeerIdentity;
  readonly address: PeerAddress;
}

/**
 * Decides whether a peer may act as an endpoint. What DTLS proved is bound to one endpoint. A name that is provisioned
 * with a key, or that is registered with a proved identity, is never given to a peer that proved nothing.
 */
export class Admission {
  constructor(
    private readonly noSec: NoSecPolicy,
    private readonly provisioning: Provisioning,
  ) {}

  /**
   * @param current the identity of who is registered as the endpoint now.
   * @returns why the peer must not act as the endpoint; `undefined` when it may.
   */
  refusal(endpoint: string, applicant: Applicant, current: PeerIdentity | undefined): RejectionReason | undefined {
    const { identity, address } = applicant;
    if (identity.mode !== 'nosec') return this.provisioning.endpointOf(identity) === endpoint ? undefined : 'identity';
    const provisioned = this.provisioning.identityOf(endpoint)?.mode;
    if (provisioned !== undefined && provisioned !== 'nosec') return 'identity';
    if (current !== undefined && current.mode !== 'nosec') return 'identity';
    const isProvisioned = provisioned === 'nosec';
    if (this.admitsWithoutSecurity(address.host, isProvisioned)) return undefined;
    // Only where devices have to be provisioned does it help to be a newcomer.
    const isNew = this.noSec === 'provisioned' && !isProvisioned;
    return isNew && this.provisioning.mayJoin(endpoint) ? undefined : 'noSec';
  }

  /** The endpoint of a peer that leaves its name to its credential. */
  endpointOf(identity: PeerIdentity): string | undefined {
    return identity.mode === 'nosec' ? undefined : this.provisioning.endpointOf(identity);
  }

  private admitsWithoutSecurity(host: string, provisioned: boolean): boolean {
    switch (this.noSec) {
      case 'none':
        return false;
      case 'loopback':
        return isLoopback(host);
      case 'provisioned':
        return provisioned;
      case 'any':
        return true;
    }
  }
}

export function isSameIdentity(one: PeerIdentity, other: PeerIdentity): boolean {
  return one === other || (one.mode === other.mode && one.name === other.name);
}

export function isLoopback(host: string): boolean {
  return host.startsWith('127.') || host === '::1';
}
