import type { PeerIdentity, Rejection } from '../server';
import type { AddressView } from './device-view';

/** How many newcomers are remembered; those that came longest ago go first. */
const MAX_PENDING = 1000;

/** A device that was turned away because nobody has provisioned it. A fresh object that its reader may change. */
export interface PendingDevice {
  /** Whom it claims to be; empty of an identity of a pre-shared key that nobody knows, which registers as nobody knows. */
  endpoint: string;
  /** `noSec`: it has no security, and only provisioned devices may. `identity`: nobody knows what it proves itself with. */
  reason: 'noSec' | 'identity';
  /** What it claims; proved only of a certificate. */
  identity: PeerIdentity;
  /** Where it came from last. */
  address: AddressView;
  /** How often it was turned away; of a flood not every time. */
  count: number;
  /** ms since 1970 */
  firstSeen: number;
  lastSeen: number;
}

export interface PendingDevicesContext {
  /** What a device must prove to be this endpoint, if anybody has said. */
  readonly identityOf: (endpoint: string) => PeerIdentity | undefined;
  /** The one endpoint that a proved identity may act as. */
  readonly endpointOf: (identity: PeerIdentity) => string | undefined;
  readonly now: () => number;
}

/** Who wanted to come and is unknown: what an installer looks at to provision it. Lives as long as the process. */
export class PendingDevices {
  readonly #pending = new Map<string, PendingDevice>();
  readonly #context: PendingDevicesContext;

  constructor(context: PendingDevicesContext) {
    this.#context = context;
  }

  /** A device was turned away. */
  rejected(rejection: Rejection): void {
    const { reason, endpoint, identity, address } = rejection;
    if ((reason !== 'noSec' && reason !== 'identity') || !this.#isUnknown(rejection)) return;
    const now = this.#context.now();
    const key = keyOf(endpoint, identity);
    const before = this.#pending.get(key);
    // The one that came last is the last to go.
    this.#pending.delete(key);
    if (this.#pending.size >= MAX_PENDING) {
      for (const oldest of this.#pending.keys()) {
        this.#pending.delete(oldest);
        break;
      }
    }
    const { count = 0, firstSeen = now } = before ?? {};
    this.#pending.set(key, { endpoint, reason, identity, address, count: count + 1, firstSeen, lastSeen: now });
  }

  /** The device is provisioned, or registered without. */
  known(endpoint: string, identity: PeerIdentity | undefined): void {
    if (this.#pending.size === 0) return;
    this.#pending.delete(endpoint);
    if (identity !== undefined) this.#pending.delete(keyOf('', identity));
  }

  /** The newcomer of this endpoint, else the one with this identity of a pre-shared key. */
  find(endpoint: string, pskIdentity: string | undefined): PendingDevice | undefined {
    const found = this.#pending.get(endpoint);
    if (found !== undefined || pskIdentity === undefined) return found;
    return this.#pending.get(keyOf('', { mode: 'psk', name: pskIdentity }));
  }

  /** Who came last is first. */
  list(): PendingDevice[] {
    return [...this.#pending.values()]
      .map((device) => ({ ...device, identity: { ...device.identity }, address: { ...device.address } }))
      .reverse();
  }

  #isUnknown({ operation, reason, endpoint, identity }: Rejection): boolean {
    const { identityOf, endpointOf } = this.#context;
    if (operation === 'handshake') {
      return identity.mode === 'psk' && identity.name !== undefined && endpointOf(identity) === undefined;
    }
    if ((operation !== 'register' && operation !== 'update') || endpoint === '') return false;
    if (identityOf(endpoint) !== undefined) return false;
    if (reason === 'noSec') return true;
    // Of a certificate that is believed, the name is another one than that of the endpoint.
    const { mode, name = '' } = identity;
    return mode === 'x509' && endpointOf(identity) === name && identityOf(name) === undefined;
  }
}

/** No endpoint begins so. */
function keyOf(endpoint: string, { mode, name = '' }: PeerIdentity): string {
  return endpoint === '' ? `\0${mode} ${name}` : endpoint;
}
