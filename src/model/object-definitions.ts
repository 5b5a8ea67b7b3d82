import type { ObjectDefinition, ResourceDefinition } from './object-definition';
import { readObjectTable } from './object-table';
import type { Path } from './path';

/** An object in a list: its number, its version and its name. */
export interface ObjectSummary {
  readonly id: number;
  readonly version: string;
  readonly name: string;
}

/** One version of an object: what was added hides what is built in, until it is removed again. */
interface Entry {
  readonly version: string;
  readonly major: number;
  readonly minor: number;
  added: ObjectDefinition | undefined;
  readonly builtIn: { name(): string; definition(): ObjectDefinition } | undefined;
}

/**
 * The object definitions an engine knows, by id and version: the built-in table and what was added to it.
 * The table is read when the first object is asked for, and an object of it is parsed when it is first asked for.
 */
export class ObjectDefinitions {
  /** Newest version first. */
  #entries: Map<number, Entry[]> | undefined;
  readonly #withTable: boolean;
  #revision = 0;

  private constructor(withTable: boolean) {
    this.#withTable = withTable;
  }

  /** The objects of the OMA registry; what is added stays with this one instance. */
  static builtIn(): ObjectDefinitions {
    return new ObjectDefinitions(true);
  }

  static empty(): ObjectDefinitions {
    return new ObjectDefinitions(false);
  }

  /** Changes whenever a definition is added or removed, for those who keep something derived from them. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * The definition of an object in this version, else in the nearest of the same major version (of two equally near the
   * newer, since minor versions only add; LwM2M Core 1.2 s7.2.2), else, and without a version, in the newest.
   */
  get(objectId: number, version?: string): ObjectDefinition | undefined {
    const entries = this.#all().get(objectId);
    if (entries === undefined) return undefined;
    const entry = version === undefined ? entries[0] : nearest(entries, version);
    return entry && (entry.added ?? entry.builtIn?.definition());
  }

  /** The definitions of an object in every version, newest first. */
  versions(objectId: number): ObjectDefinition[] {
    return (this.#all().get(objectId) ?? []).flatMap((entry) => entry.added ?? entry.builtIn?.definition() ?? []);
  }

  /** The definition of the resource a path leads to or into. */
  resource(path: Path, version?: string): ResourceDefinition | undefined {
    const { objectId, resourceId } = path;
    if (objectId === undefined || resourceId === undefined) return undefined;
    return this.get(objectId, version)?.resources.get(resourceId);
  }

  /** Every object in every version, by id, newest version first. Parses no definition. */
  list(): ObjectSummary[] {
    const ids = [...this.#all().keys()].sort((a, b) => a - b);
    return ids.flatMap((id) =>
      (this.#all().get(id) ?? []).map((entry) => ({
        id,
        version: entry.version,
        name: entry.added?.name ?? entry.builtIn?.name() ?? '',
      })),
    );
  }

  /** Adds a definition; one of the same id and version is replaced, a built-in one hidden. */
  add(definition: ObjectDefinition): void {
    const entries = this.#all().get(definition.id);
    const entry = entries?.find(({ version }) => version === definition.version);
    if (entry !== undefined) entry.added = definition;
    else this.#insert(definition.id, { ...parseVersion(definition.version), added: definition, builtIn: undefined });
    this.#revision++;
  }

  /** Takes an added definition away, so that the built-in one shows through again. False when none was added. */
  remove(objectId: number, version: string): boolean {
    const entries = this.#all().get(objectId) ?? [];
    const entry = entries.find((candidate) => candidate.version === version);
    if (entry?.added === undefined) return false;
    entry.added = undefined;
    if (entry.builtIn === undefined) {
      entries.splice(entries.indexOf(entry), 1);
      if (entries.length === 0) this.#all().delete(objectId);
    }
    this.#revision++;
    return true;
  }

  #all(): Map<number, Entry[]> {
    if (this.#entries === undefined) {
      this.#entries = new Map();
      if (this.#withTable) {
        for (const row of readObjectTable()) {
          this.#insert(row.id, { ...parseVersion(row.version), added: undefined, builtIn: row });
        }
      }
    }
    return this.#entries;
  }

  #insert(objectId: number, entry: Entry): void {
    const entries = this.#all().get(objectId);
    if (entries === undefined) {
      this.#all().set(objectId, [entry]);
      return;
    }
    entries.push(entry);
    entries.sort((a, b) => b.major - a.major || b.minor - a.minor);
  }
}

function parseVersion(version: string): { version: string; major: number; minor: number } {
  const [major = '', minor = '0'] = version.split('.');
  return { version, major: Number(major), minor: Number(minor) };
}

function nearest(entries: readonly Entry[], version: string): Entry | undefined {
  const exact = entries.find((entry) => entry.version === version);
  if (exact !== undefined) return exact;
  const { major, minor } = parseVersion(version);
  let best: Entry | undefined;
  for (const entry of entries) {
    if (entry.major !== major) continue;
    if (best === undefined || Math.abs(entry.minor - minor) < Math.abs(best.minor - minor)) best = entry;
  }
  return best ?? entries[0];
}
