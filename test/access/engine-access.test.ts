import assert from 'node:assert/strict';
import {
  AccessDeniedError,
  isFailure,
  parsePath,
  StoreError,
  type AccessSettings,
  type AuditView,
  type MemberFailure,
  type Operation,
  type OperationResult,
  type PolicyHandle,
} from '../../src';
import { CoapCode } from '../../src/coap';
import { MemoryStore } from '../../src/store/memory-store';
import { Harness, pathOfRequest } from '../server/harness';
import type { ScriptedDevice } from '../support/scripted-device';
import { SimulatedClock } from '../support/simulated-clock';

const STOP: Operation = { operation: 'execute', path: parsePath('/3/0/4') };
const WHERE: Operation = { operation: 'read', paths: [parsePath('/6/0/0')] };

const SETTINGS: AccessSettings = {
  roles: [
    { name: 'all', operations: ['*'], target: '*' },
    { name: 'driver', operations: ['read', 'execute', 'grant'], target: 'ep=car-1' },
    { name: 'watch', operations: ['observe'], paths: ['/6'] },
  ],
  users: [
    { name: 'ada', roles: ['all'] },
    { name: 'peter', roles: ['driver'] },
    { name: 'flow', roles: ['watch'] },
  ],
};

/** Answers everything, and remembers what it was asked. */
function answering(device: ScriptedDevice): string[] {
  const asked: string[] = [];
  const next = (): void => {
    void device.expectRequest().then((request) => {
      next();
      asked.push(`${request.message.code} ${pathOfRequest(request.message)}`);
      const isRead = request.message.code === CoapCode.GET;
      const observe = request.message.options.observe === 0 ? { observe: 1 } : {};
      if (isRead) request.reply(CoapCode.Content, { contentFormat: 0, ...observe }, '1.5');
      else request.reply(CoapCode.Changed);
    });
  };
  next();
  return asked;
}

describe('An engine with rights', () => {
  let clock: SimulatedClock;
  let store: MemoryStore;
  let harness: Harness;

  async function start(access: AccessSettings | undefined = SETTINGS, network?: Harness['network']): Promise<void> {
    harness = await Harness.start({ clock, store, access, network });
  }

  beforeEach(async () => {
    clock = new SimulatedClock(Date.UTC(2026, 6, 1));
    store = new MemoryStore(clock);
    await start();
  });

  afterEach(async () => {
    await harness.close();
  });

  const LINKS = '</1/0>,</3/0>,</6/0>';
  const car = (
    endpoint = 'car-1',
    registration: { binding?: string } = {},
    host = '10.0.0.1',
  ): Promise<ScriptedDevice> =>
    harness.registered({ endpoint, links: LINKS, lifetime: 864_000, ...registration }, `${host}:5000`);

  const order = (operation: Operation, user: string | undefined, endpoint = 'car-1'): Promise<OperationResult> => {
    const result = harness.engine.perform(endpoint, operation, { user });
    // Whoever asked for it catches it, a moment later.
    result.catch(() => undefined);
    return harness.settled(result);
  };

  const audit = async (query: object = {}): Promise<string[]> =>
    (await harness.engine.audit(query)).map(({ user, operation, endpoint, outcome, code, error }: AuditView) =>
      [user ?? '-', operation, endpoint ?? '-', outcome, code ?? error ?? ''].join(' ').trim(),
    );

  it('lets nothing denied onto the wire, and says what was missing', async () => {
    const asked = answering(await car());
    await assert.rejects(order(STOP, 'tom'), (error: unknown) => {
      assert.ok(error instanceof AccessDeniedError);
      assert.equal(error.message, 'tom may not execute /3/0/4 on car-1: needs a role or grant with execute');
      return true;
    });
    await assert.rejects(order(STOP, undefined), /nobody was named who would execute \/3\/0\/4 on car-1/);
    assert.deepEqual(asked, []);
    await order(STOP, 'peter');
    assert.deepEqual(asked, [`${CoapCode.POST} /3/0/4`]);
  });

  it('denies members of an order to many, and does the others', async () => {
    const first = answering(await car());
    const second = answering(await car('car-2', {}, '10.0.0.2'));
    const run = harness.engine.order({ target: { selector: 'ep=car-*' }, operation: STOP, user: 'peter' });
    const outcomes: (OperationResult | MemberFailure)[] = [];
    run.onResult((outcome) => outcomes.push(outcome));
    const summary = await harness.settled(run.finished);
    assert.deepEqual(
      summary.results.map(({ endpoint, state, error }) => [endpoint, state, error]),
      [
        ['car-1', 'succeeded', undefined],
        ['car-2', 'failed', 'ACCESS_DENIED'],
      ],
    );
    assert.deepEqual([first.length, second.length], [1, 0]);
    assert.equal(outcomes.filter(isFailure).length, 1);
    assert.deepEqual((await audit()).sort(), [
      'peter execute car-1 succeeded 2.04',
      'peter execute car-2 denied ACCESS_DENIED',
    ]);
  });

  it('lists what somebody may read, at this moment, and nothing else', async () => {
    answering(await car());
    await order({ operation: 'read', paths: [parsePath('/6/0/0')] }, 'ada');
    await order({ operation: 'read', paths: [parsePath('/3/0/9')] }, 'ada');
    const shown = async (user: string | undefined): Promise<[number, string[]]> => {
      const { total, devices } = await harness.engine.listDevices(undefined, {
        isReadable: (endpoint, path) => harness.engine.denial('read', endpoint, user, [path]) === undefined,
      });
      return [total, devices.flatMap(({ values }) => Object.keys(values)).sort()];
    };
    assert.deepEqual(await shown('peter'), [1, ['/3/0/9', '/6/0/0']]);
    assert.deepEqual([await shown('tom'), await shown(undefined)], Array(2).fill([0, []]));
    const until = '2026-07-01T12:00:00Z';
    const weekend = { user: 'tom', target: 'car-1', operations: ['read'], paths: ['/6'], until, pauses: ['peter'] };
    await harness.engine.grant(weekend, { user: 'peter' });
    assert.deepEqual(
      [await shown('tom'), await shown('peter')],
      [
        [1, ['/6/0/0']],
        [0, []],
      ],
    );
    await clock.advance(12 * 3600_000);
    assert.deepEqual(
      [await shown('tom'), await shown('peter')],
      [
        [0, []],
        [1, ['/3/0/9', '/6/0/0']],
      ],
    );
  });

  it('lists no order that is about something else too', async () => {
    await car('car-1', { binding: 'UQ' });
    await clock.advance(100_000);
    const waits = [['/6/0/0'], ['/6/0/0', '/3/0/9']].map((paths) =>
      harness.engine.perform('car-1', { operation: 'read', paths: paths.map(parsePath) }, { user: 'ada' }),
    );
    const write: Operation = { operation: 'write', path: parsePath('/6/0/0'), value: 1, mode: 'replace' };
    waits.push(harness.engine.perform('car-1', write, { user: 'ada' }));
    for (const wait of waits) wait.catch(() => undefined);
    await clock.settle();
    const { devices } = await harness.engine.listDevices(undefined, { isReadable: (_, path) => path.objectId === 6 });
    assert.deepEqual(
      devices.map(({ orders }) => orders.map(({ operation, path }) => `${operation} ${path}`)),
      [['read /6/0/0', 'write /6/0/0']],
    );
  });

  it('asks again before what waited for a sleeping device goes out', async () => {
    const device = await car('car-1', { binding: 'UQ' });
    await clock.advance(100_000);
    const { id } = await harness.engine.grant(
      { user: 'tom', target: 'car-1', operations: ['execute'], until: '2026-07-01T12:00:00Z' },
      { user: 'ada' },
    );
    const waits = harness.engine.perform('car-1', STOP, { user: 'tom' });
    waits.catch(() => undefined);
    await clock.settle();
    await clock.advance(12 * 3600_000);
    const asked = answering(device);
    await harness.settled(device.update());
    await clock.settle();
    await assert.rejects(waits, AccessDeniedError);
    assert.deepEqual(asked, []);
    assert.ok(id.length > 0);
    assert.equal((await audit({ operation: 'execute' }))[0], 'tom execute car-1 denied ACCESS_DENIED');
  });

  it('checks the paths of a composite write as the device will understand them', async () => {
    await harness.engine.grant(
      { user: 'tom', target: 'car-1', operations: ['write'], paths: ['/3311/*/5851'] },
      { user: 'ada' },
    );
    const write = (values: Record<string, unknown>): Promise<OperationResult> =>
      order({ operation: 'write-composite', values }, 'tom');
    await assert.rejects(write({ '/3311/0/5850': true }), AccessDeniedError);
    await assert.rejects(write({ 'lightControl/0/onOff': true }), /tom may not write \/3311\/0\/5850/);
    await assert.rejects(write({ '/3311/0': { 5851: 3 } }), AccessDeniedError);
    await assert.rejects(write({ '/3311/0/5851': 3 }), { code: 'NOT_REGISTERED' });
  });

  it('observes by its own settings as the user flow, and by message as the user of the message', async () => {
    const asked = answering(await car());
    const values: unknown[] = [];
    const failures: string[] = [];
    const listener = {
      value: ({ payload }: { payload: unknown }) => values.push(payload),
      failed: ({ error }: MemberFailure) => failures.push(error.message),
    };
    const observe = (id: string, path: string, user?: string) =>
      harness.engine.observePolicy(id, { target: { endpoint: 'car-1' }, paths: [parsePath(path)] }, listener, { user });
    await harness.settled(observe('own', '/6/0/0'));
    await clock.advance(1000);
    assert.deepEqual([asked, failures.length], [[`${CoapCode.GET} /6/0/0`], 0]);
    await harness.settled(observe('other', '/3/0/9'));
    await harness.settled(observe('toms', '/6/0/1', 'tom'));
    await clock.advance(1000);
    assert.equal(asked.length, 1);
    assert.deepEqual(failures.sort(), [
      'flow may not observe /3/0/9 on car-1: needs a role or grant with observe',
      'tom may not observe /6/0/1 on car-1: needs a role or grant with observe',
    ]);
  });

  it('ends an observation with the right to it, tells the device, and begins again with the right', async () => {
    const asked: string[] = [];
    const device = await car();
    const next = (): void => {
      void device.expectRequest().then((request) => {
        next();
        const { observe } = request.message.options;
        asked.push(observe === 0 ? 'observe' : observe === 1 ? 'cancel' : 'read');
        request.reply(CoapCode.Content, { contentFormat: 0, ...(observe === 0 ? { observe: 1 } : {}) }, '1.5');
      });
    };
    next();
    const failures: string[] = [];
    const listener = { value: () => undefined, failed: ({ error }: MemberFailure) => failures.push(error.code) };
    const grant = { user: 'tom', target: 'car-1', operations: ['observe'], paths: ['/6'] };
    const policy = { target: { endpoint: 'car-1' }, paths: [parsePath('/6/0/0')] };
    await harness.engine.grant({ ...grant, until: '2026-07-01T01:00:00Z' }, { user: 'ada' });
    const handle = await harness.settled(harness.engine.observePolicy('toms', policy, listener, { user: 'tom' }));
    await clock.advance(3_000);
    assert.deepEqual([asked, handle.status().observing, failures], [['observe'], 1, []]);
    await clock.advance(3600_000);
    assert.deepEqual([asked, handle.status().observing, failures], [['observe', 'cancel'], 0, ['ACCESS_DENIED']]);
    const { id } = await harness.engine.grant(grant, { user: 'ada' });
    await clock.advance(3_000);
    assert.deepEqual([asked.length, handle.status().observing], [3, 1]);
    await harness.engine.revoke({ id }, { user: 'ada' });
    await clock.advance(3_000);
    assert.deepEqual([asked.length, handle.status().observing], [4, 0]);
    harness.engine.setAccess({ ...SETTINGS, users: [{ name: 'tom', roles: ['watch'] }] });
    await clock.advance(3_000);
    assert.deepEqual([asked.length, handle.status().observing], [5, 1]);
  });

  it('goes on with an observation for another user only if that one may', async () => {
    answering(await car());
    const failures: string[] = [];
    const listener = { value: () => undefined, failed: ({ error }: MemberFailure) => failures.push(error.message) };
    const policy = { target: { endpoint: 'car-1' }, paths: [parsePath('/6/0/0')] };
    for (const [user, observing] of [
      ['ada', 1],
      ['tom', 0],
      ['flow', 1],
    ] as const) {
      const handle = await harness.settled(harness.engine.observePolicy('one', policy, listener, { user }));
      await clock.advance(3_000);
      assert.equal(handle.status().observing, observing, user);
    }
    assert.deepEqual(failures, ['tom may not observe /6/0/0 on car-1: needs a role or grant with observe']);
  });

  it('ends an observation when its device leaves what the right is for: a group of its record, or one by a rule', async () => {
    answering(await car());
    const { engine } = harness;
    const ada = { user: 'ada' };
    await engine.provision({ endpoint: 'car-1', groups: ['lent'], labels: { site: 'north' } }, ada);
    await engine.defineGroup('north', 'label:site=north', ada);
    const listener = { value: () => undefined, failed: () => undefined };
    const policy = { target: { endpoint: 'car-1' }, paths: [parsePath('/6/0/0')] };
    const handles: PolicyHandle[] = [];
    for (const group of ['lent', 'north']) {
      await engine.grant({ user: group, target: { group }, operations: ['observe'] }, ada);
      handles.push(await harness.settled(engine.observePolicy(group, policy, listener, { user: group })));
    }
    const observing = async (): Promise<number[]> => {
      await clock.advance(3_000);
      return handles.map((handle) => handle.status().observing);
    };
    assert.deepEqual(await observing(), [1, 1]);
    await engine.provision({ endpoint: 'car-1', groups: [] }, ada);
    assert.deepEqual(await observing(), [0, 1]);
    await engine.defineGroup('north', 'label:site=south', ada);
    assert.deepEqual(await observing(), [0, 0]);
    await engine.provision({ endpoint: 'car-1', groups: ['lent'], labels: { site: 'south' } }, ada);
    assert.deepEqual(await observing(), [1, 1]);
  });

  it('checks who provisions, defines groups and suspends', async () => {
    const asked = answering(await car());
    const denied = { code: 'ACCESS_DENIED' };
    await assert.rejects(harness.engine.provision({ endpoint: 'car-1', groups: ['a'] }, { user: 'peter' }), denied);
    await assert.rejects(harness.engine.unprovision('car-1', { user: 'peter' }), denied);
    await assert.rejects(harness.engine.defineGroup('mine', 'ep=*', { user: 'peter' }), /provision all devices/);
    await harness.engine.provision({ endpoint: 'car-1', groups: ['a'] }, { user: 'ada' });
    const run = harness.engine.suspend({ endpoint: 'car-1' }, { duration: 60, user: 'peter' });
    const { results } = await harness.settled(run.finished);
    assert.deepEqual(
      results.map(({ error }) => error),
      ['ACCESS_DENIED'],
    );
    assert.deepEqual(asked, []);
    assert.deepEqual((await audit()).reverse(), [
      'peter provision car-1 denied ACCESS_DENIED',
      'peter unprovision car-1 denied ACCESS_DENIED',
      'peter provision - denied ACCESS_DENIED',
      'ada provision car-1 succeeded',
      'peter suspend car-1 denied ACCESS_DENIED',
    ]);
  });

  it('checks who provisions many, before the first is stored, and who lets newcomers in', async () => {
    await harness.close();
    await start({
      roles: [{ name: 'fitter', operations: ['provision'], target: 'ep=lamp-*' }],
      users: [{ name: 'joe', roles: ['fitter'] }],
    });
    const { engine } = harness;
    const joe = { user: 'joe' };
    const denied = { code: 'ACCESS_DENIED' };
    await assert.rejects(engine.provisionAll([{ endpoint: 'lamp-1' }, { endpoint: 'car-1' }], joe), denied);
    await assert.rejects(engine.provisionCsv('endpoint\nlamp-1\ncar-1\n', joe), denied);
    assert.deepEqual(await engine.provisionedDevices(), []);
    assert.equal((await engine.provisionCsv('endpoint\nlamp-1\n', joe)).length, 1);
    await assert.rejects(engine.permitJoin(joe), denied);
    assert.equal(engine.joinWindow, undefined);
    assert.deepEqual((await audit()).reverse(), [
      'joe provision car-1 denied ACCESS_DENIED',
      'joe provision car-1 denied ACCESS_DENIED',
      'joe provision lamp-1 succeeded',
      'joe join - denied ACCESS_DENIED',
    ]);
  });

  it('lets nobody shut out a device by a record of another one that claims its certificate', async () => {
    await harness.close();
    await start({
      roles: [
        { name: 'fitter', operations: ['provision'], target: 'ep=lamp-*' },
        { name: 'all', operations: ['*'] },
      ],
      users: [
        { name: 'joe', roles: ['fitter'] },
        { name: 'ada', roles: ['all'] },
      ],
    });
    const { engine } = harness;
    await harness.settled(
      harness
        .secureDevice('10.0.0.1:5000', { mode: 'x509', name: 'car-1' })
        .register({ endpoint: 'car-1', links: LINKS, lifetime: 864_000 }),
    );
    const claim = { endpoint: 'lamp-1', security: { mode: 'x509', name: 'car-1' } };
    const denied = { code: 'ACCESS_DENIED', message: /joe may not provision car-1/ };
    for (const attempt of [
      engine.provision(claim, { user: 'joe' }),
      engine.provisionCsv('endpoint,mode,name\nlamp-1,x509,car-1\n', { user: 'joe' }),
      engine.handOver(claim, { user: 'joe' }),
    ]) {
      await assert.rejects(attempt, denied);
    }
    assert.equal(engine.devices({ endpoint: 'car-1' })[0]?.connectivity, 'online');
    assert.deepEqual(await engine.provisionedDevices(), []);
    await engine.provision({ endpoint: 'lamp-1', security: { mode: 'x509', name: 'lamp-1' } }, { user: 'joe' });
    await engine.provision({ endpoint: 'lamp-2', security: { mode: 'x509', name: 'serial-7' } }, { user: 'joe' });
    await engine.provision(claim, { user: 'ada' });
  });

  it('takes other rights at once, without a word to the devices', async () => {
    const asked = answering(await car());
    harness.engine.setAccess({ ...SETTINGS, default: 'allow' });
    await order(WHERE, 'tom');
    harness.engine.setAccess(SETTINGS);
    await assert.rejects(order(WHERE, 'tom'), AccessDeniedError);
    harness.engine.setAccess(undefined);
    await order(WHERE, undefined);
    assert.equal(asked.length, 2);
  });

  it('keeps grants through a restart, and forgets those of a device whose record is removed', async () => {
    await harness.engine.grant({ user: 'tom', target: 'car-1', operations: ['read'] }, { user: 'ada' });
    await harness.close();
    await start();
    assert.equal(harness.engine.denial('read', 'car-1', 'tom', [parsePath('/6')]), undefined);
    await harness.engine.unprovision('car-1', { user: 'ada' });
    assert.ok(harness.engine.denial('read', 'car-1', 'tom', [parsePath('/6')]) instanceof AccessDeniedError);
  });

  it('writes down who ordered what and what came of it, and never a value, a key or an argument', async () => {
    const device = await car();
    const secret = 'b1b2b3b4b5b6';
    answering(device);
    await order({ operation: 'write', path: parsePath('/1/0/1'), value: 4711, mode: 'replace' }, 'ada');
    await order({ operation: 'execute', path: parsePath('/3/0/4'), args: "5='s3cr3t'" }, 'ada');
    await harness.engine.provision(
      { endpoint: 'car-1', security: { mode: 'psk', identity: 'car-1', key: secret } },
      { user: 'ada' },
    );
    await assert.rejects(order(WHERE, 'ada', 'car-9'), { code: 'NOT_REGISTERED' });
    assert.deepEqual((await audit()).reverse(), [
      'ada write car-1 succeeded 2.04',
      'ada execute car-1 succeeded 2.04',
      'ada provision car-1 succeeded',
      'ada read car-9 failed NOT_REGISTERED',
    ]);
    const all = JSON.stringify(await harness.engine.audit({ limit: 10_000 }));
    for (const text of ['4711', 's3cr3t', secret]) assert.ok(!all.includes(text), text);
    assert.deepEqual(await audit({ user: 'ada', outcome: 'failed' }), ['ada read car-9 failed NOT_REGISTERED']);
    const [newest] = await harness.engine.audit({ limit: 1 });
    assert.deepEqual(await audit({ before: newest?.number, limit: 1 }), ['ada provision car-1 succeeded']);
    assert.deepEqual(await audit({ from: '2026-07-02' }), []);
    await assert.rejects(harness.engine.audit({ outcome: 'maybe' }), { code: 'INVALID_ARGUMENT' });
    await assert.rejects(harness.engine.audit({ limit: 0 }), { code: 'INVALID_ARGUMENT' });
  });

  it('does what was ordered though the audit trail cannot be written, and says so once a minute', async () => {
    answering(await car());
    store.audit.append = () => {
      throw new StoreError('the disk is full');
    };
    await order(WHERE, 'ada');
    await order(WHERE, 'ada');
    const said = harness.logged.filter((line) => line.includes('audit'));
    assert.deepEqual(said, ['the audit trail lacks 1 entry: the disk is full']);
  });
});

describe('A device that is handed over to another provider', () => {
  const KEY = '00112233445566778899aabbccddeeff';
  const OTHER = 'ffeeddccbbaa99887766554433221100';
  const security = (key: string) => ({ mode: 'psk', identity: 'car-1', key });
  let harness: Harness;

  beforeEach(async () => {
    harness = await Harness.start({ clock: new SimulatedClock(), access: SETTINGS });
    await harness.engine.provision(
      {
        endpoint: 'car-1',
        security: security(KEY),
        groups: ['acme'],
        owner: 'peter',
        provider: 'AcmeAssetMgmt',
        subscriber: 'peter',
        user: 'peter',
        networkSubscriber: 'peter',
      },
      { user: 'ada' },
    );
  });

  afterEach(() => harness.close());

  it('has a record made anew, another key, and nothing of its history but the audit trail', async () => {
    const device = harness.secureDevice('10.0.0.9:5000', { mode: 'psk', name: 'car-1' });
    await harness.settled(
      device.register({ endpoint: 'car-1', links: '</3/0>,</6/0>', lifetime: 864_000, binding: 'UQ' }),
    );
    answering(device);
    await harness.settled(harness.engine.perform('car-1', WHERE, { user: 'ada' }));
    await harness.engine.grant({ user: 'tom', target: 'car-1', operations: ['read'] }, { user: 'ada' });
    await harness.clock.advance(100_000);
    const waits = harness.engine.perform('car-1', STOP, { user: 'ada' });
    waits.catch(() => undefined);
    await harness.clock.settle();
    assert.notDeepEqual(harness.engine.devices({ endpoint: 'car-1' })[0]?.values, {});

    const record = { endpoint: 'car-1', security: security(OTHER), provider: 'NetOperator', owner: 'peter' };
    await assert.rejects(harness.engine.handOver(record, { user: 'peter' }), { code: 'ACCESS_DENIED' });
    const shown = await harness.settled(harness.engine.handOver(record, { user: 'ada' }));
    assert.deepEqual(shown, {
      endpoint: 'car-1',
      security: { mode: 'psk', identity: 'car-1' },
      labels: {},
      groups: [],
      priority: 'normal',
      owner: 'peter',
      provider: 'NetOperator',
    });
    await assert.rejects(waits, { code: 'NOT_REGISTERED' });
    assert.deepEqual(harness.engine.grants(), []);
    const [view] = harness.engine.devices({ endpoint: 'car-1' });
    assert.deepEqual([view?.connectivity, view?.values], ['offline', {}]);
    const trail = (await harness.engine.audit({ operation: 'hand-over' })).map(
      ({ user, outcome }) => `${user} ${outcome}`,
    );
    assert.deepEqual(trail, ['ada succeeded', 'peter denied']);
  });

  it('keeps everything when the key is not another one', async () => {
    await harness.engine.grant({ user: 'tom', target: 'car-1', operations: ['read'] }, { user: 'ada' });
    for (const input of [
      { endpoint: 'car-1' },
      { endpoint: 'car-1', security: { mode: 'psk', identity: 'car-1' } },
      { endpoint: 'car-1', security: security(KEY) },
    ]) {
      await assert.rejects(harness.engine.handOver(input, { user: 'ada' }), /the former provider knows the key/);
    }
    assert.equal(harness.engine.grants().length, 1);
    const record = await harness.engine.provisioned('car-1');
    assert.deepEqual(
      [record?.owner, record?.provider, record?.subscriber, record?.user, record?.networkSubscriber],
      ['peter', 'AcmeAssetMgmt', 'peter', 'peter', 'peter'],
    );
    const changed = await harness.engine.provision({ endpoint: 'car-1', networkSubscriber: null }, { user: 'ada' });
    assert.equal('networkSubscriber' in changed, false, 'nobody is an answer');
  });
});
