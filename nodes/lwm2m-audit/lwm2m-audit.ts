import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { auditCsv } from '../../src/index';
import { flowStateOf } from '../shared/flow-state';
import { isEmpty, messageProperty, oneOf } from '../shared/options';
import { fillFailure } from '../shared/output';
import { hostOf } from '../shared/server-node';
import { startStatus } from '../shared/status-line';

interface AuditConfig extends NodeDef {
  server: string;
  /** Whose orders; empty: what the message says, else everybody's. */
  user?: string;
  endpoint?: string;
  operation?: string;
  outcome?: string;
  limit?: string | number;
  /** `array` or `csv`. */
  format?: string;
}

/** What a query may hold. The user is never taken from `msg.user`: that is who asks. */
const QUERY = ['from', 'to', 'endpoint', 'operation', 'outcome', 'before', 'limit'] as const;

const FORMATS = ['array', 'csv'] as const;

/** Who ordered what, when, of which devices, and what came of it. */
export = function (RED: NodeAPI): void {
  flowStateOf(RED);

  function AuditNode(this: Node, config: AuditConfig): void {
    RED.nodes.createNode(this, config);
    const { status, end } = startStatus(RED, this, config.server);
    this.on('close', end);
    this.on('input', (msg, send, done) => {
      perform(config, msg).then(
        ({ payload, count }) => {
          status.note(RED._('lwm2m-audit.status.entries', { number: count }));
          msg.payload = payload;
          send(msg);
          done();
        },
        (error: Error) => {
          status.failed(error);
          fillFailure(msg, { operation: 'audit' }, error);
          done(error);
        },
      );
    });
  }

  async function perform(
    config: AuditConfig,
    msg: NodeMessageInFlow,
  ): Promise<{ readonly payload: unknown; readonly count: number }> {
    const format = oneOf(FORMATS, valueOf('format', config, msg), 'format') ?? 'array';
    const engine = await hostOf(RED, config.server).ready();
    const entries = await engine.audit(queryOf(config, msg));
    const payload =
      format === 'csv'
        ? auditCsv(entries)
        : entries.map((entry) => ({ ...entry, at: new Date(entry.at).toISOString() }));
    return { payload, count: entries.length };
  }

  RED.nodes.registerType('lwm2m-audit', AuditNode);
};

function queryOf(config: AuditConfig, msg: NodeMessageInFlow): Record<string, unknown> {
  const query: Record<string, unknown> = {};
  const set = (name: string, value: unknown): void => {
    if (!isEmpty(value)) query[name] = value;
  };
  for (const name of QUERY) set(name, valueOf(name, config, msg));
  set('user', isEmpty(config.user) ? ofPayload('user', msg) : config.user);
  return query;
}

/** What the node is set to, else what the message says: `msg.payload` before a property of the message itself. */
function valueOf(name: string, config: AuditConfig, msg: NodeMessageInFlow): unknown {
  const own = (config as unknown as Record<string, unknown>)[name];
  if (!isEmpty(own)) return own;
  const value = ofPayload(name, msg);
  return isEmpty(value) ? messageProperty(msg, name) : value;
}

/** A button or an inject node sends something else than a query. */
function ofPayload(name: string, { payload }: NodeMessageInFlow): unknown {
  const isQuery =
    typeof payload === 'object' && payload !== null && !Array.isArray(payload) && Object.hasOwn(payload, name);
  return isQuery ? (payload as Record<string, unknown>)[name] : undefined;
}
