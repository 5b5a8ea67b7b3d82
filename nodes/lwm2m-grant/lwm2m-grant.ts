import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { InvalidArgumentError, type Engine, type RevokeInput } from '../../src/index';
import { flowStateOf } from '../shared/flow-state';
import { describe, isEmpty, messageProperty, oneOf } from '../shared/options';
import { fillFailure } from '../shared/output';
import { hostOf } from '../shared/server-node';
import { startStatus } from '../shared/status-line';
import { userOf } from '../shared/user';

const ACTIONS = ['grant', 'revoke', 'list'] as const;

type Action = (typeof ACTIONS)[number];

interface GrantConfig extends NodeDef {
  server: string;
  /** One of `ACTIONS`, or `msg`. */
  action?: string;
}

/** Rights for a time: given, taken back, listed. */
export = function (RED: NodeAPI): void {
  flowStateOf(RED);

  function GrantNode(this: Node, config: GrantConfig): void {
    RED.nodes.createNode(this, config);
    const { status, end } = startStatus(RED, this, config.server);
    this.on('close', end);
    this.on('input', (msg, send, done) => {
      perform(config, msg).then(
        ({ action, payload }) => {
          const number = Array.isArray(payload) ? payload.length : 1;
          status.note(RED._(`lwm2m-grant.status.${action}`, { number }));
          msg.payload = payload;
          send(msg);
          done();
        },
        (error: Error) => {
          status.failed(error);
          fillFailure(msg, { operation: 'grant' }, error);
          done(error);
        },
      );
    });
  }

  async function perform(
    config: GrantConfig,
    msg: NodeMessageInFlow,
  ): Promise<{ readonly action: Action; readonly payload: unknown }> {
    const action = actionOf(config, msg);
    const engine = await hostOf(RED, config.server).ready();
    return { action, payload: await act(engine, action, msg) };
  }

  RED.nodes.registerType('lwm2m-grant', GrantNode);
};

async function act(engine: Engine, action: Action, msg: NodeMessageInFlow): Promise<unknown> {
  const user = userOf(msg);
  switch (action) {
    case 'grant':
      return engine.grant(msg.payload, { user });
    case 'revoke':
      return engine.revoke(toRevoke(msg.payload), { user });
    case 'list':
      return engine.grants();
  }
}

/** `{ id }`, `{ user, target }`, or the id alone; a grant as it was answered is the one of its id. */
function toRevoke(payload: unknown): RevokeInput {
  if (typeof payload === 'string' && !isEmpty(payload)) return { id: payload };
  if (typeof payload !== 'object' || payload === null) {
    throw new InvalidArgumentError(`msg.payload must be { id } or { user, target }, not ${describe(payload)}`);
  }
  return 'id' in payload && typeof payload.id === 'string' ? { id: payload.id } : payload;
}

/**
 * What the node is set to, else what the message says, else `grant`; a node set to `msg` does nothing unless told.
 * @throws {InvalidArgumentError} no such action.
 */
function actionOf({ action }: GrantConfig, msg: NodeMessageInFlow): Action {
  const own = oneOf([...ACTIONS, 'msg'] as const, action, 'action');
  if (own !== undefined && own !== 'msg') return own;
  const ofMessage = oneOf(ACTIONS, messageProperty(msg, 'action'), 'msg.action');
  if (ofMessage !== undefined) return ofMessage;
  if (own === undefined) return 'grant';
  throw new InvalidArgumentError(`msg.action must be one of ${ACTIONS.join(', ')}`);
}
