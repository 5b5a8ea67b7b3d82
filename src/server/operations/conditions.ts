import { InvalidArgumentError, PreconditionError, ResponseError } from '../../errors';
import { formatPath, pathLevel, type Value } from '../../model';
import type { Exchange } from '../exchange';
import type { Condition } from '../operation';
import { readSingle } from './read';

const MAX_CONDITIONS = 10;
const TESTS: readonly Condition['test'][] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'];

/** Checks what is wrong with conditions for every device. @throws {InvalidArgumentError} */
export function checkConditions(conditions: readonly Condition[] = []): void {
  if (conditions.length > MAX_CONDITIONS) throw new InvalidArgumentError(`more than ${MAX_CONDITIONS} conditions`);
  for (const { path, test, value, maxAge } of conditions) {
    const level = pathLevel(path);
    if (level !== 'resource' && level !== 'resource-instance') {
      throw new InvalidArgumentError(`a condition is on a resource, not on ${formatPath(path)}`);
    }
    if (!TESTS.includes(test)) throw new InvalidArgumentError(`a condition's test must be one of ${TESTS.join(', ')}`);
    const isNumber = typeof value === 'number' && Number.isFinite(value);
    if (!isNumber && typeof value !== 'string' && typeof value !== 'boolean') {
      throw new InvalidArgumentError(`a condition's value must be a number, a text or a boolean`);
    }
    if (!isNumber && test !== 'eq' && test !== 'ne') {
      throw new InvalidArgumentError(`only numbers are compared by ${test}`);
    }
    if (maxAge !== undefined && !(maxAge >= 0)) {
      throw new InvalidArgumentError("a condition's maxAge must be a number of seconds");
    }
  }
}

/**
 * Reads what conditions ask, one after the other, from the device itself.
 * @throws {PreconditionError} one does not hold, or the device does not tell: then nothing may be done.
 */
export async function assertConditions(exchange: Exchange, conditions: readonly Condition[] = []): Promise<void> {
  for (const condition of conditions) {
    const { path, test, value, maxAge } = condition;
    const text = `${formatPath(path)} ${test} ${String(value)}`;
    const { endpoint } = exchange.client;
    const { actual, timestamp } = await valueOf(exchange, condition, text);
    if (!holds(actual, test, value)) throw new PreconditionError(`${text} does not hold on ${endpoint}`);
    const isOld = maxAge !== undefined && exchange.context.clock.now() - timestamp > maxAge * 1000;
    if (isOld) throw new PreconditionError(`${text} held on ${endpoint} longer than ${maxAge} s ago`);
  }
}

async function valueOf(
  exchange: Exchange,
  { path }: Condition,
  text: string,
): Promise<{ actual: Value; timestamp: number }> {
  const { endpoint } = exchange.client;
  try {
    const { values } = await readSingle(exchange, path, undefined);
    const [first, ...others] = values;
    if (first !== undefined && others.length === 0) {
      return { actual: first.value, timestamp: first.timestamp ?? exchange.context.clock.now() };
    }
  } catch (error) {
    if (!(error instanceof ResponseError)) throw error;
    throw new PreconditionError(`${text} cannot be known of ${endpoint}: ${error.message}`, { cause: error.cause });
  }
  throw new PreconditionError(`${text} cannot be known of ${endpoint}: it did not answer one value`);
}

/** What cannot be compared does not hold, also not as `ne`: nobody knows. */
function holds(actual: Value, test: Condition['test'], wanted: Condition['value']): boolean {
  if (typeof wanted === 'boolean' || typeof wanted === 'string') {
    return typeof actual === typeof wanted && (actual === wanted) === (test === 'eq');
  }
  const number = actual instanceof Date ? actual.getTime() : actual;
  if ((typeof number !== 'number' && typeof number !== 'bigint') || Number.isNaN(number)) return false;
  switch (test) {
    case 'eq':
      return equals(number, wanted);
    case 'ne':
      return !equals(number, wanted);
    case 'lt':
      return number < wanted;
    case 'le':
      return number <= wanted;
    case 'gt':
      return number > wanted;
    case 'ge':
      return number >= wanted;
  }
}

function equals(number: number | bigint, wanted: number): boolean {
  return typeof number === 'bigint' ? Number.isInteger(wanted) && number === BigInt(wanted) : number === wanted;
}
