import { InvalidArgumentError } from '../errors';
import { nameOf, listOf, operationsOf, pathsOfInput, propertiesOf } from './access-input';
import type { GrantTarget } from './store';
import type { Right } from './right';

/** Rights under a name. */
export interface AccessRole {
  readonly name: string;
  /** Names of operations, `suspend`, `provision`, `grant`, or `*`. */
  readonly operations: readonly string[];
  /** A selector; `*` or absent: all devices. */
  readonly target?: string;
  /** Paths, with `*` for any id; absent: all. A path means all that is below it. */
  readonly paths?: readonly string[];
}

/** Who has which roles. The name `*` is everybody who is named. */
export interface AccessUser {
  readonly name: string;
  readonly roles: readonly string[];
}

/** Who may do what to which devices. */
export interface AccessSettings {
  readonly roles?: readonly AccessRole[];
  readonly users?: readonly AccessUser[];
  /** What they may do whom no user's entry names: all (`allow`) or nothing (`deny`, the default). */
  readonly default?: 'allow' | 'deny';
}

/** The settings, read. */
export interface Rights {
  /** The rights of each user that is named. */
  readonly users: ReadonlyMap<string, readonly Right[]>;
  /** Those of everybody who is named; `undefined` when no entry says so. */
  readonly everybody: readonly Right[] | undefined;
  readonly isAllowedByDefault: boolean;
}

const EVERYBODY = '*';
const MAX_ENTRIES = 10_000;

/**
 * @param matcher of devices of a target.
 * @throws {InvalidArgumentError} saying which role or user is wrong, to who wrote it.
 */
export function readAccessSettings(
  input: unknown,
  matcher: (target: GrantTarget) => (endpoint: string) => boolean,
): Rights {
  const given = propertiesOf(input, 'access', ['roles', 'users', 'default']);
  const roles = new Map<string, Right>();
  for (const [index, role] of entries(given['roles'], 'roles').entries()) {
    const { name, right } = roleOf(role, index, matcher);
    if (roles.has(name)) throw new InvalidArgumentError(`there are two roles '${name}'`);
    roles.set(name, right);
  }
  const users = new Map<string, readonly Right[]>();
  for (const [index, user] of entries(given['users'], 'users').entries()) {
    const { name, rights } = userOf(user, index, roles);
    if (users.has(name)) throw new InvalidArgumentError(`there are two users '${name}'`);
    users.set(name, rights);
  }
  const everybody = users.get(EVERYBODY);
  users.delete(EVERYBODY);
  return { users, everybody, isAllowedByDefault: defaultOf(given['default']) };
}

function roleOf(
  input: unknown,
  index: number,
  matcher: (target: GrantTarget) => (endpoint: string) => boolean,
): { name: string; right: Right } {
  const given = propertiesOf(input, `role ${index + 1}`, ['name', 'operations', 'target', 'paths']);
  const name = nameOf(given['name'], `the name of role ${index + 1}`);
  const what = `the role '${name}'`;
  const operations = operationsOf(given['operations'], `operations of ${what}`);
  const paths = pathsOfInput(given['paths'], `paths of ${what}`);
  const { target } = given;
  if (target === undefined || target === null || target === '*') return { name, right: { operations, paths } };
  if (typeof target !== 'string') throw new InvalidArgumentError(`the target of ${what} must be a selector or '*'`);
  try {
    return { name, right: { operations, paths, matches: matcher({ selector: target }) } };
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new InvalidArgumentError(`the target of ${what}: ${error.message} ('*' is all devices)`);
  }
}

function userOf(
  input: unknown,
  index: number,
  roles: ReadonlyMap<string, Right>,
): { name: string; rights: readonly Right[] } {
  const given = propertiesOf(input, `user ${index + 1}`, ['name', 'roles']);
  const name = nameOf(given['name'], `the name of user ${index + 1}`);
  const rights = listOf(given['roles'] ?? [], `roles of the user '${name}'`).map((role) => {
    const right = typeof role === 'string' ? roles.get(role) : undefined;
    if (right === undefined) {
      throw new InvalidArgumentError(`the user '${name}' has the role '${String(role)}', which there is not`);
    }
    return right;
  });
  return { name, rights };
}

function defaultOf(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  if (value !== 'allow' && value !== 'deny') throw new InvalidArgumentError("default must be 'allow' or 'deny'");
  return value === 'allow';
}

function entries(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null || value === '') return [];
  if (!Array.isArray(value) || value.length > MAX_ENTRIES) {
    throw new InvalidArgumentError(`${what} must be an array of at most ${MAX_ENTRIES}`);
  }
  return value;
}
