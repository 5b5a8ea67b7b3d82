import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import eventsNode from '../../nodes/lwm2m-events/lwm2m-events';
import provisionNode from '../../nodes/lwm2m-provision/lwm2m-provision';
import readNode from '../../nodes/lwm2m-read/lwm2m-read';
import serverNode from '../../nodes/lwm2m-server/lwm2m-server';
import simulatorNode from '../../nodes/lwm2m-simulator/lwm2m-simulator';
import type { ServerNode } from '../../nodes/shared/server-node';
import { simulateFleet, type SimulatedFleet } from '../../src/index';
import { on, runFlow, type Flow, type FlowNode } from './flow-harness';

const KEY = '0f1e2d3c4b5a69788796a5b4c3d2e1f0';

interface Heard {
  topic: string;
  endpoint: string;
  identity: unknown;
}

describe('nodes and devices that prove who they are', function () {
  this.timeout(20_000);
  let port = 0;
  let directory = '';
  let flow: Flow | undefined;
  let fleet: SimulatedFleet | undefined;

  before(async () => {
    const probe = createSocket('udp4');
    probe.bind(0, '127.0.0.1');
    await once(probe, 'listening');
    ({ port } = probe.address());
    probe.close();
    directory = await mkdtemp(path.join(tmpdir(), 'lwm2m-'));
  });

  after(() => rm(directory, { recursive: true, force: true }));

  afterEach(async () => {
    await fleet?.stop();
    fleet = undefined;
    await flow?.stop();
    flow = undefined;
  });

  const server = (properties: Record<string, unknown> = {}): FlowNode => ({
    id: 'server',
    type: 'lwm2m-server',
    host: '127.0.0.1',
    coapPort: '',
    coapsPort: port,
    noSec: 'none',
    store: 'memory',
    storePath: directory,
    ...properties,
  });

  const lamps = (properties: Record<string, unknown> = {}): FlowNode =>
    on(
      'lamps',
      'lwm2m-simulator',
      {
        count: 2,
        endpointPrefix: 'lamp-',
        serverUri: `coaps://127.0.0.1:${port}`,
        lifetime: 60,
        security: 'psk',
        ...properties,
      },
      ['lived'],
    );

  const REST = [
    on('lived', 'helper'),
    on('events', 'lwm2m-events', { server: 'server' }, ['heard']),
    on('heard', 'helper'),
    on('provision', 'lwm2m-provision', { server: 'server', action: 'msg' }, ['records']),
    on('records', 'helper'),
    on('read', 'lwm2m-read', { server: 'server', path: '/3311/0/5850' }, ['value'], []),
    on('value', 'helper'),
    on('catch', 'catch', { scope: null }, ['caught']),
    on('caught', 'helper'),
  ];

  async function start(...nodes: FlowNode[]): Promise<Flow> {
    flow = await runFlow([serverNode, eventsNode, provisionNode, readNode, simulatorNode], [...nodes, ...REST]);
    return flow;
  }

  async function next(running: Flow, topic: string): Promise<Heard> {
    for (;;) {
      const { topic: heard, endpoint, payload } = await running.inbox('heard').next();
      if (heard === topic) {
        return { topic, endpoint: String(endpoint), identity: (payload as { identity: unknown }).identity };
      }
    }
  }

  async function registered(running: Flow, count: number): Promise<Heard[]> {
    const all: Heard[] = [];
    while (all.length < count) all.push(await next(running, 'registered'));
    return all.sort((one, other) => (one.endpoint < other.endpoint ? -1 : 1));
  }

  async function provision(running: Flow, action: string, payload: unknown): Promise<unknown> {
    running.receive('provision', { action, payload });
    return (await running.inbox('records').next()).payload;
  }

  it('simulated ones need no configuration: they and their server agree on keys that nobody else sees', async () => {
    const running = await start(server(), lamps());
    assert.deepEqual(await registered(running, 2), [
      { topic: 'registered', endpoint: 'lamp-1', identity: { mode: 'psk', name: 'simulated:lamp-1' } },
      { topic: 'registered', endpoint: 'lamp-2', identity: { mode: 'psk', name: 'simulated:lamp-2' } },
    ]);
    running.receive('read', { endpoint: 'lamp-2' });
    assert.equal((await running.inbox('value').next()).payload, false);
    const record = (await provision(running, 'get', 'lamp-1')) as { security: unknown };
    assert.deepEqual(record.security, { mode: 'psk', identity: 'simulated:lamp-1' });
  });

  it('have no other lamp take their name', async () => {
    const running = await start(server({ coapPort: '0', noSec: 'any' }), lamps());
    await registered(running, 2);
    const { host } = running.node('server') as ServerNode;
    const plain = host?.engine.addresses.find(({ scheme }) => scheme === 'coap');
    fleet = simulateFleet({
      kind: 'street-light',
      count: 1,
      endpointPrefix: 'lamp-',
      serverUri: `coap://127.0.0.1:${plain?.port}`,
    });
    await fleet.start();
    const { payload, endpoint } = await running.inbox('heard').next();
    assert.deepEqual([endpoint, (payload as { reason: string }).reason], ['lamp-1', 'identity']);
    assert.equal(fleet.counts.registered, 0);
  });

  it('are cut off at once when their record is removed, and come back with a new one', async () => {
    const running = await start(server(), lamps());
    await registered(running, 2);
    assert.deepEqual(await provision(running, 'remove', 'lamp-1'), { endpoint: 'lamp-1', removed: true });
    assert.equal((await next(running, 'deregistered')).endpoint, 'lamp-1');
    running.receive('read', { endpoint: 'lamp-1' });
    assert.equal((await running.inbox('caught').next()).error?.code, 'NOT_REGISTERED');
    running.receive('lamps', { action: 'stop' });
    running.receive('lamps', { action: 'start' });
    assert.deepEqual(
      (await registered(running, 2)).map(({ endpoint }) => endpoint),
      ['lamp-1', 'lamp-2'],
    );
  });

  it('keep their registrations and keys across a full deploy', async () => {
    const running = await start(server(), lamps());
    await registered(running, 2);
    const { host } = running.node('server') as ServerNode;
    await running.deploy([server(), lamps(), ...REST]);
    assert.equal((running.node('server') as ServerNode).host, host);
    running.receive('read', { endpoint: 'lamp-1' });
    assert.equal((await running.inbox('value').next()).payload, false);
    assert.deepEqual(
      running
        .inbox('heard')
        .all.map(({ topic }) => topic)
        .slice(2),
      [],
    );
  });

  it('are made known to the server that a deploy puts in the place of theirs', async () => {
    const running = await start(server(), lamps());
    await registered(running, 2);
    await running.deploy([server({ lifetimeMax: '600' }), lamps(), ...REST]);
    assert.deepEqual(
      (await registered(running, 2)).map(({ endpoint }) => endpoint),
      ['lamp-1', 'lamp-2'],
    );
  });

  it('are not made known where somebody has entered other credentials; the others are', async () => {
    const running = await start(server());
    const entered = { endpoint: 'lamp-1', security: { mode: 'psk', identity: 'lamp-1', key: KEY }, groups: ['main'] };
    await provision(running, 'put', entered);
    await provision(running, 'put', { endpoint: 'lamp-2', labels: { site: 'north' } });
    await running.deploy([server(), lamps(), ...REST]);
    await running.whenStatus('lamps', ({ fill }) => fill === 'red');
    assert.match(running.errors('lamps').join(), /^lamp-1 has credentials already/);
    assert.equal(((await provision(running, 'get', 'lamp-1')) as typeof entered).security.identity, 'lamp-1');
    const other = (await provision(running, 'get', 'lamp-2')) as Record<string, unknown>;
    assert.deepEqual(
      [other['labels'], other['security']],
      [{ site: 'north' }, { mode: 'psk', identity: 'simulated:lamp-2' }],
    );
  });

  it('say that no server of this Node-RED knows them', async () => {
    const running = await start(server({ coapsPort: '' }), lamps());
    await running.whenStatus('lamps', ({ fill }) => fill === 'red');
    assert.match(running.errors('lamps').join(), /no server of this Node-RED does DTLS on 127\.0\.0\.1/);
  });

  for (const [what, properties, says] of [
    ['keys without coaps', { serverUri: 'coap://127.0.0.1:5683' }, /coaps:\/\//],
    ['coaps without keys', { security: 'nosec' }, /security psk/],
    ['a security that there is not', { security: 'tls' }, /security/],
  ] as const) {
    it(`say that they cannot have ${what}`, async () => {
      const running = await start(server(), lamps(properties));
      await running.whenStatus('lamps', ({ fill }) => fill === 'red');
      assert.match(running.errors('lamps').join(), says);
    });
  }
});
