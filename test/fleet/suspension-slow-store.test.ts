import assert from 'node:assert/strict';
import { StoreError, type StoredSuspension } from '../../src';
import { CoapCode } from '../../src/coap';
import type { Awaitable, KeyedStore } from '../../src/server';
import { MemoryKeyed } from '../../src/store/memory-keyed';
import { MemoryStore } from '../../src/store/memory-store';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store';
import { Harness } from '../server/harness';
import { temporaryDirectory } from '../store/temporary-directory';
import { SimulatedClock } from '../support/simulated-clock';
import { countsOf, Obedient } from './suspension-setup';

/** ms */
const LATENCY = 40;

/** A store of suspensions that takes its time, and may lose its disk. */
class SlowSuspensions implements KeyedStore<StoredSuspension> {
  readonly held = new MemoryKeyed<StoredSuspension>();
  broken = false;

  constructor(private readonly clock: SimulatedClock) {}

  put(id: string, thing: StoredSuspension): Promise<void> {
    return this.#later(() => this.held.put(id, thing));
  }

  remove(id: string): Promise<boolean> {
    return this.#later(() => this.held.remove(id));
  }

  all(): Iterable<readonly [string, StoredSuspension]> {
    return this.held.all();
  }

  #later<T>(task: () => Awaitable<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.clock.setTimer(() => {
        if (this.broken) reject(new StoreError('the disk is gone'));
        else resolve(task());
      }, LATENCY);
    });
  }
}

class SlowStore extends MemoryStore {
  override readonly suspensions: MemoryKeyed<StoredSuspension>;

  constructor(
    clock: SimulatedClock,
    readonly slow = new SlowSuspensions(clock),
  ) {
    super(clock);
    this.suspensions = slow as unknown as MemoryKeyed<StoredSuspension>;
  }
}

describe('A suspension in a store that takes its time', () => {
  const TARGET = { endpoint: 'lamp-1' };
  let clock: SimulatedClock;
  let store: SlowStore;
  let harness: Harness;

  beforeEach(async () => {
    clock = new SimulatedClock();
    store = new SlowStore(clock);
    harness = await Harness.start({ clock, store });
  });

  afterEach(async () => {
    await harness.close();
  });

  const stored = (): string[] => [...store.slow.all()].map(([endpoint]) => endpoint);

  it('is stored before the device is told to go, and holds from then on', async () => {
    const device = await Obedient.registered(harness, 'lamp-1', '10.0.0.1:5');
    const run = harness.engine.suspend(TARGET, { duration: 60 });
    await clock.advance(LATENCY - 10);
    assert.deepEqual([device.asked.length, device.disabled, stored()], [2, false, []]);
    assert.equal((await device.update()).code, CoapCode.Changed, 'not yet refused');
    await clock.advance(20);
    assert.deepEqual([device.disabled, stored()], [true, ['lamp-1']]);
    assert.deepEqual(countsOf(await harness.settled(run.finished)), { total: 1, suspended: 1, device: 1 });
    assert.equal(harness.eventsOf('resumed').length, 0, 'who came in just before has not returned');
  });

  it('that is resumed and made anew in the same moment ends as the last one says', async () => {
    const device = await Obedient.registered(harness, 'lamp-1', '10.0.0.1:5', { answers: { '/1/0/5': 0x84 } });
    await clock.advance(0);
    void harness.engine.suspend(TARGET, { duration: 600 });
    await clock.advance(100);
    const resumed = harness.engine.resume(TARGET);
    const again = harness.engine.suspend(TARGET, { duration: 300 });
    await clock.advance(1000);
    assert.equal((await resumed.finished).failed, 0);
    assert.equal((await again.finished).suspended, 1);
    assert.deepEqual(stored(), ['lamp-1']);
    assert.equal(harness.engine.suspensions()[0]?.state, 'suspended');
    assert.equal((await device.update()).code, CoapCode.ServiceUnavailable);
    await clock.advance(301_000);
    assert.deepEqual(stored(), []);
    assert.equal((await device.update()).code, CoapCode.Changed);
  });

  it('leaves nothing behind when the device is resumed and back while it is told', async () => {
    const device = await Obedient.registered(harness, 'lamp-1', '10.0.0.1:5', { answers: { '/1/0/4': undefined } });
    const run = harness.engine.suspend(TARGET, { duration: 600 });
    await clock.advanceUntil(() => device.asked.includes('POST /1/0/4'), 1000, 10);
    await device.device.deregister();
    const resumed = harness.engine.resume(TARGET);
    await clock.advance(100);
    await Promise.all([run.finished, resumed.finished]);
    assert.equal((await device.register()).code, CoapCode.Created);
    await clock.advance(1000);
    assert.deepEqual(stored(), []);
    assert.equal(harness.engine.suspensions()[0]?.state, 'returned');
    await clock.advance(6000);
    assert.equal(harness.eventsOf('deregistered').length, 1, 'the new registration is left alone');
  });

  it('is said and counted though the store fails after the device was told', async () => {
    const device = await Obedient.registered(harness, 'lamp-1', '10.0.0.1:5', { answers: { '/1/0/4': undefined } });
    const run = harness.engine.suspend(TARGET, { duration: 600 });
    await clock.advanceUntil(() => device.asked.includes('POST /1/0/4'), 1000, 10);
    store.slow.broken = true;
    await clock.advance(120_000);
    const { results } = await run.finished;
    assert.deepEqual([results[0]?.mode, results[0]?.reason], ['device', 'silent']);
    assert.ok(harness.logged.some((line) => line.includes('the suspension of lamp-1: the disk is gone')));
    assert.equal((await device.update()).code, CoapCode.ServiceUnavailable);
  });

  it('cannot be resumed while the store is in trouble', async () => {
    const device = await Obedient.registered(harness, 'lamp-1', '10.0.0.1:5', { answers: { '/1/0/5': 0x84 } });
    void harness.engine.suspend(TARGET, { duration: 600 });
    await clock.advance(100);
    store.slow.broken = true;
    const run = harness.engine.resume(TARGET);
    await clock.advance(100);
    assert.deepEqual((await run.finished).results, [{ endpoint: 'lamp-1', state: 'failed', error: 'STORE' }]);
    assert.equal((await device.update()).code, CoapCode.ServiceUnavailable);
  });

  it('is not made when the engine closes before it is stored', async () => {
    const device = await Obedient.registered(harness, 'lamp-1', '10.0.0.1:5', { answers: { '/1/0/5': undefined } });
    const run = harness.engine.suspend({ endpoints: ['lamp-1', 'lamp-2'] }, { duration: 600 });
    await clock.advance(LATENCY + 10);
    await harness.close();
    await clock.advance(100);
    assert.deepEqual(
      (await run.finished).results.map(({ state, error }) => error ?? state),
      ['CANCELLED', 'suspended'],
    );
    assert.deepEqual([device.disabled, stored()], [false, ['lamp-2']]);
  });
});

describe('A suspension in SQLite', () => {
  let harness: Harness | undefined;

  // Closed before the directory goes: hooks run in the order they are written.
  afterEach(async () => {
    await harness?.close();
  });
  const directory = temporaryDirectory();

  it('is there after a restart, with all that its events say', async () => {
    const clock = new SimulatedClock();
    const start = () => Harness.start({ clock, store: new SqliteStore({ directory: directory(), clock }) });
    harness = await start();
    const device = harness.device('10.0.0.1:5');
    await device.register({ endpoint: 'lamp-1', links: '</3/0>' });
    await harness.engine.suspend({ endpoint: 'lamp-1' }, { duration: 600, user: 'ben' }).finished;
    const before = harness.engine.suspensions();
    await harness.close();
    device.close();
    await clock.advance(100_000);
    harness = await start();
    assert.deepEqual(harness.engine.suspensions(), before);
    const again = harness.device('10.0.0.1:5');
    const { code, options } = await again.register({ endpoint: 'lamp-1', links: '</3/0>' });
    assert.deepEqual([code, options.maxAge], [CoapCode.ServiceUnavailable, 500]);
  });
});
