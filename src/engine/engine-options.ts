import type { AccessSettings, AccessStore } from '../access';
import type { CipherSuiteName } from '../dtls';
import type { Store } from '../fleet';
import type { NoSecPolicy } from '../server';
import type { Transport } from '../transport/transport';
import type { Clock } from '../util/clock';
import type { Log } from '../util/log';
import type { ServerCredentialsOptions } from './server-credentials';

/** How an engine is made. All of it may be left out. */
export interface EngineOptions {
  /** The address to listen on; `::` (the default) is every address, IPv4 and IPv6. */
  readonly host?: string;
  /** UDP port of CoAP, 5683 by default; `null` is off, 0 one that is free. */
  readonly coapPort?: number | null;
  /** UDP port of CoAP over DTLS, usually 5684; `null` (the default) is off, 0 one that is free. */
  readonly coapsPort?: number | null;
  /** What the server proves itself with over DTLS, and whose device certificates it believes. */
  readonly credentials?: ServerCredentialsOptions;
  /** Cipher suites of DTLS; by default all that this server knows but those with CBC. */
  readonly cipherSuites?: readonly CipherSuiteName[];
  /** This server's number among those that share an address, 0 (the default) to 65,535: in every DTLS connection id. */
  readonly instance?: number;
  /** `loopback` by default. */
  readonly noSec?: NoSecPolicy;
  /** Bounds of the effective lifetime, s. By default 1 and 2^32 - 1. */
  readonly lifetimeMin?: number;
  readonly lifetimeMax?: number;
  /** How long a queue-mode device is awake after it was last heard, s; 93 by default. */
  readonly awakeTime?: number;
  /**
   * Whether a notification shows a queue-mode device to be awake, so that orders for it go out; it does by default. Not all
   * devices listen after they have notified.
   */
  readonly awakeOnNotify?: boolean;
  /** How many observations of policies may begin in a second, after a storm of registrations for example; 200 by default. */
  readonly observationRate?: number;
  /** How long a device may report something else than what it was commanded before it is said as `mismatch`, s; 10 by default. */
  readonly mismatchGrace?: number;
  /** How many devices may be registered at once; more are answered 5.03. 250,000 by default. */
  readonly maxRegistrations?: number;
  /**
   * How late the event loop may be, ms; 200 by default. Above it, registrations of devices of low priority are put off with
   * 5.03, above twice of it also those of normal priority.
   */
  readonly maxLag?: number;
  /** How late the event loop is, ms; measured by default. */
  readonly lag?: () => number;
  /** A folder of object definitions (DDF files), watched. */
  readonly objectsDir?: string;
  /**
   * Object lists by the Profile ID that 1.2 devices may register instead of them, each written as in the payload of a
   * Register: `{ a3f5c1: '</1/0>,</3/0>' }`.
   */
  readonly profiles?: Readonly<Record<string, string>>;
  /** Where registrations, observations, device records and the server's own key live; in memory by default. */
  readonly store?: Store & AccessStore;
  /** Who may do what to which devices; absent: everybody everything. Can be changed while it runs (`setAccess`). */
  readonly access?: AccessSettings;
  /** The name of this instance among those that share the store. */
  readonly owner?: string;
  readonly clock?: Clock;
  /** Instead of `host` and `coapPort`: for tests and for other transports. */
  readonly transports?: readonly Transport[];
  /** Instead of `host` and `coapsPort`: what DTLS runs over. */
  readonly dtlsTransports?: readonly Transport[];
  readonly log?: Log;
}
