import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import {
  InvalidArgumentError,
  parsePaths,
  resolvePath,
  type Attributes,
  type ContentFormatName,
  type Keys,
  type ObjectDefinitions,
  type Path,
  type Target,
} from '../../src/index';
import { readAttributes, type AttributeConfig } from './attributes';
import { describe, isEmpty, messageProperty, numberOption, oneOf } from './options';
import { readTarget, targetOfMessage, targetOfValue, type TargetConfig } from './target';
import { evaluate } from './typed-value';
import { userOf } from './user';

/** What nodes with a target and a path have in common. */
export interface InputConfig extends TargetConfig, AttributeConfig {
  path?: unknown;
  pathType?: string;
  contentFormat?: unknown;
  keys?: unknown;
}

const CONTENT_FORMATS: readonly ContentFormatName[] = [
  'text',
  'opaque',
  'cbor',
  'senml-json',
  'senml-cbor',
  'senml-etch-json',
  'senml-etch-cbor',
  'tlv',
  'json',
  'lwm2m-cbor',
];

const KEYS: readonly Keys[] = ['id', 'name'];

/**
 * One message as a node with these settings understands it (DESIGN section 4, "Node and message"): what the node has set
 * wins, what it left empty comes from the message, then from the default. All methods throw `InvalidArgumentError`.
 */
export class NodeInput<C extends InputConfig = InputConfig> {
  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    readonly config: C,
    readonly msg: NodeMessageInFlow,
    private readonly definitions: ObjectDefinitions,
  ) {}

  /** The target, if the node or the message names one. */
  async optionalTarget(): Promise<Target | undefined> {
    const { target, targetType = 'endpoint' } = this.config;
    if (isEmpty(target)) return targetOfMessage(this.msg);
    const fixed = readTarget(this.config);
    if (fixed !== undefined) return fixed;
    const value = await evaluate(this.RED, this.node, { value: target, type: targetType }, this.msg);
    const ofMessage = targetType === 'msg' ? messageProperty(this.msg, 'targetType') : undefined;
    return targetOfValue(value, ofMessage, `${targetType} ${describe(target)}`);
  }

  async target(): Promise<Target> {
    const target = await this.optionalTarget();
    if (target === undefined) throw new InvalidArgumentError('no target: set one, or send msg.target or msg.endpoint');
    return target;
  }

  /** The paths, if the node or the message names any. `several`: they came as a list, or are more than one. */
  async optionalPaths(): Promise<{ paths: Path[]; several: boolean } | undefined> {
    const { path, pathType = 'str' } = this.config;
    if (isEmpty(path)) return this.toPaths(messageProperty(this.msg, 'path'), 'msg.path');
    if (pathType === 'str') return this.toPaths(path, 'path');
    const value = await evaluate(this.RED, this.node, { value: path, type: pathType }, this.msg);
    const where = `${pathType} ${describe(path)}`;
    const paths = this.toPaths(value, where);
    if (paths === undefined) throw new InvalidArgumentError(`${where} holds no path`);
    return paths;
  }

  /** A list of texts such as `paths`: an array, or text. An empty array is left empty. */
  list(name: string): string | string[] | undefined {
    const own = (this.config as unknown as Record<string, unknown>)[name];
    for (const value of [own, messageProperty(this.msg, name)]) {
      if (isEmpty(value) || (Array.isArray(value) && value.length === 0)) continue;
      if (isTexts(value)) return value;
      throw new InvalidArgumentError(`${name} must be text or an array of texts, not ${describe(value)}`);
    }
    return undefined;
  }

  /** The one path of an operation that takes one. */
  async path(): Promise<Path> {
    return this.onePath(await this.optionalPaths());
  }

  onePath(found: { readonly paths: readonly Path[] } | undefined): Path {
    const [path, ...others] = found?.paths ?? [];
    if (path === undefined) throw new InvalidArgumentError('no path: set one, or send msg.path');
    if (others.length > 0) throw new InvalidArgumentError('this operation takes one path');
    return path;
  }

  /** A typed input such as `value` with `valueType`: the node's, else the message property of its name, else `msg.payload`. */
  async typed(name: 'value' | 'args'): Promise<unknown> {
    const settings = this.config as Record<string, unknown>;
    const value = settings[name];
    const ownType = settings[`${name}Type`];
    const type = typeof ownType === 'string' && ownType !== '' ? ownType : 'msg';
    if (type === 'msg' && isEmpty(value)) return messageProperty(this.msg, name) ?? this.msg.payload;
    return evaluate(this.RED, this.node, { value: value ?? '', type }, this.msg);
  }

  /** A setting as the node has it, else as the message has it. `undefined` when neither has. */
  option(name: string): unknown {
    const own = (this.config as unknown as Record<string, unknown>)[name];
    if (!isEmpty(own)) return own;
    const ofMessage = messageProperty(this.msg, name);
    return isEmpty(ofMessage) ? undefined : ofMessage;
  }

  choice<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    return oneOf(allowed, this.option(name), name);
  }

  number(name: string): number | undefined {
    return numberOption(this.option(name), name);
  }

  content(): { contentFormat?: ContentFormatName; keys?: Keys } {
    return { contentFormat: this.choice('contentFormat', CONTENT_FORMATS), keys: this.choice('keys', KEYS) };
  }

  attributes(): Attributes {
    return readAttributes(this.config, this.msg);
  }

  /** Who orders, how long the order may wait, and whether it takes the place of older ones that wait. */
  circumstances(): { user?: string; expires?: number; supersede?: boolean } {
    const expires = numberOption(messageProperty(this.msg, 'expires'), 'msg.expires');
    if (expires !== undefined && !(expires > 0)) throw new InvalidArgumentError('msg.expires must be above 0 (ms)');
    const supersede = messageProperty(this.msg, 'supersede');
    if (!isEmpty(supersede) && typeof supersede !== 'boolean') {
      throw new InvalidArgumentError(`msg.supersede must be true or false, not ${describe(supersede)}`);
    }
    return { user: userOf(this.msg), expires, supersede: isEmpty(supersede) ? undefined : supersede };
  }

  /** A path of ids or names that a setting or a message holds. */
  resolve(text: string): Path {
    return resolvePath(text, this.definitions);
  }

  private toPaths(value: unknown, where: string): { paths: Path[]; several: boolean } | undefined {
    if (isEmpty(value)) return undefined;
    if (!isTexts(value))
      throw new InvalidArgumentError(`${where} must be a path or an array of paths, not ${describe(value)}`);
    const paths = parsePaths(value, this.definitions);
    return { paths, several: Array.isArray(value) || paths.length > 1 };
  }
}

function isTexts(value: unknown): value is string | string[] {
  return typeof value === 'string' || (Array.isArray(value) && value.every((item) => typeof item === 'string'));
}
