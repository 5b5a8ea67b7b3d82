import assert from 'node:assert/strict';
import { parsePath, type AccessSettings, type AuditView, type Operation } from '../../src';
import { CoapCode } from '../../src/coap';
import { MemoryStore } from '../../src/store/memory-store';
import { Harness } from '../server/harness';
import type { ScriptedDevice } from '../support/scripted-device';
import { SimulatedClock } from '../support/simulated-clock';

const READ: Operation = { operation: 'read', paths: [parsePath('/3311/0/5850')] };
const write = (value: number): Operation => ({
  operation: 'write',
  path: parsePath('/3311/0/5851'),
  value,
  mode: 'replace',
});

describe('What the audit trail says of an order to many', () => {
  let clock: SimulatedClock;
  let store: MemoryStore;
  let harness: Harness;

  async function start(access?: AccessSettings, network?: Harness['network']): Promise<void> {
    harness = await Harness.start({ clock, store, access, network, awakeTime: 10 });
  }

  beforeEach(async () => {
    clock = new SimulatedClock();
    store = new MemoryStore(clock);
    await start();
  });

  afterEach(async () => {
    await harness.close();
  });

  async function lamps(count: number, registration: { query?: string[] } = {}): Promise<ScriptedDevice[]> {
    const devices: ScriptedDevice[] = [];
    for (let n = 0; n < count; n += 1) {
      const endpoint = `lamp-${n}`;
      const more = { endpoint, lifetime: 864_000, ...registration };
      devices.push(await harness.registered(more, `10.0.${n >> 8}.${n & 255}:5000`));
    }
    return devices;
  }

  /** The endpoints of the entries with this id. */
  async function ofRun(run: string | undefined, query: object = {}): Promise<string[]> {
    const entries = await harness.engine.audit({ limit: 10_000, ...query });
    return entries.filter((entry: AuditView) => entry.run === run).map(({ endpoint }) => endpoint ?? '-');
  }

  it('is known by one id for all members, whatever came of each, and by another for the next order', async () => {
    const [lamp] = await lamps(2);
    const target = { endpoints: ['lamp-0', 'lamp-1', 'stranger'] };
    const first = harness.engine.order({ target, operation: READ });
    void lamp?.expectRequest().then((request) => request.reply(CoapCode.Content, { contentFormat: 0 }, '1'));
    await clock.advance(200_000);
    const { results } = await first.finished;
    assert.deepEqual(
      results.map(({ error }) => error),
      [undefined, 'TIMEOUT', 'NOT_REGISTERED'],
    );
    const second = harness.engine.order({ target: { endpoint: 'stranger' }, operation: READ });
    await second.finished;
    await assert.rejects(harness.engine.perform('stranger', READ), { code: 'NOT_REGISTERED' });
    assert.deepEqual((await ofRun(first.id)).sort(), ['lamp-0', 'lamp-1', 'stranger']);
    assert.deepEqual(await ofRun(second.id), ['stranger']);
    assert.deepEqual(await ofRun(undefined), ['stranger']);
  });

  it('is whole: members whose turn never came are in it too', async () => {
    await lamps(300);
    const run = harness.engine.order({ target: { all: true }, operation: READ });
    await clock.settle();
    run.cancel();
    await run.finished;
    assert.equal((await ofRun(run.id, { outcome: 'cancelled' })).length, 300);
  });

  it('is said under the same id by the process after this one', async () => {
    const [device] = await lamps(1, { query: ['b=U', 'Q'] });
    await clock.advance(15_000);
    const origin = { owner: 'node', note: () => 'a note' };
    const { id } = harness.engine.order({ target: { endpoints: ['lamp-0'] }, operation: write(5), origin });
    await clock.settle();
    await harness.close();
    await start(undefined, harness.network);
    const taken: string[] = [];
    harness.engine.takeUpOrders('node', ({ run }) => taken.push(run.id));
    assert.deepEqual(taken, [id]);
    assert.deepEqual(await ofRun(id), []);
    void device?.expectRequest().then((request) => request.reply(CoapCode.Changed));
    await harness.settled(device?.update() ?? assert.fail());
    await clock.settle();
    assert.deepEqual(await ofRun(id, { outcome: 'succeeded' }), ['lamp-0']);
  });

  it('has the agreement of the second person beside it', async () => {
    const run = harness.engine.order({
      target: { endpoints: ['lamp-0', 'lamp-1'] },
      operation: READ,
      user: 'ada',
      confirmation: {},
    });
    const { id } = run.confirmation ?? assert.fail('it waits for nobody');
    assert.equal(id, run.id);
    harness.engine.confirm(id, { user: 'eve' });
    await harness.settled(run.finished);
    assert.deepEqual((await ofRun(id, { user: 'eve' })).sort(), ['lamp-0', 'lamp-1']);
    assert.deepEqual((await ofRun(id, { user: 'ada' })).sort(), ['lamp-0', 'lamp-1']);
  });

  it('is so of suspensions', async () => {
    const target = { endpoints: ['a', 'b'] };
    await harness.settled(harness.engine.suspend(target, { duration: 60 }).finished);
    await harness.settled(harness.engine.resume(target).finished);
    const trail = await harness.engine.audit();
    const runs = new Map(trail.map(({ run, operation }) => [run, operation]));
    assert.equal(trail.length, 4);
    assert.deepEqual([...runs.values()].sort(), ['resume', 'suspend']);
    assert.ok(!runs.has(undefined));
  });

  it('is said when the engine closes: what was under way was cancelled, once each', async () => {
    await lamps(300);
    const run = harness.engine.order({ target: { all: true }, operation: READ });
    const parked = harness.engine.order({
      target: { endpoints: ['lamp-1'] },
      operation: READ,
      user: 'ada',
      confirmation: {},
    });
    await clock.settle();
    await harness.close();
    await start(undefined, harness.network);
    assert.equal((await ofRun(run.id, { outcome: 'cancelled' })).length, 300);
    assert.deepEqual(await ofRun(parked.id, { outcome: 'cancelled' }), ['lamp-1']);
  });

  describe('A newer order takes the place of one whose turn has not come', () => {
    const SETTINGS: AccessSettings = {
      roles: [
        { name: 'all', operations: ['*'] },
        { name: 'one', operations: ['write'], target: 'ep=lamp-99' },
      ],
      users: [
        { name: 'ada', roles: ['all'] },
        { name: 'eve', roles: ['all'] },
        { name: 'tom', roles: ['one'] },
      ],
    };

    beforeEach(async () => {
      await harness.close();
      await start(SETTINGS);
      await lamps(300);
    });

    function older(): string[] {
      const run = harness.engine.order({ target: { all: true }, operation: write(1), user: 'ada' });
      const superseded: string[] = [];
      run.onResult((outcome) => {
        if ('error' in outcome && outcome.error.message.includes('superseded')) superseded.push(outcome.endpoint);
      });
      return superseded;
    }

    it('only where its user may give it', () => {
      const superseded = older();
      harness.engine.order({ target: { all: true }, operation: write(2) });
      assert.deepEqual(superseded, []);
      harness.engine.order({ target: { all: true }, operation: write(2), user: 'tom' });
      assert.deepEqual(superseded, ['lamp-99']);
    });

    it('also when it is given to one device the short way, unless told otherwise', async () => {
      const superseded = older();
      const failures = [
        harness.engine.perform('lamp-98', write(2), { user: 'ada', supersede: false }),
        harness.engine.perform('lamp-99', write(2), { user: 'ada' }),
      ].map((result) => assert.rejects(result, { code: 'CANCELLED' }));
      await clock.settle();
      assert.deepEqual(superseded, ['lamp-99']);
      await harness.close();
      await Promise.all(failures);
    });

    it('when a second person has agreed, not before', async () => {
      const superseded = older();
      const target = { endpoint: 'lamp-99' };
      const { id } = harness.engine.order({ target, operation: write(2), user: 'ada', confirmation: {} });
      await clock.settle();
      assert.deepEqual(superseded, []);
      harness.engine.confirm(id, { user: 'eve' });
      await clock.settle();
      assert.deepEqual(superseded, ['lamp-99']);
    });
  });
});
