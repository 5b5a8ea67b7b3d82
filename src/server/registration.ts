import type { PeerAddress, PeerIdentity, Scheme } from '../transport/transport';
import type { RegisteredObjects } from './registered-objects';

/** The versions of the LwM2M enabler that this server speaks. */
export type Lwm2mVersion = '1.0' | '1.1' | '1.2';

/** A device's registration (LwM2M Core 1.2 s6.2). Never changed: an update makes a new one with the next revision. */
export interface Registration {
  /** The last segment of its location `/rd/<id>`: 128 random bits. */
  readonly id: string;
  readonly endpoint: string;
  /** Counts the changes, from 1. What a store compares before it sets. */
  readonly revision: number;
  /** The instance of this server whose socket or session reaches the device. */
  readonly owner: string;
  readonly version: Lwm2mVersion;
  /** Without the Q: `U`, `UT`. */
  readonly binding: string;
  readonly queueMode: boolean;
  /** Effective, s. */
  readonly lifetime: number;
  /** What the device asked for, s. */
  readonly lifetimeRequested: number;
  readonly smsNumber?: string;
  readonly profileId?: string;
  readonly objects: RegisteredObjects;
  readonly scheme: Scheme;
  readonly address: PeerAddress;
  readonly identity: PeerIdentity;
  /** ms since 1970. */
  readonly registeredAt: number;
}
