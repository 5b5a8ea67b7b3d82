import { InvalidArgumentError } from '../errors';
import type { KeyedStore } from '../server';
import type { Clock, Timer } from '../util/clock';
import { describeError, escapeForLog, type Log } from '../util/log';
import { operationsOf, pathsOfInput } from './access-input';
import { stateOf, targetText } from './grant-view';
import type { Right } from './right';
import type { GrantTarget, StoredGrant } from './store';

const MAX_GRANTS = 10_000;
/** How long a grant that is over is still shown. */
const KEPT_AFTER_END = 30 * 24 * 3600_000;
/** A timer may not be longer; and a machine's clock may be set meanwhile. */
const LONGEST_WAIT = 3600_000;

/** What happened to a right for a time. */
export interface GrantEvent {
  readonly topic: 'granted' | 'revoked' | 'began' | 'ended';
  readonly grant: StoredGrant;
}

/** A grant with what it means, read once. */
export interface HeldGrant {
  readonly stored: StoredGrant;
  readonly right: Right & { readonly matches: (endpoint: string) => boolean };
}

export interface GrantBookContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: KeyedStore<StoredGrant>;
  /** @throws {InvalidArgumentError} */
  readonly matcher: (target: GrantTarget) => (endpoint: string) => boolean;
  readonly emit: (event: GrantEvent) => void;
}

/** All grants: in the store, and in memory by whom they are for and whose rights they pause. Says when one begins and ends. */
export class GrantBook {
  readonly #context: GrantBookContext;
  readonly #grants = new Map<string, HeldGrant>();
  readonly #byUser = new Map<string, Set<HeldGrant>>();
  readonly #byPaused = new Map<string, Set<HeldGrant>>();
  /** Up to when it was said what began and ended. */
  #saidUntil = 0;
  #timer: Timer | undefined;
  #closed = false;

  constructor(context: GrantBookContext) {
    this.#context = context;
  }

  /** Takes up the grants of the store, anew when it could only be read in part before. @throws {StoreError} */
  async takeUp(): Promise<void> {
    const { store, clock, log } = this.#context;
    for (const index of [this.#grants, this.#byUser, this.#byPaused]) index.clear();
    for await (const [id, grant] of store.all()) {
      try {
        this.#enter(this.held(grant));
      } catch (error) {
        // Nobody has more rights than were meant: it counts as not there.
        log.error(`the grant ${escapeForLog(id)} cannot be read: ${describeError(error)}`);
      }
    }
    this.#saidUntil = clock.now();
    this.#wait();
    await this.#dropOld();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  get(id: string): HeldGrant | undefined {
    return this.#grants.get(id);
  }

  [Symbol.iterator](): IterableIterator<HeldGrant> {
    return this.#grants.values();
  }

  /** Those for a user. */
  of(user: string): Iterable<HeldGrant> {
    return this.#byUser.get(user) ?? [];
  }

  /** Those that pause the rights of a user. */
  pausing(user: string): Iterable<HeldGrant> {
    return this.#byPaused.get(user) ?? [];
  }

  /** @throws {InvalidArgumentError} it cannot be read. */
  held(stored: StoredGrant): HeldGrant {
    return {
      stored,
      right: {
        operations: operationsOf(stored.operations, 'operations'),
        paths: pathsOfInput(stored.paths, 'paths'),
        matches: this.#context.matcher(stored.target),
      },
    };
  }

  /** It holds when this resolves. @throws {InvalidArgumentError} there are too many. @throws {StoreError} */
  async add(held: HeldGrant): Promise<void> {
    const { store, clock } = this.#context;
    await this.#dropOld();
    if (this.#grants.size >= MAX_GRANTS) {
      throw new InvalidArgumentError(`there are ${MAX_GRANTS} grants already: revoke some`);
    }
    await store.put(held.stored.id, held.stored);
    this.#say();
    this.#enter(held);
    this.#emit('granted', held.stored);
    if (stateOf(held.stored, clock.now()) === 'active') this.#emit('began', held.stored);
    this.#wait();
  }

  /** It holds no more when this resolves. @throws {StoreError} */
  async remove({ stored }: HeldGrant): Promise<void> {
    await this.#context.store.remove(stored.id);
    this.#say();
    if (!this.#forget(stored.id)) return;
    this.#emit('revoked', stored);
    this.#wait();
  }

  #enter(held: HeldGrant): void {
    const { id, user, pauses } = held.stored;
    this.#grants.set(id, held);
    addTo(this.#byUser, user, held);
    for (const paused of pauses) addTo(this.#byPaused, paused, held);
  }

  #forget(id: string): boolean {
    const held = this.#grants.get(id);
    if (held === undefined) return false;
    this.#grants.delete(id);
    takeFrom(this.#byUser, held.stored.user, held);
    for (const paused of held.stored.pauses) takeFrom(this.#byPaused, paused, held);
    return true;
  }

  async #dropOld(): Promise<void> {
    const limit = this.#context.clock.now() - KEPT_AFTER_END;
    for (const { stored } of [...this.#grants.values()]) {
      if (stored.until === undefined || stored.until > limit) continue;
      await this.#context.store.remove(stored.id);
      this.#forget(stored.id);
    }
  }

  /** Says what began and what ended since it was last said. */
  #say(): void {
    const now = this.#context.clock.now();
    const since = this.#saidUntil;
    this.#saidUntil = now;
    for (const { stored } of this.#grants.values()) {
      if (stored.from > since && stored.from <= now) this.#emit('began', stored);
      if (stored.until !== undefined && stored.until > since && stored.until <= now) this.#emit('ended', stored);
    }
  }

  /** Until the next one begins or ends. */
  #wait(): void {
    this.#timer?.cancel();
    if (this.#closed) return;
    const now = this.#context.clock.now();
    let next = Infinity;
    for (const { stored } of this.#grants.values()) {
      for (const at of [stored.from, stored.until ?? Infinity]) if (at > now && at < next) next = at;
    }
    if (next === Infinity) return;
    this.#timer = this.#context.clock.setTimer(
      () => {
        this.#say();
        this.#wait();
      },
      Math.min(next - now, LONGEST_WAIT),
    );
  }

  #emit(topic: GrantEvent['topic'], grant: StoredGrant): void {
    const { log, emit } = this.#context;
    log.info(
      `the grant ${grant.id} for ${escapeForLog(grant.user)} on ${escapeForLog(targetText(grant.target))}: ${topic}`,
    );
    emit({ topic, grant });
  }
}

function addTo(index: Map<string, Set<HeldGrant>>, key: string, held: HeldGrant): void {
  const set = index.get(key);
  if (set === undefined) index.set(key, new Set([held]));
  else set.add(held);
}

function takeFrom(index: Map<string, Set<HeldGrant>>, key: string, held: HeldGrant): void {
  const set = index.get(key);
  set?.delete(held);
  if (set?.size === 0) index.delete(key);
}
