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
  if (text.length > MAX_LENGTH) throw new InvalidArgumentError('the selector is too long');
  const terms = text.split(/\s+/).filter((term) => term !== '');
  if (terms.length === 0) throw new InvalidArgumentError('the selector is empty');
  const tests = terms.map(parseTerm);
  return (subject) => tests.every((test) => test(subject));
}

const TERM = /^(ep=|label:|group:|has:|state:|priority:)(.+)$/s;

function parseTerm(term: string): Selector {
  const [, name = '', value = ''] = TERM.exec(term) ?? [];
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
  const equals = value.indexOf('=');
  if (equals < 1) throw unreadable(term);
  const name = value.slice(0, equals);
  const wanted = value.slice(equals + 1);
  return ({ labels }) => labels.get(name) === wanted;
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
