import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SimulatedDevice } from '../../src/simulator';
import { streetLight } from '../../src/simulator/behaviours/street-light';
import { NodeRedProcess, PACKAGE_ROOT, type Flow } from '../support/node-red-process';
import { freeUdpPort } from '../support/free-udp-port';

const manifest = JSON.parse(readFileSync(path.join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
  'node-red': { nodes: Record<string, string> };
};
const nodeTypes = Object.keys(manifest['node-red'].nodes);

interface NodeSet {
  id: string;
  module: string;
  types: string[];
  enabled: boolean;
  err?: string;
}

const node = (id: string, type: string, properties: Record<string, unknown>, ...wires: string[][]): Flow => ({
  id,
  type,
  z: 'tab',
  x: 0,
  y: 0,
  wires,
  ...properties,
});

/** A flow that answers `GET /read/<endpoint>` with the value of a lamp, or with the error. */
function flows(coapPort: number): Flow[] {
  const answer = 'msg.statusCode = 502; msg.payload = { error: msg.error, lwm2m: msg.lwm2m }; return msg;';
  return [
    { id: 'tab', type: 'tab', label: 'test' },
    { id: 'server', type: 'lwm2m-server', host: '::', coapPort: String(coapPort), coapsPort: '', store: 'memory' },
    node('in', 'http in', { url: '/read/:endpoint', method: 'get' }, ['target']),
    node(
      'target',
      'change',
      { rules: [{ t: 'set', p: 'endpoint', to: 'req.params.endpoint', tot: 'msg', pt: 'msg' }] },
      ['read'],
    ),
    node('read', 'lwm2m-read', { server: 'server', target: '', path: '/3311/0/5850', pathType: 'str' }, ['value'], []),
    node(
      'value',
      'change',
      { rules: [{ t: 'set', p: 'payload', to: '{"value":payload,"lwm2m":lwm2m}', tot: 'jsonata', pt: 'msg' }] },
      ['out'],
    ),
    node('catch', 'catch', { scope: ['read'] }, ['error']),
    node('error', 'function', { func: answer, outputs: 1 }, ['out']),
    node('out', 'http response', {}),
  ];
}

describe('the package in a real Node-RED', function () {
  this.timeout(30_000);
  let nodeRed: NodeRedProcess;
  let port: number;
  let lamp: SimulatedDevice;

  before(async () => {
    port = await freeUdpPort();
    nodeRed = await NodeRedProcess.start({ flows: flows(port) });
    lamp = new SimulatedDevice({ endpoint: 'lamp-1', serverUri: `coap://127.0.0.1:${port}`, behaviours: streetLight });
    const registered = once(lamp, 'registered');
    await lamp.start();
    await registered;
  });

  after(async () => {
    await lamp.close();
    await nodeRed.stop();
  });

  async function read(endpoint: string): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`${nodeRed.url}read/${endpoint}`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  /** A deploy is answered before the flows run again; until then a request finds nobody. */
  async function readAfterDeploy(endpoint: string): Promise<{ status: number; body: Record<string, unknown> }> {
    for (;;) {
      try {
        const response = await fetch(`${nodeRed.url}read/${endpoint}`, { signal: AbortSignal.timeout(500) });
        if (response.status !== 404) return { status: response.status, body: (await response.json()) as never };
      } catch (error) {
        if ((error as Error).name !== 'TimeoutError') throw error;
      }
    }
  }

  it('loads every node without an error', async () => {
    const sets = (await nodeRed.get<NodeSet[]>('nodes')).filter(({ id }) => id.includes('/lwm2m-'));
    assert.equal(sets.length, nodeTypes.length);
    for (const { id, enabled, err, types } of sets) {
      assert.deepEqual([enabled, err], [true, undefined], id);
      assert.deepEqual(types, [id.slice(id.indexOf('/lwm2m-') + 1)]);
    }
    assert.deepEqual(
      nodeRed.output.filter((line) => line.includes('lwm2m')),
      [],
    );
  });

  it('reads a lamp', async () => {
    const { status, body } = await read('lamp-1');
    assert.equal(status, 200);
    assert.equal(body.value, false);
    assert.equal((body.lwm2m as { code: string }).code, '2.05');
  });

  it('gives Catch the code of an error', async () => {
    const { status, body } = await read('nobody');
    assert.equal(status, 502);
    const error = body.error as { code: string; source: { id: string } };
    assert.deepEqual([error.code, error.source.id], ['NOT_REGISTERED', 'read']);
    assert.deepEqual(body.lwm2m, { operation: 'read', endpoint: 'nobody', path: '/3311/0/5850' });
  });

  it('keeps registrations across full deploys', async () => {
    let registered = 0;
    lamp.on('registered', () => (registered += 1));
    for (let round = 0; round < 3; round++) {
      await nodeRed.deploy(flows(port));
      assert.equal((await readAfterDeploy('lamp-1')).status, 200);
    }
    assert.equal(registered, 0);
  });

  it('keeps registrations when only some nodes are deployed', async () => {
    const changed = flows(port).map((each) => (each.id === 'read' ? { ...each, name: 'changed' } : each));
    await nodeRed.deploy(changed, 'nodes');
    assert.equal((await readAfterDeploy('lamp-1')).body.value, false);
  });

  it('offers devices and objects to the editor', async () => {
    const device = { endpoint: 'lamp-1', connectivity: 'online' };
    assert.deepEqual(await nodeRed.get('lwm2m/server/devices?q=lamp'), [device]);
    assert.deepEqual(await nodeRed.get('lwm2m/server/devices?q=other'), []);
    assert.deepEqual(await nodeRed.get('lwm2m/server/public-key'), { publicKey: null });
    const detail = await nodeRed.get<{ objects: { id: number; name: string }[] }>('lwm2m/server/devices/lamp-1');
    assert.equal(detail.objects.find(({ id }) => id === 3311)?.name, 'Light Control');
    const found = await nodeRed.get<{ id: number; name: string }[]>('lwm2m/server/objects?q=light%20con');
    assert.deepEqual(
      found.map(({ id, name }) => [id, name]),
      [[3311, 'Light Control']],
    );
    const object = await nodeRed.get<{ resources: Record<string, unknown>[] }>('lwm2m/server/objects/3311');
    assert.deepEqual(
      object.resources.find(({ id }) => id === 5850),
      {
        id: 5850,
        name: 'On/Off',
        camelName: 'onOff',
        operations: 'RW',
        multiple: false,
        mandatory: true,
        type: 'boolean',
        range: '',
        units: '',
      },
    );
  });

  for (const [route, code] of [
    ['lwm2m/gone/devices', 'NOT_DEPLOYED'],
    ['lwm2m/server/devices/nobody', 'UNKNOWN_DEVICE'],
    ['lwm2m/server/objects/65000', 'UNKNOWN_OBJECT'],
    ['lwm2m/server/objects/__proto__', 'UNKNOWN_OBJECT'],
  ] as const) {
    it(`answers ${route} with 404 ${code}`, async () => {
      const response = await fetch(nodeRed.url + route);
      assert.equal(response.status, 404);
      assert.equal(((await response.json()) as { code: string }).code, code);
    });
  }
});
