import assert from 'node:assert/strict';
import {
  isFailure,
  parsePath,
  StoreError,
  type MemberFailure,
  type Operation,
  type OperationResult,
  type Order,
  type TakenUpOrder,
} from '../../src';
import { CoapCode } from '../../src/coap';
import type { KeyedStore, StoredOrder } from '../../src/server';
import { MemoryKeyed } from '../../src/store/memory-keyed';
import { MemoryStore } from '../../src/store/memory-store';
import type { ScriptedDevice } from '../support/scripted-device';
import { SimulatedClock } from '../support/simulated-clock';
import { Harness, pathOfRequest, type HarnessOptions } from './harness';

const HOUR = 3600_000;
const read = (path: string): Operation => ({ operation: 'read', paths: [parsePath(path)] });
const write = (value: unknown): Operation => ({
  operation: 'write',
  path: parsePath('/3311/0/5851'),
  value,
  mode: 'replace',
});
const EXECUTE: Operation = { operation: 'execute', path: parsePath('/3/0/4') };

/** What came of an order to one device. */
type Outcome = OperationResult | MemberFailure;
const codeOf = (outcome: Outcome | undefined): string | undefined =>
  outcome !== undefined && isFailure(outcome) ? outcome.error.code : outcome?.code;

/** Orders that a store can be made to be slow with, or to refuse. */
class SlowOrders implements KeyedStore<StoredOrder> {
  refusing = false;
  gate: Promise<void> | undefined;
  readonly #orders = new MemoryKeyed<StoredOrder>();

  async put(id: string, order: StoredOrder): Promise<void> {
    await this.#ready();
    this.#orders.put(id, order);
  }

  async remove(id: string): Promise<boolean> {
    await this.#ready();
    return this.#orders.remove(id);
  }

  all(): Iterable<readonly [string, StoredOrder]> {
    return this.#orders.all();
  }

  async #ready(): Promise<void> {
    if (this.refusing) throw new StoreError('the disk is full');
    await this.gate;
  }
}

describe('Orders that wait', () => {
  let clock: SimulatedClock;
  let store: MemoryStore & { orders: SlowOrders };
  let harness: Harness;

  const options = (): HarnessOptions => ({ clock, store, awakeTime: 10 });
  const stored = () => [...store.orders.all()].map(([, order]) => order);

  beforeEach(async () => {
    clock = new SimulatedClock();
    store = Object.assign(new MemoryStore(clock), { orders: new SlowOrders() });
    harness = await Harness.start(options());
  });

  afterEach(async () => {
    store.orders.refusing = false;
    store.orders.gate = undefined;
    await harness.close();
  });

  /** Another process on the same store, at the same address. */
  async function restart(meanwhile = 0): Promise<void> {
    await harness.close();
    await clock.advance(meanwhile);
    harness = await Harness.start({ ...options(), network: harness.network });
  }

  const meter = (endpoint = 'lamp-1', address?: string): Promise<ScriptedDevice> =>
    harness.registered({ endpoint, query: ['b=U', 'Q'], lifetime: 86_400 }, address);

  async function sleepingMeter(endpoint?: string, address?: string): Promise<ScriptedDevice> {
    const device = await meter(endpoint, address);
    await clock.advance(15_000);
    return device;
  }

  /** Gives an order; what came of it is in the array, when it came. */
  function order(operation: Operation, more: Partial<Order> = {}): Outcome[] {
    const outcomes: Outcome[] = [];
    const run = harness.engine.order({ target: { endpoint: 'lamp-1' }, operation, ...more });
    run.onResult((outcome) => outcomes.push(outcome));
    return outcomes;
  }

  const byNode = (note: unknown = {}): Order['origin'] => ({ owner: 'node', note: () => note });

  function taken(owner = 'node'): TakenUpOrder[] {
    const orders: TakenUpOrder[] = [];
    harness.engine.takeUpOrders(owner, (one) => orders.push(one));
    return orders;
  }

  /** What came of the orders of the process before, in order. */
  function outcomesOf(orders: readonly TakenUpOrder[]): Outcome[] {
    const outcomes: Outcome[] = [];
    for (const { run } of orders) run.onResult((outcome) => outcomes.push(outcome));
    return outcomes;
  }

  /** The device wakes, and answers what it is asked until it is asked no more. @returns the paths. */
  async function wake(device: ScriptedDevice, code: number = CoapCode.Changed): Promise<string[]> {
    const asked: string[] = [];
    const updated = device.update();
    await clock.settle();
    assert.equal((await updated).code, CoapCode.Changed);
    for (;;) {
      for (let turns = 0; turns < 6; turns += 1) await clock.settle();
      if (device.inbox.length === 0) return asked;
      const request = await device.expectRequest();
      asked.push(`${pathOfRequest(request.message)} ${String(request.message.payload)}`.trim());
      request.reply(code);
    }
  }

  describe('are safe before it is said that they wait', () => {
    it('and not said to wait before', async () => {
      await sleepingMeter();
      let open = (): void => undefined;
      store.orders.gate = new Promise((resolve) => {
        open = resolve;
      });
      const queued: string[] = [];
      const run = harness.engine.order({ target: { endpoint: 'lamp-1' }, operation: write(5), user: 'Ann' });
      run.onQueued((endpoint) => queued.push(endpoint));
      await clock.advance(1000);
      assert.deepEqual([queued, harness.engine.devices()[0]?.waiting], [[], 0]);
      open();
      await clock.settle();
      assert.deepEqual([queued, harness.engine.devices()[0]?.waiting], [['lamp-1'], 1]);
      const since = clock.now() - 1000;
      assert.deepEqual(stored(), [
        {
          endpoint: 'lamp-1',
          operation: write(5),
          user: 'Ann',
          queuedAt: since,
          expiresAt: since + 24 * HOUR,
        },
      ]);
    });

    it('and fail with STORE when they cannot be', async () => {
      const device = await sleepingMeter();
      store.orders.refusing = true;
      const outcomes = order(write(5));
      await clock.settle();
      assert.deepEqual(outcomes.map(codeOf), ['STORE']);
      store.orders.refusing = false;
      assert.deepEqual(await wake(device), []);
    });

    it('and leave the store when they are done, at last also one that was in trouble', async () => {
      const device = await sleepingMeter();
      const outcomes = order(write(5));
      await clock.settle();
      store.orders.refusing = true;
      assert.deepEqual(await wake(device), ['/3311/0/5851 5']);
      assert.deepEqual([outcomes.map(codeOf), stored().length], [['2.04'], 1]);
      store.orders.refusing = false;
      await clock.advance(2000);
      assert.equal(stored().length, 0);
    });
  });

  it('are not stored when the device is awake', async () => {
    const device = await meter();
    store.orders.refusing = true;
    const result = harness.engine.perform('lamp-1', write(5));
    (await device.expectRequest()).reply(CoapCode.Changed);
    assert.equal((await result).code, '2.04');
  });

  it('go out after a restart, to whoever ordered, with what he noted', async () => {
    const device = await sleepingMeter();
    const first = order(write(5), { origin: byNode({ topic: 'light' }), user: 'Ann' });
    await clock.settle();
    await restart(60_000);
    assert.deepEqual(first.map(codeOf), ['CANCELLED']);
    const orders = taken();
    assert.deepEqual(
      orders.map(({ operation, note, run }) => [operation, note, run.many, run.members]),
      [[write(5), { topic: 'light' }, false, ['lamp-1']]],
    );
    assert.equal(harness.engine.devices()[0]?.waiting, 1);
    assert.deepEqual(taken(), []);
    const outcomes = outcomesOf(orders);
    assert.deepEqual(await wake(device), ['/3311/0/5851 5']);
    const [outcome] = outcomes;
    assert.ok(outcome !== undefined && !isFailure(outcome));
    assert.deepEqual([outcome.code, outcome.queuedFor], ['2.04', 60_000]);
    assert.equal(stored().length, 0);
    const { commanded } = harness.engine.devices()[0]?.values['/3311/0/5851'] ?? {};
    assert.deepEqual([commanded?.value, commanded?.by], [5, 'Ann']);
  });

  it('go out after a restart though nobody waits for what comes of them', async () => {
    const device = await sleepingMeter();
    harness.engine.perform('lamp-1', write(5)).catch(() => undefined);
    await clock.settle();
    await restart();
    assert.deepEqual(await wake(device), ['/3311/0/5851 5']);
    assert.equal(stored().length, 0);
  });

  it('are all taken up, and others have their turn meanwhile, however many they are', async () => {
    await harness.close();
    for (let n = 0; n < 1200; n += 1) {
      const origin = { run: `run-${n}`, owner: 'node', note: n, many: false };
      const queuedAt = clock.now();
      const id = String(n).padStart(4, '0');
      store.orders.put(id, {
        endpoint: 'lamp-1',
        operation: EXECUTE,
        queuedAt,
        expiresAt: queuedAt + HOUR,
        origin,
      });
    }
    await clock.settle();
    let turns = 0;
    let isStarted = false;
    const count = (): void => {
      turns += 1;
      if (!isStarted) setImmediate(count);
    };
    setImmediate(count);
    harness = await Harness.start({ ...options(), network: harness.network });
    isStarted = true;
    assert.ok(turns >= 2);
    assert.deepEqual(
      taken().map(({ note }) => note),
      Array.from({ length: 1200 }, (_unused, n) => n),
    );
  });

  it('are told to have woken when they are first heard after a restart', async () => {
    const device = await sleepingMeter();
    await restart();
    await wake(device);
    assert.deepEqual(harness.topics(), ['updated', 'awake']);
  });

  it('do not wait longer, nor less than no time, because the clock of the machine was set back', async () => {
    const device = await sleepingMeter();
    order(write(5), { origin: byNode(), expires: 2 * HOUR });
    order(read('/3/0/0'), { origin: byNode() });
    await clock.settle();
    await harness.close();
    const early = new SimulatedClock(clock.now() - 30 * 24 * HOUR);
    await early.advance(1000);
    harness = await Harness.start({ ...options(), clock: early, network: harness.network });
    clock = early;
    const outcomes = outcomesOf(taken());
    await clock.advance(2 * HOUR + 3000);
    assert.deepEqual(outcomes.map(codeOf), ['QUEUE_EXPIRED']);
    assert.deepEqual(device.inbox, []);
  });

  it('fail when what their owner wants to be noted cannot be', async () => {
    await sleepingMeter();
    const note = (): never => {
      throw new RangeError('nested too deep');
    };
    const outcomes = order(write(5), { origin: { owner: 'node', note } });
    await clock.settle();
    assert.deepEqual(outcomes.map(codeOf), ['TRANSPORT']);
    assert.equal(harness.engine.devices()[0]?.waiting, 0);
  });

  it('keep what came of them until somebody asks', async () => {
    const device = await sleepingMeter();
    order(write(5), { origin: byNode() });
    await clock.settle();
    await restart();
    await wake(device);
    const outcomes = outcomesOf(taken());
    assert.deepEqual(outcomes.map(codeOf), ['2.04']);
  });

  it('go out in the order in which they were given, also across two restarts', async () => {
    const device = await sleepingMeter();
    for (const value of [1, 2, 3]) {
      order({ operation: 'execute', path: parsePath('/3/0/4'), args: { 0: value } });
      await clock.settle();
      if (value < 3) await restart();
    }
    assert.deepEqual(await wake(device), ["/3/0/4 0='1'", "/3/0/4 0='2'", "/3/0/4 0='3'"]);
  });

  it('of many are one order still: the summary is of those that were not done', async () => {
    const one = await sleepingMeter('lamp-1', '192.0.2.11:4000');
    const two = await sleepingMeter('lamp-2', '192.0.2.12:4000');
    const three = await sleepingMeter('lamp-3', '192.0.2.13:4000');
    harness.engine.order({ target: { selector: 'ep=lamp-*' }, operation: write(5), origin: byNode() });
    await clock.settle();
    await wake(one);
    await restart();
    const [run, ...others] = taken().map((order) => order.run);
    assert.deepEqual([run?.many, run?.members, others], [true, ['lamp-2', 'lamp-3'], []]);
    await wake(two);
    await wake(three, CoapCode.NotFound);
    const summary = await run?.finished;
    assert.deepEqual(
      summary?.results.map(({ endpoint, state, code }) => [endpoint, state, code]),
      [
        ['lamp-2', 'succeeded', '2.04'],
        ['lamp-3', 'failed', '4.04'],
      ],
    );
  });

  it('expire while the server is down, and are reported', async () => {
    const device = await sleepingMeter();
    order(write(5), { origin: byNode(), expires: HOUR });
    await clock.settle();
    await restart(2 * HOUR);
    const orders = taken();
    const outcomes = outcomesOf(orders);
    await clock.advance(3000);
    assert.deepEqual(outcomes.map(codeOf), ['QUEUE_EXPIRED']);
    assert.equal((await orders[0]?.run.finished)?.expired, 1);
    assert.deepEqual(await wake(device), []);
    assert.equal(stored().length, 0);
  });

  it('are cancelled when their owners are no more, those of others are not', async () => {
    const device = await sleepingMeter();
    order(write(5), { origin: { owner: 'gone', note: () => null } });
    order(read('/3/0/0'), { origin: byNode() });
    await clock.settle();
    await restart();
    harness.engine.endOrders((owner) => owner === 'node');
    await clock.settle();
    assert.deepEqual(taken('gone'), []);
    assert.deepEqual(await wake(device), ['/3/0/0']);
  });

  it('are cancelled by who took them up', async () => {
    const device = await sleepingMeter();
    order(write(5), { origin: byNode() });
    await clock.settle();
    await restart();
    const orders = taken();
    const outcomes = outcomesOf(orders);
    orders[0]?.run.cancel();
    await clock.settle();
    assert.deepEqual([outcomes.map(codeOf), stored().length], [['CANCELLED'], 0]);
    assert.deepEqual(await wake(device), []);
  });

  describe('when the server stops while the device is asked', () => {
    it('are asked again if that does no harm', async () => {
      const device = await sleepingMeter();
      order(write(5), { origin: byNode() });
      await clock.settle();
      await device.update();
      await device.expectRequest();
      await restart();
      const outcomes = outcomesOf(taken());
      device.inbox.length = 0;
      assert.deepEqual(await wake(device), ['/3311/0/5851 5']);
      assert.deepEqual(outcomes.map(codeOf), ['2.04']);
    });

    it('are never repeated if they must not be done twice: nobody knows whether they were done', async () => {
      const device = await sleepingMeter();
      order(EXECUTE, { origin: byNode() });
      await clock.settle();
      assert.equal(stored()[0]?.sent, undefined);
      await device.update();
      await device.expectRequest();
      assert.equal(stored()[0]?.sent, true);
      await restart();
      const outcomes = outcomesOf(taken());
      await clock.settle();
      const [outcome] = outcomes;
      assert.ok(outcome !== undefined && isFailure(outcome));
      assert.equal(outcome.error.code, 'TIMEOUT');
      assert.match(outcome.error.message, /nobody knows whether it did/);
      device.inbox.length = 0;
      assert.deepEqual(await wake(device), []);
      assert.equal(stored().length, 0);
    });

    it('wait on if they could not be written down as sent', async () => {
      const device = await sleepingMeter();
      const outcomes = order(EXECUTE);
      await clock.settle();
      store.orders.refusing = true;
      assert.deepEqual(await wake(device), []);
      store.orders.refusing = false;
      assert.deepEqual(await wake(device), ['/3/0/4']);
      assert.deepEqual(outcomes.map(codeOf), ['2.04']);
    });
  });

  describe('and the registration', () => {
    it('wait on when its lifetime ends, and go out when the device is back', async () => {
      const device = await harness.registered({ query: ['b=U', 'Q'], lifetime: 60 });
      await clock.advance(15_000);
      const outcomes = order(write(5));
      await clock.advance(300_000);
      assert.deepEqual(harness.topics().slice(-1), ['expired']);
      assert.deepEqual([outcomes, harness.engine.devices()[0]?.waiting], [[], 1]);
      await device.register({ endpoint: 'lamp-1', query: ['b=U', 'Q'], lifetime: 60 });
      (await device.expectRequest()).reply(CoapCode.Changed);
      await clock.settle();
      assert.deepEqual(outcomes.map(codeOf), ['2.04']);
    });

    it('say nothing more of a device that has de-registered when it answers at last, or never', async () => {
      const device = await meter();
      const answered = order(write(5));
      const request = await device.expectRequest();
      const unanswered = order(read('/3/0/0'));
      await device.deregister();
      request.reply(CoapCode.Changed);
      await clock.advance(200_000);
      assert.deepEqual(answered.map(codeOf), ['2.04']);
      assert.deepEqual(unanswered, []);
      assert.deepEqual(harness.topics(), ['registered', 'deregistered']);
    });

    it('fail when the device is cut off', async () => {
      await sleepingMeter();
      await harness.engine.provision({ endpoint: 'lamp-1' });
      const outcomes = order(write(5));
      await clock.settle();
      await harness.engine.unprovision('lamp-1');
      await clock.settle();
      assert.deepEqual([outcomes.map(codeOf), stored().length], [['NOT_REGISTERED'], 0]);
    });

    it('find the device where it is when it wakes', async () => {
      const device = await sleepingMeter();
      const outcomes = order(write(5));
      await clock.settle();
      const elsewhere = harness.device('192.0.2.99:7000');
      await elsewhere.register({ endpoint: 'lamp-1', query: ['b=U', 'Q'], lifetime: 86_400 });
      (await elsewhere.expectRequest()).reply(CoapCode.Changed);
      await clock.settle();
      assert.deepEqual([outcomes.map(codeOf), device.inbox.length], [['2.04'], 0]);
    });
  });

  describe('for the same paths', () => {
    it('only the newest goes out, and the one before says why it did not', async () => {
      const device = await sleepingMeter();
      const first = order(write(1), { user: 'Ann' });
      await clock.settle();
      const between = order(EXECUTE);
      await clock.settle();
      const second = order(write(2), { user: 'Bob' });
      await clock.settle();
      const [outcome] = first;
      assert.ok(outcome !== undefined && isFailure(outcome));
      assert.equal(outcome.error.code, 'CANCELLED');
      assert.match(outcome.error.message, /superseded by a newer order/);
      assert.equal(stored().length, 2);
      assert.deepEqual(await wake(device), ['/3/0/4', '/3311/0/5851 2']);
      assert.deepEqual([between.map(codeOf), second.map(codeOf)], [['2.04'], ['2.04']]);
    });

    it('are the newest still when it was the first to wait', async () => {
      const device = await meter();
      // The device falls asleep under the first, which comes to wait only when it was not answered.
      const first = order(write(1));
      await clock.advance(50_000);
      const second = order(write(2));
      await clock.advance(100_000);
      assert.deepEqual(first.map(codeOf), ['CANCELLED']);
      device.inbox.length = 0;
      assert.deepEqual(await wake(device), ['/3311/0/5851 2']);
      assert.deepEqual(second.map(codeOf), ['2.04']);
    });

    it('all go out when the newer one is told not to take their place', async () => {
      const device = await sleepingMeter();
      order(write(1));
      order(write(2), { supersede: false });
      await clock.settle();
      assert.deepEqual(await wake(device), ['/3311/0/5851 1', '/3311/0/5851 2']);
    });

    it('make no noise about the limit', async () => {
      await sleepingMeter();
      const outcomes = Array.from({ length: 150 }, (_, n) => order(write(n)));
      await clock.settle();
      assert.deepEqual(
        outcomes.slice(0, -1).map(([outcome]) => codeOf(outcome)),
        Array.from({ length: 149 }, () => 'CANCELLED'),
      );
      assert.equal(harness.engine.devices()[0]?.waiting, 1);
    });

    it('of many whose turn has not come are left out of the older order', async () => {
      for (let n = 0; n < 300; n += 1)
        await harness.registered({ endpoint: `d-${n}` }, `10.0.${n >> 8}.${n & 255}:5000`);
      const target = { all: true } as const;
      const superseded: string[] = [];
      const older = harness.engine.order({ target, operation: write(1) });
      older.onResult((outcome) => {
        if (isFailure(outcome) && /superseded/.test(outcome.error.message)) superseded.push(outcome.endpoint);
      });
      const newer = harness.engine.order({ target, operation: write(2) });
      await clock.settle();
      // All but the 256 that are in flight.
      assert.equal(superseded.length, 44);
      older.cancel();
      newer.cancel();
      assert.equal((await older.finished).failed, 300);
    });
  });

  it('are shown with the device: what is ordered, by whom, and how far it is', async () => {
    const device = await sleepingMeter();
    const since = clock.now();
    order(write(5), { user: 'Ann', expires: HOUR });
    await clock.settle();
    const view = () => {
      const { waiting, orders, values } = harness.engine.devices()[0] ?? {};
      return { waiting, orders, value: values?.['/3311/0/5851'] };
    };
    const shown = { operation: 'write', path: '/3311/0/5851', since, expires: since + HOUR, by: 'Ann' };
    assert.deepEqual(view(), {
      waiting: 1,
      orders: [{ ...shown, state: 'queued' }],
      value: { pending: { value: 5, at: since, by: 'Ann', state: 'queued' } },
    });
    await device.update();
    const request = await device.expectRequest();
    assert.deepEqual(view(), {
      waiting: 0,
      orders: [{ ...shown, state: 'sent' }],
      value: { pending: { value: 5, at: since, by: 'Ann', state: 'sent' } },
    });
    request.reply(CoapCode.Changed);
    await clock.settle();
    assert.deepEqual(view(), {
      waiting: 0,
      orders: [],
      value: { commanded: { value: 5, at: clock.now(), by: 'Ann' } },
    });
    const refused = order(write(7));
    (await device.expectRequest()).reply(CoapCode.BadRequest);
    await clock.settle();
    assert.deepEqual(refused.map(codeOf), ['RESPONSE']);
    assert.deepEqual(view().value?.pending?.state, 'failed');
    assert.equal(view().value?.commanded?.value, 5);
    await clock.advance(15_000);
    order(write(8), { expires: 5000 });
    await clock.advance(8000);
    assert.deepEqual([view().value?.pending?.value, view().value?.pending?.state], [8, 'expired']);
  });

  it('show at most 20 orders of a device', async () => {
    await sleepingMeter();
    for (let n = 0; n < 50; n += 1) order(read(`/3/0/${n}`));
    await clock.settle();
    const view = harness.engine.devices()[0];
    assert.deepEqual([view?.waiting, view?.orders.length, view?.orders[0]?.path], [50, 20, '/3/0/0']);
  });

  it('are refused when the right was lost while they waited, and nothing goes on the wire', async () => {
    await harness.close();
    const access = { roles: [{ name: 'all', operations: ['*'] }], users: [{ name: 'Ann', roles: ['all'] }] };
    harness = await Harness.start({ ...options(), network: harness.network, access });
    const device = await sleepingMeter();
    const mine = order(write(5), { user: 'Ann', origin: byNode() });
    const others = order(write(6), { user: 'Bob' });
    await clock.settle();
    assert.deepEqual([mine, others.map(codeOf)], [[], ['ACCESS_DENIED']]);
    await harness.close();
    harness = await Harness.start({ ...options(), network: harness.network, access: { users: [] } });
    const outcomes = outcomesOf(taken());
    assert.deepEqual(await wake(device), []);
    assert.deepEqual(outcomes.map(codeOf), ['ACCESS_DENIED']);
  });

  it('are in the audit trail when they are over, and not when the server stops', async () => {
    const device = await sleepingMeter();
    order(write(5), { user: 'Ann', origin: byNode() });
    await clock.settle();
    await restart();
    const audited = async () =>
      (await harness.engine.audit({ endpoint: 'lamp-1' })).map(({ user, operation, outcome }) => [
        user,
        operation,
        outcome,
      ]);
    assert.deepEqual(await audited(), []);
    await wake(device);
    await clock.settle();
    assert.deepEqual(await audited(), [['Ann', 'write', 'succeeded']]);
  });

  it('never wait when they are urgent', async () => {
    const device = await sleepingMeter();
    const result = harness.engine.perform('lamp-1', write(5), { urgent: true });
    (await device.expectRequest()).reply(CoapCode.Changed);
    assert.equal((await result).code, '2.04');
    assert.equal(stored().length, 0);
  });

  describe('for a suspended device', () => {
    const target = { endpoint: 'lamp-1' } as const;

    async function suspended(): Promise<ScriptedDevice> {
      const device = await harness.registered({ links: '</3/0>,</3311/0>' });
      // Without object 1 it cannot be told: it is only not let in.
      await harness.settled(harness.engine.suspend(target, { duration: 600 }).finished);
      return device;
    }

    it('wait though it has no queue mode, and go out when it is let in and heard', async () => {
      const device = await suspended();
      const outcomes = order(write(5));
      await clock.settle();
      assert.deepEqual([device.inbox.length, harness.engine.devices()[0]?.waiting], [0, 1]);
      await restart();
      assert.deepEqual([device.inbox.length, harness.engine.devices()[0]?.waiting], [0, 1]);
      await clock.advance(620_000);
      device.inbox.length = 0;
      await device.register({ endpoint: 'lamp-1' });
      (await device.expectRequest()).reply(CoapCode.Changed);
      await clock.settle();
      assert.deepEqual([outcomes.map(codeOf), stored().length], [['CANCELLED'], 0]);
    });

    it('wait on when it de-registers, as it was told', async () => {
      const device = await suspended();
      const outcomes = order(write(5));
      await clock.settle();
      await device.deregister();
      await clock.settle();
      assert.deepEqual([outcomes, stored().length], [[], 1]);
      const more = order(read('/3/0/0'));
      await clock.settle();
      assert.deepEqual([more, stored().length], [[], 2]);
    });
  });

  describe('and the time that a device is awake', () => {
    it('is its own when its record says so', async () => {
      await harness.engine.provision({ endpoint: 'lamp-2', awakeTime: 40 });
      await meter('lamp-1', '192.0.2.11:4000');
      await meter('lamp-2', '192.0.2.12:4000');
      await clock.advance(20_000);
      const seen = () => harness.engine.devices().map(({ connectivity }) => connectivity);
      assert.deepEqual(seen(), ['asleep', 'online']);
      await clock.advance(25_000);
      assert.deepEqual(seen(), ['asleep', 'asleep']);
      await assert.rejects(harness.engine.provision({ endpoint: 'lamp-2', awakeTime: 0 }), {
        code: 'INVALID_ARGUMENT',
      });
    });

    for (const awakeOnNotify of [true, false]) {
      it(`${awakeOnNotify ? 'begins' : 'does not begin'} with a notification when it is set so`, async () => {
        await harness.close();
        harness = await Harness.start({ ...options(), network: harness.network, awakeOnNotify });
        const device = await meter();
        void harness.engine.observePolicy(
          'p',
          { target: { all: true }, paths: [parsePath('/3311/0/5850')] },
          { value: () => undefined, failed: () => undefined },
        );
        const observe = await device.expectRequest();
        observe.reply(CoapCode.Content, { observe: 1, contentFormat: 0 }, '1');
        await clock.advance(15_000);
        order(write(5));
        await clock.settle();
        device.notify(observe.message.token, 2, '0', { contentFormat: 0 });
        for (let turns = 0; turns < 6; turns += 1) await clock.settle();
        const asked = device.inbox.filter(({ code }) => code === CoapCode.PUT);
        assert.equal(asked.length, awakeOnNotify ? 1 : 0);
      });
    }
  });
});
