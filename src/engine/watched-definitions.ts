import { DefinitionsFolder, type ObjectDefinitions } from '../model';
import type { Clock } from '../util/clock';
import type { Log } from '../util/log';

/** A folder of object definitions that says in the log what came and went. */
export function watchedDefinitions(
  directory: string,
  definitions: ObjectDefinitions,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): DefinitionsFolder {
  const folder = new DefinitionsFolder(directory, definitions, { clock });
  folder.on('loaded', ({ file, objects }) => {
    log.info(`${file}: object ${objects.map(({ id, version }) => `${id} ${version}`).join(', ')}`);
  });
  folder.on('broken', ({ error }) => log.warn(error.message));
  folder.on('removed', ({ file }) => log.info(`${file} is gone, and its definitions with it`));
  return folder;
}
