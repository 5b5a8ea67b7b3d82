import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import joinNode from '@node-red/nodes/core/sequence/17-split.js';
import attributesNode from '../../../nodes/lwm2m-attributes/lwm2m-attributes';
import createNode from '../../../nodes/lwm2m-create/lwm2m-create';
import deleteNode from '../../../nodes/lwm2m-delete/lwm2m-delete';
import devicesNode from '../../../nodes/lwm2m-devices/lwm2m-devices';
import discoverNode from '../../../nodes/lwm2m-discover/lwm2m-discover';
import eventsNode from '../../../nodes/lwm2m-events/lwm2m-events';
import executeNode from '../../../nodes/lwm2m-execute/lwm2m-execute';
import observeNode from '../../../nodes/lwm2m-observe/lwm2m-observe';
import readNode from '../../../nodes/lwm2m-read/lwm2m-read';
import serverNode from '../../../nodes/lwm2m-server/lwm2m-server';
import simulatorNode from '../../../nodes/lwm2m-simulator/lwm2m-simulator';
import writeNode from '../../../nodes/lwm2m-write/lwm2m-write';
import type { ServerNode } from '../../../nodes/shared/server-node';
import { on, runFlow, type Flow, type FlowNode, type Message } from '../../nodes/flow-harness';
import { RawDevice, type RegisterOptions } from './raw-device';

const MODULES = [
  serverNode,
  eventsNode,
  devicesNode,
  readNode,
  writeNode,
  executeNode,
  observeNode,
  attributesNode,
  discoverNode,
  createNode,
  deleteNode,
  simulatorNode,
  joinNode,
];

/** A flow with a server, and devices that speak to it as strangers. */
export class Stage {
  readonly #devices: RawDevice[] = [];

  private constructor(
    readonly flow: Flow,
    readonly port: number,
  ) {}

  static async open(nodes: FlowNode[], server: Record<string, unknown> = {}): Promise<Stage> {
    const flow = await runFlow(MODULES, [Stage.server(server), ...nodes]);
    const { host } = flow.node('server') as ServerNode;
    return new Stage(flow, (await host?.ready())?.addresses[0]?.port ?? 0);
  }

  /** A config node with only what a test is about. */
  static server(properties: Record<string, unknown> = {}): FlowNode {
    return { id: 'server', type: 'lwm2m-server', coapPort: 0, store: 'memory', ...properties };
  }

  /** The node `op` with helpers on all it can say: `out`, `summary`, `caught`, `completed`. */
  static operation(type: string, properties: Record<string, unknown> = {}): FlowNode[] {
    return [
      on('op', type, { server: 'server', ...properties }, ['out'], ['summary']),
      on('out', 'helper'),
      on('summary', 'helper'),
      on('catch', 'catch', { scope: null }, ['caught']),
      on('caught', 'helper'),
      on('complete', 'complete', { scope: ['op'] }, ['completed']),
      on('completed', 'helper'),
    ];
  }

  async device(endpoint: string, options: RegisterOptions = {}, port = this.port): Promise<RawDevice> {
    return this.own(await RawDevice.registered(endpoint, port, options));
  }

  /** One that has not registered yet. */
  async stranger(endpoint: string, host?: string): Promise<RawDevice> {
    return this.own(await RawDevice.open(endpoint, this.port, host));
  }

  send(msg: Message, id = 'op'): void {
    this.flow.receive(id, msg);
  }

  async next(id: string): Promise<Message> {
    return this.flow.inbox(id).next();
  }

  async close(): Promise<void> {
    for (const device of this.#devices) device.close();
    await this.flow.stop();
  }

  private own(device: RawDevice): RawDevice {
    this.#devices.push(device);
    return device;
  }
}

/** A UDP port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const probe = createSocket('udp6');
  probe.bind(0);
  await once(probe, 'listening');
  const { port } = probe.address();
  await new Promise<void>((resolve) => probe.close(resolve));
  return port;
}
