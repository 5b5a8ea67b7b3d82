import type { ResourceType } from './resource-value';

/** What a server may do with a resource: read, write, execute; `''` is nothing (only the bootstrap server may). */
export type ResourceOperations = 'R' | 'W' | 'RW' | 'E' | '';

/** What a resource of an object is (LwM2M Core 1.2 appendix D.1). */
export interface ResourceDefinition {
  readonly id: number;
  /** As the definition writes it: `On/Off`. */
  readonly name: string;
  /** A name for flows, unique within the object: `onOff`. */
  readonly camelName: string;
  readonly operations: ResourceOperations;
  readonly multiple: boolean;
  readonly mandatory: boolean;
  readonly type: ResourceType;
  /** As the definition writes it, such as `0..100`; `''` when it has none. */
  readonly range: string;
  /** A unit of RFC 8428 or of the definition's own, such as `Cel` or `%`; `''` when it has none. */
  readonly units: string;
}

/** What an object is, in one of its versions (LwM2M Core 1.2 appendix D.1). */
export interface ObjectDefinition {
  readonly id: number;
  /** `major.minor`, `1.0` when the definition says none (LwM2M Core 1.2 s7.2.2). */
  readonly version: string;
  /** The least version of LwM2M that knows the object, `1.0` when the definition says none. */
  readonly lwm2mVersion: string;
  readonly name: string;
  readonly camelName: string;
  readonly urn: string;
  readonly multiple: boolean;
  readonly mandatory: boolean;
  readonly resources: ReadonlyMap<number, ResourceDefinition>;
}

/** Finds the definition that holds for an object; of one device when it is asked with the device's version in mind. */
export type DefinitionOf = (objectId: number) => ObjectDefinition | undefined;
