import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DebugSidebar } from '../support/debug-sidebar';
import { NodeRedProcess, type Flow } from '../support/node-red-process';
import { freeUdpPort } from '../support/free-udp-port';

const node = (id: string, type: string, properties: Record<string, unknown>, ...wires: string[][]): Flow => ({
  id,
  type,
  z: 'tab',
  x: 0,
  y: 0,
  wires,
  ...properties,
});

function makeKey(): { pem: string; publicKey: string } {
  const pair: { privateKey: KeyObject; publicKey: KeyObject } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    pem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: pair.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  };
}

const ROUTES = ['devices', 'devices/lamp-1', 'objects', 'objects/3311', 'public-key'];

/**
 * A real Node-RED that says and shows all it can, with a server key, a key of a simulated lamp and a key that comes by HTTP:
 * none of them is ever seen again.
 */
describe('keys in a real Node-RED', function () {
  this.timeout(60_000);
  const lampKey = randomBytes(16).toString('hex');
  const { pem, publicKey } = makeKey();
  let port = 0;
  let nodeRed: NodeRedProcess;
  let sidebar: DebugSidebar;

  const server = (credentials?: object): Flow => ({
    id: 'server',
    type: 'lwm2m-server',
    host: '127.0.0.1',
    coapPort: '',
    coapsPort: port,
    noSec: 'none',
    store: 'memory',
    ...(credentials === undefined ? {} : { credentials }),
  });

  const flows = (serverCredentials?: object, lampCredentials?: object): Flow[] => [
    { id: 'tab', type: 'tab', label: 'test' },
    server(serverCredentials),
    node('in', 'http in', { url: '/records', method: 'post' }, ['put']),
    node('put', 'lwm2m-provision', { server: 'server', action: 'put' }, ['out', 'debug']),
    node('catch', 'catch', { scope: ['put'] }, ['out', 'debug']),
    node('out', 'http response', {}),
    node('events', 'lwm2m-events', { server: 'server', topics: [] }, ['debug']),
    node(
      'lamps',
      'lwm2m-simulator',
      {
        count: 1,
        endpointPrefix: 'lamp-',
        serverUri: `coaps://127.0.0.1:${port}`,
        lifetime: 60,
        security: 'psk',
        ...(lampCredentials === undefined ? {} : { credentials: lampCredentials }),
      },
      ['debug'],
    ),
    node('debug', 'debug', { active: true, tosidebar: true, console: true, complete: 'true' }),
  ];

  before(async () => {
    port = await freeUdpPort();
    nodeRed = await NodeRedProcess.start({ settings: { logLevel: 'trace' } });
    sidebar = await DebugSidebar.open(nodeRed.url);
    await nodeRed.deploy(flows({ privateKey: pem }, { key: lampKey }));
  });

  after(async () => {
    sidebar?.close();
    await nodeRed?.stop();
  });

  async function post(records: unknown): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    for (;;) {
      const response = await fetch(`${nodeRed.url}records`, { method: 'POST', headers, body: JSON.stringify(records) });
      // A deploy is answered before the flows run.
      if (response.status !== 404) return response.json();
    }
  }

  /** A deploy is answered before the flows run again. */
  async function publicKeyBecomes(expected: string): Promise<void> {
    for (;;) {
      const response = await fetch(`${nodeRed.url}lwm2m/server/public-key`);
      const answer = (await response.json()) as { publicKey?: string };
      if (answer.publicKey === expected) return;
    }
  }

  function assertNowhere(text: string, where: string): void {
    const parts = { 'the key of the lamp': lampKey, 'the key of the server': pem.split('\n')[1] ?? '' };
    for (const [what, part] of Object.entries(parts)) {
      assert.ok(part.length > 30 && !text.toLowerCase().includes(part.toLowerCase()), `${where} shows ${what}`);
    }
  }

  it('go in by HTTP, and the answer has none', async () => {
    const registered = sidebar.next(
      ({ id, value }) => id === 'debug' && (value as { topic?: string }).topic === 'registered',
    );
    const security = { mode: 'psk', identity: 'lamp-1', key: lampKey };
    const record = { endpoint: 'lamp-1', labels: {}, groups: ['main'], priority: 'normal' };
    assert.deepEqual(await post([{ endpoint: 'lamp-1', groups: ['main'], security }]), [
      { ...record, security: { mode: 'psk', identity: 'lamp-1' } },
    ]);
    await registered;
    const caught = sidebar.next(({ id, value }) => id === 'debug' && 'error' in (value as object));
    assert.deepEqual(await post([{ endpoint: 'lamp-2', security, key: lampKey }]), [{ endpoint: 'lamp-2' }]);
    await caught;
  });

  it('are in no export of the flows', async () => {
    assertNowhere(JSON.stringify(await nodeRed.flows()), 'the export');
  });

  it('are told to no editor', async () => {
    const credentials = await nodeRed.get<Record<string, unknown>>('credentials/lwm2m-server/server');
    assert.equal(credentials['has_privateKey'], true);
    assert.equal(credentials['privateKey'], undefined);
    const lamps = await nodeRed.get<Record<string, unknown>>('credentials/lwm2m-simulator/lamps');
    assert.deepEqual([lamps['has_key'], lamps['key']], [true, undefined]);
    for (const route of ROUTES) assertNowhere(JSON.stringify(await nodeRed.get(`lwm2m/server/${route}`)), route);
  });

  it('are in no message of the debug sidebar and not on the console, at any level', () => {
    assert.ok(sidebar.shown.length >= 4);
    assertNowhere(JSON.stringify(sidebar.shown), 'the sidebar');
    assert.ok(nodeRed.output.join('').includes('lamp-1'), 'it does say much');
    assertNowhere(nodeRed.output.join(''), 'the console');
  });

  it('are in no file that can be read without the secret', () => {
    const files = readdirSync(nodeRed.userDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => path.join(parentPath, name));
    assert.ok(files.some((file) => file.endsWith('flows_cred.json')));
    for (const file of files) assertNowhere(readFileSync(file, 'utf8'), file);
  });

  it('stay with a full deploy that does not name them, and so do the sessions', async () => {
    const before = sidebar.shown.length;
    await nodeRed.deploy(flows());
    await publicKeyBecomes(publicKey);
    assert.deepEqual(await nodeRed.get('lwm2m/server/devices'), [{ endpoint: 'lamp-1', connectivity: 'online' }]);
    const topics = sidebar.shown.slice(before).map(({ value }) => (value as { topic?: string }).topic);
    assert.ok(!topics.includes('registered') && !topics.includes('deregistered'), topics.join());
  });

  it('make another server of it when they change, though all else is the same', async () => {
    const other = makeKey();
    await nodeRed.deploy(flows({ privateKey: other.pem }));
    await publicKeyBecomes(other.publicKey);
    assert.deepEqual(await nodeRed.get('lwm2m/server/devices'), []);
  });

  it('that are none are refused without being shown', async () => {
    const complaint = sidebar.next(({ id, level }) => id === 'server' && level !== undefined);
    await nodeRed.deploy(flows({ privateKey: pem.replace('PRIVATE', 'SECRET') }));
    assertNowhere(JSON.stringify((await complaint).value), 'the complaint');
    const response = await fetch(`${nodeRed.url}lwm2m/server/public-key`);
    assert.equal(response.status, 404);
  });
});

describe('the routes of a Node-RED with users', function () {
  this.timeout(30_000);

  it('answer nobody who has not logged in', async () => {
    const password = '$2b$08$wuAqPiKJlVN27eF5qJp.RuQYuy6ZYONW7a/UWYxDTtwKFCdB8F19y';
    const users = [{ username: 'admin', password, permissions: '*' }];
    const nodeRed = await NodeRedProcess.start({ settings: { adminAuth: { type: 'credentials', users } } });
    try {
      for (const route of ROUTES) {
        const response = await fetch(`${nodeRed.url}lwm2m/server/${route}`);
        assert.equal(response.status, 401, route);
      }
    } finally {
      await nodeRed.stop();
    }
  });
});
