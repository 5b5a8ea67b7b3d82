import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { InvalidArgumentError, type SuspensionTopic } from '../../src/index';
import type { EngineHost } from '../lwm2m-server/engine-host';
import { flowStateOf } from '../shared/flow-state';
import { NodeInput, type InputConfig } from '../shared/node-input';
import { isReset } from '../shared/operation-node';
import { describe, isEmpty, messageProperty, numberOption, oneOf } from '../shared/options';
import { findHost, hostOf } from '../shared/server-node';
import { startStatus, type StatusLine } from '../shared/status-line';
import { evaluate } from '../shared/typed-value';
import { userOf } from '../shared/user';
import { SuspensionDesk, type Wish } from './suspension-desk';

interface SuspendConfig extends NodeDef, InputConfig {
  server: string;
  /** One of `ACTIONS`, or `msg`. */
  action?: string;
  /** s */
  duration?: unknown;
  durationType?: string;
  stagger?: unknown;
}

const ACTIONS = ['suspend', 'resume', 'status'] as const;

/** What changes how many are away. */
const TOPICS: readonly string[] = ['suspended', 'resumed', 'overdue'] satisfies SuspensionTopic[];

/** Suspends the connection of devices for a time, lets them in before it is over, and tells who is away. */
export = function (RED: NodeAPI): void {
  flowStateOf(RED);

  function SuspendNode(this: Node, config: SuspendConfig): void {
    RED.nodes.createNode(this, config);
    const { status, end } = startStatus(RED, this, config.server);
    const host = findHost(RED, config.server);
    const desk = deskOf(host, this, status);
    const ignore = host?.devices.listen(({ topic }) => {
      if (TOPICS.includes(topic)) desk.show();
    });

    this.on('input', (msg, send, done) => {
      if (isReset(msg)) {
        desk.cancelAll();
        done();
        return;
      }
      void desk.serve({ msg, send, done }, (signal) => wishOf(this, config, msg, signal));
    });

    this.on('close', (removed: boolean, done: () => void) => {
      end();
      ignore?.();
      if (removed || host === undefined) desk.cancelAll();
      else host.kept.keep(this.id, desk);
      done();
    });
  }

  /** The desk that a deploy has left for this node, else a new one. */
  function deskOf(host: EngineHost | undefined, node: Node, status: StatusLine): SuspensionDesk {
    const kept = host?.kept.take(node.id);
    if (!(kept instanceof SuspensionDesk)) return new SuspensionDesk(RED, { node, status });
    kept.handOver({ node, status });
    return kept;
  }

  async function wishOf(node: Node, config: SuspendConfig, msg: NodeMessageInFlow, signal: AbortSignal): Promise<Wish> {
    const engine = await hostOf(RED, config.server).ready();
    const input = new NodeInput(RED, node, config, msg, engine.definitions);
    const action = actionOf(config, msg);
    if (action === 'status') return { action, engine, target: await input.optionalTarget() };
    const target = await input.target();
    const user = userOf(msg);
    if (action === 'resume') return { action, engine, target, run: () => engine.resume(target, { user, signal }) };
    const duration = await durationOf(node, config, msg);
    const stagger = input.number('stagger');
    return { action, engine, target, run: () => engine.suspend(target, { duration, stagger, user, signal }) };
  }

  /** s: what the node is set to, else what the message says. */
  async function durationOf(node: Node, config: SuspendConfig, msg: NodeMessageInFlow): Promise<number> {
    const { duration: own } = config;
    const type = isEmpty(config.durationType) ? 'num' : config.durationType;
    const isPlain = isEmpty(own) || type === 'num' || type === 'str';
    const value = isPlain ? own : await evaluate(RED, node, { value: own, type }, msg);
    const duration = isEmpty(own)
      ? numberOption(messageProperty(msg, 'duration'), 'msg.duration')
      : numberOption(value, isPlain ? 'duration' : `${type} ${describe(own)}`);
    if (duration !== undefined) return duration;
    throw new InvalidArgumentError('no duration: set one, or send msg.duration (seconds)');
  }

  RED.nodes.registerType('lwm2m-suspend', SuspendNode);
};

/**
 * What the node is set to, else what the message says, else `suspend`; a node set to `msg` does nothing unless told.
 * @throws {InvalidArgumentError} no such action.
 */
function actionOf({ action }: SuspendConfig, msg: NodeMessageInFlow): (typeof ACTIONS)[number] {
  const own = oneOf([...ACTIONS, 'msg'] as const, action, 'action');
  if (own !== undefined && own !== 'msg') return own;
  const ofMessage = oneOf(ACTIONS, messageProperty(msg, 'action'), 'msg.action');
  if (ofMessage !== undefined) return ofMessage;
  if (own === undefined) return 'suspend';
  throw new InvalidArgumentError(`msg.action must be one of ${ACTIONS.join(', ')}`);
}
