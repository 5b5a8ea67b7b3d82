import { EventEmitter } from 'node:events';
import { watch as watchDirectory, type Stats } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock, type Clock, type Timer } from '../util/clock';
import { DdfError, MAX_DDF_LENGTH, readDdf } from './ddf';
import type { ObjectDefinition } from './object-definition';
import type { ObjectDefinitions } from './object-definitions';

export interface DefinitionsFolderEvents {
  /** A new or changed file is in force. */
  loaded: [{ file: string; objects: readonly ObjectDefinition[] }];
  /** A file, or the folder itself, cannot be used; what was in force stays. Said once until it changes again. */
  broken: [{ file: string; error: Error }];
  /** A file is gone, and its definitions with it. */
  removed: [{ file: string }];
}

export interface DefinitionsFolderOptions {
  readonly clock?: Clock;
  readonly watch?: Watch;
  /** How long after a change the folder is read, in ms, so that a file is rather whole. */
  readonly debounce?: number;
  /** How often the folder is looked through where no change is told (network drives, container mounts), in ms. */
  readonly rescanInterval?: number;
}

/** Calls `changed` after something in the directory changed; throws or calls `failed` when it cannot (any more). */
export type Watch = (directory: string, changed: () => void, failed: () => void) => Watcher;

export interface Watcher {
  close(): void;
}

interface LoadedFile {
  /** Tells whether the file is still the one that was read. */
  readonly signature: string;
  readonly objects: readonly ObjectDefinition[];
}

const DDF_FILE = /^[^.].*\.xml$/i;

/**
 * Keeps the DDF files of a folder in force: new, changed and removed files are live within a second. Of several files
 * that define the same version of an object the last by name holds; a file that goes, or `close`, takes its definitions
 * away, and what they hid shows through again.
 */
export class DefinitionsFolder extends EventEmitter<DefinitionsFolderEvents> {
  readonly #clock: Clock;
  readonly #watch: Watch;
  readonly #debounce: number;
  readonly #rescanInterval: number;
  readonly #files = new Map<string, LoadedFile>();
  /** What this folder added to the definitions, by id and version. */
  #inForce = new Map<string, ObjectDefinition>();
  #watcher: Watcher | undefined;
  #watchedInode: number | undefined;
  #timer: Timer | undefined;
  #changeSeen = false;
  #scan: Promise<void> | undefined;
  #folderProblem = '';
  #closed = false;

  constructor(
    readonly directory: string,
    readonly definitions: ObjectDefinitions,
    options: DefinitionsFolderOptions = {},
  ) {
    super();
    this.#clock = options.clock ?? systemClock;
    this.#watch = options.watch ?? watchWithNode;
    this.#debounce = options.debounce ?? 100;
    this.#rescanInterval = options.rescanInterval ?? 800;
  }

  /** Reads the folder for the first time, then watches it. A folder that does not exist yet is waited for. */
  async start(): Promise<void> {
    await this.rescan();
  }

  /** Looks through the folder now; done when what was found is in force. */
  async rescan(): Promise<void> {
    while (this.#scan !== undefined) await this.#scan;
    if (this.#closed) return;
    this.#scan = this.#scanFolder().finally(() => (this.#scan = undefined));
    await this.#scan;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#unwatch();
    await this.#scan;
    this.#files.clear();
    this.#putInForce();
  }

  async #scanFolder(): Promise<void> {
    this.#timer?.cancel();
    this.#changeSeen = false;
    const news: (() => void)[] = [];
    try {
      const names = await this.#listFolder(news);
      if (names !== undefined) await this.#readFiles(names, news);
    } finally {
      this.#putInForce();
      if (!this.#closed) this.#schedule(this.#changeSeen ? this.#debounce : this.#rescanInterval);
    }
    for (const tell of news) tell();
  }

  /** The DDF files of the folder by name, none when it does not exist; `undefined` when that cannot be told now. */
  async #listFolder(news: (() => void)[]): Promise<string[] | undefined> {
    try {
      // Before the folder is read, so that no change falls between.
      await this.#keepWatch();
      const names = await readdir(this.directory);
      this.#folderProblem = '';
      return names.filter((name) => DDF_FILE.test(name)).sort();
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.#unwatch();
      if (this.#folderProblem !== error.message) {
        this.#folderProblem = error.message;
        news.push(() => this.emit('broken', { file: this.directory, error }));
      }
      return error.code === 'ENOENT' ? [] : undefined;
    }
  }

  async #readFiles(names: readonly string[], news: (() => void)[]): Promise<void> {
    const present = new Set(names);
    for (const file of [...this.#files.keys()]) if (!present.has(file)) this.#forget(file, news);
    for (const file of names) {
      const former = this.#files.get(file);
      let signature = '';
      try {
        const stats = await stat(join(this.directory, file));
        signature = signatureOf(stats);
        if (signature === former?.signature) continue;
        const objects = await readDdfFile(join(this.directory, file), file, stats);
        this.#files.set(file, { signature, objects });
        news.push(() => this.emit('loaded', { file, objects }));
      } catch (error) {
        if (!(error instanceof DdfError) && !isSystemError(error)) throw error;
        if (error.code === 'ENOENT') {
          this.#forget(file, news);
          continue;
        }
        const problem = signature === '' ? error.message : signature;
        if (problem === former?.signature) continue;
        this.#files.set(file, { signature: problem, objects: former?.objects ?? [] });
        news.push(() => this.emit('broken', { file, error }));
      }
    }
  }

  #forget(file: string, news: (() => void)[]): void {
    if (this.#files.delete(file)) news.push(() => this.emit('removed', { file }));
  }

  #putInForce(): void {
    const wanted = new Map<string, ObjectDefinition>();
    for (const file of [...this.#files.keys()].sort()) {
      for (const object of this.#files.get(file)?.objects ?? []) wanted.set(`${object.id}:${object.version}`, object);
    }
    for (const [key, { id, version }] of this.#inForce) if (!wanted.has(key)) this.definitions.remove(id, version);
    for (const [key, object] of wanted) if (this.#inForce.get(key) !== object) this.definitions.add(object);
    this.#inForce = wanted;
  }

  /** Watches the folder anew when it is not watched or has been replaced by another of its name. */
  async #keepWatch(): Promise<void> {
    const { ino } = await stat(this.directory);
    if (this.#closed || (this.#watcher !== undefined && ino === this.#watchedInode)) return;
    this.#unwatch();
    this.#watcher = this.#watch(
      this.directory,
      () => this.#changed(),
      () => this.#unwatch(),
    );
    this.#watchedInode = ino;
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  /** Only the first of a burst of changes sets the timer, or a busy folder would never be read. */
  #changed(): void {
    if (this.#closed || this.#changeSeen) return;
    this.#changeSeen = true;
    if (this.#scan === undefined) this.#schedule(this.#debounce);
  }

  #schedule(delay: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(() => {
      this.rescan().catch((error: unknown) => {
        this.emit('broken', { file: this.directory, error: error instanceof Error ? error : new Error(String(error)) });
      });
    }, delay);
  }
}

async function readDdfFile(path: string, file: string, stats: Stats): Promise<ObjectDefinition[]> {
  if (!stats.isFile()) throw new DdfError(file, 1, 1, 'not a regular file');
  if (stats.size > MAX_DDF_LENGTH) throw new DdfError(file, 1, 1, `the file is larger than ${MAX_DDF_LENGTH} bytes`);
  return readDdf(await readFile(path), file);
}

function signatureOf({ ino, size, mtimeMs, ctimeMs }: Stats): string {
  return [ino, size, mtimeMs, ctimeMs].join(':');
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

function watchWithNode(directory: string, changed: () => void, failed: () => void): Watcher {
  const watcher = watchDirectory(directory, { persistent: false }, changed);
  watcher.on('error', failed);
  return watcher;
}
