import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DebugSidebar, type Shown } from '../support/debug-sidebar';
import { browserIsMissing, startBrowser } from '../support/editor';
import { NodeRedProcess, PACKAGE_ROOT, type Flow } from '../support/node-red-process';
import { freeUdpPort } from '../support/free-udp-port';

const HOME = path.join(PACKAGE_ROOT, 'examples');
/** Of core nodes and ours only. */
const NAMES = namesIn(HOME);
/** With a page on FlowFuse Dashboard 2. */
const PAGES = namesIn(path.join(HOME, 'dashboard')).map((name) => `dashboard/${name}`);
/** s: how long it takes until a lamp that vanished is noticed. */
const SHORT_LIFE = 3;

const CORE = ['tab', 'group', 'comment', 'inject', 'debug', 'catch', 'change', 'http in', 'http response', 'template'];
const CORE_OF_PAGES = [...CORE, 'delay', 'function', 'join', 'link in', 'link out', 'split', 'switch'];
const OURS = Object.keys(
  (JSON.parse(readFileSync(path.join(PACKAGE_ROOT, 'package.json'), 'utf8')) as { 'node-red': { nodes: object } })[
    'node-red'
  ].nodes,
);

function namesIn(folder: string): string[] {
  return readdirSync(folder).flatMap((file) => /^(.+)\.json$/.exec(file)?.[1] ?? []);
}

function example(name: string): Flow[] {
  return JSON.parse(readFileSync(path.join(HOME, `${name}.json`), 'utf8')) as Flow[];
}

/** The example on ports of its own, so that it disturbs nothing that runs on this machine, with short-lived lamps. */
function adapted(flows: Flow[], coapPort: number, coapsPort: number): Flow[] {
  const json = JSON.stringify(flows).replaceAll(/568[34]|5693/g, (port) =>
    String(port === '5684' ? coapsPort : coapPort),
  );
  const moved = JSON.parse(json) as Flow[];
  return moved.map((node) => (isAlwaysAwake(node) ? { ...node, lifetime: SHORT_LIFE } : node));
}

/** A simulator whose devices do not sleep. */
function isAlwaysAwake(node: Flow): boolean {
  return node.type === 'lwm2m-simulator' && node['queueMode'] !== true;
}

describe('the examples', () => {
  for (const name of [...NAMES, ...PAGES]) {
    const isPage = PAGES.includes(name);
    it(`${name} is made of core nodes and ours${isPage ? ', and a page,' : ' only,'} and hangs together`, () => {
      const flows = example(name);
      const core = isPage ? CORE_OF_PAGES : CORE;
      const ids = flows.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
      for (const node of flows) {
        assert.ok([...core, ...OURS].includes(node.type) || (isPage && node.type.startsWith('ui-')), node.type);
        if (node['z'] !== undefined) assert.equal(node['z'], flows[0]?.id);
        for (const wire of ((node['wires'] as string[][] | undefined) ?? []).flat())
          assert.ok(ids.includes(wire), wire);
        if (OURS.includes(node.type) && 'server' in node) assert.ok(ids.includes(String(node['server'])));
      }
      assert.equal(flows[0]?.type, 'tab');
      assert.ok(flows.some(({ type }) => type === 'comment'));
    });
  }

  it('with a page are as their sources say', () => {
    const { status, stderr } = spawnSync(process.execPath, [
      path.join(PACKAGE_ROOT, 'scripts/make-pages.mjs'),
      '--check',
    ]);
    assert.equal(status, 0, stderr.toString());
  });

  it('show every node', () => {
    const used = new Set(NAMES.flatMap((name) => example(name).map(({ type }) => type)));
    assert.deepEqual(
      OURS.filter((type) => !used.has(type)),
      [],
    );
  });
});

function isAsleep(value: unknown, meter: string): boolean {
  const { topic, endpoint } = value as { topic: string; endpoint: string };
  return topic === 'asleep' && endpoint === meter;
}

describe('the examples, deployed', function () {
  this.timeout(60_000);
  let nodeRed: NodeRedProcess;
  let sidebar: DebugSidebar;

  before(async () => {
    nodeRed = await NodeRedProcess.start();
    sidebar = await DebugSidebar.open(nodeRed.url);
  });

  after(async () => {
    sidebar?.close();
    await nodeRed?.stop();
  });

  /**
   * Deploys with a watcher of all events, and waits until the lamps are there.
   * @param credentials of the tab: its environment variables of that type.
   */
  async function deploy(name: string, credentials: Record<string, string> = {}): Promise<void> {
    const flows = adapted(example(name), await freeUdpPort(), await freeUdpPort());
    Object.assign(flows[0] ?? {}, { credentials });
    const z = flows[0]?.id;
    const lamps = flows.filter(({ type }) => type === 'lwm2m-simulator');
    const expected = lamps.reduce((sum, { count }) => sum + Number(count), 0);
    const registered = new Set<string>();
    const all = sidebar.next(({ id, value }) => {
      const { topic, endpoint } = value as { topic: string; endpoint: string };
      return id === 'watch-debug' && topic === 'registered' && registered.add(endpoint).size === expected;
    });
    const server = flows.find(({ type }) => type === 'lwm2m-server')?.id;
    const watch = { id: 'watch', type: 'lwm2m-events', z, server, topics: [], wires: [['watch-debug']] };
    const debug = { id: 'watch-debug', type: 'debug', z, active: true, tosidebar: true, complete: 'true', wires: [] };
    await nodeRed.deploy([...flows, watch, debug]);
    await all;
  }

  async function press(inject: string, answer: string): Promise<unknown> {
    const answered = sidebar.nextOf(answer);
    await nodeRed.press(inject);
    return answered;
  }

  /** What the flow's own nodes complained about. */
  function errors(shown: readonly Shown[]): Shown[] {
    return shown.filter(({ level }) => level !== undefined);
  }

  afterEach(() => assert.deepEqual(errors(sidebar.shown.splice(0)), []));

  it('read: one lamp with names, many by message', async () => {
    await deploy('read');
    const one = (await press('ex-read-one', 'ex-read-result')) as {
      endpoint: string;
      payload: Record<string, unknown>;
    };
    assert.equal(one.endpoint, 'read-lamp-1');
    assert.deepEqual([one.payload['onOff'], one.payload['dimmer']], [false, 100]);
    const summary = sidebar.nextOf('ex-read-summary');
    await nodeRed.press('ex-read-many');
    const { total, succeeded } = (await summary) as { total: number; succeeded: number };
    assert.deepEqual({ total, succeeded }, { total: 2, succeeded: 2 });
  });

  it('write: all lamps, and several paths at once', async () => {
    await deploy('write');
    const { total, succeeded } = (await press('ex-write-on', 'ex-write-summary')) as Record<string, number>;
    assert.deepEqual({ total, succeeded }, { total: 2, succeeded: 2 });
    const both = (await press('ex-write-several', 'ex-write-result')) as { endpoint: string; lwm2m: { code: string } };
    assert.deepEqual([both.endpoint, both.lwm2m.code], ['write-lamp-1', '2.04']);
  });

  it('execute: a reboot', async () => {
    await deploy('execute');
    const { lwm2m } = (await press('ex-execute-reboot', 'ex-execute-result')) as { lwm2m: { code: string } };
    assert.equal(lwm2m.code, '2.04');
  });

  it('observe: tells what is switched', async () => {
    await deploy('observe');
    const on = sidebar.next(
      ({ id, value }) => id === 'ex-observe-value' && (value as { payload: unknown }).payload === true,
    );
    await nodeRed.press('ex-observe-on');
    const { path } = (await on).value as { path: string };
    assert.equal(path, '/3311/0/5850');
  });

  it('discover: the resources of an object', async () => {
    await deploy('discover');
    const { payload } = (await press('ex-discover-go', 'ex-discover-result')) as { payload: { path: string }[] };
    assert.ok(payload.some((link) => link.path === '/3311/0/5850'));
  });

  it('attributes: set, and unset by message', async () => {
    await deploy('attributes');
    for (const inject of ['ex-attributes-set', 'ex-attributes-unset']) {
      const { lwm2m } = (await press(inject, 'ex-attributes-result')) as { lwm2m: { code: string } };
      assert.equal(lwm2m.code, '2.04');
    }
  });

  it('create: an instance', async () => {
    await deploy('create');
    const { payload } = (await press('ex-create-go', 'ex-create-result')) as { payload: string };
    assert.equal(payload, '/3311/1');
  });

  it('delete: what was created before', async () => {
    await deploy('delete');
    await press('ex-delete-make', 'ex-delete-result');
    const { lwm2m } = (await press('ex-delete-go', 'ex-delete-result')) as { lwm2m: { code: string } };
    assert.equal(lwm2m.code, '2.02');
  });

  it('devices: those there are, and those that are gone', async () => {
    await deploy('devices');
    const all = (await press('ex-devices-all', 'ex-devices-out')) as { endpoint: string }[];
    assert.deepEqual(
      all.map(({ endpoint }) => endpoint),
      ['devices-lamp-1', 'devices-lamp-2'],
    );
    const gone = (await press('ex-devices-gone', 'ex-devices-out')) as { endpoint: string }[];
    assert.deepEqual(
      gone.filter(({ endpoint }) => endpoint.startsWith('devices-lamp')),
      [],
    );
  });

  it('events: a message for each registration', async () => {
    const first = sidebar.nextOf('ex-events-event');
    await deploy('events');
    const { topic, payload } = (await first) as { topic: string; payload: { binding: string } };
    assert.deepEqual([topic, payload.binding], ['registered', 'U']);
  });

  it('simulator: a lamp goes, expires and comes back', async () => {
    await deploy('simulator');
    for (const [inject, topic] of [
      ['ex-simulator-vanish', 'expired'],
      ['ex-simulator-return', 'registered'],
    ] as const) {
      const told = sidebar.nextOf('ex-simulator-event');
      await nodeRed.press(inject);
      const event = (await told) as { topic: string; endpoint: string };
      assert.deepEqual([event.topic, event.endpoint], [topic, 'simulator-lamp-3']);
    }
  });

  it('sleeping-meters: readings with their times, and orders that wait until a meter wakes', async () => {
    const asleep = sidebar.next(({ id, value }) => id === 'watch-debug' && isAsleep(value, 'sleepy-meter-1'));
    await deploy('sleeping-meters');
    await asleep;
    const { endpoint, payload, lwm2m } = (await press('ex-meters-garden', 'ex-meters-result')) as {
      endpoint: string;
      payload: unknown;
      lwm2m: { queuedFor: number; code: string };
    };
    assert.deepEqual([endpoint, payload, lwm2m.code], ['sleepy-meter-1', 'Garden water', '2.04']);
    assert.ok(lwm2m.queuedFor > 0, 'it has waited');
    const readings = sidebar.shown.filter(({ id }) => id === 'ex-meters-readings');
    const sent = readings.flatMap(({ value }) => (value as { payload: { path: string; at: number }[] }).payload);
    assert.ok(sent.length > 0 && sent.every(({ path, at }) => path === '/3424/0/1' && at % 2_000 === 0));
    const done = sidebar.next(
      ({ id, value }) => id === 'ex-meters-summary' && (value as { succeeded: number }).succeeded === 3,
    );
    await nodeRed.press('ex-meters-all');
    await done;
  });

  it('provision: labels, a certificate, a key of the environment; and a lamp that is cut off', async () => {
    const lampKey = randomBytes(16).toString('hex');
    await deploy('provision', { LAMP_KEY: lampKey });
    const lamp = { endpoint: 'provision-lamp-1', security: { mode: 'psk', identity: 'simulated:provision-lamp-1' } };
    const labelled = { ...lamp, labels: { site: 'north' }, groups: ['main-street'], priority: 'normal' };
    assert.deepEqual(await press('ex-provision-labels', 'ex-provision-record'), labelled);
    assert.deepEqual(await press('ex-provision-one', 'ex-provision-record'), labelled);
    for (const [inject, security] of [
      ['ex-provision-certificate', { mode: 'x509', name: 'meter-1.example.com' }],
      ['ex-provision-key', { mode: 'psk', identity: 'lamp-99' }],
    ] as const) {
      const record = (await press(inject, 'ex-provision-record')) as { security: unknown };
      assert.deepEqual(record.security, security);
    }
    const all = (await press('ex-provision-all', 'ex-provision-record')) as { endpoint: string }[];
    assert.deepEqual(
      all.map(({ endpoint }) => endpoint),
      ['lamp-99', 'meter-1', 'provision-lamp-1'],
    );
    const gone = sidebar.next(
      ({ id, value }) => id === 'ex-provision-event' && (value as { topic: string }).topic === 'deregistered',
    );
    const removed = { endpoint: 'provision-lamp-1', removed: true };
    assert.deepEqual(await press('ex-provision-remove', 'ex-provision-record'), removed);
    assert.equal(((await gone).value as { endpoint: string }).endpoint, 'provision-lamp-1');
    assert.ok(!JSON.stringify(sidebar.shown).includes(lampKey));
    assert.ok(!JSON.stringify(await nodeRed.flows()).includes(lampKey));
  });

  it('grant: a car is lent, its owner pauses, the engine stops when a second person agrees, and all is noted', async () => {
    await deploy('grant');
    const denied = (inject: string): Promise<unknown> => press(inject, 'ex-grant-denied');
    const position = (await press('ex-grant-where-peter', 'ex-grant-position')) as { latitude: number };
    assert.equal(typeof position.latitude, 'number');
    assert.match(String(await denied('ex-grant-where-tom')), /tom may not read \/6\/0 on garage-car-1/);
    const grant = (await press('ex-grant-lend', 'ex-grant-answer')) as { user: string; state: string };
    assert.deepEqual([grant.user, grant.state], ['tom', 'active']);
    await press('ex-grant-where-tom', 'ex-grant-position');
    assert.match(String(await denied('ex-grant-where-peter')), /the rights of peter rest until/);
    const { confirmation } = (await press('ex-grant-stop', 'ex-grant-waits')) as { confirmation: { user: string } };
    assert.equal(confirmation.user, 'tom');
    const stopped = (await press('ex-grant-confirm', 'ex-grant-stopped')) as { lwm2m: { code: string } };
    assert.equal(stopped.lwm2m.code, '2.04');
    const revoked = (await press('ex-grant-back', 'ex-grant-answer')) as unknown[];
    assert.equal(revoked.length, 1);
    await press('ex-grant-where-peter', 'ex-grant-position');
    const entries = (await press('ex-grant-who', 'ex-grant-entries')) as { user: string; outcome: string }[];
    assert.deepEqual(
      entries.map(({ user, outcome }) => `${user} ${outcome}`).filter((entry) => entry.endsWith('denied')),
      ['peter denied', 'tom denied'],
    );
  });

  it('suspension: low priority goes, high stays, orders wait, all are back in turn', async () => {
    await deploy('suspension');
    const park = [3, 4, 5, 6].map((number) => `suspension-lamp-${number}`);
    await nodeRed.setDebug('ex-suspension-record', true);
    await press('ex-suspension-records', 'ex-suspension-record');

    /** Waits until each of the lamps has said this. */
    const eachSays = (topic: string): Promise<unknown> => {
      const heard = new Set<string>();
      return sidebar.next(({ id, value }) => {
        if (id !== 'ex-suspension-event') return false;
        const event = value as { topic: string; endpoint: string };
        return event.topic === topic && heard.add(event.endpoint).size === park.length;
      });
    };
    const suspended = eachSays('suspended');
    const resumed = eachSays('resumed');
    type Counts = { total: number; device: number; skipped: number };
    const { total, device } = (await press('ex-suspension-quick', 'ex-suspension-summary')) as Counts;
    assert.deepEqual({ total, device }, { total: 4, device: 4 });
    await suspended;

    const { skipped } = (await press('ex-suspension-named', 'ex-suspension-summary')) as Counts;
    assert.equal(skipped, 2);
    const away = (await press('ex-suspension-status', 'ex-suspension-away')) as { endpoint: string; state: string }[];
    assert.deepEqual(
      away.map(({ endpoint, state }) => `${endpoint} ${state}`),
      park.map((endpoint) => `${endpoint} suspended`),
    );

    // The crossing obeys at once, the park when it is back.
    const obeyed: string[] = [];
    const all = sidebar.next(
      ({ id, value }) =>
        id === 'ex-suspension-switched' && obeyed.push((value as { endpoint: string }).endpoint) === park.length + 2,
    );
    await nodeRed.press('ex-suspension-on');
    await resumed;
    await all;
    assert.deepEqual(obeyed.slice(0, 2).sort(), ['suspension-lamp-1', 'suspension-lamp-2']);
    assert.deepEqual(obeyed.slice(2).sort(), park);
  });

  describe('street-lights, the city', () => {
    const LAMPS = ['main', 'park'].flatMap((street) => [1, 2, 3, 4, 5, 6].map((number) => `lamp-${street}-${number}`));
    const ON = '/3311/0/5850';
    const DIMMER = '/3311/0/5851';

    type Lamp = {
      endpoint: string;
      address: { transport: string };
      identity: { mode: string; name: string };
      connectivity: string;
      values: Record<string, { commanded?: { value: unknown }; reported?: { value: unknown } } | undefined>;
    };

    before(async () => {
      await deploy('street-lights');
      // The flow ships with this one silent, because it says so much.
      await nodeRed.setDebug('city-observed', true);
    });

    async function page(): Promise<Lamp[]> {
      return nodeRed.get<Lamp[]>('lamps/data');
    }

    /** Presses a button, and waits until each of these lamps has reported the value itself. */
    async function order(inject: string, path: string, value: unknown, lamps: readonly string[]): Promise<void> {
      const reported = new Set<string>();
      const all = sidebar.next(({ id, value: message }) => {
        if (id !== 'city-observed') return false;
        const { endpoint, payload } = message as { endpoint: string; payload: Record<string, unknown> };
        if (payload[path] === value && lamps.includes(endpoint)) reported.add(endpoint);
        return reported.size === lamps.length;
      });
      await nodeRed.press(inject);
      await all;
    }

    async function lampsWhere(path: string, value: unknown): Promise<string[]> {
      const lamps = await page();
      return lamps.filter(({ values }) => values[path]?.reported?.value === value).map(({ endpoint }) => endpoint);
    }

    it('has two streets of lamps, which are off', async () => {
      const lamps = await page();
      assert.deepEqual(lamps.map(({ endpoint }) => endpoint).sort(), LAMPS);
      assert.deepEqual([...new Set(lamps.map(({ connectivity }) => connectivity))], ['online']);
      assert.deepEqual(
        lamps.filter(({ values }) => values[ON]?.commanded !== undefined),
        [],
      );
    });

    it('is encrypted, and each lamp has proved that it is itself', async () => {
      for (const { endpoint, address, identity } of await page()) {
        assert.equal(address.transport, 'coaps');
        assert.deepEqual(identity, { mode: 'psk', name: `simulated:${endpoint}` });
      }
    });

    it('switches one lamp', async () => {
      await order('city-one-on', ON, true, ['lamp-main-1']);
      assert.deepEqual(await lampsWhere(ON, true), ['lamp-main-1']);
    });

    it('switches a street, and says how many obeyed', async () => {
      const summary = sidebar.next(({ id }) => id === 'city-summary');
      await order('city-main-on', ON, true, LAMPS.slice(1, 6));
      assert.deepEqual(await lampsWhere(ON, true), LAMPS.slice(0, 6));
      const { total, succeeded } = (await summary).value as { total: number; succeeded: number };
      assert.deepEqual({ total, succeeded }, { total: 6, succeeded: 6 });
    });

    it('switches all lamps', async () => {
      await order('city-all-on', ON, true, LAMPS.slice(6));
      assert.deepEqual(await lampsWhere(ON, true), LAMPS);
      await order('city-main-off', ON, false, LAMPS.slice(0, 6));
      assert.deepEqual(await lampsWhere(ON, true), LAMPS.slice(6));
    });

    it('dims all lamps', async () => {
      await order('city-dim-20', DIMMER, 20, LAMPS);
      const lamps = await page();
      const told = lamps.map(({ values }) => [values[DIMMER]?.commanded?.value, values[DIMMER]?.reported?.value]);
      assert.deepEqual(
        told,
        LAMPS.map(() => [20, 20]),
      );
    });

    it('notices that a lamp has lost its power, and that it is back', async () => {
      for (const [inject, words, connectivity] of [
        ['city-vanish', 'lamp-park-6 expired', 'offline'],
        ['city-return', 'lamp-park-6 registered', 'online'],
      ] as const) {
        const told = sidebar.nextOf('city-events-debug');
        await nodeRed.press(inject);
        assert.equal(await told, words);
        const lamp = (await page()).find(({ endpoint }) => endpoint === 'lamp-park-6');
        assert.equal(lamp?.connectivity, connectivity);
      }
    });

    it('shows it all on a page', async function () {
      if (browserIsMissing()) this.skip();
      const browser = await startBrowser();
      try {
        const tab = await browser.newPage({ colorScheme: 'dark', viewport: { width: 390, height: 900 } });
        const complaints: string[] = [];
        tab.on('pageerror', (error) => complaints.push(String(error)));
        await tab.goto(`${nodeRed.url}lamps`);
        await tab.waitForSelector('tbody tr');
        assert.equal(await tab.locator('#summary').textContent(), '12 lamps, 12 online, 6 on');
        assert.deepEqual(await tab.locator('h2').allTextContents(), ['Main Street', 'Park Lane']);
        const cells = await tab.locator('tr', { hasText: 'lamp-main-1' }).locator('th, td').allTextContents();
        assert.deepEqual(cells, ['lamp-main-1', 'off, 20 %', 'off, 20 %', 'online']);
        const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(overflow <= 0, 'a telephone shows it without scrolling sideways');
        assert.deepEqual(complaints, []);
      } finally {
        await browser.close();
      }
    });
  });
});
