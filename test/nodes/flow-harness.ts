import { EventEmitter, once } from 'node:events';
import helper from 'node-red-node-test-helper';
import type { Node, NodeAPI, NodeMessage, NodeStatus } from 'node-red';
import type { DeviceEvent, Engine, ServerEvent } from '../../src/index';
import { DeviceEvents } from '../../nodes/lwm2m-server/device-events';
import type { EngineHost, ServerState } from '../../nodes/lwm2m-server/engine-host';
import { OrderOwners } from '../../nodes/lwm2m-server/order-owners';
import { KeptThings } from '../../nodes/lwm2m-server/kept-things';
import { PolicyOwners } from '../../nodes/lwm2m-server/policy-owners';
import { flowStateOf } from '../../nodes/shared/flow-state';
import { registerAdminRoutes } from '../../nodes/shared/admin-routes';
import type { ServerNode } from '../../nodes/shared/server-node';
import type { FakeEngine } from './fake-engine';

export type Message = NodeMessage & {
  payload?: unknown;
  error?: { message: string; code?: string; cause?: unknown; source: { id: string } };
};

/** What a node that collects has received; `next` waits for what is still to come. */
export class Inbox {
  readonly all: Message[] = [];
  #read = 0;
  #waiting: (() => void)[] = [];

  add(msg: Message): void {
    this.all.push(msg);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async next(): Promise<Message> {
    for (;;) {
      const msg = this.all[this.#read];
      if (msg !== undefined) {
        this.#read += 1;
        return msg;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async take(count: number): Promise<Message[]> {
    const messages: Message[] = [];
    while (messages.length < count) messages.push(await this.next());
    return messages;
  }
}

type NodeModule = (RED: NodeAPI) => void;

/** A config node of type `lwm2m-server` around a fake engine, that survives deploys like the real one. */
export function fakeServer(engine: FakeEngine, state: () => ServerState = () => ({ state: 'running' })): NodeModule {
  return (RED) => {
    const flows = flowStateOf(RED);
    const real = engine as unknown as Engine;
    const watchers = new Set<(state: ServerState) => void>();
    const devices = new DeviceEvents(flows, () => undefined);
    engine.on('device', (event: DeviceEvent) => devices.receive(event));
    engine.on('condition', (event: ServerEvent) => devices.receive(event));
    const whenServing = (task: () => void): (() => void) => {
      task();
      return () => undefined;
    };
    const host = {
      engine: real,
      flows,
      devices,
      whenServing,
      policyOwners: new PolicyOwners({ flows, engine: () => real, whenServing, warn: () => undefined }),
      kept: new KeptThings(flows),
      orderOwners: new OrderOwners({
        flows,
        engine: () => real,
        whenServing(task) {
          task();
          return () => undefined;
        },
      }),
      ready: () => Promise.resolve(real),
      watch(watcher: (state: ServerState) => void) {
        watchers.add(watcher);
        watcher(state());
        return () => watchers.delete(watcher);
      },
    } as unknown as EngineHost;
    function FakeServer(this: ServerNode, config: { id: string; type: string; name: string; z: string }): void {
      RED.nodes.createNode(this, config);
      this.host = host;
    }
    RED.nodes.registerType('lwm2m-server', FakeServer);
    registerAdminRoutes(RED);
  };
}

export interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

export interface Flow {
  /** Sends a message into a node. */
  receive(id: string, msg: Message): void;
  inbox(id: string): Inbox;
  statuses(id: string): NodeStatus[];
  /** Resolved when the status of a node is as it should be. */
  whenStatus(id: string, fits: (status: NodeStatus) => boolean): Promise<void>;
  /** What a node has said of errors that no message is about. */
  errors(id: string): string[];
  deploy(nodes: FlowNode[], type?: 'full' | 'nodes' | 'flows'): Promise<void>;
  node(id: string): Node;
  /** Runs the task when the next deploy has begun to close nodes. */
  whenStopping(task: () => void): void;
  stop(): Promise<void>;
}

/** The level of Node-RED's log. */
const ERROR = 20;

function logged(): { id: string; level: number; msg: unknown }[] {
  const { args } = (helper as unknown as { log(): { args: [{ id: string; level: number; msg: unknown }][] } }).log();
  return args.map(([entry]) => entry);
}

/** Runs a flow; nodes of type `helper` collect what they receive, and so do Catch and Complete nodes wired to them. */
export async function runFlow(modules: NodeModule[], nodes: FlowNode[]): Promise<Flow> {
  const inboxes = new Map<string, Inbox>();
  const statuses = new Map<string, NodeStatus[]>();
  const collecting = new WeakSet<Node>();
  const withTab = (flow: FlowNode[]): FlowNode[] => [{ id: 'tab', type: 'tab', label: '' }, ...flow];
  const collect = (): void => {
    for (const { id, type } of nodes) {
      if (type !== 'helper') continue;
      const inbox = inboxes.get(id) ?? new Inbox();
      inboxes.set(id, inbox);
      const node = helper.getNode(id);
      // A deploy of some nodes leaves the others as they are.
      if (!collecting.has(node)) node.on('input', ((msg: Message) => inbox.add(msg)) as never);
      collecting.add(node);
    }
  };
  const statusChanged = new EventEmitter();
  const record = ({ id, status }: { id: string; status: NodeStatus }): void => {
    const list = statuses.get(id) ?? [];
    statuses.set(id, list);
    list.push(status);
    statusChanged.emit(id);
  };
  let forget = (): void => undefined;
  let whenStopping: Flow['whenStopping'] = () => undefined;
  const recordStatus: NodeModule = (RED) => {
    RED.events.on('node-status', record);
    whenStopping = (task) => RED.events.once('flows:stopping', task);
    forget = () => RED.events.off('node-status', record);
  };
  await helper.load([recordStatus, ...modules] as never, withTab(nodes));
  collect();
  return {
    whenStopping: (task) => whenStopping(task),
    receive: (id, msg) => helper.getNode(id).receive(msg),
    inbox: (id) => {
      const inbox = inboxes.get(id);
      if (inbox === undefined) throw new Error(`no helper node ${id}`);
      return inbox;
    },
    statuses: (id) => statuses.get(id) ?? [],
    async whenStatus(id, fits) {
      for (;;) {
        const status = statuses.get(id)?.at(-1);
        if (status !== undefined && fits(status)) return;
        await once(statusChanged, id);
      }
    },
    errors: (id) => logged().flatMap((entry) => (entry.id === id && entry.level === ERROR ? [String(entry.msg)] : [])),
    async deploy(flow, type = 'full') {
      nodes = flow;
      await (helper as unknown as { setFlows(flow: FlowNode[], type: string): Promise<void> }).setFlows(
        withTab(flow),
        type,
      );
      collect();
    },
    node: (id) => helper.getNode(id),
    stop: async () => {
      forget();
      await helper.unload();
    },
  };
}

/** A node of a flow on the one tab. */
export function on(id: string, type: string, properties: Record<string, unknown> = {}, ...wires: string[][]): FlowNode {
  return { id, type, z: 'tab', x: 0, y: 0, wires, ...properties };
}
