import type { PeerAddress, PeerIdentity, Scheme } from '../transport/transport';

/**
 * Why a device was turned away: `noSec` by the policy for devices without DTLS, `identity` because the name belongs to
 * another identity or to a key, or the device could not prove who it is, `version` of DTLS, LwM2M or profile that is not
 * known, `unknown` registration.
 */
export type RejectionReason = 'noSec' | 'identity' | 'suspended' | 'overload' | 'version' | 'unknown';

/** A device that was refused, and why. */
export interface Rejection {
  /** Whom it claimed to be; empty when it did not come so far. */
  endpoint: string;
  address: PeerAddress & { readonly transport: Scheme };
  /** What it proved; of a `handshake` what it claimed and could not prove. */
  identity: PeerIdentity;
  operation: 'handshake' | 'register' | 'update' | 'deregister' | 'send';
  reason: RejectionReason;
}

/** One value of a Send (LwM2M Core 1.2 s6.4.6). `at`: ms since 1970, the device's own time, else of arrival. */
export interface SentValue {
  path: string;
  value: unknown;
  at: number;
}
