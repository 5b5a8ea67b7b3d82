import type { NodeMessage } from 'node-red';
import { InvalidArgumentError } from '../../src/index';
import { describe, isEmpty, messageProperty } from './options';

/**
 * Who orders: `msg.user`, else the authenticated user of an HTTP request, else the one of a dashboard's client.
 * @throws {InvalidArgumentError} `msg.user` names nobody: it is never taken for "no user".
 */
export function userOf(msg: NodeMessage): string | undefined {
  const user = messageProperty(msg, 'user');
  if (!isEmpty(user)) {
    const name = nameOf(user);
    if (name === undefined) throw new InvalidArgumentError(`msg.user must be a user's name, not ${describe(user)}`);
    return name;
  }
  return (
    nameOf(memberOf(messageProperty(msg, 'req'), 'user')) ?? nameOf(memberOf(messageProperty(msg, '_client'), 'user'))
  );
}

function nameOf(user: unknown): string | undefined {
  if (typeof user === 'string') return isEmpty(user) ? undefined : user;
  for (const key of ['username', 'name', 'userId', 'email']) {
    const name = memberOf(user, key);
    if (typeof name === 'string' && !isEmpty(name)) return name;
  }
  return undefined;
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
