import { InvalidArgumentError, type Condition, type Order } from '../../src/index';
import type { InputConfig, NodeInput } from '../shared/node-input';
import { describe, isEmpty, numberOption, oneOf } from '../shared/options';

/** What must be before something is executed. */
export interface GuardConfig extends InputConfig {
  /** `[{ path, test, value, maxAge }]` */
  conditions?: unknown;
  /** Whether a second person must agree. */
  secondPerson?: unknown;
  /** Who may; empty: everybody who may execute it. */
  confirmBy?: unknown;
  /** For how long it may be confirmed, s. */
  confirmTime?: unknown;
}

const TESTS = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const;
/** As people write them. */
const SIGNS: Readonly<Record<string, Condition['test']>> = {
  '=': 'eq',
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
};

/** The conditions of the node, and those of the message besides: a message never takes one away. @throws {InvalidArgumentError} */
export function conditionsOf(input: NodeInput<GuardConfig>): Condition[] {
  const own = input.config.conditions;
  const ofMessage = Object.hasOwn(input.msg, 'conditions') ? input.msg['conditions'] : undefined;
  return [
    ...listOf(own).map((item) => conditionOf(item, input)),
    ...listOf(ofMessage).map((item) => ({ ...conditionOf(item, input), isOfUser: true })),
  ];
}

/** @throws {InvalidArgumentError} */
export function confirmationOf(input: NodeInput<GuardConfig>): Pick<Order, 'confirmation'> {
  const { secondPerson, confirmBy, confirmTime } = input.config;
  const ofMessage = Object.hasOwn(input.msg, 'secondPerson') ? input.msg['secondPerson'] : undefined;
  const isWanted = [flagOf(secondPerson, 'secondPerson'), flagOf(ofMessage, 'msg.secondPerson')].includes(true);
  if (!isWanted) return {};
  const by = typeof confirmBy === 'string' ? confirmBy.split(/[\s,]+/).filter((name) => name !== '') : [];
  const seconds = numberOption(confirmTime, 'confirmTime');
  return {
    confirmation: {
      ...(by.length === 0 ? {} : { by }),
      ...(seconds === undefined ? {} : { within: seconds * 1000 }),
    },
  };
}

/** A guard is not left out because somebody wrote it as text. */
function flagOf(value: unknown, name: string): boolean {
  if (isEmpty(value)) return false;
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === 'false') return value === 'true';
  throw new InvalidArgumentError(`${name} must be true or false, not ${describe(value)}`);
}

function listOf(value: unknown): readonly unknown[] {
  if (isEmpty(value)) return [];
  if (Array.isArray(value)) return value;
  throw new InvalidArgumentError(`conditions must be an array, not ${describe(value)}`);
}

function conditionOf(item: unknown, input: NodeInput<GuardConfig>): Condition {
  if (typeof item !== 'object' || item === null) {
    throw new InvalidArgumentError(`a condition must be { path, test, value }, not ${describe(item)}`);
  }
  const { path, test, value, maxAge, ...others } = item as Record<string, unknown>;
  // A misspelt property must not make a guard weaker than its author thinks.
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new InvalidArgumentError(`a condition has no '${unknown}', only path, test, value, maxAge`);
  if (typeof path !== 'string' || isEmpty(path)) throw new InvalidArgumentError('a condition has no path');
  const sign = typeof test === 'string' ? (SIGNS[test.trim()] ?? test.trim()) : test;
  const age = numberOption(maxAge, "a condition's maxAge");
  return {
    path: input.resolve(path),
    test: oneOf(TESTS, sign, "a condition's test") ?? 'eq',
    value: valueOf(value),
    ...(age === undefined ? {} : { maxAge: age }),
  };
}

/** What a field of the dialog holds is text. What is wrong with it the engine says. */
function valueOf(value: unknown): Condition['value'] {
  if (typeof value !== 'string') return value as Condition['value'];
  const text = value.trim();
  if (text === 'true' || text === 'false') return text === 'true';
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}
