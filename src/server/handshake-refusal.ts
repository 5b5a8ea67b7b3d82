import type { PeerAddress, PeerIdentity } from '../transport/transport';
import type { Admission } from './admission';
import type { RejectionReason } from './rejection';
import type { Rejections } from './rejections';

/** A peer that DTLS did not let in. */
export interface HandshakeRefusal {
  readonly address: PeerAddress;
  /** Whom it claimed to be, as far as it came. */
  readonly identity: PeerIdentity | undefined;
  /** The name of the alert it was told (RFC 5246 s7.2); `undefined`: it went away by itself. */
  readonly alert: string | undefined;
}

/** What it means for a device's owner; alerts that are not here say that the peer is broken, which only the log says. */
const REASONS: Readonly<Record<string, RejectionReason>> = {
  decryptError: 'identity',
  badCertificate: 'identity',
  certificateExpired: 'identity',
  certificateRevoked: 'identity',
  certificateUnknown: 'identity',
  unknownCa: 'identity',
  unsupportedCertificate: 'identity',
  accessDenied: 'identity',
  handshakeFailure: 'version',
  insufficientSecurity: 'version',
  protocolVersion: 'version',
};

const MAX_NAME = 255;
const NOBODY: PeerIdentity = { mode: 'nosec' };

export function sayRefusal(
  { address, identity = NOBODY, alert }: HandshakeRefusal,
  admission: Admission,
  rejections: Rejections,
): void {
  const reason = alert === undefined ? undefined : REASONS[alert];
  if (reason === undefined) return;
  const claimed = identity.name === undefined ? identity : { ...identity, name: identity.name.slice(0, MAX_NAME) };
  const peer = { scheme: 'coaps', address, identity: claimed } as const;
  rejections.say(peer, admission.endpointOf(identity) ?? '', 'handshake', reason);
}
