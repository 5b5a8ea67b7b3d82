/** Many devices as one: targets, orders, what is known of each device, observation policies. */
export type { Target } from './target';
export type {
  AddressView,
  CommandedValue,
  Connectivity,
  DeviceView,
  FoundDevice,
  ObjectView,
  OpenOrderView,
  PendingValue,
  Priority,
  ReportedValue,
  ValueView,
} from './device-view';
export type {
  DeviceEvent,
  DeviceEventPayload,
  DeviceEventTopic,
  LifecycleTopic,
  MismatchPayload,
  SuspensionEventPayload,
  SuspensionTopic,
} from './device-event';
export {
  isFailure,
  type MemberFailure,
  type MemberResult,
  type MemberState,
  type Order,
  type OrderOutcome,
  type OrderRun,
  type OrderToAuthorize,
  type TakenUpOrder,
  type Summary,
} from './order';
export type {
  CancelOptions,
  ObservationFailure,
  ObservationListener,
  ObservationPolicy,
  ObservedValue,
  PolicyHandle,
  PolicyOptions,
  PolicyRecord,
  PolicyStatus,
} from './observation-policy';
export type { ProvisionOptions } from './device-provisioning';
export type { JoinOptions, JoinView } from './newcomers';
export type { PendingDevice } from './pending-devices';
export type { BatchFailure } from './device-record-batch';
export { csvOfRecords } from './device-record-csv';
export { credentialOf } from './device-record';
export type { DeviceRecord, DeviceSecurity, ProvisionedDevice, ShownSecurity } from './device-record';
export type { DeviceRecordStore, SecretStore, Store } from './store';
export type { StoredDeviceValues } from './device-values';
export type { GroupView, StoredGroup } from './group';
export type { StoredPolicy } from './observation-policy';
export type {
  ResumeOptions,
  StoredSuspension,
  SuspendOptions,
  SuspensionMode,
  SuspensionReason,
  SuspensionResult,
  SuspensionRun,
  SuspensionSummary,
  SuspensionView,
} from './suspension';
export type { ConfirmationWish, WaitingConfirmation } from './confirmations';
export { Fleet, type FleetOptions } from './fleet';
export type { Devices } from './devices';
export { listDevices, type DeviceList, type ListOptions } from './device-listing';
export { deviceView } from './views';
