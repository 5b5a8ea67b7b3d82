import type { TypeLookup } from '../content';
import { resolvePath } from '../model';
import type {
  DefinitionOf,
  ObjectDefinition,
  ObjectDefinitions,
  Path,
  ResourceDefinition,
  ResourceType,
} from '../model';
import type { RegisteredObjects } from './registered-objects';

/** The object definitions as one kind of device has them: in the versions that it registered. */
export class DeviceModel implements TypeLookup {
  readonly definitionOf: DefinitionOf;

  constructor(
    private readonly definitions: ObjectDefinitions,
    readonly registered: RegisteredObjects,
  ) {
    this.definitionOf = (objectId) => this.definition(objectId);
  }

  typeOf(path: Path): ResourceType | undefined {
    return this.resource(path)?.type;
  }

  isMultiple(path: Path): boolean | undefined {
    return this.resource(path)?.multiple;
  }

  resource({ objectId, resourceId }: Path): ResourceDefinition | undefined {
    if (objectId === undefined || resourceId === undefined) return undefined;
    return this.definition(objectId)?.resources.get(resourceId);
  }

  /** Reads a path of ids or names. @throws {InvalidArgumentError} it is none. */
  resolve(text: string): Path {
    return resolvePath(text, this.definitions);
  }

  /** Whether the device registered the object, or the object instance, that the path lies in. */
  has({ objectId, objectInstanceId }: Path): boolean {
    if (objectId === undefined) return true;
    for (const object of this.registered.objects) {
      if (object.id !== objectId) continue;
      return objectInstanceId === undefined || object.instances.includes(objectInstanceId);
    }
    return false;
  }

  private definition(objectId: number): ObjectDefinition | undefined {
    for (const object of this.registered.objects) {
      if (object.id === objectId) return this.definitions.get(objectId, object.version);
    }
    return this.definitions.get(objectId);
  }
}

/** One model for each object list, so that devices of a kind share it. */
export class DeviceModels {
  readonly #models = new WeakMap<RegisteredObjects, DeviceModel>();

  constructor(private readonly definitions: ObjectDefinitions) {}

  of(registered: RegisteredObjects): DeviceModel {
    let model = this.#models.get(registered);
    if (model === undefined) {
      model = new DeviceModel(this.definitions, registered);
      this.#models.set(registered, model);
    }
    return model;
  }
}
