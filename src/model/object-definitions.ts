import type { ObjectDefinition, ResourceDefinition } from './object-definition';
import type { Path } from './path';

export interface ObjectSummary {
  readonly id: number;
  readonly version: string;
  readonly name: string;
}

export class ObjectDefinitions {
  static builtIn(): ObjectDefinitions {
    return new ObjectDefinitions();
  }
  get(_objectId: number, _version?: string): ObjectDefinition | undefined {
    return undefined;
  }
  resource(path: Path, version?: string): ResourceDefinition | undefined {
    const { objectId, resourceId } = path;
    if (objectId === undefined || resourceId === undefined) return undefined;
    return this.get(objectId, version)?.resources.get(resourceId);
  }
  list(): ObjectSummary[] {
    return [];
  }
  add(_definition: ObjectDefinition): void {}
  remove(_objectId: number, _version: string): boolean {
    return false;
  }
}
