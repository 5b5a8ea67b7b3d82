import { InvalidArgumentError } from '../errors';
import { parsePath, pathLevel } from '../model';
import type { Connectivity, Priority } from './device-view';
import { matchesGlob } from './glob';

/** What a selector asks of a device. */
export interface SelectorSubject {
  readonly endpoint: string;
  readonly connectivity: Connectivity;
  readonly labels: ReadonlyMap<string, string>;
  readonly groups: ReadonlySet<string>;
  readonly priority: Priority;
  /** Whether it registered the object, and if asked for, the object instance. */
  has(objectId: number, objectInstanceId: number | undefined): boolean;
}

export type Selector = (subject: SelectorSubject) => boolean;

/** What the rule of a group asks of a device. */
export interface RuleSubject extends SelectorSubject {
  /** The groups that its record names, without those that it belongs to by a rule. */
  readonly recordGroups: ReadonlySet<string>;
}

/** By which devices belong to a group. */
export interface GroupRule {
  readonly matches: (subject: RuleSubject) => boolean;
  /** A label that every member has; `undefined`: the rule names none. */
  readonly label: readonly [name: string, value: string] | undefined;
  /** The groups that the rule asks for. */
  readonly groups: readonly string[];
}

const STATES: readonly Connectivity[] = ['online', 'asleep', 'suspended', 'offline'];
const PRIORITIES: readonly Priority[] = ['low', 'normal', 'high'];
const MAX_LENGTH = 4096;

/**
 * Reads a selector: terms separated by spaces, of which all must hold.
 * `ep=lamp-*` `label:site=north` `group:main-street` `has:/3311` `state:online` `priority:low`; states and priorities
 * may be several, separated by `|`.
 * @throws {InvalidArgumentError} it is empty, or has a term that cannot be read.
 */
export function parseSelector(text: string): Selector {
  const tests = termsOf(text).map(({ test }) => test);
  return (subject) => tests.every((test) => test(subject));
}

/**
 * Reads the selector of a group. It holds at any time for as long as a device has the record and the objects that it has,
 * so `state:` is refused; `group:` asks only for groups that records name, so there are no circles.
 * @throws {InvalidArgumentError} as `parseSelector`.
 */
export function parseGroupRule(text: string): GroupRule {
  const terms = termsOf(text);
  if (terms.some(({ name }) => name === 'state:')) {
    throw new InvalidArgumentError('a group cannot depend on state:, which changes all the time; use it in a selector');
  }
  const tests = terms.map(({ name, value, test }) =>
    name === 'group:' ? ({ recordGroups }: RuleSubject) => recordGroups.has(value) : test,
  );
  const label = terms.find(({ name }) => name === 'label:')?.value;
  return {
    matches: (subject) => tests.every((test) => test(subject)),
    label: label === undefined ? undefined : splitLabel(label),
    groups: terms.filter(({ name }) => name === 'group:').map(({ value }) => value),
  };
}

interface Term {
  readonly name: string;
  readonly value: string;
  readonly test: Selector;
}

function termsOf(text: string): Term[] {
  if (typeof text !== 'string') throw new InvalidArgumentError('the selector is no text');
  if (text.length > MAX_LENGTH) throw new InvalidArgumentError('the selector is too long');
  const terms = text.split(/\s+/).filter((term) => term !== '');
  if (terms.length === 0) throw new InvalidArgumentError('the selector is empty');
  return terms.map((term) => {
    const [, name = '', value = ''] = TERM.exec(term) ?? [];
    return { name, value, test: parseTerm(name, value, term) };
  });
}

const TERM = /^(ep=|label:|group:|has:|state:|priority:)(.+)$/s;

function parseTerm(name: string, value: string, term: string): Selector {
  switch (name) {
    case 'ep=':
      return ({ endpoint }) => matchesGlob(value, endpoint);
    case 'label:':
      return parseLabel(value, term);
    case 'group:':
      return ({ groups }) => groups.has(value);
    case 'has:':
      return parseHas(value);
    case 'state:': {
      const states = parseWords(value, STATES, term);
      return ({ connectivity }) => states.has(connectivity);
    }
    case 'priority:': {
      const priorities = parseWords(value, PRIORITIES, term);
      return ({ priority }) => priorities.has(priority);
    }
    default:
      throw unreadable(term);
  }
}

function parseLabel(value: string, term: string): Selector {
  const [name, wanted] = splitLabel(value);
  if (name === '') throw unreadable(term);
  return ({ labels }) => labels.get(name) === wanted;
}

function splitLabel(value: string): readonly [name: string, value: string] {
  const equals = Math.max(0, value.indexOf('='));
  return [value.slice(0, equals), value.slice(equals + 1)];
}

function parseHas(value: string): Selector {
  const path = parsePath(value);
  const { objectId, objectInstanceId } = path;
  const level = pathLevel(path);
  if (objectId === undefined || (level !== 'object' && level !== 'object-instance')) {
    throw new InvalidArgumentError(`has: takes an object or an object instance, not '${value}'`);
  }
  return (subject) => subject.has(objectId, objectInstanceId);
}

function parseWords<T extends string>(value: string, words: readonly T[], term: string): ReadonlySet<T> {
  return new Set(
    value.split('|').map((word) => {
      const known = words.find((candidate) => candidate === word);
      if (known === undefined) throw unreadable(term, `one of ${words.join(', ')}`);
      return known;
    }),
  );
}

function unreadable(term: string, expected = 'ep=, label:, group:, has:, state: or priority:'): InvalidArgumentError {
  return new InvalidArgumentError(`'${term.slice(0, 100)}' in a selector cannot be read: ${expected} is expected`);
}
