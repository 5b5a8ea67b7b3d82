import { randomUUID } from 'node:crypto';
import { AccessDeniedError, InvalidArgumentError } from '../errors';
import { nextTurn } from '../util/next-turn';
import { Turns } from '../util/turns';
import { ALL_DEVICES, type Access } from './access';
import { ACCESS_OPERATIONS, hasPaths, type AccessOperation } from './access-operation';
import { propertiesOf } from './access-input';
import type { GrantBook, HeldGrant } from './grant-book';
import { isSameTarget, readGrant, readGrantTarget, type WantedGrant } from './grant-input';
import { grantView, targetText, type GrantView } from './grant-view';
import { formatPattern, type PathPattern } from './path-pattern';
import type { Right } from './right';
import type { GrantTarget, StoredGrant } from './store';

export interface GrantingContext {
  readonly access: Access;
  readonly grants: GrantBook;
  /** ms since 1970 */
  readonly now: () => number;
  /** The endpoints of a target now. @throws {InvalidArgumentError} */
  readonly members: (target: GrantTarget) => readonly string[];
}

export interface GrantOptions {
  /** Who does it. */
  readonly user?: string;
}

/** Which grants to end: one by its id, or all of a user on a target. */
export interface RevokeInput {
  readonly id?: string;
  readonly user?: string;
  readonly target?: unknown;
}

/**
 * Gives rights for a time and takes them back. Who grants needs the right to grant there, and nobody grants what he may
 * not do himself: it is checked now on the devices that there are, and at each use on the device that it is about.
 */
export class Granting {
  readonly #context: GrantingContext;
  /** One after the other, so that what was checked is so when it is written. */
  readonly #turns = new Turns();

  constructor(context: GrantingContext) {
    this.#context = context;
  }

  /**
   * @param input what `lwm2m-grant` takes.
   * Rejects with `InvalidArgumentError`, `AccessDeniedError` or `StoreError`.
   */
  async grant(input: unknown, { user }: GrantOptions = {}): Promise<GrantView> {
    return await this.#turns.run('', async () => {
      const { access, grants, now } = this.#context;
      const grantedAt = now();
      const wanted = readGrant(input, grantedAt);
      // Read before it is checked: what cannot be is no question of rights.
      const held = grants.held({
        id: randomUUID(),
        ...wanted,
        ...(user === undefined ? {} : { grantedBy: user }),
        grantedAt,
      });
      if (access.isAttached) await this.#checkGiver(user, wanted, held.right);
      await grants.add(held);
      return grantView(held.stored, now());
    });
  }

  /**
   * Ends grants at once. Whoever may grant there, who gave a grant and whom it is for may end it.
   * @returns those ended; none when there was none.
   * Rejects with `InvalidArgumentError`, `AccessDeniedError` or `StoreError`.
   */
  async revoke(input: RevokeInput, { user }: GrantOptions = {}): Promise<GrantView[]> {
    return await this.#turns.run('', async () => {
      const { grants, now } = this.#context;
      const found = this.#find(input);
      for (const { stored } of found) this.#checkRevoker(user, stored);
      for (const held of found) await grants.remove(held);
      return found.map(({ stored }) => grantView(stored, now()));
    });
  }

  /** Ends all grants on one device, whoever gave them. */
  async forget(endpoint: string): Promise<void> {
    await this.#turns.run('', async () => {
      const { grants } = this.#context;
      for (const held of [...grants]) {
        if (onlyDeviceOf(held.stored.target) === endpoint) await grants.remove(held);
      }
    });
  }

  /** All grants, also those to come and those that were over less than 30 days ago, by their beginning. */
  list(): GrantView[] {
    const { grants, now } = this.#context;
    const at = now();
    return [...grants]
      .sort((one, other) => one.stored.from - other.stored.from)
      .map(({ stored }) => grantView(stored, at));
  }

  #find(input: RevokeInput): HeldGrant[] {
    const { grants } = this.#context;
    const { id, user, target } = propertiesOf(input, 'what to revoke', REVOKE_PROPERTIES) as RevokeInput;
    if (id !== undefined) {
      if (typeof id !== 'string' || id === '') throw new InvalidArgumentError('the id of a grant must be a text');
      const held = grants.get(id);
      return held === undefined ? [] : [held];
    }
    if (typeof user !== 'string' || user === '' || target === undefined) {
      throw new InvalidArgumentError('say which grant to revoke: { id }, or { user, target }');
    }
    const wanted = readGrantTarget(target);
    return [...grants.of(user)].filter(({ stored }) => isSameTarget(stored.target, wanted));
  }

  /** With pauses: many devices times many paths take long, and everything else must go on. */
  async #checkGiver(user: string | undefined, wanted: WantedGrant, { operations, paths }: Right): Promise<void> {
    const { access } = this.#context;
    const { target, pauses } = wanted;
    if (user === undefined) throw new AccessDeniedError('nobody was named who would grant this: set msg.user');
    const count = ACCESS_OPERATIONS.length * (paths?.length ?? 1);
    let checked = 0;
    for (const endpoint of this.#endpointsOf(target)) {
      checked += count;
      if (checked > CHECKS_AT_ONCE) {
        await nextTurn();
        checked = count;
      }
      const where = endpoint === ALL_DEVICES ? targetText(target) : endpoint;
      if (!access.mayAtAll(user, 'grant', undefined, endpoint)) {
        throw new AccessDeniedError(`${user} may not grant anything on ${where}: needs a role or grant with grant`);
      }
      for (const operation of operations === '*' ? ACCESS_OPERATIONS : operations) {
        for (const path of pathsOfRight(operation, paths)) {
          // Somebody whose own rights rest may still give them: that is how a car is lent.
          if (access.mayAtAll(user, operation, path, endpoint)) continue;
          const what = path === undefined || path.length === 0 ? operation : `${operation} ${formatPattern(path)}`;
          throw new AccessDeniedError(`${user} may not grant ${what} on ${where}, since ${user} may not do it`);
        }
      }
      // Who has the right to grant by a grant must not shut out those who gave it.
      const others = pauses.filter((paused) => paused !== user);
      if (others.length > 0 && !access.mayByRole(user, 'grant', undefined, endpoint)) {
        throw new AccessDeniedError(`${user} may not pause ${others.join(', ')} on ${where}: needs a role with grant`);
      }
    }
  }

  #checkRevoker(user: string | undefined, { user: holder, grantedBy, target }: StoredGrant): void {
    const { access } = this.#context;
    if (!access.isAttached) return;
    if (user === undefined) throw new AccessDeniedError('nobody was named who would revoke a grant: set msg.user');
    if (user === holder || user === grantedBy) return;
    for (const endpoint of this.#endpointsOf(target)) {
      if (access.mayAtAll(user, 'grant', undefined, endpoint)) continue;
      const where = endpoint === ALL_DEVICES ? targetText(target) : endpoint;
      throw new AccessDeniedError(`${user} may not revoke grants on ${where}: needs a role or grant with grant`);
    }
  }

  /** On a target that has no devices yet nobody has rights but who has them on all devices. */
  #endpointsOf(target: GrantTarget): readonly string[] {
    const endpoints = 'endpoint' in target ? [target.endpoint] : this.#context.members(target);
    return endpoints.length === 0 ? [ALL_DEVICES] : endpoints;
  }
}

/** So many questions of rights are asked before everything else has its turn. */
const CHECKS_AT_ONCE = 10_000;

const REVOKE_PROPERTIES = ['id', 'user', 'target'];

/** The one device that a target can mean, however it says so. */
function onlyDeviceOf(target: GrantTarget): string | undefined {
  if ('endpoint' in target) return target.endpoint;
  if ('group' in target) return undefined;
  const terms = target.selector.split(/\s+/).filter((term) => term.startsWith('ep='));
  return terms.map((term) => term.slice('ep='.length)).find((name) => !/[*?]/.test(name));
}

/** What a right for an operation is about: each of its paths, all of them, or the device as a whole. */
function pathsOfRight(
  operation: AccessOperation,
  paths: readonly PathPattern[] | undefined,
): readonly (PathPattern | undefined)[] {
  return hasPaths(operation) ? (paths ?? [[]]) : [undefined];
}
