/**
 * The public API: an LwM2M server with its fleet, usable without any flow editor. Everything else in `src` is private.
 */
export { Engine } from './engine';
export type { PerformOptions } from './engine/api/order-api';
export type { Concern, ServerCondition, ServerEvent } from './engine/conditions';
export type { EngineEvents } from './engine/engine-events';
export type { EngineOptions } from './engine/engine-options';
export type { EngineAddress } from './engine/ports';
export type { ServerCredentialsOptions } from './engine/server-credentials';
export { ALL_CIPHER_SUITES, DEFAULT_CIPHER_SUITES, type CipherSuiteName } from './dtls';
export * from './errors';
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
export * from './fleet';
export {
  ACCESS_OPERATIONS,
  auditCsv,
  type AccessOperation,
  type AccessQuestion,
  type AccessRole,
  type AccessSettings,
  type AccessStore,
  type AccessUser,
  type AuditEntry,
  type AuditView,
  type GrantEvent,
  type GrantView,
  type RevokeInput,
  type StoredGrant,
} from './access';
export { checkAccessSettings, FLOW_USER } from './engine/rights';
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
  type ResourceType,
  type Value,
} from './model';
export type { ContentFormatName } from './content';
export { DEVICE_KINDS, simulateFleet, type FleetEvent, type FleetOptions, type SimulatedFleet } from './simulator';
export { MemoryStore } from './store/memory-store';
export { SqliteStore, type SqliteStoreOptions } from './store/sqlite/sqlite-store';
export { systemClock, type Clock } from './util/clock';
export { escapeForLog, silentLog, type Log } from './util/log';
export type { PeerIdentity, Transport } from './transport/transport';
