import type { PeerIdentity } from '../server';
import type { Priority } from './device-view';

/** How a device proves who it is. */
export type DeviceSecurity =
  /** The identity of a pre-shared key, and the key: 1 to 64 bytes (RFC 4279 s5.3). */
  | { readonly mode: 'psk'; readonly identity: string; readonly key: Buffer }
  /** SubjectPublicKeyInfo in DER (RFC 7250 s3). */
  | { readonly mode: 'rpk'; readonly publicKey: Buffer }
  /** What the SubjectAltName or the common name of its certificate must say. */
  | { readonly mode: 'x509'; readonly name: string }
  /** Not at all. */
  | { readonly mode: 'nosec' };

/** What was entered of a device; it may never have been heard. Never changed: a change makes one of the next revision. */
export interface DeviceRecord {
  readonly endpoint: string;
  /** `undefined`: nobody has said; the device may prove itself by a certificate that names its endpoint, or not at all. */
  readonly security?: DeviceSecurity;
  readonly labels: Readonly<Record<string, string>>;
  readonly groups: readonly string[];
  readonly priority: Priority;
  readonly owner?: string;
  /** Who runs the service for the device. */
  readonly provider?: string;
  /** Who has the contract with the provider, when it is not the owner. */
  readonly subscriber?: string;
  /** Who uses the device, for people to see; what somebody may do the roles and grants say. */
  readonly user?: string;
  /** Who has the contract with the network; often nobody, when it goes through a telephone for example. */
  readonly networkSubscriber?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** How long it is awake after it was last heard, if it has queue mode, s; `undefined`: as long as the others. */
  readonly awakeTime?: number;
  /** From 1 on. */
  readonly revision: number;
}

/** How a device proves who it is, as it may be shown: without its key. */
export type ShownSecurity =
  | { readonly mode: 'psk'; readonly identity: string }
  /** Base64 of the SubjectPublicKeyInfo in DER. */
  | { readonly mode: 'rpk'; readonly publicKey: string }
  | { readonly mode: 'x509'; readonly name: string }
  | { readonly mode: 'nosec' };

/** A device record as it may be shown. A fresh object that its reader may change, and may give back to `provision`. */
export interface ProvisionedDevice {
  endpoint: string;
  security?: ShownSecurity;
  labels: Record<string, string>;
  groups: string[];
  priority: Priority;
  owner?: string;
  provider?: string;
  subscriber?: string;
  user?: string;
  networkSubscriber?: string;
  metadata?: Record<string, unknown>;
  awakeTime?: number;
}

/** The identity that a device of this record proves in its handshake; of a raw public key the name is the endpoint. */
export function identityOf({ endpoint, security }: DeviceRecord): PeerIdentity | undefined {
  switch (security?.mode) {
    case 'psk':
      return { mode: 'psk', name: security.identity };
    case 'rpk':
      return { mode: 'rpk', name: endpoint };
    case 'x509':
      return { mode: 'x509', name: security.name };
    case 'nosec':
      return { mode: 'nosec' };
    case undefined:
      return undefined;
  }
}

/** What a peer proves, as a key that no other kind of proof has; `undefined`: nothing. */
export function credentialOf(security: DeviceSecurity | undefined): string | undefined {
  switch (security?.mode) {
    case 'psk':
      return `psk ${security.identity}`;
    case 'rpk':
      return `rpk ${security.publicKey.toString('base64')}`;
    case 'x509':
      return `x509 ${security.name}`;
    case 'nosec':
    case undefined:
      return undefined;
  }
}

/** Who has to do with a device (OMA LwM2M requirements, use case B.3): names, for people and for flows. */
export const PARTIES = ['owner', 'provider', 'subscriber', 'user', 'networkSubscriber'] as const;

export function shownRecord(record: DeviceRecord): ProvisionedDevice {
  const { endpoint, security, labels, groups, priority, metadata, awakeTime } = record;
  const parties = PARTIES.flatMap((name) => (record[name] === undefined ? [] : [[name, record[name]] as const]));
  return {
    endpoint,
    ...(security === undefined ? {} : { security: shownSecurity(security) }),
    labels: { ...labels },
    groups: [...groups],
    priority,
    ...Object.fromEntries(parties),
    ...(metadata === undefined ? {} : { metadata: structuredClone(metadata) }),
    ...(awakeTime === undefined ? {} : { awakeTime }),
  };
}

function shownSecurity(security: DeviceSecurity): ShownSecurity {
  switch (security.mode) {
    case 'psk':
      return { mode: 'psk', identity: security.identity };
    case 'rpk':
      return { mode: 'rpk', publicKey: security.publicKey.toString('base64') };
    case 'x509':
      return { mode: 'x509', name: security.name };
    case 'nosec':
      return { mode: 'nosec' };
  }
}
