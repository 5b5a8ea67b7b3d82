import type { OperationName, PeerAddress, PeerIdentity, Value } from '../server';

/** `asleep`: registered in queue mode, and not listening now. `suspended`: told to stay away. `offline`: not registered. */
export type Connectivity = 'online' | 'asleep' | 'suspended' | 'offline';

/** Who gives way when there is too much to do: `low` first, `high` never. */
export type Priority = 'low' | 'normal' | 'high';

/** An object that a device says it has. */
export interface ObjectView {
  readonly id: number;
  readonly version: string;
  readonly instances: number[];
}

/** Where a device was last heard from. */
export interface AddressView extends PeerAddress {
  readonly transport: 'coap' | 'coaps';
}

/** A value that was ordered: by whom and when (ms since 1970) it was written. */
export interface CommandedValue {
  readonly value: unknown;
  readonly at: number;
  readonly by?: string;
}

/** A value that the device itself has told: in an answer, a notification or a Send. */
export interface ReportedValue {
  readonly value: Value | Record<string, Value>;
  readonly at: number;
}

/** A value that was ordered and that the device has not accepted: on its way, waiting for the device, or come to nothing. */
export interface PendingValue {
  readonly value: unknown;
  /** When it was ordered, ms since 1970. */
  readonly at: number;
  readonly by?: string;
  readonly state: 'queued' | 'sent' | 'failed' | 'expired';
}

/** An order for a device that is not done. */
export interface OpenOrderView {
  readonly operation: OperationName;
  /** Several paths are separated by commas. */
  readonly path: string;
  /** `queued`: it waits for the device; `sent`: it is on its way to it. */
  readonly state: 'queued' | 'sent';
  /** When it was given and when it expires, ms since 1970. */
  readonly since: number;
  readonly expires: number;
  readonly by?: string;
}

/** What is known of the value of one resource. */
export interface ValueView {
  /** The last one that the device accepted. */
  readonly commanded?: CommandedValue;
  /** The last one ordered, as long as the device has not accepted it. */
  readonly pending?: PendingValue;
  readonly reported?: ReportedValue;
  /** The device reports something else than what it was commanded, and has done so for long enough. */
  readonly mismatch?: true;
}

/** All that is known of a device, as `lwm2m-devices` sends it. A fresh object that its reader may change. */
export interface DeviceView {
  endpoint: string;
  connectivity: Connectivity;
  /** Of the live registration; `undefined` while the device is offline. */
  address?: AddressView;
  identity?: PeerIdentity;
  /** ms since 1970; `undefined` when the device was never heard. */
  lastSeen?: number;
  version?: string;
  binding?: string;
  queueMode?: boolean;
  /** Effective lifetime in seconds. */
  lifetime?: number;
  objects: ObjectView[];
  labels: Record<string, string>;
  groups: string[];
  priority: Priority;
  owner?: string;
  /** How many orders wait for the device, because it sleeps or is suspended. */
  waiting: number;
  /** The oldest orders that are not done, 20 at most. */
  orders: OpenOrderView[];
  values: Record<string, ValueView>;
}

/** A device found by `searchDevices`. */
export interface FoundDevice {
  readonly endpoint: string;
  readonly connectivity: Connectivity;
}
