import { chosenServer, describeObject, listObjects, type Answer, type ObjectDetail, type ObjectSummary } from './api';

/** The object definitions of the chosen server, each asked for once while a dialog is open. */
export class ObjectCatalog {
  private readonly lists = new Map<string, Promise<Answer<ObjectSummary[]>>>();
  private readonly objects = new Map<string, Promise<ObjectDetail | undefined>>();

  list(): Promise<Answer<ObjectSummary[]>> {
    return remember(this.lists, chosenServer() ?? '', listObjects);
  }

  /** The object of this id or name with its resources; nothing is asked for one that the server does not know. */
  async find(idOrName: string): Promise<ObjectDetail | undefined> {
    const all = await this.list();
    if ('unavailable' in all) return undefined;
    const known = all.data.find(({ id, name }) => String(id) === idOrName || name === idOrName);
    if (!known) return undefined;
    return remember(this.objects, `${chosenServer() ?? ''}/${known.id}`, async () => {
      const answer = await describeObject(known.id);
      return 'unavailable' in answer ? undefined : answer.data;
    });
  }
}

function remember<T>(known: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const asked = known.get(key) ?? ask();
  known.set(key, asked);
  return asked;
}
