import type { NodeMessage } from 'node-red';
import { InvalidArgumentError, type Target } from '../../src/index';
import { describe, isEmpty, messageProperty } from './options';

export interface TargetConfig {
  target?: unknown;
  targetType?: string;
}

/** Targets that the node itself spells out. */
const FIXED_TYPES = ['endpoint', 'group', 'selector'] as const;
const VARIABLE_TYPES = ['msg', 'flow', 'global', 'env'];

/**
 * The target that a node spells out; `undefined` when it must be looked up (`msg`, `flow`, `global`, `env`).
 * @throws {InvalidArgumentError} a type that there is not.
 */
export function readTarget(config: TargetConfig): Target | undefined {
  const { target, targetType = 'endpoint' } = config;
  if (VARIABLE_TYPES.includes(targetType)) return undefined;
  return targetOfValue(target, targetType, 'target');
}

/** The endpoint a node is set to, for its status. */
export function fixedEndpoint(config: TargetConfig): string | undefined {
  const { target, targetType = 'endpoint' } = config;
  return targetType === 'endpoint' && typeof target === 'string' && !isEmpty(target) ? target : undefined;
}

/** The target that a message names: `msg.target`, else `msg.endpoint`. */
export function targetOfMessage(msg: NodeMessage): Target | undefined {
  const target = targetOfMessageProperty(msg);
  if (target !== undefined) return target;
  const endpoint = messageProperty(msg, 'endpoint');
  return isEmpty(endpoint) ? undefined : targetOfValue(endpoint, undefined, 'msg.endpoint');
}

/** The target that `msg.target` names. */
export function targetOfMessageProperty(msg: NodeMessage): Target | undefined {
  const target = messageProperty(msg, 'target');
  const type = messageProperty(msg, 'targetType');
  if (!isEmpty(target)) return targetOfValue(target, type, 'msg.target');
  // An empty selector is a mistake and must never come to mean another target, let alone all.
  if (typeof target === 'string' && type === 'selector')
    throw new InvalidArgumentError('msg.target is an empty selector');
  return undefined;
}

/**
 * A target from what a message or a context holds: a text (an endpoint, or what `type` says), an array of endpoints,
 * `{ group }` or `{ selector }`.
 * @param where names it in an error.
 * @throws {InvalidArgumentError} anything else, and what is empty.
 */
export function targetOfValue(value: unknown, type: unknown, where: string): Target {
  if (typeof value === 'string' && !isEmpty(value)) return targetOfText(value, type);
  if (Array.isArray(value)) return { endpoints: endpointsOf(value, where) };
  if (typeof value === 'object' && value !== null) {
    const { group, selector, ...others } = value as Record<string, unknown>;
    if (Object.keys(others).length === 0 && (group === undefined) !== (selector === undefined)) {
      if (typeof group === 'string' && !isEmpty(group)) return { group };
      if (typeof selector === 'string') return { selector };
    }
  }
  throw new InvalidArgumentError(
    `${where} must be an endpoint, an array of endpoints, { group } or { selector }, not ${describe(value)}`,
  );
}

function targetOfText(text: string, type: unknown): Target {
  const kind = isEmpty(type) ? 'endpoint' : FIXED_TYPES.find((known) => known === type);
  switch (kind) {
    case 'endpoint':
      return { endpoint: text };
    case 'group':
      return { group: text };
    case 'selector':
      return { selector: text };
    case undefined:
      throw new InvalidArgumentError(`targetType must be endpoint, group or selector, not ${describe(type)}`);
  }
}

/** The endpoints named, each once. */
function endpointsOf(values: readonly unknown[], where: string): string[] {
  const endpoints = new Set<string>();
  for (const value of values) {
    if (typeof value !== 'string' || isEmpty(value)) {
      throw new InvalidArgumentError(`${where} must hold endpoints only, not ${describe(value)}`);
    }
    endpoints.add(value);
  }
  return [...endpoints];
}
