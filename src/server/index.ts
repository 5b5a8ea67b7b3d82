/** The LwM2M server: what fleet, access, the stores and the engine may know of it. */
export type { PeerAddress, PeerIdentity, Scheme } from '../transport/transport';
export type { ContentFormatName, DiscoveredPath } from '../content';
export type { Keys, Path, ResourceValue, Value } from '../model';
export { checkAttributes, ATTRIBUTE_NAMES, type AttributeName, type Attributes } from './attributes';
export type {
  ContentOptions,
  Condition,
  CreateOperation,
  DeleteOperation,
  DiscoverOperation,
  ExecuteOperation,
  Operation,
  OperationName,
  OperationResult,
  ReadOperation,
  WriteAttributesOperation,
  WriteCompositeOperation,
  WriteOperation,
} from './operation';
export type { Rejection, RejectionReason, SentValue } from './rejection';
export type { RegisteredObject, RegisteredObjects } from './registered-objects';
export type { Lwm2mVersion, Registration } from './registration';
export type {
  Awaitable,
  KeyedStore,
  ObservationStore,
  OrderOrigin,
  RegistrationStore,
  ServerStore,
  StoredObservation,
  StoredOrder,
} from './store';
export type { StoreHealth } from './store-health';
export { OPEN_GATE, type Gate, type GateRefusal } from './gate';
export { isSameIdentity, type NoSecPolicy, type Provisioning } from './admission';
export { profilesOf, type Profiles } from './profiles';
export type { RegisteredClient } from './registered-client';
export type { RegisteredClients } from './registered-clients';
export type { Subscription } from './observations';
export { checkOperation, checkPaths } from './operations';
export { DEFAULT_EXPIRES } from './order-queue';
export { operationPath, operationPaths } from './operation-path';
export { supersedeKey } from './supersede';
export { Server, type PerformOptions, type RestoredOrder, type ServerOptions } from './server';
export type { ServerListener } from './server-listener';
export type { ObservationSpec, ObservationSubscriber, ObservedContent } from './shared-observation';
