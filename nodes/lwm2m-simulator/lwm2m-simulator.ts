import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { InvalidArgumentError, type FleetEvent } from '../../src/index';
import { fingerprintOf } from '../shared/fingerprint';
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
  /** `nosec`, `psk`, or empty: what `serverUri` asks for. */
  security?: string;
  /** Empty: as it is usual for the kind. */
  queueMode?: boolean | '';
  /** s */
  awakeTime?: number | string;
  updateInterval?: number | string;
  vanishEvery?: number | string;
  vanishFor?: number | string;
}

/** What Node-RED keeps encrypted and never exports. */
interface SimulatorCredentials {
  /** In hexadecimal; of all devices. */
  key?: string;
}

type SimulatorNode = Node<SimulatorCredentials>;

const ACTIONS = ['vanish', 'return', 'comeBack', 'start', 'stop', 'state'] as const;

/** Simulated devices on the canvas. */
export = function (RED: NodeAPI): void {
  flowStateOf(RED);
  const simulations = new Survivors<Simulation>(RED, 'lwm2m-simulator');

  function Lwm2mSimulator(this: SimulatorNode, config: SimulatorConfig): void {
    RED.nodes.createNode(this, config);
    const status = new StatusLine(RED, this);
    this.on('close', () => status.close());
    const simulation = acquire(this, config, status);
    this.on('input', (msg, send, done) => {
      obey(simulation, msg).then(
        (answers) => {
          if (simulation !== undefined) status.simulated(simulation);
          if (answers.length > 0) send([answers]);
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
  function acquire(node: SimulatorNode, config: SimulatorConfig, status: StatusLine): Simulation | undefined {
    const listener = {
      event: (event: FleetEvent): void => {
        if (simulation !== undefined) status.simulated(simulation);
        if (event.topic === 'fault') node.error(event.error, { endpoint: event.endpoint });
        else node.send(messageOf(event));
      },
      trouble: (error: Error): void => {
        status.failed(error);
        node.error(error.message);
      },
    };
    let simulation: Simulation | undefined;
    try {
      const settings = settingsOf(config, node.credentials);
      simulation = simulations.acquire(node.id, fingerprintOf(settings), () => new Simulation(RED, settings, listener));
      simulation.adopt(listener);
    } catch (error) {
      status.failed(error as Error);
      node.error((error as Error).message);
    }
    return simulation;
  }

  RED.nodes.registerType<SimulatorNode, SimulatorConfig, object, SimulatorCredentials>(
    'lwm2m-simulator',
    Lwm2mSimulator,
    { credentials: { key: { type: 'password' } } },
  );
};

/** @throws {InvalidArgumentError} a setting that cannot be. */
function settingsOf(config: SimulatorConfig, credentials: SimulatorCredentials = {}): SimulationSettings {
  const { kind, endpointPrefix, security } = config;
  const serverUri = isEmpty(config.serverUri) ? 'coap://127.0.0.1:5683' : config.serverUri;
  return {
    kind: isEmpty(kind) ? 'street-light' : kind,
    count: numberOption(config.count, 'count') ?? 1,
    endpointPrefix: isEmpty(endpointPrefix) ? 'lamp-' : endpointPrefix,
    serverUri,
    lifetime: numberOption(config.lifetime, 'lifetime'),
    queueMode: typeof config.queueMode === 'boolean' ? config.queueMode : undefined,
    awakeTime: numberOption(config.awakeTime, 'awakeTime'),
    updateInterval: numberOption(config.updateInterval, 'updateInterval'),
    vanishing: vanishingOf(config),
    security: securityOf(security, serverUri),
    key: isEmpty(credentials.key) ? undefined : credentials.key,
  };
}

/** @throws {InvalidArgumentError} one of both without the other. */
function vanishingOf(config: SimulatorConfig): SimulationSettings['vanishing'] {
  const every = numberOption(config.vanishEvery, 'vanishEvery');
  const duration = numberOption(config.vanishFor, 'vanishFor');
  if (every === undefined && duration === undefined) return undefined;
  if (every !== undefined && duration !== undefined) return { every, duration };
  throw new InvalidArgumentError('a modem that vanishes needs both vanishEvery and vanishFor');
}

/** @throws {InvalidArgumentError} no such security, or one that the address does not fit. */
function securityOf(value: unknown, serverUri: string): 'nosec' | 'psk' {
  const needed = /^coaps:/i.test(serverUri) ? 'psk' : 'nosec';
  const wanted = oneOf(['nosec', 'none', 'psk'] as const, value, 'security') ?? needed;
  const security = wanted === 'none' ? 'nosec' : wanted;
  if (security === needed) return security;
  throw new InvalidArgumentError(
    security === 'psk'
      ? `devices with keys need a server at coaps://, not ${describe(serverUri)}`
      : `the server at ${describe(serverUri)} needs devices with keys (security psk)`,
  );
}

/**
 * `action` and `endpoint` of the message or of its payload; without an endpoint it is for all devices.
 * @returns what is to be sent: of `state` a message a device, of all else nothing.
 */
async function obey(simulation: Simulation | undefined, msg: NodeMessage): Promise<NodeMessage[]> {
  if (simulation === undefined) throw new InvalidArgumentError('the settings of this simulator are wrong');
  const action = oneOf([...ACTIONS, ...simulation.controls], property(msg, 'action'), 'action');
  const endpoint = property(msg, 'endpoint');
  if (endpoint !== undefined && typeof endpoint !== 'string') {
    throw new InvalidArgumentError(`endpoint must be text, not ${describe(endpoint)}`);
  }
  if (action === 'state') return statesOf(simulation, endpoint, msg);
  await act(simulation, action, endpoint, msg);
  return [];
}

async function act(
  simulation: Simulation,
  action: string | undefined,
  endpoint: string | undefined,
  msg: NodeMessage,
): Promise<void> {
  switch (action) {
    case 'vanish':
      return simulation.vanish(endpoint, numberOption(property(msg, 'duration'), 'duration'));
    case 'return':
    case 'comeBack':
      return simulation.comeBack(endpoint, property(msg, 'newAddress') === true);
    case 'start':
      return simulation.start();
    case 'stop':
      return simulation.stop();
    case undefined:
      throw new InvalidArgumentError(`msg.action must be one of ${[...ACTIONS, ...simulation.controls].join(', ')}`);
    default:
      return simulation.control(endpoint, action);
  }
}

function statesOf(simulation: Simulation, endpoint: string | undefined, msg: NodeMessage): NodeMessage[] {
  return simulation.states(endpoint).map(({ endpoint, values }) => ({
    ...msg,
    topic: 'state',
    endpoint,
    payload: values,
  }));
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
    case 'disabled':
      return { topic, endpoint, payload: { seconds: event.seconds } };
    case 'failed':
      return { topic, endpoint, payload: { code: event.error.code, message: event.error.message } };
    case 'written':
      return { topic, endpoint, payload: { path: event.path, value: event.value } };
    case 'executed':
      return { topic, endpoint, payload: { path: event.path, args: event.args } };
    default:
      return { topic, endpoint, payload: {} };
  }
}
