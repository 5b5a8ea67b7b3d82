import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { InvalidArgumentError, type ObservationPolicy } from '../../src/index';
import type { EngineHost } from '../lwm2m-server/engine-host';
import { flowStateOf } from '../shared/flow-state';
import { NodeInput, type InputConfig } from '../shared/node-input';
import { isEmpty, messageProperty, oneOf } from '../shared/options';
import { isReset } from '../shared/operation-node';
import { fillFailure } from '../shared/output';
import { findHost, hostOf } from '../shared/server-node';
import { startStatus, type StatusLine } from '../shared/status-line';
import { fixedEndpoint } from '../shared/target';
import { PolicyDesk } from './policy-desk';

interface ObserveConfig extends NodeDef, InputConfig {
  server: string;
}

/** An observation policy, from the node's settings or by message. */
export = function (RED: NodeAPI): void {
  flowStateOf(RED);

  function ObserveNode(this: Node, config: ObserveConfig): void {
    RED.nodes.createNode(this, config);
    const { status, end } = startStatus(RED, this, config.server, fixedEndpoint(config));
    const host = findHost(RED, config.server);
    const desk = host && deskOf(host, this, status);
    let notYet: (() => void) | undefined;
    if (host !== undefined && desk !== undefined) {
      host.policyOwners.claim(this.id, this);
      notYet = host.flows.whenRunning(() => {
        notYet = host.whenServing(() => void resume(this, config, host, desk, status));
      });
    }

    this.on('input', (msg, _send, done) => {
      serve(this, config, msg, desk).then(
        () => done(),
        (error: Error) => {
          status.failed(error);
          fillFailure(msg, { operation: 'observe' }, error);
          done(error);
        },
      );
    });

    this.on('close', (removed: boolean, done: () => void) => {
      notYet?.();
      end();
      desk?.detach();
      host?.policyOwners.release(this.id, this);
      if (desk !== undefined && !removed) host?.kept.keep(this.id, desk);
      done();
    });
  }

  function deskOf(host: EngineHost, node: Node, status: StatusLine): PolicyDesk {
    const kept = host.kept.take(node.id);
    if (!(kept instanceof PolicyDesk)) return new PolicyDesk(RED, host, { node, status });
    kept.handOver({ node, status });
    return kept;
  }

  /** Takes up the policies of the node once the flows run. */
  async function resume(
    node: Node,
    config: ObserveConfig,
    host: EngineHost,
    desk: PolicyDesk,
    status: StatusLine,
  ): Promise<void> {
    try {
      await desk.resume();
      await desk.declare(isComplete(config) ? await policyOf(inputOf(node, config, { _msgid: '' }, host)) : undefined);
    } catch (error) {
      // A flow or global that is not set yet is no mistake: a message will come.
      if (isLookedUp(config) && error instanceof InvalidArgumentError) return;
      status.failed(error as Error);
      node.error(error);
    }
  }

  async function serve(
    node: Node,
    config: ObserveConfig,
    msg: NodeMessageInFlow,
    desk: PolicyDesk | undefined,
  ): Promise<void> {
    const host = hostOf(RED, config.server);
    await host.ready();
    if (isReset(msg)) {
      await desk?.cancel();
      return;
    }
    const input = inputOf(node, config, msg, host);
    const action = oneOf(['observe', 'cancel'], messageProperty(msg, 'action'), 'msg.action') ?? 'observe';
    if (action === 'observe') await desk?.observe(await policyOf(input), input.circumstances().user);
    else await desk?.cancel(await input.optionalTarget(), (await input.optionalPaths())?.paths);
  }

  function inputOf(node: Node, config: ObserveConfig, msg: NodeMessageInFlow, host: EngineHost): NodeInput {
    return new NodeInput(RED, node, config, msg, host.engine.definitions);
  }

  RED.nodes.registerType('lwm2m-observe', ObserveNode);
};

async function policyOf(input: NodeInput): Promise<ObservationPolicy> {
  const target = await input.target();
  const found = await input.optionalPaths();
  if (found === undefined) throw new InvalidArgumentError('no path: set one, or send msg.path');
  return { target, paths: found.paths, attributes: input.attributes(), ...input.content() };
}

/** Whether the settings alone say what to observe. */
function isComplete({ target, targetType, path, pathType }: InputConfig): boolean {
  return !isEmpty(target) && targetType !== 'msg' && !isEmpty(path) && pathType !== 'msg';
}

function isLookedUp({ targetType, pathType }: InputConfig): boolean {
  return [targetType, pathType].some((type) => type === 'flow' || type === 'global');
}
