import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import eventsNode from '../../nodes/lwm2m-events/lwm2m-events';
import type { EngineHost } from '../../nodes/lwm2m-server/engine-host';
import serverNode from '../../nodes/lwm2m-server/lwm2m-server';
import { serverKeyIn } from '../../nodes/lwm2m-server/server-key';
import type { ServerNode } from '../../nodes/shared/server-node';
import type { ServerCondition } from '../../src/index';
import { SimulatedDevice } from '../../src/simulator';
import { streetLight } from '../../src/simulator/behaviours/street-light';
import { on, runFlow, type Flow, type FlowNode } from './flow-harness';

describe('a server that keeps what it knows in files', function () {
  this.timeout(20_000);
  let home: string;
  let flow: Flow | undefined;
  let device: SimulatedDevice | undefined;

  beforeEach(() => {
    home = mkdtempSync(path.join(tmpdir(), 'lwm2m-'));
  });

  afterEach(async () => {
    await device?.close(200);
    device = undefined;
    await flow?.stop();
    flow = undefined;
    rmSync(home, { recursive: true, force: true });
  });

  const server = (properties: Record<string, unknown> = {}): FlowNode => ({
    id: 'server',
    type: 'lwm2m-server',
    host: '127.0.0.1',
    coapPort: '0',
    coapsPort: '',
    storePath: home,
    ...properties,
  });

  const events = (id: string, serverId: string): FlowNode[] => [
    on(id, 'lwm2m-events', { server: serverId, topics: ['trouble', 'recovered'] }, [`${id}-heard`]),
    on(`${id}-heard`, 'helper'),
  ];

  async function run(...nodes: FlowNode[]): Promise<Flow> {
    flow = await runFlow([serverNode, eventsNode], nodes);
    return flow;
  }

  function hostOf(id: string): EngineHost {
    const { host } = flow?.node(id) as ServerNode;
    if (host === undefined) throw new Error(`${id} has no host`);
    return host;
  }

  function whenServing(id: string): Promise<EngineHost> {
    const host = hostOf(id);
    return new Promise((resolve) => host.whenServing(() => resolve(host)));
  }

  async function registerLamp({ engine }: EngineHost): Promise<void> {
    const port = engine.addresses[0]?.port;
    device = new SimulatedDevice({
      endpoint: 'lamp-1',
      serverUri: `coap://127.0.0.1:${port}`,
      behaviours: streetLight,
    });
    const registered = once(device, 'registered');
    await device.start();
    await registered;
  }

  const endpoints = ({ engine }: EngineHost): string[] => engine.devices().map(({ endpoint }) => endpoint);

  it('knows its devices after a change of its settings and after a restart, without a word of theirs', async () => {
    const running = await run(server());
    await registerLamp(await whenServing('server'));
    await running.deploy([server({ awakeTime: 20 })]);
    assert.deepEqual(endpoints(await whenServing('server')), ['lamp-1']);
    assert.deepEqual(running.errors('server'), []);
    await running.stop();
    await run(server());
    assert.deepEqual(endpoints(await whenServing('server')), ['lamp-1']);
  });

  it('shares them with no other server, and says so until it can have them', async () => {
    const other = server({ id: 'other' });
    const running = await run(server(), ...events('one', 'server'));
    await whenServing('server');
    await running.deploy([server(), other, ...events('one', 'server'), ...events('two', 'other')]);
    await running.whenStatus('two', ({ text }) => text === 'status.store.inUse');
    assert.match(running.errors('other').join(), /in use by another process or another server/);
    const trouble = (await running.inbox('two-heard').next()) as { topic: string; payload: ServerCondition };
    assert.deepEqual([trouble.topic, trouble.payload.about, trouble.payload.code], ['trouble', 'store', 'STORE']);
    assert.equal('endpoint' in trouble, false);
    await running.deploy([other, ...events('two', 'other')]);
    await whenServing('other');
    const recovered = await running.inbox('two-heard').next();
    assert.deepEqual([recovered.topic, (recovered.payload as ServerCondition).about], ['recovered', 'store']);
    assert.deepEqual(running.inbox('one-heard').all, []);
  });

  it('goes on when its folder can be made at last', async () => {
    const inTheWay = path.join(home, 'city');
    writeFileSync(inTheWay, '');
    const running = await run(server({ storePath: inTheWay }), ...events('one', 'server'));
    await running.whenStatus('one', ({ text }) => text?.startsWith('status.store.') === true);
    assert.equal(hostOf('server').engine.isServing, false);
    rmSync(inTheWay);
    await registerLamp(await whenServing('server'));
    await running.whenStatus('one', ({ fill }) => fill !== 'red');
  });

  it('takes the key over from the file of the version before, once', async () => {
    const key = serverKeyIn(home, assert.fail);
    const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64');
    const settings = { coapPort: '', coapsPort: '0' };
    const running = await run(server(settings));
    assert.equal((await whenServing('server')).engine.serverPublicKey, publicKey);
    assert.equal(existsSync(path.join(home, 'server-key.pem')), false);
    await running.deploy([server({ ...settings, awakeTime: 20 })]);
    assert.equal((await whenServing('server')).engine.serverPublicKey, publicKey);
    assert.deepEqual(running.errors('server'), []);
  });

  it('does not start with a store that is not there, and the nodes that use it show it', async () => {
    const running = await run(server({ store: 'redis' }), ...events('one', 'server'));
    assert.match(running.errors('server').join(), /the store 'redis' is not available in this version/);
    await running.whenStatus('one', ({ text }) => text === 'status.wrongSettings');
    assert.equal((running.node('server') as ServerNode).host, undefined);
  });
});
