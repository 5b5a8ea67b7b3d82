import type { PeerAddress, PeerIdentity, Value } from '../server';

export type Connectivity = 'online' | 'asleep' | 'suspended' | 'offline';

export type Priority = 'low' | 'normal' | 'high';

/** An object that a device says it has. */
export interface ObjectView {
  readonly id: number;
  readonly version: string;
  readonly instances: number[];
}

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

export interface ValueView {
  readonly commanded?: CommandedValue;
  readonly reported?: ReportedValue;
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
  /** Orders that wait for the device to wake. */
  waiting: number;
  values: Record<string, ValueView>;
}

/** A device found by `searchDevices`. */
export interface FoundDevice {
  readonly endpoint: string;
  readonly connectivity: Connectivity;
}
