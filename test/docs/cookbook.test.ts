import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { once } from 'node:events';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { simulateFleet, type SimulatedFleet } from '../../src/index';
import { DebugSidebar, type Shown } from '../support/debug-sidebar';
import { newKeyPair } from '../support/key-pair';
import { NodeRedProcess, PACKAGE_ROOT, type Flow, type NodeRedOptions } from '../support/node-red-process';

const PAGE = readFileSync(path.join(PACKAGE_ROOT, 'docs', 'cookbook.md'), 'utf8');
const HOME = path.join(PACKAGE_ROOT, 'examples', 'cookbook');
const RECIPES = readdirSync(HOME).map((file) => path.basename(file, '.json'));
/** Its story ends and begins a Node-RED. */
const ALONE = 'move-the-server';
/** The ports of the recipes' servers. */
const PORTS = /\b(?:5783|5784|5793|5803|5813|5823)\b/g;
const KEYS = { 'keys-and-certificates': 'KEY', 'hand-over': 'NEW_KEY' } as const;

const CORE = ['tab', 'comment', 'inject', 'debug', 'catch', 'change', 'delay', 'file', 'file in', 'join', 'rbe'];
const MORE_CORE = ['switch', 'template'];
const OURS = Object.keys(
  (JSON.parse(readFileSync(path.join(PACKAGE_ROOT, 'package.json'), 'utf8')) as { 'node-red': { nodes: object } })[
    'node-red'
  ].nodes,
);

function recipe(name: string): Flow[] {
  return JSON.parse(readFileSync(path.join(HOME, `${name}.json`), 'utf8')) as Flow[];
}

async function freeUdpPort(): Promise<string> {
  const socket = dgram.createSocket('udp6');
  socket.bind(0, '::');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return String(port);
}

/** The flows on ports that are free here. What two of them share is in it once. */
async function elsewhere(flows: readonly Flow[]): Promise<Flow[]> {
  const text = JSON.stringify(flows);
  const ports = new Map<string, string>();
  for (const [port] of text.matchAll(PORTS)) if (!ports.has(port)) ports.set(port, await freeUdpPort());
  const moved = JSON.parse(text.replaceAll(PORTS, (port) => ports.get(port) ?? port)) as Flow[];
  return [...new Map(moved.map((node) => [node.id, node])).values()];
}

/** A Node-RED with a watcher of all debug nodes, and words for what a person does. */
class Kitchen {
  private constructor(
    readonly nodeRed: NodeRedProcess,
    readonly sidebar: DebugSidebar,
  ) {}

  static async open(options: NodeRedOptions = {}): Promise<Kitchen> {
    const nodeRed = await NodeRedProcess.start(options);
    return new Kitchen(nodeRed, await DebugSidebar.open(nodeRed.url));
  }

  async close(): Promise<void> {
    this.sidebar.close();
    await this.nodeRed.stop();
  }

  /** What nodes complained about that no catch node took. */
  get complaints(): Shown[] {
    return this.sidebar.shown.filter(({ level }) => level !== undefined);
  }
}

/** One recipe of a kitchen: nodes by the ends of their ids. */
class Recipe {
  readonly #kitchen: Kitchen;
  readonly #name: string;

  constructor(kitchen: Kitchen, name: string) {
    this.#kitchen = kitchen;
    this.#name = name;
  }

  id(node: string): string {
    return `cook-${this.#name}-${node}`;
  }

  press(inject: string): Promise<void> {
    return this.#kitchen.nodeRed.press(this.id(inject));
  }

  /** The next that a debug node shows, and that fits. */
  async next<T>(debug: string, fits: (value: T) => boolean = () => true): Promise<T> {
    const { value } = await this.#kitchen.sidebar.next(({ id, value }) => id === this.id(debug) && fits(value as T));
    return value as T;
  }

  /** Presses a button and waits for what a debug node shows then. */
  async ask<T>(inject: string, debug: string, fits?: (value: T) => boolean): Promise<T> {
    const answer = this.next<T>(debug, fits);
    await this.press(inject);
    return answer;
  }

  /** What a debug node has shown up to now and shows, until all of these are there. */
  async all(debug: string, expected: readonly string[]): Promise<void> {
    const shown = this.#kitchen.sidebar.shown
      .filter(({ id }) => id === this.id(debug))
      .map(({ value }) => String(value));
    const missing = new Set(expected.filter((text) => !shown.includes(text)));
    if (missing.size > 0) await this.next<string>(debug, (text) => missing.delete(text) && missing.size === 0);
  }
}

type Result = { endpoint: string; payload: unknown; lwm2m: { code: string; queuedFor: number } };
type Told = { topic: string; endpoint: string; payload: Record<string, unknown> };

describe('docs/cookbook.md', () => {
  for (const name of RECIPES) {
    it(`${name} is made of core nodes and ours only, and hangs together`, () => {
      const flows = recipe(name);
      const ids = flows.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
      for (const node of flows) {
        assert.ok([...CORE, ...MORE_CORE, ...OURS].includes(node.type), node.type);
        if (node['z'] !== undefined) assert.equal(node['z'], `cook-${name}`);
        for (const wire of ((node['wires'] as string[][] | undefined) ?? []).flat())
          assert.ok(ids.includes(wire), wire);
        if (OURS.includes(node.type) && 'server' in node) assert.ok(ids.includes(String(node['server'])));
      }
      assert.equal(flows[0]?.type, 'tab');
    });
  }

  it('links every recipe, and nothing that is not there', () => {
    const linked = [...PAGE.matchAll(/\]\(\.\.\/examples\/cookbook\/(.+?)\.json\)/g)].map(([, name]) => name);
    assert.deepEqual([...new Set(linked)].sort(), [...RECIPES].sort());
    for (const [, file = ''] of PAGE.matchAll(/\]\((?!https?:|#)([^)#]+)/g))
      assert.ok(readdirSync(path.dirname(path.join(PACKAGE_ROOT, 'docs', file))).includes(path.basename(file)), file);
    const anchors = [...PAGE.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => anchorOf(title));
    for (const [, anchor = ''] of PAGE.matchAll(/\]\(#([^)]+)\)/g)) assert.ok(anchors.includes(anchor), anchor);
  });

  it('has servers that are the same wherever they are', () => {
    const servers = new Map<string, Flow>();
    for (const node of RECIPES.flatMap(recipe).filter(({ id }) => id.startsWith('cookbook'))) {
      assert.deepEqual(node, servers.get(node.id) ?? node);
      servers.set(node.id, node);
    }
  });
});

/** As GitHub makes it. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');
}

describe('the recipes of the cookbook, all deployed at once', function () {
  this.timeout(60_000);
  const stories = new Map<string, (recipe: Recipe) => Promise<void>>();
  const told = new Map<string, Promise<void>>();
  const keys = new Map(RECIPES.map((name) => [name, randomBytes(16).toString('hex')]));
  const fleets: SimulatedFleet[] = [];
  let files: string;
  let kitchen: Kitchen;
  let flows: Flow[];

  before(async () => {
    files = mkdtempSync(path.join(tmpdir(), 'cookbook-'));
    kitchen = await Kitchen.open({ settings: { fileWorkingDirectory: files } });
    mkdirSync(path.join(kitchen.nodeRed.userDir, 'lwm2m-objects'));
    copyFileSync(
      path.join(PACKAGE_ROOT, 'examples/engine-control.xml'),
      path.join(kitchen.nodeRed.userDir, 'lwm2m-objects/engine-control.xml'),
    );
    flows = await elsewhere(RECIPES.filter((name) => name !== ALONE).flatMap(recipe));
    for (const node of flows) if (node.type === 'lwm2m-server') node['store'] = 'memory';
    for (const [name, key] of Object.entries(KEYS)) {
      Object.assign(node(`cook-${name}`), { credentials: { [key]: keys.get(name) } });
    }
    const environment = node('cook-keys-and-certificates')['env'] as { name: string; value: string }[];
    for (const one of environment) {
      if (one.name === 'PUBLIC_KEY') one.value = newKeyPair().spki.toString('base64');
    }
    await deployed();
    for (const [name, story] of stories) told.set(name, story(new Recipe(kitchen, name)));
    // One that fails before its turn is reported by its own test.
    void Promise.allSettled(told.values());
  });

  after(async () => {
    await Promise.all(fleets.map((fleet) => fleet.stop()));
    await kitchen?.close();
    rmSync(files, { recursive: true, force: true });
  });

  function node(id: string): Flow {
    const found = flows.find((one) => one.id === id);
    assert.ok(found, id);
    return found;
  }

  function portOf(server: string, scheme: 'coapPort' | 'coapsPort'): number {
    return Number(node(server)[scheme]);
  }

  /** Deploys all of them, and waits until all devices are there but those that have to be let in first. */
  async function deployed(): Promise<void> {
    const servers = ['cookbook', 'cookbook-rights', 'cookbook-objects'];
    const watches = servers.map((server) => ({
      id: `watch-${server}`,
      type: 'lwm2m-events',
      z: flows[0]?.id,
      server,
      topics: ['registered'],
      wires: [['watched']],
    }));
    const debug = {
      id: 'watched',
      type: 'debug',
      z: flows[0]?.id,
      active: true,
      complete: 'endpoint',
      targetType: 'msg',
    };
    const simulators = flows.filter(({ type }) => type === 'lwm2m-simulator');
    const expected = simulators
      .filter((one) => !String(one['serverUri']).endsWith(String(portOf('cookbook-newcomers', 'coapPort'))))
      .reduce((sum, { count }) => sum + Number(count), 0);
    const registered = new Set<unknown>();
    const all = kitchen.sidebar.next(({ id, value }) => id === 'watched' && registered.add(value).size === expected);
    await kitchen.nodeRed.deploy([...flows, ...watches, { ...debug, tosidebar: true, wires: [] }]);
    await all;
  }

  /** A device that no recipe simulates. */
  function device(name: string, key: string): SimulatedFleet {
    const fleet = simulateFleet({
      kind: 'street-light',
      count: 1,
      endpointPrefix: name.slice(0, -1),
      serverUri: `coaps://127.0.0.1:${portOf('cookbook', 'coapsPort')}`,
      security: { mode: 'psk', identity: name, key: Buffer.from(key, 'hex') },
    });
    fleets.push(fleet);
    return fleet;
  }

  const fileOf = (name: string): string => readFileSync(path.join(files, name), 'utf8');

  /** All stories begin when all is deployed, so that they wait at the same time. */
  function story(name: string, title: string, tell: (recipe: Recipe) => Promise<void>): void {
    stories.set(name, tell);
    it(`${name}: ${title}`, () => told.get(name));
  }

  story('switch-a-group', 'three obey, and the broken one is named', async (recipe) => {
    const each: string[] = [];
    const three = recipe.next<Result>('each', ({ endpoint }) => each.push(endpoint) === 3);
    assert.equal(await recipe.ask('on', 'told'), '3 of 4 obeyed; not: square-lamp-4 (NOT_REGISTERED)');
    await three;
    assert.deepEqual(each.sort(), ['square-lamp-1', 'square-lamp-2', 'square-lamp-3']);
  });

  story('every-morning', 'a line a device in a file', async (recipe) => {
    let lines = 0;
    const written = recipe.next('written', () => ++lines === 2);
    await recipe.press('six');
    await written;
    const [one, two, rest] = fileOf('energy.csv').split('\n');
    const line = /^\d{4}-\d\d-\d\dT[\d:.]+Z,(morning-ac-[12]),[\d.]+$/;
    assert.deepEqual([line.exec(one ?? '')?.[1], line.exec(two ?? '')?.[1]].sort(), ['morning-ac-1', 'morning-ac-2']);
    assert.equal(rest, '');
  });

  story('temperature-band', 'a room says that it is too cold, once', async (recipe) => {
    const shown = kitchen.sidebar.shown.map(({ value }) => String(value));
    const first = /^band-ac-1: (fine|too warm), ([\d.]+) °C$/;
    const known =
      shown.find((text) => first.test(text)) ?? (await recipe.next<string>('told', (text) => first.test(text)));
    // A room cools by half a degree a minute, and a test does not wait so long: the band ends just below.
    const cold = Number(first.exec(known)?.[2]) - 0.05;
    const observe = node(recipe.id('observe'));
    const [, below] = node(recipe.id('band'))['rules'] as { v: string }[];
    assert.ok(below);
    assert.deepEqual([observe['lt'], below.v], ['18', '18']);
    observe['gt'] = '60';
    observe['lt'] = below.v = String(cold);
    await kitchen.nodeRed.deploy(await withWatches(), 'nodes');
    const said = await recipe.ask<string>('cool', 'told', (text) => text.startsWith('band-ac-1: too cold'));
    assert.ok(Number(/([\d.]+) °C$/.exec(said)?.[1]) <= cold + 0.05, said);
  });

  /** What is deployed, with the changes of a test. */
  async function withWatches(): Promise<Flow[]> {
    const now = await kitchen.nodeRed.flows();
    return now.map((one) => flows.find(({ id }) => id === one.id) ?? one);
  }

  story('sleeping-meter', 'an order is delivered when it wakes, and one that may not wait is not', async (recipe) => {
    await recipe.next('slept', (topic) => topic === 'asleep');
    const late = recipe.ask<string>('soon', 'failed');
    assert.match(await late, /^cellar-meter-1: QUEUE_EXPIRED/);
    const delivered = await recipe.ask<Result>('cellar', 'delivered');
    assert.deepEqual([delivered.payload, delivered.lwm2m.code], ['Cellar water', '2.04']);
    assert.ok(delivered.lwm2m.queuedFor > 0);
  });

  story('waiting-orders', 'the last one wins, and all can be cancelled', async (recipe) => {
    await recipe.next('slept', (topic) => topic === 'asleep');
    await recipe.press('garden');
    assert.match(await recipe.ask<string>('kitchen', 'failed'), /^garden-meter-1: CANCELLED/);
    const waiting = await recipe.ask<{ state: string; path: string }[]>('what', 'waiting');
    assert.deepEqual(
      waiting.map(({ state, path }) => [state, path]),
      [['queued', '/3424/0/3']],
    );
    await recipe.press('both');
    let cancelled = 0;
    const two = recipe.next('failed', () => ++cancelled === 2);
    await recipe.press('cancel');
    await two;
    assert.deepEqual(await recipe.ask('what', 'waiting'), []);
  });

  story('it-does-not-register', 'the refusal is told with its reason, and mended', async (recipe) => {
    const refused = 'lost-lamp-1 rejected: noSec from 127.0.0.1, coap';
    await recipe.all('what', [refused]);
    const list = await recipe.ask<{ endpoint: string; reason: string }[]>('who', 'list');
    const lamp = list.find(({ endpoint }) => endpoint === 'lost-lamp-1');
    assert.equal(lamp?.reason, 'noSec');
    const registered = recipe.next<string>('what', (text) => text.startsWith('lost-lamp-1 registered'));
    const record = await recipe.ask<{ endpoint: string; security: unknown }>('let', 'record');
    assert.deepEqual([record.endpoint, record.security], ['lost-lamp-1', { mode: 'nosec' }]);
    await registered;
  });

  story('join-window', 'whoever comes while it is open gets a record', async (recipe) => {
    // The window is open to all, also to the lamp of the recipe before.
    await told.get('it-does-not-register');
    await recipe.all('who', ['new-lamp-1 rejected: noSec', 'new-lamp-2 rejected: noSec']);
    await recipe.press('off');
    const window = await recipe.ask<{ open: boolean; limit: number }>('open', 'window');
    assert.deepEqual([window.open, window.limit], [true, 10]);
    await recipe.press('on');
    await recipe.all('who', [
      'new-lamp-1 joined',
      'new-lamp-2 joined',
      'new-lamp-1 registered',
      'new-lamp-2 registered',
    ]);
    const closed = await recipe.ask<{ open: boolean }>('close', 'window');
    assert.equal(closed.open, false);
    const records = await recipe.ask<{ endpoint: string; groups: string[] }[]>('list', 'shown');
    assert.deepEqual(
      records.map(({ endpoint, groups }) => [endpoint, groups]),
      [
        ['new-lamp-1', ['floor-3']],
        ['new-lamp-2', ['floor-3']],
      ],
    );
  });

  story('records-as-csv', 'in and out again', async (recipe) => {
    assert.equal(await recipe.ask('make', 'saved'), 'devices.csv');
    const records = await recipe.ask<{ endpoint: string; priority: string }[]>('import', 'records');
    assert.deepEqual(
      records.map(({ endpoint, priority }) => [endpoint, priority]),
      [
        ['list-lamp-1', 'low'],
        ['list-lamp-2', 'low'],
        ['list-lamp-3', 'high'],
      ],
    );
    await recipe.ask('export', 'exported');
    const [head, first] = fileOf('devices-export.csv').split(/\r?\n/);
    assert.ok(head?.startsWith('endpoint,mode'), head);
    assert.match(first ?? '', /^list-lamp-1,nosec,.*north/);
  });

  story('groups-by-rule', 'a device that matches later belongs to it too', async (recipe) => {
    type Counts = { total: number; succeeded: number };
    const counts = async (): Promise<number[]> => {
      const { total, succeeded } = await recipe.ask<Counts>('set', 'summary');
      return [total, succeeded];
    };
    assert.deepEqual(await counts(), [2, 2]);
    await recipe.ask('move', 'record');
    assert.deepEqual(await counts(), [3, 3]);
  });

  story('who-may', 'John may in the north, Ann everywhere, nobody else', async (recipe) => {
    assert.equal(await recipe.ask('john-north', 'obeyed'), 'town-lamp-1');
    assert.match(await recipe.ask<string>('john-south', 'failed'), /^town-lamp-2: ACCESS_DENIED, john may not write/);
    assert.equal(await recipe.ask('ann-south', 'obeyed'), 'town-lamp-2');
    assert.match(await recipe.ask<string>('nobody', 'failed'), /^town-lamp-1: ACCESS_DENIED/);
  });

  story('lend-for-a-weekend', 'Tom may, Peter may not, and then Peter again', async (recipe) => {
    type Grant = { user: string; state: string; from: string; until: string };
    await recipe.ask('peter', 'position');
    assert.match(await recipe.ask<string>('tom', 'failed'), /ACCESS_DENIED, tom may not read/);
    assert.equal((await recipe.ask<Grant>('now', 'answer')).state, 'active');
    assert.equal(typeof (await recipe.ask<{ latitude: unknown }>('tom', 'position')).latitude, 'number');
    assert.match(await recipe.ask<string>('peter', 'failed'), /ACCESS_DENIED, .*peter/);
    assert.equal((await recipe.ask<Grant[]>('back', 'answer')).length, 1);
    await recipe.ask('peter', 'position');
    const { from, until } = await recipe.ask<Grant>('weekend', 'answer');
    assert.deepEqual([new Date(from).getUTCDay(), new Date(until).getUTCDay()], [5, 0]);
    assert.match(`${from} ${until}`, /T18:00:00.000Z .*T20:00:00.000Z$/);
  });

  story('guarded-stop', 'only when it stands, and not by one person alone', async (recipe) => {
    await recipe.press('park');
    await recipe.ask('stop', 'waits');
    assert.match(await recipe.ask<string>('self', 'failed'), /tom/);
    assert.equal((await recipe.ask<Result>('confirm', 'stopped')).lwm2m.code, '2.04');
    await recipe.ask('release', 'released');
    await recipe.ask<number>('drive', 'mps', (speed) => speed > 0);
    await recipe.ask('stop', 'waits');
    assert.match(await recipe.ask<string>('confirm', 'failed'), /PRECONDITION/);
  });

  story('audit-to-csv', 'who ordered what is in a file', async (recipe) => {
    await recipe.ask('on', 'obeyed');
    await recipe.ask('off', 'obeyed');
    await recipe.ask('day', 'written');
    const [head, ...lines] = fileOf('audit.csv').split(/\r?\n/);
    assert.match(head ?? '', /user,operation,endpoint/);
    const ours = lines.filter((line) => line.includes('noted-lamp-1'));
    assert.ok(ours[0]?.includes('bob') && ours[1]?.includes('ann'), ours.join('\n'));
  });

  story('suspend-at-a-peak', 'low priority goes and comes back, high stays', async (recipe) => {
    const { total, device } = await recipe.ask<{ total: number; device: number }>('try', 'answer');
    assert.deepEqual([total, device], [2, 2]);
    await recipe.all('told', ['avenue-lamp-2 suspended', 'avenue-lamp-3 suspended']);
    const away = await recipe.ask<{ endpoint: string }[]>('who', 'answer');
    assert.deepEqual(
      away.map(({ endpoint }) => endpoint),
      ['avenue-lamp-2', 'avenue-lamp-3'],
    );
    await recipe.all('told', ['avenue-lamp-2 resumed', 'avenue-lamp-3 resumed']);
  });

  story('commanded-and-reported', 'a lamp that is dark again is told, and put right', async (recipe) => {
    await recipe.ask('on', 'obeyed');
    const differs = recipe.next<Told>('told', ({ topic }) => topic === 'mismatch');
    const agrees = recipe.next<Told>('told', ({ topic }) => topic === 'matched');
    await recipe.ask('cut', 'is', (on) => on === false);
    const { payload } = await differs;
    type Values = { value: unknown };
    assert.deepEqual(
      [payload['path'], (payload['commanded'] as Values).value, (payload['reported'] as Values).value],
      ['/3311/0/5850', true, false],
    );
    assert.equal((await agrees).endpoint, 'yard-lamp-1');
  });

  story('keys-and-certificates', 'the right key is let in, and nothing shows it', async (recipe) => {
    const key = keys.get('keys-and-certificates') ?? '';
    for (const [inject, mode] of [
      ['psk', 'psk'],
      ['rpk', 'rpk'],
      ['x509', 'x509'],
    ] as const) {
      const { security } = await recipe.ask<{ security: Record<string, unknown> }>(inject, 'record');
      assert.equal(security['mode'], mode);
    }
    const comes = recipe.next<Told>('who', ({ topic, endpoint }) => topic === 'registered' && endpoint === 'pump-1');
    await device('pump-1', key).start();
    const { payload } = await comes;
    assert.deepEqual(payload['identity'], { mode: 'psk', name: 'pump-1' });
    const gone = recipe.next<Told>('who', ({ topic, endpoint }) => topic === 'deregistered' && endpoint === 'pump-1');
    await recipe.press('remove');
    await gone;
    assert.ok(!JSON.stringify(kitchen.sidebar.shown).includes(key));
    assert.ok(!JSON.stringify(await kitchen.nodeRed.flows()).includes(key));
  });

  story('an-object-of-your-own', 'its resources have names', async (recipe) => {
    const engine = await recipe.ask<Record<string, unknown>>('read', 'values');
    assert.equal(typeof engine['engineRunning'], 'boolean');
    assert.equal((await recipe.ask<{ code: string }>('release', 'released')).code, '2.04');
  });

  story('ask-many', 'one answer of all', async (recipe) => {
    type Average = { average: number; silent: string[] };
    const average = recipe.next<Average>('told');
    const joined = await recipe.ask<{ device: string; celsius: number }[]>('ask', 'joined');
    assert.deepEqual(joined.map(({ device }) => device).sort(), ['hall-ac-1', 'hall-ac-2', 'hall-ac-3']);
    const sum = joined.reduce((total, { celsius }) => total + celsius, 0);
    const { average: mean, silent } = await average;
    assert.ok(Math.abs(mean - sum / 3) <= 0.05 + 1e-9);
    assert.deepEqual(silent, []);
  });

  story('hand-over', 'the old key is worth nothing, the new one is', async (recipe) => {
    const before = await recipe.ask<{ provider: string }>('before', 'record');
    assert.equal(before.provider, 'Old Telematics');
    const gone = recipe.next('what', (text) => text === 'sold-car-1 deregistered');
    const after = await recipe.ask<Record<string, unknown>>('over', 'record');
    assert.deepEqual([after['provider'], after['owner'], after['user']], ['New Telematics', 'paul', undefined]);
    await gone;
    const back = recipe.next('what', (text) => text === 'sold-car-1 registered');
    await device('sold-car-1', keys.get('hand-over') ?? '').start();
    await back;
  });

  it('has a story for every recipe', () => {
    assert.deepEqual([...stories.keys(), ALONE].sort(), [...RECIPES].sort());
  });

  it('complains about nothing that no catch node takes', () => {
    assert.deepEqual(kitchen.complaints, []);
  });
});

describe('the recipe to move a server', function () {
  this.timeout(30_000);

  it('keeps all that was known, and the device notices nothing', async () => {
    const folders = mkdtempSync(path.join(tmpdir(), 'cookbook-move-'));
    const flows = (await elsewhere(recipe(ALONE))).filter(({ type }) => type !== 'lwm2m-simulator');
    const server = flows.find(({ type }) => type === 'lwm2m-server');
    assert.ok(server);
    const lamp = simulateFleet({
      kind: 'street-light',
      count: 1,
      endpointPrefix: 'house-lamp-',
      serverUri: `coap://127.0.0.1:${String(server['coapPort'])}`,
      lifetime: 600,
    });
    const deployIn = async (folder: string): Promise<{ kitchen: Kitchen; house: Recipe }> => {
      server['storePath'] = path.join(folders, folder);
      const kitchen = await Kitchen.open({ flows });
      return { kitchen, house: new Recipe(kitchen, ALONE) };
    };
    try {
      const old = await deployIn('old');
      await old.house.ask('record', 'stored');
      const came = old.house.next('came');
      await lamp.start();
      await came;
      await old.house.ask('on', 'obeyed');
      await old.kitchen.close();
      cpSync(path.join(folders, 'old'), path.join(folders, 'new'), { recursive: true });
      const { kitchen, house } = await deployIn('new');
      type Known = {
        connectivity: string;
        owner: string;
        labels: object;
        values: Record<string, { commanded?: object }>;
      };
      const [known] = await house.ask<Known[]>('what', 'known');
      assert.deepEqual([known?.connectivity, known?.owner, known?.labels], ['online', 'ann', { room: 'hall' }]);
      const { value, by } = known?.values['/3311/0/5850']?.commanded as { value: unknown; by: string };
      assert.deepEqual([value, by], [true, 'ann']);
      assert.equal((await house.ask<{ code: string }>('on', 'obeyed')).code, '2.04');
      assert.ok(!kitchen.sidebar.shown.some(({ id }) => id === house.id('came')), 'it had not to register again');
      assert.deepEqual([...old.kitchen.complaints, ...kitchen.complaints], []);
      await kitchen.close();
    } finally {
      await lamp.stop();
      rmSync(folders, { recursive: true, force: true });
    }
  });
});

describe('the code of the cookbook', function () {
  this.timeout(30_000);
  const [, code = ''] = /^```ts\n([\s\S]*?)^```$/m.exec(PAGE) ?? [];
  let project: string;

  before(async () => {
    project = mkdtempSync(path.join(tmpdir(), 'cookbook-code-'));
    mkdirSync(path.join(project, 'node_modules/@open-lwm2m'), { recursive: true });
    symlinkSync(PACKAGE_ROOT, path.join(project, 'node_modules/@open-lwm2m/node-red-lwm2m'));
    writeFileSync(path.join(project, 'package.json'), '{ "type": "module" }');
    writeFileSync(path.join(project, 'lamps.ts'), code.replaceAll('5833', await freeUdpPort()));
  });

  after(() => rmSync(project, { recursive: true, force: true }));

  it('has the right types', () => {
    const options: ts.CompilerOptions = {
      noEmit: true,
      strict: true,
      module: ts.ModuleKind.Node16,
      moduleResolution: ts.ModuleResolutionKind.Node16,
      target: ts.ScriptTarget.ES2022,
      typeRoots: [path.join(PACKAGE_ROOT, 'node_modules/@types')],
      types: ['node'],
    };
    const program = ts.createProgram([path.join(project, 'lamps.ts')], options);
    const faults = ts.getPreEmitDiagnostics(program);
    assert.deepEqual(
      faults.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' ')),
      [],
    );
  });

  it('says what it does, and ends by itself', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['lamps.ts'], { cwd: project, timeout: 20_000 });
    const lines = stdout.trim().split('\n');
    for (const lamp of ['lamp-1', 'lamp-2', 'lamp-3']) {
      assert.ok(lines.includes(`registered ${lamp}`), stdout);
      assert.ok(lines.includes(`${lamp} reports false`), stdout);
    }
    assert.ok(lines.includes('lamp-1 is off') && lines.includes('3 of 3 obeyed'), stdout);
  });
});
