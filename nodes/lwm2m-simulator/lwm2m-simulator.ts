import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { InvalidArgumentError, type FleetEvent } from '../../src/index';
import { flowStateOf } from '../shared/flow-state';
import { describe, isEmpty, messageProperty, numberOption, oneOf } from '../shared/options';
import { StatusLine } from '../shared/status-line';
import { Survivors } from '../shared/survivors';
import { Simulation, type SimulationSettings } from './simulation';

interface SimulatorConfig extends NodeDef {
  kind?: string;
  count?: number | string;
  endpointPrefix?: string;
  serverUri?: string;
  lifetime?: number | string;
  security?: string;
}

const ACTIONS = ['vanish', 'return', 'comeBack', 'start', 'stop'] as const;

/** Simulated devices on the canvas. */
export = function (RED: NodeAPI): void {
  flowStateOf(RED);
  const simulations = new Survivors<Simulation>(RED);

  function SimulatorNode(this: Node, config: SimulatorConfig): void {
    RED.nodes.createNode(this, config);
    const status = new StatusLine(RED, this);
    this.on('close', () => status.close());
    const simulation = acquire(this, config, status);
    this.on('input', (msg, _send, done) => {
      obey(simulation, msg).then(
        () => {
          if (simulation !== undefined) status.simulated(simulation);
          done();
        },
        (error: Error) => done(error),
      );
    });
    if (simulation === undefined) return;

    this.on('close', (removed: boolean, done: () => void) => {
      void simulations.release(this.id, simulation, removed).finally(done);
    });
    status.simulated(simulation);
    const notYet = flowStateOf(RED).whenRunning(() => {
      simulation.startOnce().catch((error: Error) => {
        status.failed(error);
        this.error(error.message);
      });
    });
    this.on('close', notYet);
  }

  /** The devices of this node, those of before a deploy if nothing has changed. */
  function acquire(node: Node, config: SimulatorConfig, status: StatusLine): Simulation | undefined {
    const listener = {
      event: (event: FleetEvent): void => {
        if (simulation !== undefined) status.simulated(simulation);
        if (event.topic === 'fault') node.error(event.error, { endpoint: event.endpoint });
        else node.send(messageOf(event));
      },
    };
    let simulation: Simulation | undefined;
    try {
      const settings = settingsOf(config);
      simulation = simulations.acquire(
        node.id,
        JSON.stringify(settings),
        () => new Simulation(RED, settings, listener),
      );
      simulation.adopt(listener);
    } catch (error) {
      status.failed(error as Error);
      node.error((error as Error).message);
    }
    return simulation;
  }

  RED.nodes.registerType('lwm2m-simulator', SimulatorNode);
};

/** @throws {InvalidArgumentError} a setting that cannot be. */
function settingsOf(config: SimulatorConfig): SimulationSettings {
  const { kind, endpointPrefix, serverUri, security } = config;
  if (!isEmpty(security) && security !== 'none') {
    throw new InvalidArgumentError(`the simulator knows no security ${describe(security)} yet`);
  }
  return {
    kind: isEmpty(kind) ? 'street-light' : kind,
    count: numberOption(config.count, 'count') ?? 1,
    endpointPrefix: isEmpty(endpointPrefix) ? 'lamp-' : endpointPrefix,
    serverUri: isEmpty(serverUri) ? 'coap://127.0.0.1:5683' : serverUri,
    lifetime: numberOption(config.lifetime, 'lifetime'),
  };
}

/** `action` and `endpoint` of the message or of its payload; without an endpoint it is for all devices. */
async function obey(simulation: Simulation | undefined, msg: NodeMessage): Promise<void> {
  if (simulation === undefined) throw new InvalidArgumentError('the settings of this simulator are wrong');
  const action = oneOf(ACTIONS, property(msg, 'action'), 'action');
  const endpoint = property(msg, 'endpoint');
  if (endpoint !== undefined && typeof endpoint !== 'string') {
    throw new InvalidArgumentError(`endpoint must be text, not ${describe(endpoint)}`);
  }
  switch (action) {
    case 'vanish':
      return simulation.vanish(endpoint);
    case 'return':
    case 'comeBack':
      return simulation.comeBack(endpoint);
    case 'start':
      return simulation.start();
    case 'stop':
      return simulation.stop();
    case undefined:
      throw new InvalidArgumentError(`msg.action must be one of ${ACTIONS.join(', ')}`);
  }
}

function property(msg: NodeMessage, name: string): unknown {
  const { payload } = msg;
  const own = messageProperty(msg, name);
  if (!isEmpty(own)) return own;
  return typeof payload === 'object' && payload !== null
    ? (messageProperty(payload as NodeMessage, name) ?? undefined)
    : undefined;
}

function messageOf(event: Exclude<FleetEvent, { topic: 'fault' }>): NodeMessage {
  const { topic, endpoint } = event;
  switch (event.topic) {
    case 'registered':
      return { topic, endpoint, payload: { location: event.location } };
    case 'updated':
    case 'deregistered':
      return { topic, endpoint, payload: {} };
    case 'failed':
      return { topic, endpoint, payload: { code: event.error.code, message: event.error.message } };
    case 'written':
      return { topic, endpoint, payload: { path: event.path, value: event.value } };
    case 'executed':
      return { topic, endpoint, payload: { path: event.path, args: event.args } };
  }
}
