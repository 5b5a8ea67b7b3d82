import { EventEmitter } from 'node:events';
import type { DdfError } from './ddf';
import type { ObjectDefinition } from './object-definition';
import type { ObjectDefinitions } from './object-definitions';

export interface DefinitionsFolderEvents {
  loaded: [{ file: string; objects: readonly ObjectDefinition[] }];
  broken: [{ file: string; error: DdfError | Error }];
  removed: [{ file: string }];
}

export class DefinitionsFolder extends EventEmitter<DefinitionsFolderEvents> {
  constructor(
    readonly directory: string,
    readonly definitions: ObjectDefinitions,
  ) {
    super();
  }
  start(): Promise<void> {
    return Promise.reject(new Error('being written'));
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}
