import type { Node, NodeAPI } from 'node-red';
import type { DeviceEvent, Engine } from '../../src/index';
import type { HostEvent } from '../lwm2m-server/device-events';
import { describe, isEmpty } from '../shared/options';
import { readTarget, targetOfValue, type TargetConfig } from '../shared/target';
import { evaluate } from '../shared/typed-value';
import { messageOf } from './event-message';

type Matcher = (endpoint: string) => boolean;

/**
 * Whether events are of the devices that a node is set to: all when it is set to none, and only then those of the server
 * itself too.
 */
export class EventFilter {
  readonly #RED: NodeAPI;
  readonly #node: Node;
  readonly #config: TargetConfig;
  readonly #engine: Engine;
  /** Of a target that the node spells out. */
  #matcher: Matcher | undefined;

  constructor(RED: NodeAPI, node: Node, config: TargetConfig, engine: Engine) {
    this.#RED = RED;
    this.#node = node;
    this.#config = config;
    this.#engine = engine;
  }

  /** @throws {InvalidArgumentError} the target cannot be read. */
  async passes(event: HostEvent): Promise<boolean> {
    if (!('endpoint' in event)) return isEmpty(this.#config.target);
    const matcher = this.#matcher ?? (await this.#matcherFor(event));
    return matcher(event.endpoint);
  }

  async #matcherFor(event: DeviceEvent): Promise<Matcher> {
    const { target, targetType = 'endpoint' } = this.#config;
    if (isEmpty(target)) return (this.#matcher = () => true);
    const spelled = readTarget(this.#config);
    if (spelled !== undefined) return (this.#matcher = this.#engine.matcher(spelled));
    // What is looked up may be another thing at the next event.
    const value = await evaluate(this.#RED, this.#node, { value: target, type: targetType }, messageOf(event));
    return this.#engine.matcher(targetOfValue(value, undefined, `${targetType} ${describe(target)}`));
  }
}
