/**
 * The public API: an LwM2M server with its fleet, usable without any flow editor. Everything else in `src` is private.
 */
export { Engine } from './engine';
export type { PerformOptions } from './engine/api/order-api';
export type { Concern, ServerCondition, ServerEvent } from './engine/conditions';
export type { EngineEvents } from './engine/engine-events';
export type { EngineOptions } from './engine/engine-options';
export type { EngineAddress } from './engine/ports';
export { checkAccessSettings, FLOW_USER } from './engine/rights';
export type { ServerCredentialsOptions } from './engine/server-credentials';
export * from './errors';

// Operations, and what comes of them.
export {
  checkAttributes,
  operationPath,
  ATTRIBUTE_NAMES,
  type AttributeName,
  type Attributes,
  type Condition,
  type CreateOperation,
  type DeleteOperation,
  type DiscoverOperation,
  type DiscoveredPath,
  type ExecuteOperation,
  type NoSecPolicy,
  type Operation,
  type OperationName,
  type OperationResult,
  type ReadOperation,
  type Rejection,
  type RejectionReason,
  type SentValue,
  type WriteAttributesOperation,
  type WriteCompositeOperation,
  type WriteOperation,
} from './server';
export type { ContentFormatName } from './content';

// Devices: what is known of them, orders, observation policies, records, suspensions.
export {
  csvOfRecords,
  isFailure,
  type AddressView,
  type BatchFailure,
  type CancelOptions,
  type CommandedValue,
  type ConfirmationWish,
  type Connectivity,
  type DeviceEvent,
  type DeviceEventPayload,
  type DeviceEventTopic,
  type DeviceList,
  type DeviceRecord,
  type DeviceSecurity,
  type DeviceView,
  type FoundDevice,
  type GroupView,
  type JoinOptions,
  type JoinView,
  type LifecycleTopic,
  type ListOptions,
  type MemberFailure,
  type MemberResult,
  type MemberState,
  type MismatchPayload,
  type ObjectView,
  type ObservationFailure,
  type ObservationListener,
  type ObservationPolicy,
  type ObservedValue,
  type OpenOrderView,
  type Order,
  type OrderRun,
  type PendingDevice,
  type PendingValue,
  type PolicyHandle,
  type PolicyOptions,
  type PolicyRecord,
  type PolicyStatus,
  type Priority,
  type ProvisionedDevice,
  type ProvisionOptions,
  type ReportedValue,
  type ResumeOptions,
  type ShownSecurity,
  type Summary,
  type SuspendOptions,
  type SuspensionEventPayload,
  type SuspensionMode,
  type SuspensionReason,
  type SuspensionResult,
  type SuspensionRun,
  type SuspensionSummary,
  type SuspensionTopic,
  type SuspensionView,
  type TakenUpOrder,
  type Target,
  type ValueView,
  type WaitingConfirmation,
} from './fleet';

// Rights and the audit trail.
export {
  ACCESS_OPERATIONS,
  auditCsv,
  type AccessOperation,
  type AccessRole,
  type AccessSettings,
  type AccessUser,
  type AuditEntry,
  type AuditView,
  type GrantEvent,
  type GrantTarget,
  type GrantView,
  type RevokeInput,
} from './access';

// Paths, and what is known of objects.
export {
  ObjectDefinitions,
  formatPath,
  parsePath,
  parsePaths,
  pathOf,
  resolvePath,
  DdfError,
  type Keys,
  type ObjectDefinition,
  type ObjectSummary,
  type Path,
  type ResourceDefinition,
  type ResourceOperations,
  type ResourceType,
  type Value,
} from './model';

// Stores: those there are, and what another one must be.
export { MemoryStore } from './store/memory-store';
export { SqliteStore, type SqliteStoreOptions } from './store/sqlite/sqlite-store';
export type { Awaitable, KeyedStore, ServerStore, StoredOrder } from './server';
export type {
  DeviceRecordStore,
  SecretStore,
  Store,
  StoredDeviceValues,
  StoredGroup,
  StoredPolicy,
  StoredSuspension,
} from './fleet';
export type { AccessStore, AuditQuery, AuditStore, StoredGrant } from './access';

// What an engine stands on.
export { ALL_CIPHER_SUITES, DEFAULT_CIPHER_SUITES, type CipherSuiteName } from './dtls';
export type { Channel, PeerAddress, PeerIdentity, Scheme, Transport, TransportListener } from './transport/transport';
export { systemClock, type Clock, type Timer } from './util/clock';
export { escapeForLog, silentLog, type Log } from './util/log';

// Simulated devices.
export {
  DEVICE_KINDS,
  simulateFleet,
  type DeviceKind,
  type FleetEvent,
  type FleetOptions,
  type PskSecurity,
  type SimulatedFleet,
  type Vanishing,
} from './simulator';
