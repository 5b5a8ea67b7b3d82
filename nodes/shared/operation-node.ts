import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import type { Engine, Operation, Order, TakenUpOrder } from '../../src/index';
import type { EngineHost } from '../lwm2m-server/engine-host';
import { flowStateOf } from './flow-state';
import { NodeInput, type InputConfig } from './node-input';
import { noteOf } from './order-note';
import { OrderDesk } from './order-desk';
import { fillFailure } from './output';
import { findHost, hostOf } from './server-node';
import { startStatus, type StatusLine } from './status-line';
import { fixedEndpoint } from './target';

export interface OperationConfig extends NodeDef, InputConfig {
  server: string;
}

/** What some nodes do besides. */
export interface MoreOfOperation<C extends OperationConfig> {
  /** How the order is to be done. @throws {InvalidArgumentError} */
  order?(input: NodeInput<C>): Pick<Order, 'confirmation'>;
  /** What a message asks for instead of an operation. */
  instead?(msg: NodeMessageInFlow): ((engine: Engine) => void) | undefined;
}

/**
 * Registers a node type that makes one operation of each message: input, operation, then send, status and done, once.
 * @param name the operation's, for an error before there is one.
 * @param operationOf reads the operation from the node's settings and the message.
 */
export function registerOperationNode<C extends OperationConfig>(
  RED: NodeAPI,
  type: string,
  name: string,
  operationOf: (input: NodeInput<C>) => Promise<Operation>,
  more: MoreOfOperation<C> = {},
): void {
  flowStateOf(RED);

  function OperationNode(this: Node, config: C): void {
    RED.nodes.createNode(this, config);
    const { status, end } = startStatus(RED, this, config.server, fixedEndpoint(config));
    const host = findHost(RED, config.server);
    const desk = deskOf(host, this, status);
    const takeUp = (order: TakenUpOrder): void => desk.takeUp(order);
    host?.orderOwners.claim(this.id, takeUp);

    this.on('input', (msg, send, done) => {
      if (isReset(msg)) {
        desk.cancelAll();
        done();
        return;
      }
      const instead = more.instead?.(msg);
      if (instead !== undefined) {
        Promise.resolve()
          .then(() => hostOf(RED, config.server).ready())
          .then(instead)
          .then(
            () => done(),
            (error: Error) => {
              status.failed(error);
              fillFailure(msg, { operation: name }, error);
              done(error);
            },
          );
        return;
      }
      void desk.serve({ msg, send, done }, name, async (signal) => {
        const engine = await hostOf(RED, config.server).ready();
        return { engine, order: await orderOf(engine, this, config, msg, signal) };
      });
    });

    this.on('close', (removed: boolean, done: () => void) => {
      end();
      host?.orderOwners.release(this.id, takeUp);
      if (removed || host === undefined) desk.cancelAll();
      else host.kept.keep(this.id, desk);
      done();
    });
  }

  /** The desk that a deploy has left for this node, else a new one. */
  function deskOf(host: EngineHost | undefined, node: Node, status: StatusLine): OrderDesk {
    const kept = host?.kept.take(node.id);
    if (!(kept instanceof OrderDesk)) return new OrderDesk(RED, { node, status });
    kept.handOver({ node, status });
    return kept;
  }

  async function orderOf(
    engine: Engine,
    node: Node,
    config: C,
    msg: NodeMessageInFlow,
    signal: AbortSignal,
  ): Promise<Order> {
    const input = new NodeInput(RED, node, config, msg, engine.definitions);
    const target = await input.target();
    const operation = await operationOf(input);
    const origin = { owner: node.id, note: () => noteOf(msg) };
    return { target, operation, ...input.circumstances(), ...more.order?.(input), origin, signal };
  }

  RED.nodes.registerType(type, OperationNode);
}

/** As the core nodes do: the property is there. `false` is an honest no. */
export function isReset(msg: NodeMessageInFlow): boolean {
  return Object.hasOwn(msg, 'reset') && msg.reset !== false;
}
