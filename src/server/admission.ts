import type { Channel, PeerIdentity } from '../transport/transport';
import type { Registration } from './registration';
import type { RejectionReason } from './rejection';

/** Who may register without DTLS: nobody, this machine, devices provisioned so, or anybody. */
export type NoSecPolicy = 'none' | 'loopback' | 'provisioned' | 'any';

/** What is known of a device before it comes. */
export interface Provisioning {
  /** The mode of security it was provisioned with; `undefined` when it was not. */
  securityMode(endpoint: string): PeerIdentity['mode'] | undefined;
}

export const NOTHING_PROVISIONED: Provisioning = { securityMode: () => undefined };

/**
 * Decides whether a peer may act as an endpoint. A name that is provisioned with a key, or that is registered with a
 * proved identity, is never given to a peer without it.
 */
export class Admission {
  constructor(
    private readonly noSec: NoSecPolicy,
    private readonly provisioning: Provisioning,
  ) {}

  /** @returns why the peer must not act as the endpoint; `undefined` when it may. */
  refusal(endpoint: string, channel: Channel, current: Registration | undefined): RejectionReason | undefined {
    const { identity } = channel;
    if (current !== undefined && !mayFollow(current.identity, identity)) return 'identity';
    const provisioned = this.provisioning.securityMode(endpoint);
    if (identity.mode === 'nosec') {
      if (provisioned !== undefined && provisioned !== 'nosec') return 'identity';
      return this.admitsWithoutSecurity(channel, provisioned === 'nosec') ? undefined : 'noSec';
    }
    return undefined;
  }

  private admitsWithoutSecurity(channel: Channel, provisioned: boolean): boolean {
    switch (this.noSec) {
      case 'none':
        return false;
      case 'loopback':
        return isLoopback(channel.address.host);
      case 'provisioned':
        return provisioned;
      case 'any':
        return true;
    }
  }
}

/** Whether a peer of identity `next` may take over a registration made by `current`: the same one, or one where there was none. */
function mayFollow(current: PeerIdentity, next: PeerIdentity): boolean {
  return current.mode === 'nosec' || isSameIdentity(current, next);
}

export function isSameIdentity(one: PeerIdentity, other: PeerIdentity): boolean {
  return one === other || (one.mode === other.mode && one.name === other.name);
}

export function isLoopback(host: string): boolean {
  return host.startsWith('127.') || host === '::1';
}
