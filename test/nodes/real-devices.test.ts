import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import devicesNode from '../../nodes/lwm2m-devices/lwm2m-devices';
import discoverNode from '../../nodes/lwm2m-discover/lwm2m-discover';
import eventsNode from '../../nodes/lwm2m-events/lwm2m-events';
import executeNode from '../../nodes/lwm2m-execute/lwm2m-execute';
import observeNode from '../../nodes/lwm2m-observe/lwm2m-observe';
import readNode from '../../nodes/lwm2m-read/lwm2m-read';
import serverNode from '../../nodes/lwm2m-server/lwm2m-server';
import simulatorNode from '../../nodes/lwm2m-simulator/lwm2m-simulator';
import writeNode from '../../nodes/lwm2m-write/lwm2m-write';
import type { ServerNode } from '../../nodes/shared/server-node';
import { SimulatedDevice } from '../../src/simulator';
import { streetLight } from '../../src/simulator/behaviours/street-light';
import { on, runFlow, type Flow, type FlowNode, type Message } from './flow-harness';
import { UdpRelay } from './udp-relay';
import { freeUdpPort } from '../support/free-udp-port';

const MODULES = [
  serverNode,
  eventsNode,
  devicesNode,
  readNode,
  writeNode,
  executeNode,
  discoverNode,
  observeNode,
  simulatorNode,
];

const SERVER: FlowNode = {
  id: 'server',
  type: 'lwm2m-server',
  host: '127.0.0.1',
  coapPort: '0',
  coapsPort: '',
  store: 'memory',
};

const EVENTS: FlowNode[] = [on('events', 'lwm2m-events', { server: 'server' }, ['heard']), on('heard', 'helper')];

describe('nodes and devices on the network', () => {
  let flow: Flow | undefined;
  let devices: SimulatedDevice[] = [];
  let relays: UdpRelay[] = [];

  afterEach(async () => {
    await Promise.all(devices.map((device) => device.close(200)));
    for (const relay of relays) relay.close();
    devices = [];
    relays = [];
    await flow?.stop();
    flow = undefined;
  });

  async function start(...nodes: FlowNode[]): Promise<Flow> {
    flow = await runFlow(MODULES, nodes);
    return flow;
  }

  async function portOf(running: Flow): Promise<number> {
    const { host } = running.node('server') as ServerNode;
    const port = (await host?.ready())?.addresses[0]?.port;
    assert.ok(port);
    return port;
  }

  async function lamp(running: Flow, endpoint: string, serverUri?: string): Promise<SimulatedDevice> {
    const uri = serverUri ?? `coap://127.0.0.1:${await portOf(running)}`;
    const device = new SimulatedDevice({ endpoint, serverUri: uri, behaviours: streetLight, lifetime: 300 });
    devices.push(device);
    const registered = once(device, 'registered');
    await device.start();
    await registered;
    return device;
  }

  /** A lamp whose traffic can be watched. */
  async function watchedLamp(running: Flow, endpoint: string): Promise<{ device: SimulatedDevice; relay: UdpRelay }> {
    const relay = new UdpRelay();
    relays.push(relay);
    return { relay, device: await lamp(running, endpoint, await relay.start(await portOf(running))) };
  }

  it('tell the lifecycle of devices', async () => {
    const running = await start(SERVER, ...EVENTS);
    const device = await lamp(running, 'lamp-1');
    const registered = await running.inbox('heard').next();
    assert.equal(registered.topic, 'registered');
    assert.equal(registered.endpoint, 'lamp-1');
    const payload = registered.payload as Record<string, unknown>;
    assert.equal(payload.endpoint, 'lamp-1');
    assert.equal(payload.version, '1.1');
    assert.equal(payload.lifetime, 300);
    assert.equal(payload.lifetimeRequested, 300);
    assert.equal(payload.queueMode, false);
    assert.deepEqual(payload.identity, { mode: 'nosec' });
    assert.equal((payload.address as { transport: string }).transport, 'coap');
    assert.ok((payload.objects as { id: number }[]).some(({ id }) => id === 3311));
    await device.close();
    const gone = await running.inbox('heard').next();
    assert.deepEqual([gone.topic, gone.endpoint], ['deregistered', 'lamp-1']);
  });

  it('tell only the events and devices that a node is set to', async () => {
    const running = await start(
      SERVER,
      ...EVENTS,
      on(
        'some',
        'lwm2m-events',
        { server: 'server', target: 'ep=park-*', targetType: 'selector', topics: ['registered'] },
        ['some-heard'],
      ),
      on('some-heard', 'helper'),
    );
    await lamp(running, 'lamp-1');
    const park = await lamp(running, 'park-1');
    await park.close();
    await running.inbox('heard').take(3);
    assert.deepEqual(
      running.inbox('some-heard').all.map(({ topic, endpoint }) => [topic, endpoint]),
      [['registered', 'park-1']],
    );
  });

  it('list devices', async () => {
    const running = await start(
      SERVER,
      on('list', 'lwm2m-devices', { server: 'server', target: '', targetType: 'endpoint', paths: [] }, ['listed']),
      on('listed', 'helper'),
    );
    await lamp(running, 'lamp-1');
    await lamp(running, 'lamp-2');
    running.receive('list', {});
    const all = (await running.inbox('listed').next()).payload as { endpoint: string; connectivity: string }[];
    assert.deepEqual(
      all.map(({ endpoint, connectivity }) => [endpoint, connectivity]),
      [
        ['lamp-1', 'online'],
        ['lamp-2', 'online'],
      ],
    );
    running.receive('list', { target: { selector: 'ep=lamp-2' } });
    assert.equal(((await running.inbox('listed').next()).payload as unknown[]).length, 1);
  });

  describe('operations', () => {
    async function operate(type: string, properties: Record<string, unknown>, msg: Message): Promise<Message> {
      const running = await start(
        SERVER,
        on('op', type, { server: 'server', ...properties }, ['out'], []),
        on('out', 'helper'),
        on('catch', 'catch', { scope: ['op'] }, ['out']),
      );
      await lamp(running, 'lamp-1');
      running.receive('op', msg);
      return running.inbox('out').next();
    }

    it('read a value, with what is worth knowing of it', async () => {
      const msg = await operate('lwm2m-read', { target: 'lamp-1', path: '/3311/0/5850' }, {});
      assert.equal(msg.payload, false);
      assert.equal(msg.endpoint, 'lamp-1');
      assert.equal(msg.path, '/3311/0/5850');
      const { timestamp, contentFormat, ...details } = msg.lwm2m as Record<string, unknown>;
      assert.deepEqual(details, {
        operation: 'read',
        endpoint: 'lamp-1',
        path: '/3311/0/5850',
        code: '2.05',
        queuedFor: 0,
      });
      assert.ok(Math.abs(Number(timestamp) - Date.now()) < 5000);
      assert.equal(typeof contentFormat, 'string');
    });

    it('read an instance by names', async () => {
      const msg = await operate('lwm2m-read', { target: 'lamp-1', path: '/Light Control/0', keys: 'name' }, {});
      assert.equal((msg.payload as Record<string, unknown>).onOff, false);
    });

    it('read several paths at once', async () => {
      const msg = await operate('lwm2m-read', { target: 'lamp-1', path: '/3311/0/5850 /3311/0/5851' }, {});
      assert.deepEqual(Object.keys(msg.payload as object), ['/3311/0/5850', '/3311/0/5851']);
    });

    it('write a value', async () => {
      const msg = await operate('lwm2m-write', { target: 'lamp-1', path: '/3311/0/5850' }, { payload: true });
      assert.equal((msg.lwm2m as { code: string }).code, '2.04');
      assert.equal(devices[0]?.objects.resource({ objectId: 3311, objectInstanceId: 0, resourceId: 5850 }).value, true);
    });

    it('execute', async () => {
      const msg = await operate('lwm2m-execute', { target: 'lamp-1', path: '/1/0/8' }, { payload: Date.now() });
      assert.equal((msg.lwm2m as { code: string }).code, '2.04');
    });

    it('discover', async () => {
      const msg = await operate('lwm2m-discover', { target: 'lamp-1', path: '/3311' }, {});
      const paths = (msg.payload as { path: string }[]).map(({ path }) => path);
      assert.ok(paths.includes('/3311/0/5850'));
    });

    it('fail with the response code of the device', async () => {
      const msg = await operate('lwm2m-read', { target: 'lamp-1', path: '/3311/0/5999' }, {});
      assert.equal(msg.error?.code, 'RESPONSE');
      assert.equal((msg.error.cause as { responseCode: string }).responseCode, '4.04');
      assert.equal((msg.lwm2m as { code: string }).code, '4.04');
    });

    it('fail for a device that is not registered', async () => {
      const msg = await operate('lwm2m-read', { target: 'lamp-9', path: '/3311/0/5850' }, {});
      assert.equal(msg.error?.code, 'NOT_REGISTERED');
    });

    it('fail for a value that does not fit, before anything is sent', async () => {
      const msg = await operate(
        'lwm2m-write',
        { target: 'lamp-1', path: '/3311/0/5851' },
        { payload: { no: 'number' } },
      );
      assert.equal(msg.error?.code, 'INVALID_ARGUMENT');
    });

    it('reach many by a selector', async () => {
      const running = await start(
        SERVER,
        on(
          'op',
          'lwm2m-write',
          { server: 'server', target: 'has:/3311 state:online', targetType: 'selector', path: '/3311/0/5850' },
          ['out'],
          ['summary'],
        ),
        on('out', 'helper'),
        on('summary', 'helper'),
      );
      for (const endpoint of ['lamp-1', 'lamp-2', 'lamp-3']) await lamp(running, endpoint);
      running.receive('op', { payload: true });
      const sent = await running.inbox('out').take(3);
      assert.deepEqual(sent.map(({ endpoint }) => endpoint).sort(), ['lamp-1', 'lamp-2', 'lamp-3']);
      let summary = await running.inbox('summary').next();
      while (summary.complete !== true) summary = await running.inbox('summary').next();
      const { total, succeeded } = summary.payload as { total: number; succeeded: number };
      assert.deepEqual([total, succeeded], [3, 3]);
    });
  });

  describe('observation', () => {
    const observe = (properties: Record<string, unknown> = {}): FlowNode[] => [
      SERVER,
      on(
        'observe',
        'lwm2m-observe',
        { server: 'server', target: 'ep=lamp-*', targetType: 'selector', path: '/3311/0/5850', ...properties },
        ['seen'],
      ),
      on('seen', 'helper'),
      on('write', 'lwm2m-write', { server: 'server', path: '/3311/0/5850' }, [], []),
      on('catch', 'catch', { scope: null }, ['caught']),
      on('caught', 'helper'),
    ];

    it('holds for devices of now and of later, without any input', async () => {
      const running = await start(...observe());
      for (const endpoint of ['lamp-1', 'lamp-2']) {
        await lamp(running, endpoint);
        const first = await running.inbox('seen').next();
        assert.deepEqual([first.endpoint, first.path, first.payload], [endpoint, '/3311/0/5850', false]);
        assert.equal((first.lwm2m as { first: boolean }).first, true);
      }
      running.receive('write', { target: 'lamp-2', payload: true });
      const next = await running.inbox('seen').next();
      assert.deepEqual([next.endpoint, next.payload], ['lamp-2', true]);
      assert.equal((next.lwm2m as { first?: boolean }).first, undefined);
      assert.equal((next.lwm2m as { operation: string }).operation, 'observe');
    });

    it('may be made and cancelled by messages', async () => {
      const running = await start(...observe({ target: '', path: '' }));
      const device = await lamp(running, 'lamp-1');
      running.receive('observe', { target: 'lamp-1', path: '/3311/0/5851' });
      assert.equal((await running.inbox('seen').next()).path, '/3311/0/5851');
      assert.equal(device.observations, 1);
      running.receive('observe', { action: 'cancel', target: 'lamp-1', path: '/3311/0/5851' });
      await until(() => device.observations === 0);
    });

    it('refuses an action that there is not', async () => {
      const running = await start(...observe());
      running.receive('observe', { action: 'look' });
      assert.equal((await running.inbox('caught').next()).error?.code, 'INVALID_ARGUMENT');
    });

    it('says at once that its settings are wrong', async () => {
      const running = await start(...observe({ target: 'nonsense', targetType: 'selector' }));
      await until(() => running.statuses('observe').at(-1)?.fill === 'red');
      assert.equal(running.statuses('observe').at(-1)?.text, 'status.error.INVALID_ARGUMENT');
    });

    it('reports an error of a device once, with its endpoint and path', async () => {
      const running = await start(...observe({ path: '/3311/0/5999' }));
      await lamp(running, 'lamp-1');
      const caught = await running.inbox('caught').next();
      assert.deepEqual([caught.endpoint, caught.path, caught.error?.code], ['lamp-1', '/3311/0/5999', 'RESPONSE']);
      assert.equal((caught.lwm2m as { code: string }).code, '4.04');
    });

    it('ends on the devices when its node is removed', async () => {
      const running = await start(...observe());
      const device = await lamp(running, 'lamp-1');
      await running.inbox('seen').next();
      await running.deploy(
        observe().filter(({ id }) => id !== 'observe'),
        'nodes',
      );
      await until(() => device.observations === 0);
    });

    it('ends on the devices when its node is disabled', async () => {
      const running = await start(...observe());
      const device = await lamp(running, 'lamp-1');
      await running.inbox('seen').next();
      await running.deploy(observe({ d: true }));
      await until(() => device.observations === 0);
    });

    for (const type of ['full', 'nodes'] as const) {
      it(`goes on across a ${type} deploy that leaves it as it is, without a request on the wire`, async () => {
        const running = await start(...observe());
        const { device, relay } = await watchedLamp(running, 'lamp-1');
        await running.inbox('seen').next();
        const requests = relay.requests;
        await running.deploy([...observe(), on('other', 'helper')], type);
        switchOn(device);
        const seen = await running.inbox('seen').next();
        assert.equal(seen.payload, true);
        assert.equal((seen.lwm2m as { first?: boolean }).first, undefined);
        assert.equal(relay.requests, requests);
      });
    }

    it('made by a message is as durable', async () => {
      const running = await start(...observe({ target: '', path: '' }));
      const { device, relay } = await watchedLamp(running, 'lamp-1');
      running.receive('observe', { target: 'lamp-1', path: '/3311/0/5850' });
      await running.inbox('seen').next();
      const requests = relay.requests;
      await running.deploy(observe({ target: '', path: '', name: 'changed' }), 'nodes');
      switchOn(device);
      assert.equal((await running.inbox('seen').next()).payload, true);
      assert.equal(relay.requests, requests);
    });

    it('that a message cancelled stays cancelled across a deploy', async () => {
      const running = await start(...observe());
      const { device, relay } = await watchedLamp(running, 'lamp-1');
      await running.inbox('seen').next();
      running.receive('observe', { action: 'cancel' });
      await until(() => device.observations === 0);
      const requests = relay.requests;
      await running.deploy(observe());
      running.receive('observe', { action: 'observe' });
      assert.equal((await running.inbox('seen').next()).payload, false);
      assert.equal(relay.requests, requests + 1);
    });
  });

  describe('observation and the store on a disk', () => {
    let directory: string;

    beforeEach(() => {
      directory = mkdtempSync(path.join(tmpdir(), 'lwm2m-observe-'));
    });

    afterEach(async () => {
      await flow?.stop();
      flow = undefined;
      rmSync(directory, { recursive: true });
    });

    const nodes = (server: Record<string, unknown> = {}): FlowNode[] => [
      { ...SERVER, store: 'sqlite', storePath: directory, ...server },
      on('observe', 'lwm2m-observe', { server: 'server' }, ['seen']),
      on('seen', 'helper'),
    ];

    it('made by a message goes on across a restart, without a request on the wire', async () => {
      const first = await start(...nodes());
      const { device, relay } = await watchedLamp(first, 'lamp-1');
      const coapPort = String(await portOf(first));
      first.receive('observe', { target: 'lamp-1', path: '/3311/0/5850' });
      await first.inbox('seen').next();
      const requests = relay.requests;
      await first.stop();
      const second = await start(...nodes({ coapPort }));
      await until(() => (second.node('server') as ServerNode).host?.state.state === 'running');
      switchOn(device);
      const seen = await second.inbox('seen').next();
      assert.deepEqual([seen.endpoint, seen.payload], ['lamp-1', true]);
      assert.equal((seen.lwm2m as { first?: boolean }).first, undefined);
      assert.equal(relay.requests, requests);
    });

    it('goes on when other settings of the server make another engine', async () => {
      const running = await start(...nodes());
      const { device, relay } = await watchedLamp(running, 'lamp-1');
      const coapPort = String(await portOf(running));
      running.receive('observe', { target: 'lamp-1', path: '/3311/0/5850' });
      await running.inbox('seen').next();
      const requests = relay.requests;
      await running.deploy(nodes({ coapPort, lifetimeMax: '3600' }), 'nodes');
      await until(() => (running.node('server') as ServerNode).host?.state.state === 'running');
      switchOn(device);
      assert.equal((await running.inbox('seen').next()).payload, true);
      assert.equal(relay.requests, requests);
    });

    it('ends on the devices when its node was removed while nothing ran', async () => {
      const first = await start(...nodes());
      const { device } = await watchedLamp(first, 'lamp-1');
      const coapPort = String(await portOf(first));
      first.receive('observe', { target: 'lamp-1', path: '/3311/0/5850' });
      await first.inbox('seen').next();
      await first.stop();
      assert.equal(device.observations, 1);
      await start(...nodes({ coapPort }).filter(({ type }) => type === 'lwm2m-server'));
      await until(() => device.observations === 0);
    });
  });

  describe('a deploy', () => {
    it('keeps the socket, the registrations and what is told meanwhile', async () => {
      const running = await start(SERVER, ...EVENTS);
      const port = await portOf(running);
      await lamp(running, 'lamp-1');
      await running.inbox('heard').next();
      const later = new SimulatedDevice({
        endpoint: 'lamp-2',
        serverUri: `coap://127.0.0.1:${port}`,
        behaviours: streetLight,
      });
      devices.push(later);
      const deployed = running.deploy([SERVER, ...EVENTS]);
      await later.start();
      await deployed;
      assert.equal(await portOf(running), port);
      const heard = await running.inbox('heard').next();
      assert.deepEqual([heard.topic, heard.endpoint], ['registered', 'lamp-2']);
      const { host } = running.node('server') as ServerNode;
      assert.deepEqual(
        host?.engine.devices().map(({ endpoint }) => endpoint),
        ['lamp-1', 'lamp-2'],
      );
    });

    it('that changes the settings opens another socket, on the same port if need be', async () => {
      const running = await start(SERVER, ...EVENTS);
      const port = await portOf(running);
      await running.deploy([{ ...SERVER, coapPort: port }, ...EVENTS]);
      assert.equal(await portOf(running), port);
      await running.deploy([{ ...SERVER, coapPort: port, lifetimeMax: '60' }, ...EVENTS]);
      assert.equal(await portOf(running), port);
      await lamp(running, 'lamp-1');
      const heard = (await running.inbox('heard').next()).payload as { lifetime: number; lifetimeRequested: number };
      assert.deepEqual([heard.lifetime, heard.lifetimeRequested], [60, 300]);
    });

    it('that removes the server frees the port', async () => {
      const running = await start(SERVER);
      const port = await portOf(running);
      await running.deploy([on('other', 'helper')]);
      await assertFree(port);
    });

    it('that disables the server frees the port', async () => {
      const running = await start(SERVER);
      const port = await portOf(running);
      await running.deploy([{ ...SERVER, d: true }, on('other', 'helper')]);
      await assertFree(port);
    });
  });

  it('say that the port is taken, and go on by themselves when it is free', async () => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    const running = await start(
      { ...SERVER, coapPort: port },
      on('read', 'lwm2m-read', { server: 'server', target: 'lamp-1', path: '/3/0/0' }, [], []),
      on('catch', 'catch', { scope: ['read'] }, ['caught']),
      on('caught', 'helper'),
    );
    await until(() => running.statuses('read').at(-1)?.text === 'status.portTaken');
    assert.equal(running.statuses('read').at(-1)?.fill, 'red');
    running.receive('read', {});
    const caught = await running.inbox('caught').next();
    assert.equal(caught.error?.code, 'TRANSPORT');
    assert.match(caught.error.message, new RegExp(`${port}`));
    socket.close();
    await until(() => running.statuses('read').at(-1)?.text === 'status.offline');
    assert.equal(await portOf(running), port);
  }).timeout(5000);

  it('work in a subflow, with its environment variables', async () => {
    const running = await start(
      SERVER,
      {
        id: 'sub',
        type: 'subflow',
        name: 'read one',
        in: [{ x: 0, y: 0, wires: [{ id: 'inner' }] }],
        out: [{ x: 0, y: 0, wires: [{ id: 'inner', port: 0 }] }],
        env: [{ name: 'LAMP', type: 'str', value: '' }],
      },
      {
        ...on(
          'inner',
          'lwm2m-read',
          { server: 'server', target: 'LAMP', targetType: 'env', path: '/3311/0/5850' },
          [],
          [],
        ),
        z: 'sub',
      },
      on('one', 'subflow:sub', { env: [{ name: 'LAMP', type: 'str', value: 'lamp-1' }] }, ['out']),
      on('two', 'subflow:sub', { env: [{ name: 'LAMP', type: 'str', value: 'lamp-2' }] }, ['out']),
      on('out', 'helper'),
    );
    await lamp(running, 'lamp-1');
    await lamp(running, 'lamp-2');
    running.receive('one', {});
    assert.equal((await running.inbox('out').next()).endpoint, 'lamp-1');
    running.receive('two', {});
    assert.equal((await running.inbox('out').next()).endpoint, 'lamp-2');
  });

  describe('simulated devices on the canvas', () => {
    for (const properties of [
      { kind: 'spaceship' },
      { count: 'many' },
      { serverUri: 'http://x' },
      { security: 'psk' },
    ]) {
      it(`say that ${JSON.stringify(properties)} is wrong`, async () => {
        const running = await start(on('simulator', 'lwm2m-simulator', { count: 1, ...properties }, []));
        assert.equal(running.statuses('simulator').at(-1)?.text, 'status.error.INVALID_ARGUMENT');
      });
    }

    it('register, obey and tell what they do', async () => {
      const port = await freeUdpPort();
      const nodes: FlowNode[] = [
        { ...SERVER, coapPort: port },
        ...EVENTS,
        on(
          'simulator',
          'lwm2m-simulator',
          {
            kind: 'street-light',
            count: '2',
            endpointPrefix: 'sim-',
            serverUri: `coap://127.0.0.1:${port}`,
            lifetime: '60',
          },
          ['told'],
        ),
        on('told', 'helper'),
        on('write', 'lwm2m-write', { server: 'server', path: '/3311/0/5850' }, [], []),
        on('catch', 'catch', { scope: ['simulator'] }, ['caught']),
        on('caught', 'helper'),
      ];
      const running = await start(...nodes);
      const heard = await running.inbox('heard').take(2);
      assert.deepEqual(heard.map(({ endpoint }) => endpoint).sort(), ['sim-1', 'sim-2']);
      const told = await running.inbox('told').take(2);
      assert.deepEqual(
        told.map(({ topic }) => topic),
        ['registered', 'registered'],
      );
      await until(() => running.statuses('simulator').at(-1)?.fill === 'green');
      await running.deploy([...nodes, on('other', 'helper')]);
      running.receive('write', { target: 'sim-1', payload: true });
      const written = await running.inbox('told').next();
      assert.deepEqual(
        [written.topic, written.endpoint, written.payload],
        ['written', 'sim-1', { path: '/3311/0/5850', value: true }],
      );
      running.receive('simulator', { action: 'dance' });
      assert.equal((await running.inbox('caught').next()).error?.code, 'INVALID_ARGUMENT');
      running.receive('simulator', { payload: { action: 'stop' } });
      const gone = await running.inbox('heard').take(2);
      assert.deepEqual(
        gone.map(({ topic }) => topic),
        ['deregistered', 'deregistered'],
      );
    });
  });
});

/** As if somebody had pressed the button at the lamp. */
function switchOn(device: SimulatedDevice): void {
  device.objects.resource({ objectId: 3311, objectInstanceId: 0, resourceId: 5850 }).value = true;
}

async function assertFree(port: number): Promise<void> {
  for (;;) {
    const socket = createSocket('udp4');
    try {
      const listening = once(socket, 'listening');
      socket.bind(port, '127.0.0.1');
      await listening;
      return;
    } catch {
      // Closing takes a moment; the mocha timeout bounds it.
      await new Promise((resolve) => setTimeout(resolve, 5));
    } finally {
      socket.close();
    }
  }
}

/** Waits, turn by turn, for what the mocha timeout bounds. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
