import type { PeerAddress, PeerIdentity, Rejection, SentValue } from '../server';
import type { AddressView, CommandedValue, ObjectView, Priority, ReportedValue } from './device-view';
import type { MismatchTopic } from './mismatches';
import type { SuspensionMode } from './suspension';

/** What `lwm2m-events` sends of a registered device (DESIGN section 4). */
export interface DeviceEventPayload {
  endpoint: string;
  version: string;
  binding: string;
  queueMode: boolean;
  /** Effective, s. */
  lifetime: number;
  lifetimeRequested: number;
  objects: ObjectView[];
  address: AddressView;
  identity: PeerIdentity;
  labels: Record<string, string>;
  groups: string[];
  priority: Priority;
  owner?: string;
  /** ms since 1970. */
  registeredAt: number;
}

/** `resumed`: it is back, or let in again while it was still registered. `overdue`: it is not, long after its end. */
export type SuspensionTopic = 'suspended' | 'resumed' | 'overdue';

/** What is known of the device, as of any event: of one that is away what it was registered as. */
export interface SuspensionEventPayload extends Partial<DeviceEventPayload> {
  endpoint: string;
  objects: ObjectView[];
  labels: Record<string, string>;
  groups: string[];
  priority: Priority;
  /** Times in ms since 1970. */
  suspension: { since: number; until: number; mode: SuspensionMode };
}

/** A resource of a device that is not as it was commanded, or is again. */
export interface MismatchPayload {
  endpoint: string;
  path: string;
  commanded: CommandedValue;
  reported: ReportedValue;
}

/** `joined`: it was unknown, and has a record since it registered in a join window. */
export type LifecycleTopic = 'registered' | 'joined' | 'updated' | 'deregistered' | 'expired' | 'awake' | 'asleep';

export type { PeerAddress, Rejection, SentValue };

/** Something that happened to a device. The payload is fresh for each event and its reader's to change. */
export type DeviceEvent =
  | { readonly topic: LifecycleTopic; readonly endpoint: string; readonly payload: DeviceEventPayload }
  | { readonly topic: SuspensionTopic; readonly endpoint: string; readonly payload: SuspensionEventPayload }
  | { readonly topic: MismatchTopic; readonly endpoint: string; readonly payload: MismatchPayload }
  | { readonly topic: 'rejected'; readonly endpoint: string; readonly payload: Rejection }
  /** One event a timestamp of a Send. */
  | { readonly topic: 'sent'; readonly endpoint: string; readonly payload: SentValue[] };

/** What can happen to a device. */
export type DeviceEventTopic = DeviceEvent['topic'];
