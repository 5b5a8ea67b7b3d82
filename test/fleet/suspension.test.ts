import assert from 'node:assert/strict';
import {
  InvalidArgumentError,
  parsePath,
  StoreError,
  type SuspendOptions,
  type SuspensionSummary,
  type Target,
} from '../../src';
import { CoapCode } from '../../src/coap';
import { MemoryStore } from '../../src/store/memory-store';
import { Harness, type HarnessOptions } from '../server/harness';
import { SimulatedClock } from '../support/simulated-clock';
import { countsOf, Obedient, told, type Manners } from './suspension-setup';

const MINUTES = 60_000;
const HOURS = 60 * MINUTES;
const LAMPS: Target = { selector: 'ep=lamp-*' };

describe('A suspension', () => {
  let clock: SimulatedClock;
  let harness: Harness;

  async function start(options: HarnessOptions = {}): Promise<void> {
    harness = await Harness.start({ ...options, clock });
  }

  beforeEach(async () => {
    clock = new SimulatedClock();
    await start();
  });

  afterEach(async () => {
    await harness.close();
  });

  let address = 0;
  const lamp = (
    endpoint = 'lamp-1',
    manners: Manners = {},
    registration: Parameters<typeof Obedient.registered>[4] = {},
  ): Promise<Obedient> => {
    address += 1;
    return Obedient.registered(harness, endpoint, `10.1.${address >> 8}.${address & 255}:5000`, manners, registration);
  };

  async function suspend(options: SuspendOptions, target: Target = LAMPS): Promise<SuspensionSummary> {
    return harness.settled(harness.engine.suspend(target, options).finished);
  }

  const stateOf = (endpoint = 'lamp-1') => harness.engine.suspensions({ endpoint })[0]?.state;
  const connectivityOf = (endpoint = 'lamp-1') => harness.engine.devices({ endpoint })[0]?.connectivity;

  for (const [words, duration] of [
    ['5 minutes', 300],
    ['2 hours', 7200],
  ] as const) {
    it(`of ${words}: the device is told, goes, is refused until its end, and is welcomed back`, async () => {
      const device = await lamp();
      const since = clock.now();
      const until = since + duration * 1000;
      harness.events.length = 0;
      const summary = await suspend({ duration });
      assert.deepEqual(device.asked, [`PUT /1/0/5 ${duration}`, 'PUT /1/0/6 1', 'POST /1/0/4']);
      assert.deepEqual(summary, {
        total: 1,
        suspended: 1,
        device: 1,
        server: 0,
        refused: 0,
        unreachable: 0,
        skipped: 0,
        failed: 0,
        returned: 0,
        nextBackAt: until,
        lastBackAt: until,
        results: [{ endpoint: 'lamp-1', state: 'suspended', mode: 'device', until }],
      });
      await clock.advance(1000);
      assert.deepEqual(told(harness.events).sort(), ['deregistered lamp-1', 'suspended lamp-1']);
      const view = { endpoint: 'lamp-1', since, until, mode: 'device' };
      assert.deepEqual(harness.engine.suspensions(), [{ ...view, state: 'suspended' }]);
      assert.equal(connectivityOf(), 'suspended');
      assert.deepEqual(harness.engine.devices({ selector: 'state:suspended' }).length, 1);

      await clock.advance(duration * 1000 - 1000 - 10_500);
      assert.deepEqual(await device.register(), { code: CoapCode.ServiceUnavailable, maxAge: 11 });
      assert.equal(harness.eventsOf('rejected')[0]?.payload.reason, 'suspended');
      assert.equal(connectivityOf(), 'suspended');

      await clock.advance(10_500);
      assert.equal(stateOf(), 'suspended', 'it is waited for');
      harness.events.length = 0;
      assert.equal((await device.register()).code, CoapCode.Created);
      assert.deepEqual(told(harness.events), ['registered lamp-1', 'resumed lamp-1']);
      assert.deepEqual(harness.engine.suspensions(), [{ ...view, state: 'returned' }]);
      assert.equal(connectivityOf(), 'online');
      await clock.advance(HOURS + 1);
      assert.deepEqual(harness.engine.suspensions(), []);
      assert.equal(harness.eventsOf('overdue').length, 0);
    });
  }

  it('says in its events what is known of the device, and how it is suspended', async () => {
    await harness.engine.provision({ endpoint: 'lamp-1', labels: { site: 'north' }, priority: 'low' });
    await lamp();
    const since = clock.now();
    await suspend({ duration: 60 });
    await clock.advance(3 * MINUTES);
    for (const topic of ['suspended', 'overdue'] as const) {
      const payload = harness.eventsOf(topic)[0]?.payload;
      assert.deepEqual(payload?.suspension, { since, until: since + MINUTES, mode: 'device' });
      assert.deepEqual([payload?.labels, payload?.priority, payload?.version], [{ site: 'north' }, 'low', '1.1']);
      assert.deepEqual(payload?.address, { host: '10.1.0.3', port: 5000, transport: 'coap' });
    }
  });

  it('does not wait for a device that does not say goodbye', async () => {
    const device = await lamp('lamp-1', { goes: false });
    await suspend({ duration: 300 });
    await clock.advance(4_900);
    assert.equal(harness.eventsOf('deregistered').length, 0);
    assert.equal((await device.update()).code, CoapCode.ServiceUnavailable);
    await clock.advance(700);
    await clock.settle();
    assert.equal(harness.eventsOf('deregistered').length, 1);
    assert.equal((await device.update()).code, CoapCode.NotFound);
    assert.equal(connectivityOf(), 'suspended');
  });

  it('takes a device that says goodbye before it answers at its word', async () => {
    const device = await lamp('lamp-1', { answers: { '/1/0/4': undefined } });
    const run = harness.engine.suspend(LAMPS, { duration: 300 });
    await clock.advanceUntil(() => device.asked.includes('POST /1/0/4'), 1000);
    await device.device.deregister();
    const summary = await harness.settled(run.finished);
    assert.deepEqual(countsOf(summary), { total: 1, suspended: 1, device: 1 });
  });

  for (const [words, answers, result] of [
    ['has no Disable Timeout', { '/1/0/5': CoapCode.NotFound }, { reason: 'refused', code: '4.04' }],
    ['may not be told its timeout', { '/1/0/5': CoapCode.MethodNotAllowed }, { reason: 'refused', code: '4.05' }],
    ['has no Disable', { '/1/0/4': CoapCode.NotFound }, { reason: 'refused', code: '4.04' }],
    ['refuses to go', { '/1/0/4': CoapCode.MethodNotAllowed }, { reason: 'refused', code: '4.05' }],
  ] as const) {
    it(`is the server's alone when the device ${words}`, async () => {
      const device = await lamp('lamp-1', { answers });
      const until = clock.now() + 300_000;
      const summary = await suspend({ duration: 300 });
      assert.deepEqual(countsOf(summary), { total: 1, suspended: 1, server: 1, refused: 1 });
      assert.deepEqual(summary.results, [{ endpoint: 'lamp-1', state: 'suspended', mode: 'server', until, ...result }]);
      assert.equal(device.disabled, false);
      assert.equal(harness.eventsOf('suspended')[0]?.payload.suspension.mode, 'server');
      await clock.advance(100_000);
      assert.deepEqual(await device.update(), { code: CoapCode.ServiceUnavailable, maxAge: 200 });
      assert.equal(harness.engine.devices()[0]?.version, '1.1', 'its registration is kept');
      harness.events.length = 0;
      await clock.advance(201_000);
      assert.deepEqual(told(harness.events), ['resumed lamp-1'], 'it was there all the while');
      assert.equal(stateOf(), 'returned');
      assert.equal((await device.update()).code, CoapCode.Changed);
    });
  }

  it('goes on without notification storing where there is none', async () => {
    const device = await lamp('lamp-1', { answers: { '/1/0/6': CoapCode.NotFound } });
    assert.deepEqual(countsOf(await suspend({ duration: 60 })), { total: 1, suspended: 1, device: 1 });
    assert.equal(device.disabled, true);
  });

  for (const [words, links] of [
    ['no Server object', '</3/0>'],
    ['several Server instances, of which it does not say which is ours', '</1/0>,</1/1>,</3/0>'],
  ] as const) {
    it(`is the server's alone of a device with ${words}`, async () => {
      const device = await lamp('lamp-1', {}, { links });
      const summary = await suspend({ duration: 60 });
      assert.deepEqual([summary.server, summary.results[0]?.reason], [1, 'noDisable']);
      assert.deepEqual(device.asked, []);
    });
  }

  it('uses the one Server instance there is, whatever its number', async () => {
    const device = await lamp('lamp-1', {}, { links: '</1/7>,</3/0>' });
    await suspend({ duration: 60 });
    assert.deepEqual(device.asked, ['PUT /1/7/5 60', 'PUT /1/7/6 1', 'POST /1/7/4']);
  });

  it("is the server's alone of devices that are asleep, offline or silent, and asks nothing of those it knows to be", async () => {
    const asleep = await lamp('lamp-asleep', {}, { query: ['b=U', 'Q'] });
    const offline = await lamp('lamp-offline');
    await offline.device.deregister();
    await clock.advance(100_000);
    await lamp('lamp-silent', { answers: { '/1/0/5': undefined } });
    const run = harness.engine.suspend(
      { endpoints: ['lamp-asleep', 'lamp-offline', 'lamp-silent', 'lamp-new'] },
      { duration: 600 },
    );
    await clock.advance(100_000);
    const summary = await run.finished;
    assert.deepEqual(countsOf(summary), { total: 4, suspended: 4, server: 4, unreachable: 4 });
    assert.deepEqual(
      summary.results.map(({ reason }) => reason),
      ['asleep', 'offline', 'silent', 'offline'],
    );
    assert.deepEqual(asleep.asked, []);
    assert.equal((await asleep.update()).code, CoapCode.ServiceUnavailable);
    assert.equal((await offline.register()).code, CoapCode.ServiceUnavailable);
  });

  it('never touches devices of high priority, even when they are named', async () => {
    await harness.engine.provision({ endpoint: 'lamp-vip', priority: 'high' });
    const vip = await lamp('lamp-vip');
    await lamp('lamp-1');
    const summary = await suspend({ duration: 60 });
    assert.deepEqual(countsOf(summary), { total: 2, suspended: 1, device: 1, skipped: 1 });
    const named = await suspend({ duration: 60 }, { endpoint: 'lamp-vip' });
    assert.deepEqual(named.results, [{ endpoint: 'lamp-vip', state: 'skipped', reason: 'highPriority' }]);
    assert.deepEqual(vip.asked, []);
    assert.equal((await vip.update()).code, CoapCode.Changed);
  });

  it('lets a device in that is given high priority meanwhile', async () => {
    const device = await lamp();
    await suspend({ duration: 600 });
    assert.equal((await device.register()).code, CoapCode.ServiceUnavailable);
    await harness.engine.provision({ endpoint: 'lamp-1', priority: 'high' });
    assert.equal((await device.register()).code, CoapCode.Created);
    assert.equal(stateOf(), 'returned');
  });

  for (const duration of [0, -1, NaN, Infinity, 1e9]) {
    it(`of ${duration} s is refused`, () => {
      assert.throws(() => harness.engine.suspend(LAMPS, { duration }), InvalidArgumentError);
    });
  }

  for (const target of [{ selector: '' }, { group: '' }, { endpoint: '' }] satisfies Target[]) {
    it(`of ${JSON.stringify(target)} is refused, and so is to resume it`, () => {
      assert.throws(() => harness.engine.suspend(target, { duration: 1 }), InvalidArgumentError);
      assert.throws(() => harness.engine.resume(target), InvalidArgumentError);
    });
  }

  it('is overdue when the device has not returned a minute, or a tenth of it, after its end; once', async () => {
    const short = await lamp('lamp-short');
    await lamp('lamp-long');
    await suspend({ duration: 60 }, { endpoint: 'lamp-short' });
    await suspend({ duration: 7200 }, { endpoint: 'lamp-long' });
    await clock.advance(2 * MINUTES - 1000);
    assert.equal(harness.eventsOf('overdue').length, 0);
    await clock.advance(2000);
    assert.deepEqual(told(harness.eventsOf('overdue')), ['overdue lamp-short']);
    assert.equal(stateOf('lamp-short'), 'overdue');
    assert.equal(connectivityOf('lamp-short'), 'offline');
    await clock.advance(129 * MINUTES);
    assert.equal(harness.eventsOf('overdue').length, 1);
    await clock.advance(3 * MINUTES);
    assert.deepEqual(told(harness.eventsOf('overdue')), ['overdue lamp-short', 'overdue lamp-long']);
    assert.equal((await short.register()).code, CoapCode.Created);
    assert.deepEqual(told(harness.eventsOf('resumed')), ['resumed lamp-short']);
    assert.equal(stateOf('lamp-short'), 'returned');
  });

  it('keeps orders waiting, and sends them when the device is back', async () => {
    const device = await lamp('lamp-1', { answers: { '/3311/0/5850': CoapCode.Content } });
    await suspend({ duration: 300 });
    await clock.advance(1000);
    const run = harness.engine.order({
      target: { endpoint: 'lamp-1' },
      operation: { operation: 'read', paths: [parsePath('/3311/0/5850')] },
    });
    await clock.advance(200_000);
    assert.equal(device.asked.length, 3);
    await clock.advance(100_000);
    await device.register();
    const { results } = await harness.settled(run.finished);
    assert.deepEqual([results[0]?.state, device.asked.at(-1)], ['succeeded', 'GET /3311/0/5850']);
  });

  it('keeps orders waiting for a device that was only refused, and sends them at its end though it was not heard', async () => {
    const device = await lamp('lamp-1', { answers: { '/1/0/5': CoapCode.NotFound, '/3311/0/5850': CoapCode.Content } });
    await suspend({ duration: 300 });
    const run = harness.engine.order({
      target: { endpoint: 'lamp-1' },
      operation: { operation: 'read', paths: [parsePath('/3311/0/5850')] },
    });
    await clock.advance(299_000);
    assert.equal(device.asked.length, 1);
    await clock.advance(2_000);
    assert.equal((await harness.settled(run.finished)).succeeded, 1);
  });

  for (const [words, cutOff] of [
    ['cut off', () => harness.engine.unprovision('lamp-1')],
    ['handed over', () => harness.engine.handOver({ endpoint: 'lamp-1', provider: 'others' })],
  ] as const) {
    it(`is over, and its orders with it, when the device is ${words}: who comes by its name is another`, async () => {
      await harness.engine.provision({ endpoint: 'lamp-1' });
      const device = await lamp();
      await suspend({ duration: 600 });
      const order = harness.engine.perform('lamp-1', { operation: 'execute', path: parsePath('/3/0/4') });
      const failed = assert.rejects(order, { code: 'NOT_REGISTERED' });
      await clock.settle();
      await cutOff();
      await failed;
      assert.deepEqual(harness.engine.suspensions(), []);
      assert.equal((await device.register()).code, CoapCode.Created);
      await clock.advance(2 * HOURS);
      assert.deepEqual([harness.eventsOf('overdue'), harness.eventsOf('resumed')], [[], []]);
    });
  }

  it('is replaced by a later one: the device is told again when it is there', async () => {
    const device = await lamp('lamp-1', { answers: { '/1/0/4': CoapCode.MethodNotAllowed } });
    const since = clock.now();
    await suspend({ duration: 60 });
    await clock.advance(30_000);
    await suspend({ duration: 600 });
    assert.deepEqual(
      device.asked.filter((line) => line.startsWith('PUT /1/0/5')),
      ['PUT /1/0/5 60', 'PUT /1/0/5 600'],
    );
    assert.deepEqual(harness.engine.suspensions(), [
      { endpoint: 'lamp-1', since, until: since + 630_000, mode: 'server', state: 'suspended' },
    ]);
    await clock.advance(600_000 - 5000);
    assert.deepEqual(await device.update(), { code: CoapCode.ServiceUnavailable, maxAge: 5 });
  });

  it('that is replaced while the device is away keeps it out for longer, but cannot call it back sooner', async () => {
    const device = await lamp();
    const since = clock.now();
    await suspend({ duration: 60 });
    await clock.advance(10_000);
    const longer = await suspend({ duration: 110 });
    const view = { endpoint: 'lamp-1', since };
    assert.deepEqual(longer.results[0], {
      endpoint: 'lamp-1',
      state: 'suspended',
      mode: 'server',
      until: since + 120_000,
      reason: 'offline',
    });
    await clock.advance(50_000);
    assert.deepEqual(await device.register(), { code: CoapCode.ServiceUnavailable, maxAge: 60 });
    await suspend({ duration: 1 });
    assert.deepEqual(harness.engine.suspensions(), [
      { ...view, until: since + 61_000, mode: 'server', state: 'suspended' },
    ]);
    await clock.advance(1000);
    assert.equal((await device.register()).code, CoapCode.Created);
    await suspend({ duration: 600 });
    await clock.advance(10_000);
    const sooner = await suspend({ duration: 10 });
    assert.equal(sooner.results[0]?.until, since + 61_000 + 600_000, 'it stays away as it was told');
  });

  it('counts from the last one when the device has returned meanwhile', async () => {
    const device = await lamp();
    await suspend({ duration: 60 });
    await clock.advance(60_000);
    await device.register();
    assert.equal(stateOf(), 'returned');
    await suspend({ duration: 60 });
    assert.deepEqual(harness.engine.suspensions()[0]?.since, clock.now());
    assert.equal(stateOf(), 'suspended');
  });

  describe('that is resumed before time', () => {
    it('opens the gate at once to a device that was told, which comes when it comes', async () => {
      const device = await lamp();
      const until = clock.now() + 600_000;
      await suspend({ duration: 600 });
      await clock.advance(100_000);
      const summary = await harness.settled(harness.engine.resume(LAMPS).finished);
      assert.deepEqual(summary.results, [{ endpoint: 'lamp-1', state: 'suspended', mode: 'device', until }]);
      assert.equal(stateOf(), 'suspended');
      assert.equal(harness.eventsOf('resumed').length, 0);
      assert.equal((await device.register()).code, CoapCode.Created);
      assert.equal(stateOf(), 'returned');
      assert.equal(harness.eventsOf('resumed').length, 1);
    });

    it('is over at once for a device that was only refused and is registered', async () => {
      const device = await lamp('lamp-1', { answers: { '/1/0/4': CoapCode.NotFound } });
      await suspend({ duration: 600 });
      await clock.advance(1000);
      const summary = await harness.settled(harness.engine.resume(LAMPS).finished);
      assert.deepEqual(countsOf(summary), { total: 1, returned: 1 });
      assert.equal(harness.eventsOf('resumed').length, 1);
      assert.equal((await device.update()).code, CoapCode.Changed);
    });

    it('waits for one that was refused and is not registered any more', async () => {
      const device = await lamp('lamp-1', { answers: { '/1/0/4': CoapCode.NotFound } }, { lifetime: 60 });
      await suspend({ duration: 600 });
      await clock.advance(70_000);
      assert.equal(harness.eventsOf('expired').length, 1);
      await harness.settled(harness.engine.resume(LAMPS).finished);
      assert.equal(stateOf(), 'suspended');
      assert.equal((await device.register()).code, CoapCode.Created);
      assert.equal(stateOf(), 'returned');
    });

    it('leaves alone who is not suspended', async () => {
      await lamp();
      const { results } = await harness.engine.resume(LAMPS).finished;
      assert.deepEqual(results, [{ endpoint: 'lamp-1', state: 'skipped', reason: 'notSuspended' }]);
    });

    it('is overdue when a device that was told does not come by the end it was told', async () => {
      await lamp();
      await suspend({ duration: 600 });
      await clock.advance(100_000);
      await harness.settled(harness.engine.resume(LAMPS).finished);
      await clock.advance(550_000);
      assert.equal(harness.eventsOf('overdue').length, 0);
      await clock.advance(15_000);
      assert.equal(harness.eventsOf('overdue').length, 1);
    });
  });

  describe('of 1,000 devices', () => {
    it('asks a bounded number at a time, and spreads their ends evenly', async () => {
      const lamps: Obedient[] = [];
      for (let n = 0; n < 1000; n += 1) lamps.push(await lamp(`lamp-${n}`));
      const since = clock.now();
      harness.network.options = { delay: 50 };
      const run = harness.engine.suspend(LAMPS, { duration: 300, stagger: 120 });
      await clock.advance(50);
      const first = lamps.filter(({ asked }) => asked.length > 0).length;
      assert.ok(first > 0 && first <= 64, `${first} at a time`);
      await clock.advance(10_000);
      harness.network.options = {};
      const summary = await harness.settled(run.finished);
      assert.deepEqual(countsOf(summary), { total: 1000, suspended: 1000, device: 1000 });
      assert.equal(summary.nextBackAt, since + 200 + 300_000);
      assert.ok((summary.lastBackAt ?? 0) >= since + 420_000 && (summary.lastBackAt ?? 0) < since + 430_000);
      const timeouts = lamps.map(({ timeout }) => timeout ?? NaN);
      assert.deepEqual([Math.min(...timeouts), Math.max(...timeouts)], [300, 420]);
      const inSecond = new Map<number, number>();
      for (const timeout of timeouts) inSecond.set(timeout, (inSecond.get(timeout) ?? 0) + 1);
      assert.equal(inSecond.size, 121);
      assert.ok(Math.max(...inSecond.values()) <= 10, 'at most 10 come back in a second');

      // They come back when they were told to, and none is refused.
      const due = [...lamps].sort((a, b) => a.backAt - b.backAt);
      for (const device of due) {
        await clock.advance(Math.max(0, device.backAt - clock.now()));
        void device.device.register({ endpoint: device.endpoint, links: '</1/0>' });
      }
      await clock.advance(1000);
      assert.equal(harness.eventsOf('rejected').length, 0);
      assert.equal(harness.eventsOf('resumed').length, 1000);
      assert.equal(harness.engine.suspensions().filter(({ state }) => state === 'returned').length, 1000);
    });

    it('tells how far it is, at most once a second, and can be cancelled', async () => {
      for (let n = 0; n < 200; n += 1) await lamp(`lamp-${n}`, { answers: { '/1/0/4': n % 2 ? undefined : 0x44 } });
      const run = harness.engine.suspend(LAMPS, { duration: 300 });
      const progress: SuspensionSummary[] = [];
      run.onProgress((summary) => progress.push(summary));
      await clock.advance(2500);
      assert.ok(progress.length >= 1 && progress.length <= 3, `${progress.length} in 2.5 s`);
      assert.ok((progress[0]?.device ?? 0) >= 30);
      run.cancel();
      await clock.advance(120_000);
      const summary = await run.finished;
      assert.equal(summary.total, 200);
      assert.equal(summary.suspended + summary.failed, 200);
      assert.deepEqual(
        [...new Set(summary.results.filter(({ state }) => state === 'failed').map(({ error }) => error))],
        ['CANCELLED'],
      );
    });
  });

  it('comes through a network that loses, doubles and reorders', async () => {
    const lamps: Obedient[] = [];
    for (let n = 0; n < 40; n += 1) lamps.push(await lamp(`lamp-${n}`));
    harness.network.options = { seed: 7, loss: 0.2, duplicate: 0.1, reorder: 0.2, delay: 20 };
    const run = harness.engine.suspend(LAMPS, { duration: 3600 });
    await clock.advance(400_000);
    const summary = await run.finished;
    assert.equal(summary.suspended, 40, JSON.stringify(summary.results));
    // Scripted devices do not repeat their goodbye: those whose was lost are taken as gone.
    for (const { endpoint, disabled } of lamps) {
      if (!disabled) continue;
      assert.equal(harness.engine.devices({ endpoint })[0]?.version, undefined, `${endpoint} is not registered`);
    }
    harness.network.options = {};
    for (const device of lamps) assert.equal((await device.register()).code, CoapCode.ServiceUnavailable);
    await clock.advance(3_300_000);
    for (const device of lamps) assert.equal((await device.register()).code, CoapCode.Created);
    assert.deepEqual([...new Set(harness.engine.suspensions().map(({ state }) => state))], ['returned']);
  });

  describe('and its store', () => {
    class BadStore extends MemoryStore {
      broken = false;
      constructor(clock: SimulatedClock) {
        super(clock);
        const { suspensions } = this;
        const put = suspensions.put.bind(suspensions);
        suspensions.put = (id, thing) => {
          if (this.broken) throw new StoreError('the disk is full');
          put(id, thing);
        };
      }
    }

    it('fails a member that cannot be stored, and leaves the device where it is', async () => {
      await harness.close();
      const store = new BadStore(clock);
      await start({ store });
      const device = await lamp();
      store.broken = true;
      const run = harness.engine.suspend(LAMPS, { duration: 60 });
      const summary = await harness.settled(run.finished);
      assert.deepEqual(summary.results, [{ endpoint: 'lamp-1', state: 'failed', error: 'STORE' }]);
      assert.ok(run.failures.get('lamp-1') instanceof StoreError);
      assert.equal(device.disabled, false);
      assert.deepEqual(harness.engine.suspensions(), []);
      assert.equal((await device.update()).code, CoapCode.Changed);
    });

    it('goes on after a restart in the middle: refusals, ends, who is overdue', async () => {
      await harness.close();
      const store = new MemoryStore(clock);
      await start({ store });
      const lamps = await Promise.all(['lamp-1', 'lamp-2'].map((endpoint) => lamp(endpoint)));
      const kept = await lamp('lamp-3', { answers: { '/1/0/4': CoapCode.NotFound } });
      await suspend({ duration: 600 });
      const before = harness.engine.suspensions();
      await clock.advance(100_000);
      await harness.close();
      await clock.advance(10_000);
      await restart(store, [...lamps, kept]);
      assert.deepEqual(harness.engine.suspensions(), before);
      assert.equal(connectivityOf('lamp-1'), 'suspended');
      assert.deepEqual(await lamps[0]?.register(), { code: CoapCode.ServiceUnavailable, maxAge: 490 });
      assert.deepEqual(await kept.update(), { code: CoapCode.ServiceUnavailable, maxAge: 490 });
      await clock.advance(490_000);
      assert.equal((await lamps[0]?.register())?.code, CoapCode.Created);
      await clock.advance(62_000);
      assert.deepEqual(told(harness.events.filter(({ topic }) => topic === 'resumed' || topic === 'overdue')), [
        'resumed lamp-3',
        'resumed lamp-1',
        'overdue lamp-2',
      ]);
      const overdue = harness.eventsOf('overdue')[0]?.payload;
      assert.deepEqual([overdue?.version, overdue?.address?.port], ['1.1', 5000], 'what it was is known yet');
      await harness.close();
      await restart(store, []);
      await clock.advance(10_000);
      assert.deepEqual(
        harness.engine.suspensions().map(({ endpoint, state }) => [endpoint, state]),
        [['lamp-2', 'overdue']],
      );
      assert.equal(harness.eventsOf('overdue').length, 0, 'it is said once');
    });

    it('ends what ended while nobody looked', async () => {
      await harness.close();
      const store = new MemoryStore(clock);
      await start({ store });
      const told = await lamp('lamp-1');
      await lamp('lamp-2', { answers: { '/1/0/4': CoapCode.NotFound } });
      await suspend({ duration: 60 });
      await harness.close();
      await clock.advance(61_000);
      await restart(store, [told]);
      assert.deepEqual(
        harness.engine.suspensions().map(({ endpoint, state }) => [endpoint, state]),
        [
          ['lamp-1', 'suspended'],
          ['lamp-2', 'returned'],
        ],
      );
      assert.equal((await told.register()).code, CoapCode.Created);
    });

    it('takes a device as gone that was told right before the process ended', async () => {
      await harness.close();
      const store = new MemoryStore(clock);
      await start({ store });
      await lamp('lamp-1', { goes: false });
      await suspend({ duration: 600 });
      await harness.close();
      await restart(store, []);
      await clock.advance(1000);
      assert.equal(harness.engine.devices()[0]?.version, undefined);
      assert.equal(stateOf(), 'suspended');
    });

    it('forgets nobody it still expects, and drops what is over', async () => {
      await harness.close();
      const store = new MemoryStore(clock);
      await start({ store });
      const device = await lamp();
      await suspend({ duration: 60 });
      assert.equal([...store.suspensions.all()].length, 1);
      await clock.advance(60_000);
      await device.register();
      assert.equal([...store.suspensions.all()].length, 0);
      await suspend({ duration: 60 }, { endpoint: 'lamp-never' });
      await clock.advance(3 * MINUTES);
      assert.equal(stateOf('lamp-never'), 'overdue');
      await harness.close();
      await clock.advance(7 * 24 * HOURS);
      await restart(store, []);
      assert.equal([...store.suspensions.all()].length, 0, 'after a week nobody waits any more');
    });

    async function restart(store: MemoryStore, devices: readonly Obedient[]): Promise<void> {
      for (const { device } of devices) device.close();
      harness = await Harness.start({ store, clock });
      for (const device of devices) {
        const { host, port } = device.device.peer.address;
        const reborn = harness.device(`${host}:${port}`);
        reborn.location = device.device.location;
        Object.assign(device, { harness, device: reborn });
      }
    }
  });
});
