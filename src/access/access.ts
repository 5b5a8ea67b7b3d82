import { AccessDeniedError } from '../errors';
import { pathIds, ROOT, type Path } from '../model';
import { hasPaths, type AccessOperation } from './access-operation';
import { readAccessSettings, type AccessSettings, type Rights } from './access-settings';
import type { GrantBook, HeldGrant } from './grant-book';
import { stateOf } from './grant-view';
import { formatPattern, type PathPattern } from './path-pattern';
import { permits } from './right';
import type { GrantTarget, StoredGrant } from './store';

/** What somebody is about to do to a device. */
export interface AccessQuestion {
  /** Absent: nobody was named. */
  readonly user?: string;
  readonly operation: AccessOperation;
  /** All of them must be allowed; absent: the whole device. `suspend`, `provision` and `grant` are about none. */
  readonly paths?: readonly Path[];
  /** Or `ALL_DEVICES`. */
  readonly endpoint: string;
}

/** What is about no device in particular: only rights on all devices are rights on it. */
export const ALL_DEVICES = '';

export interface AccessContext {
  readonly grants: GrantBook;
  /** ms since 1970 */
  readonly now: () => number;
  /** @throws {InvalidArgumentError} */
  readonly matcher: (target: GrantTarget) => (endpoint: string) => boolean;
}

/** So many givers are looked at to find out what one user may. */
const MAX_GIVERS = 100;

/** Rights that nobody has: of settings that cannot be read. */
const NO_RIGHTS: Rights = { users: new Map(), everybody: undefined, isAllowedByDefault: false };

/**
 * Who may do what to which devices: by a role, or by a grant for a time. Without settings everybody may do everything.
 * Asked for each device of each order, so it looks up what concerns the user and no more.
 */
export class Access {
  readonly #context: AccessContext;
  #rights: Rights | undefined;

  constructor(context: AccessContext) {
    this.#context = context;
  }

  /** Whether rights are checked at all. */
  get isAttached(): boolean {
    return this.#rights !== undefined;
  }

  /**
   * Sets who may do what from now on; `undefined`: everybody everything. Of settings that cannot be read nobody has rights.
   * @throws {InvalidArgumentError} saying which role or user cannot be.
   */
  configure(settings: AccessSettings | undefined): void {
    if (settings === undefined) {
      this.#rights = undefined;
      return;
    }
    this.#rights = NO_RIGHTS;
    this.#rights = readAccessSettings(settings, this.#context.matcher);
  }

  /** `undefined`: it may be done now. Else what is missing, for the person who wanted it. */
  check({ user, operation, paths, endpoint }: AccessQuestion): AccessDeniedError | undefined {
    if (this.#rights === undefined) return undefined;
    if (!hasPaths(operation)) return this.#checkOne(user, operation, undefined, endpoint);
    // Without paths it is about all of them.
    for (const path of paths === undefined || paths.length === 0 ? [ROOT] : paths) {
      const denied = this.#checkOne(user, operation, pathIds(path), endpoint);
      if (denied !== undefined) return denied;
    }
    return undefined;
  }

  /** Whether a right of the user's own, not a grant, is enough; pauses do not count. */
  mayByRole(
    user: string | undefined,
    operation: AccessOperation,
    path: PathPattern | undefined,
    endpoint: string,
  ): boolean {
    const rights = this.#rights;
    if (rights === undefined) return true;
    if (user === undefined) return rights.isAllowedByDefault;
    const own = rights.users.get(user);
    if (own === undefined && rights.everybody === undefined) return rights.isAllowedByDefault;
    const isPermitted = (list: Rights['everybody']): boolean =>
      list?.some((right) => permits(right, operation, path, endpoint)) === true;
    return isPermitted(own) || isPermitted(rights.everybody);
  }

  /**
   * Whether the user may by a role, or by a grant whose giver may; pauses do not count. So nobody has by a grant more than
   * the one who gave it has at the same moment.
   */
  mayAtAll(
    user: string | undefined,
    operation: AccessOperation,
    path: PathPattern | undefined,
    endpoint: string,
  ): boolean {
    return this.#reaches(user, operation, path, endpoint, new Set());
  }

  /** The grant by which the user's rights on a device rest now. The right to grant never rests. */
  pauseOf(user: string | undefined, operation: AccessOperation, endpoint: string): HeldGrant | undefined {
    if (user === undefined || operation === 'grant') return undefined;
    const now = this.#context.now();
    for (const held of this.#context.grants.pausing(user)) {
      if (stateOf(held.stored, now) !== 'active' || !held.right.matches(endpoint)) continue;
      if (this.#mayPause(held.stored, user, endpoint)) return held;
    }
    return undefined;
  }

  /** Others than himself are paused only by who has the right to grant by a role, also on devices that came later. */
  #mayPause({ grantedBy }: StoredGrant, user: string, endpoint: string): boolean {
    if (grantedBy === undefined) return true;
    return grantedBy === user
      ? this.mayAtAll(grantedBy, 'grant', undefined, endpoint)
      : this.mayByRole(grantedBy, 'grant', undefined, endpoint);
  }

  #checkOne(
    user: string | undefined,
    operation: AccessOperation,
    path: PathPattern | undefined,
    endpoint: string,
  ): AccessDeniedError | undefined {
    const pause = this.pauseOf(user, operation, endpoint);
    if (pause === undefined && this.mayAtAll(user, operation, path, endpoint)) return undefined;
    const where = endpoint === ALL_DEVICES ? 'all devices' : endpoint;
    const what = `${operation} ${path === undefined ? where : `${formatPattern(path)} on ${where}`}`;
    if (user === undefined) return new AccessDeniedError(`nobody was named who would ${what}: set msg.user`);
    const missing = pause === undefined ? this.#missing(user, operation, path, endpoint) : restText(user, pause);
    return new AccessDeniedError(`${user} may not ${what}: ${missing}`);
  }

  #reaches(
    user: string | undefined,
    operation: AccessOperation,
    path: PathPattern | undefined,
    endpoint: string,
    asked: Set<string>,
  ): boolean {
    if (this.mayByRole(user, operation, path, endpoint)) return true;
    // Two who grant each other something have it from nobody; nor has anybody at the end of an endless row of givers.
    if (user === undefined || asked.has(user) || asked.size >= MAX_GIVERS) return false;
    asked.add(user);
    const now = this.#context.now();
    for (const held of this.#context.grants.of(user)) {
      if (stateOf(held.stored, now) !== 'active' || !permits(held.right, operation, path, endpoint)) continue;
      if (this.#mayGive(held, operation, path, endpoint, asked)) return true;
    }
    return false;
  }

  /**
   * Whether the giver of a grant has what it gives, and may grant on this device, which may have joined its group or come
   * under its selector later. A grant that nobody gave is of a time when there were no rights to check.
   */
  #mayGive(
    { stored: { grantedBy } }: HeldGrant,
    operation: AccessOperation,
    path: PathPattern | undefined,
    endpoint: string,
    asked: Set<string>,
  ): boolean {
    if (grantedBy === undefined) return true;
    // Known by now to have nothing to give.
    if (asked.has(grantedBy)) return false;
    if (operation !== 'grant' && !this.mayAtAll(grantedBy, 'grant', undefined, endpoint)) {
      asked.add(grantedBy);
      return false;
    }
    return this.#reaches(grantedBy, operation, path, endpoint, asked);
  }

  /** What would help; a grant that would do at another time is named. */
  #missing(user: string, operation: AccessOperation, path: PathPattern | undefined, endpoint: string): string {
    const now = this.#context.now();
    for (const { stored, right } of this.#context.grants.of(user)) {
      if (!permits(right, operation, path, endpoint)) continue;
      const state = stateOf(stored, now);
      if (state === 'waiting') return `the grant begins ${new Date(stored.from).toISOString()}`;
      if (state === 'active') return `${stored.grantedBy}, who granted it, may not either`;
    }
    return `needs a role or grant with ${operation}`;
  }
}

function restText(user: string, { stored }: HeldGrant): string {
  const end = stored.until === undefined ? 'the grant is revoked' : new Date(stored.until).toISOString();
  return `the rights of ${user} rest until ${end}`;
}
