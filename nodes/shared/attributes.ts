import type { NodeMessage } from 'node-red';
import { ATTRIBUTE_NAMES, type AttributeName, type Attributes } from '../../src/index';
import { isEmpty, messageProperty, numberOption } from './options';

export type AttributeConfig = { readonly [name in AttributeName]?: unknown };

/**
 * Notification attributes: of the node, else `msg.pmin`, else `msg.payload.pmin` (and so on). `null` unsets one; in the
 * node's own settings, where an empty field is no wish, that is the text `null`.
 * @throws {InvalidArgumentError} not a number.
 */
export function readAttributes(config: AttributeConfig, msg: NodeMessage): Attributes {
  const attributes: Partial<Record<AttributeName, number | null>> = {};
  for (const name of ATTRIBUTE_NAMES) {
    const value = wished(config[name], msg, name);
    if (value === null || value === 'null') attributes[name] = null;
    else if (value !== undefined)
      attributes[name] = numberOption(value === true ? 1 : value === false ? 0 : value, name);
  }
  return attributes as Attributes;
}

function wished(own: unknown, msg: NodeMessage, name: AttributeName): unknown {
  if (!isEmpty(own)) return own;
  for (const source of [msg, msg.payload]) {
    if (typeof source !== 'object' || source === null || Array.isArray(source)) continue;
    const value = messageProperty(source as NodeMessage, name);
    if (value === null || !isEmpty(value)) return value;
  }
  return undefined;
}
