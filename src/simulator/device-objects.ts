import {
  formatPath,
  pathOf,
  type ObjectDefinition,
  type ObjectDefinitions,
  type Path,
  type ResourceDefinition,
  type Value,
} from '../model';
import type { TypeLookup } from '../content';
import { Refusal } from './refusal';

/** The values of a multiple resource by resource instance id. */
export type ResourceInstances = ReadonlyMap<number, Value>;

/** What a behaviour says of one of its resources. */
export interface ResourceSetup {
  /** The factory value, which a replacing write of the instance brings back where it gives no other. */
  readonly value?: Value | ResourceInstances;
  /** Why a value that has the right type and range cannot be written; answered as 4.00. */
  readonly check?: (value: Value) => string | undefined;
  /** Runs after the server wrote it. */
  readonly written?: (value: Value | ResourceInstances) => void;
  /** Runs at Execute, with the arguments as text. */
  readonly execute?: (args: string) => void;
}

/** `value`: the resource has another value. `instances`: an object instance came or went. */
export type ObjectsListener = (kind: 'value' | 'instances', path: Path) => void;

/** One resource of a device: its value, single or by resource instance, and what happens when it is used. */
export class Resource {
  #value: Value | ResourceInstances;

  constructor(
    readonly path: Path,
    readonly definition: ResourceDefinition,
    readonly setup: ResourceSetup,
    private readonly changed: (path: Path) => void,
  ) {
    this.#value = setup.value ?? (definition.multiple ? new Map<number, Value>() : null);
  }

  get readable(): boolean {
    return this.definition.operations.includes('R');
  }

  get writable(): boolean {
    return this.definition.operations.includes('W');
  }

  get value(): Value | ResourceInstances {
    return this.#value;
  }

  /** The device's own doing: no right is needed, and `written` does not run. */
  set value(value: Value | ResourceInstances) {
    if (sameValue(this.#value, value)) return;
    this.#value = value;
    this.changed(this.path);
  }

  /** @throws {TypeError} the resource is multiple, or holds no number. */
  get number(): number {
    if (typeof this.#value !== 'number') throw new TypeError(`${formatPath(this.path)} holds no number`);
    return this.#value;
  }
}

/** One object instance. */
export type ObjectInstance = ReadonlyMap<number, Resource>;

interface DeviceObject {
  readonly definition: ObjectDefinition;
  readonly instances: Map<number, ObjectInstance>;
}

/** Makes the resources of a new instance of an object. */
export type InstanceFactory = (instanceId: number) => Readonly<Record<number, ResourceSetup>>;

/** The objects of one device, their values, and who wants to know when one changes. */
export class DeviceObjects {
  readonly #definitions: ObjectDefinitions;
  readonly #versions: ReadonlyMap<number, string>;
  /** Of objects that are in no public table. */
  readonly #own = new Map<number, ObjectDefinition>();
  readonly #objects = new Map<number, DeviceObject>();
  readonly #factories = new Map<number, InstanceFactory>();
  readonly #listeners: ObjectsListener[] = [];
  readonly types: TypeLookup;

  /** @param versions of objects that the device has in another than their newest version */
  constructor(definitions: ObjectDefinitions, versions: ReadonlyMap<number, string> = new Map()) {
    this.#definitions = definitions;
    this.#versions = versions;
    this.types = {
      typeOf: (path) => this.#definitionOf(path)?.type,
      isMultiple: (path) => this.#definitionOf(path)?.multiple,
    };
  }

  onChange(listener: ObjectsListener): void {
    this.#listeners.push(listener);
  }

  /** Adds a definition that only this device has. */
  define(definition: ObjectDefinition): void {
    this.#own.set(definition.id, definition);
  }

  /** Adds an object instance. A resource that its definition does not know is a fault of the behaviour. */
  add(objectId: number, instanceId: number, setups: Readonly<Record<number, ResourceSetup>>): ObjectInstance {
    const instance = this.make(objectId, instanceId, setups);
    this.attach(objectId, instanceId, instance);
    return instance;
  }

  /** Makes an object instance that is not there yet, so that its first values can be checked. */
  make(objectId: number, instanceId: number, setups: Readonly<Record<number, ResourceSetup>>): ObjectInstance {
    const { definition } = this.#objectFor(objectId);
    const changed = (path: Path) => this.#tell('value', path);
    const resources = new Map<number, Resource>();
    for (const [id, setup] of Object.entries(setups)) {
      const resourceId = Number(id);
      const known = definition.resources.get(resourceId);
      if (known === undefined) throw new TypeError(`object ${objectId} has no resource ${id}`);
      resources.set(resourceId, new Resource(pathOf(objectId, instanceId, resourceId), known, setup, changed));
    }
    return resources;
  }

  attach(objectId: number, instanceId: number, instance: ObjectInstance): void {
    this.#objectFor(objectId).instances.set(instanceId, instance);
    this.#tell('instances', pathOf(objectId, instanceId));
  }

  /** Lets the server create and delete instances of an object (LwM2M Core 1.1 s6.3.5, s6.3.6). */
  allowCreation(objectId: number, factory: InstanceFactory): void {
    this.#objectFor(objectId);
    this.#factories.set(objectId, factory);
  }

  factoryOf(objectId: number): InstanceFactory | undefined {
    return this.#factories.get(objectId);
  }

  remove(objectId: number, instanceId: number): void {
    if (this.#objects.get(objectId)?.instances.delete(instanceId))
      this.#tell('instances', pathOf(objectId, instanceId));
  }

  /** In ascending order. */
  objectIds(): number[] {
    return [...this.#objects.keys()].sort((a, b) => a - b);
  }

  /** @throws {Refusal} 4.04: the device has no such object. */
  definition(objectId: number): ObjectDefinition {
    return this.#object(objectId).definition;
  }

  /** The version to tell the server; undefined where it is 1.0, which need not be told. */
  versionOf(objectId: number): string | undefined {
    const version = this.#versions.get(objectId) ?? this.#object(objectId).definition.version;
    return version === '1.0' ? undefined : version;
  }

  /** In ascending order. @throws {Refusal} 4.04: the device has no such object. */
  instances(objectId: number): [id: number, instance: ObjectInstance][] {
    return [...this.#object(objectId).instances].sort(([a], [b]) => a - b);
  }

  /** @throws {Refusal} 4.04 */
  instance(objectId: number, instanceId: number): ObjectInstance {
    const instance = this.#object(objectId).instances.get(instanceId);
    if (instance === undefined) throw new Refusal('4.04', `no /${objectId}/${instanceId}`);
    return instance;
  }

  /** The resource that `path` leads to or into. @throws {Refusal} 4.04 */
  resource(path: Path): Resource {
    const { objectId, objectInstanceId, resourceId } = path;
    if (objectId === undefined || objectInstanceId === undefined || resourceId === undefined) {
      throw new Refusal('4.04', `${formatPath(path)} is no resource`);
    }
    const resource = this.instance(objectId, objectInstanceId).get(resourceId);
    if (resource === undefined) throw new Refusal('4.04', `no /${objectId}/${objectInstanceId}/${resourceId}`);
    return resource;
  }

  /** As `resource`, for the behaviours and the device itself; undefined where there is none. */
  find(objectId: number, instanceId: number, resourceId: number): Resource | undefined {
    return this.#objects.get(objectId)?.instances.get(instanceId)?.get(resourceId);
  }

  /** What is at the path of a resource, single, or of a resource instance; undefined where there is none. */
  valueAt({ objectId = -1, objectInstanceId = -1, resourceId = -1, resourceInstanceId }: Path): Value | undefined {
    const value = this.find(objectId, objectInstanceId, resourceId)?.value ?? null;
    return isInstances(value) ? value.get(resourceInstanceId ?? -1) : value;
  }

  #object(objectId: number): DeviceObject {
    const object = this.#objects.get(objectId);
    if (object === undefined) throw new Refusal('4.04', `no object ${objectId}`);
    return object;
  }

  #objectFor(objectId: number): DeviceObject {
    const known = this.#objects.get(objectId);
    if (known) return known;
    const definition = this.#own.get(objectId) ?? this.#definitions.get(objectId, this.#versions.get(objectId));
    if (definition === undefined) throw new TypeError(`there is no definition of object ${objectId}`);
    const object: DeviceObject = { definition, instances: new Map() };
    this.#objects.set(objectId, object);
    return object;
  }

  #definitionOf({ objectId, resourceId }: Path): ResourceDefinition | undefined {
    if (objectId === undefined || resourceId === undefined) return undefined;
    const definition =
      this.#objects.get(objectId)?.definition ?? this.#definitions.get(objectId, this.#versions.get(objectId));
    return definition?.resources.get(resourceId);
  }

  #tell(kind: 'value' | 'instances', path: Path): void {
    for (const listener of this.#listeners) listener(kind, path);
  }
}

/** Whether it is a multiple resource's map of instances. */
export function isInstances(value: Value | ResourceInstances): value is ResourceInstances {
  return value instanceof Map;
}

function sameValue(a: Value | ResourceInstances, b: Value | ResourceInstances): boolean {
  if (isInstances(a) || isInstances(b)) {
    if (!isInstances(a) || !isInstances(b) || a.size !== b.size) return false;
    return [...a].every(([id, value]) => b.has(id) && sameValue(value, b.get(id) ?? null));
  }
  if (Buffer.isBuffer(a)) return Buffer.isBuffer(b) && a.equals(b);
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime();
  return a === b;
}
