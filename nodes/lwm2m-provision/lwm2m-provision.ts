import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { InvalidArgumentError } from '../../src/index';
import { flowStateOf } from '../shared/flow-state';
import { messageProperty, oneOf } from '../shared/options';
import { fillFailure } from '../shared/output';
import { hostOf } from '../shared/server-node';
import { startStatus } from '../shared/status-line';
import { ACTIONS, FORMATS, namesOnly, provision, type Action, type Format } from './provision';

interface ProvisionConfig extends NodeDef {
  server: string;
  /** One of `ACTIONS`, or `msg`. */
  action?: string;
  /** One of `FORMATS`; of `get` and `list`. */
  format?: string;
}

/** Others do not care for a `msg.format` that the node before has left. */
const ANSWERS_RECORDS: readonly Action[] = ['get', 'list'];

/** Device records: who may register as whom, and what the fleet knows of a device before it has ever been heard. */
export = function (RED: NodeAPI): void {
  flowStateOf(RED);

  function ProvisionNode(this: Node, config: ProvisionConfig): void {
    RED.nodes.createNode(this, config);
    const { status, end } = startStatus(RED, this, config.server);
    this.on('close', end);
    this.on('input', (msg, send, done) => {
      perform(config, msg).then(
        ({ payload, endpoint, count, joining }) => {
          if (joining === undefined) status.devices(count);
          else status.note(RED._('lwm2m-provision.status.join', { seconds: joining }));
          msg.payload = payload;
          forgetBody(msg);
          if (endpoint !== undefined) msg.endpoint = endpoint;
          send(msg);
          done();
        },
        (error: Error) => {
          status.failed(error);
          // What goes to a Catch node, and from there anywhere, holds no key.
          msg.payload = namesOnly(msg.payload);
          forgetBody(msg);
          fillFailure(msg, { operation: 'provision' }, error);
          done(error);
        },
      );
    });
  }

  async function perform(config: ProvisionConfig, msg: NodeMessageInFlow): ReturnType<typeof provision> {
    const action = actionOf(config, msg);
    const format = ANSWERS_RECORDS.includes(action) ? formatOf(config, msg) : undefined;
    return provision(await hostOf(RED, config.server).ready(), action, msg, format);
  }

  RED.nodes.registerType('lwm2m-provision', ProvisionNode);
};

/** What the node is set to, else what the message says. @throws {InvalidArgumentError} no such format. */
function formatOf({ format }: ProvisionConfig, msg: NodeMessageInFlow): Format | undefined {
  return oneOf(FORMATS, format, 'format') ?? oneOf(FORMATS, messageProperty(msg, 'format'), 'msg.format');
}

/** Records that came by HTTP are also in the request, which goes on with the message and which a debug node shows. */
function forgetBody(msg: NodeMessageInFlow): void {
  const request = messageProperty(msg, 'req');
  if (typeof request !== 'object' || request === null || !('body' in request)) return;
  request.body = namesOnly(request.body);
}

/**
 * What the node is set to, else what the message says, else `put`; a node set to `msg` does nothing unless told.
 * @throws {InvalidArgumentError} no such action.
 */
function actionOf({ action }: ProvisionConfig, msg: NodeMessageInFlow): Action {
  const own = oneOf([...ACTIONS, 'msg'] as const, action, 'action');
  if (own !== undefined && own !== 'msg') return own;
  const ofMessage = oneOf(ACTIONS, messageProperty(msg, 'action'), 'msg.action');
  if (ofMessage !== undefined) return ofMessage;
  if (own === undefined) return 'put';
  throw new InvalidArgumentError(`msg.action must be one of ${ACTIONS.join(', ')}`);
}
