import assert from 'node:assert/strict';
import { Engine, parsePath, StoreError, type ServerEvent } from '../../src';
import { CoapCode, MessageType } from '../../src/coap';
import { MemoryStore } from '../../src/store/memory-store';
import { Harness } from '../server/harness';
import { MemoryNetwork } from '../support/memory-network';
import { ScriptedDevice } from '../support/scripted-device';
import { SimulatedClock } from '../support/simulated-clock';

const SERVER = '192.0.2.1:5683';
const DIMMER = parsePath('/3311/0/5851');

/** A store that is in trouble whenever the test says so. */
class FrailStore extends MemoryStore {
  trouble: string | undefined;
  /** How many of the next calls of `open` fail. */
  failingOpens = 0;
  opens = 0;
  isOpen = false;

  constructor(clock: SimulatedClock) {
    super(clock);
    const put = this.registrations.put.bind(this.registrations);
    this.registrations.put = (registration, expected) => {
      this.#guard();
      return put(registration, expected);
    };
  }

  override open(): Promise<void> {
    this.opens += 1;
    if (this.failingOpens > 0) {
      this.failingOpens -= 1;
      return Promise.reject(new StoreError('the file is locked'));
    }
    this.isOpen = true;
    return super.open();
  }

  override check(): Promise<void> {
    return this.trouble === undefined ? Promise.resolve() : Promise.reject(new StoreError(this.trouble));
  }

  override close(): Promise<void> {
    this.isOpen = false;
    return super.close();
  }

  #guard(): void {
    if (this.trouble !== undefined) throw new StoreError(this.trouble);
  }
}

async function startFrail(prepare: (store: FrailStore) => void): Promise<{
  harness: Harness;
  clock: SimulatedClock;
  store: FrailStore;
  told: (string | undefined)[];
  conditions: ServerEvent[];
}> {
  const clock = new SimulatedClock();
  const store = new FrailStore(clock);
  prepare(store);
  const told: (string | undefined)[] = [];
  const conditions: ServerEvent[] = [];
  const harness = await Harness.start({
    clock,
    store,
    listen: (engine) => {
      engine.on('trouble', (error) => told.push(error?.message));
      engine.on('condition', (event) => conditions.push(event));
    },
  });
  return { harness, clock, store, told, conditions };
}

describe('A store in trouble', () => {
  it('is answered for with 5.03 and Max-Age, never with 2.01, and told; and so is its recovery', async () => {
    const { harness, clock, store, told } = await startFrail(() => undefined);
    store.trouble = 'the disk is full';
    const device = harness.device();
    const refused = await device.register({ endpoint: 'lamp-1' });
    assert.deepEqual([refused.code, refused.options.maxAge], [CoapCode.ServiceUnavailable, 30]);
    await clock.settle();
    assert.deepEqual(harness.topics(), []);
    assert.equal(harness.engine.devices().length, 0);
    store.trouble = undefined;
    assert.equal((await device.register({ endpoint: 'lamp-1' })).code, CoapCode.Created);
    assert.deepEqual(told, ['the disk is full', undefined]);
    await harness.close();
  });

  it('that takes long to open lets those who come wait a moment, and puts them off', async () => {
    const clock = new SimulatedClock();
    const network = new MemoryNetwork(clock);
    const store = new MemoryStore(clock);
    const opened = Promise.withResolvers<void>();
    store.open = () => opened.promise;
    const engine = new Engine({ clock, store, noSec: 'any', transports: [network.transport(SERVER)] });
    const starting = engine.start();
    await clock.settle();
    const device = new ScriptedDevice(network, '192.0.2.10:4000', SERVER);
    const [early, late] = ['lamp-1', 'lamp-2'].map((endpoint, index) =>
      new ScriptedDevice(network, `192.0.2.${20 + index}:4000`, SERVER).register({ endpoint }),
    );
    await clock.advance(2_000);
    const putOff = await early;
    assert.deepEqual([putOff?.code, putOff?.options.maxAge], [CoapCode.ServiceUnavailable, 5]);
    assert.equal((await late)?.code, CoapCode.ServiceUnavailable);
    const waiting = device.register({ endpoint: 'lamp-3' });
    await clock.advance(1_000);
    opened.resolve();
    assert.equal((await waiting).code, CoapCode.Created);
    await starting;
    await engine.close();
    assert.equal(clock.timers, 0);
  });

  it('is tried by itself with growing patience, and said to be well when no device comes', async () => {
    const { harness, clock, store, told, conditions } = await startFrail(() => undefined);
    let checks = 0;
    const check = store.check.bind(store);
    store.check = () => {
      checks += 1;
      return check();
    };
    store.trouble = 'the disk is full';
    await harness.device().register({ endpoint: 'lamp-1' });
    await clock.advance(1_000 + 2_000 + 4_000 + 8_000 + 16_000);
    assert.equal(checks, 5);
    await clock.advance(60_000);
    assert.equal(checks, 7);
    assert.deepEqual(told, ['the disk is full']);
    store.trouble = undefined;
    await clock.advance(30_000);
    assert.deepEqual(told, ['the disk is full', undefined]);
    assert.deepEqual(
      conditions.map(({ topic, payload: { about, code, message } }) => [topic, about, code, message]),
      [
        ['trouble', 'store', 'STORE', 'the disk is full'],
        ['recovered', 'store', 'STORE', 'the store is well again'],
      ],
    );
    assert.equal(harness.engine.trouble, undefined);
    await clock.advance(600_000);
    assert.equal(checks, 8);
    await harness.close();
    assert.equal(clock.timers, 0);
  });

  it('says each trouble anew when it becomes another', async () => {
    const { harness, clock, store, told } = await startFrail(() => undefined);
    store.trouble = 'the disk is full';
    await harness.device().register({ endpoint: 'lamp-1' });
    store.trouble = 'the file is damaged';
    await clock.advance(1_000);
    assert.deepEqual(told, ['the disk is full', 'the file is damaged']);
    await harness.close();
  });

  it('ends no registration whose device could not update in the meantime', async () => {
    const { harness, clock, store } = await startFrail(() => undefined);
    const device = await harness.registered({ lifetime: 60 });
    store.trouble = 'the disk is full';
    await harness.device('192.0.2.11:40000').register({ endpoint: 'lamp-2' });
    await clock.advance(120_000);
    assert.equal((await device.update(['lt=61'])).code, CoapCode.ServiceUnavailable);
    store.trouble = undefined;
    await clock.advance(30_000);
    assert.equal(harness.engine.trouble, undefined);
    assert.equal((await device.update(['lt=61'])).code, CoapCode.Changed);
    await clock.advance(50_000);
    assert.deepEqual(harness.eventsOf('expired'), []);
    await clock.advance(30_000);
    assert.equal(harness.eventsOf('expired').length, 1);
    await harness.close();
  });
});

describe('A store that cannot be opened', () => {
  const closed = (store: FrailStore): void => {
    store.failingOpens = 4;
  };

  it('leaves no device without an answer, lets orders fail with STORE, and is taken up when it opens', async () => {
    const { harness, clock, store, told, conditions } = await startFrail(closed);
    const { engine } = harness;
    assert.deepEqual([engine.isServing, engine.trouble?.message], [false, 'the file is locked']);
    assert.equal(engine.addresses.length, 2);
    const device = harness.device();
    for (const answer of [
      await device.register({ endpoint: 'lamp-1' }),
      await device.request(CoapCode.POST, { uriPath: ['rd', 'abc'] }),
      await device.request(CoapCode.DELETE, { uriPath: ['rd', 'abc'] }),
      await device.request(CoapCode.POST, { uriPath: ['dp'] }, '[]'),
      await device.request(CoapCode.GET, { uriPath: ['elsewhere'] }),
    ]) {
      assert.deepEqual([answer.code, answer.options.maxAge], [CoapCode.ServiceUnavailable, 30]);
    }
    const operation = { operation: 'read' as const, paths: [DIMMER] };
    await assert.rejects(engine.perform('lamp-1', operation), { code: 'STORE', message: 'the file is locked' });
    assert.throws(() => engine.order({ target: { all: true }, operation }), { code: 'STORE' });

    await clock.advance(1_000 + 2_000 + 4_000);
    assert.deepEqual([store.opens, store.isOpen, engine.isServing], [4, false, false]);
    await clock.advance(8_000);
    assert.deepEqual([store.opens, store.isOpen, engine.isServing], [5, true, true]);
    assert.deepEqual(told, ['the file is locked', undefined]);
    assert.deepEqual(
      conditions.map(({ topic, payload }) => [topic, payload.about]),
      [
        ['trouble', 'store'],
        ['recovered', 'store'],
      ],
    );
    assert.deepEqual(harness.topics(), []);
    assert.equal((await device.register({ endpoint: 'lamp-1' })).code, CoapCode.Created);
    await harness.close();
    assert.deepEqual([store.isOpen, clock.timers], [false, 0]);
  });

  it('keeps the devices of the process before, and lets their notifications be until it knows them', async () => {
    const clock = new SimulatedClock();
    const store = new FrailStore(clock);
    const network = new MemoryNetwork(clock);
    const start = async (): Promise<Engine> => {
      const engine = new Engine({ clock, store, noSec: 'any', transports: [network.transport(SERVER)] });
      await engine.start();
      return engine;
    };
    const first = await start();
    const listener = { value: () => undefined, failed: ({ error }: { error: Error }) => assert.fail(error) };
    await first.observePolicy('p', { target: { all: true }, paths: [DIMMER] }, listener);
    const device = new ScriptedDevice(network, '192.0.2.10:4000', SERVER);
    await device.register({ endpoint: 'lamp-1' });
    const observing = device.expectRequest();
    await clock.advance(1_000);
    const observe = await observing;
    observe.reply(CoapCode.Content, { observe: 1, contentFormat: 0 }, '10');
    await clock.settle();
    await first.close();
    assert.equal(store.observations.count(), 1);

    store.failingOpens = 1;
    const second = await start();
    device.notify(observe.message.token, 2, '20', { contentFormat: 0 });
    await clock.settle();
    // No RST, which would end the observation on the device.
    assert.deepEqual(device.inbox, []);
    assert.equal((await device.update()).code, CoapCode.ServiceUnavailable);
    await clock.advance(1_000);
    assert.equal(second.isServing, true);
    device.notify(observe.message.token, 3, '30', { contentFormat: 0 });
    assert.equal((await device.expect(({ code }) => code === 0)).type, MessageType.ACK);
    assert.equal((await device.update()).code, CoapCode.Changed);
    const [view] = second.devices();
    assert.deepEqual([view?.connectivity, view?.values['/3311/0/5851']?.reported?.value], ['online', 30]);
    await second.close();
  });

  it('does not keep the engine from closing', async () => {
    const { harness, clock, store } = await startFrail((frail) => {
      frail.failingOpens = Infinity;
    });
    await clock.advance(10_000);
    await harness.close();
    assert.deepEqual([store.isOpen, clock.timers], [false, 0]);
    await clock.advance(60_000);
    assert.equal(store.opens, 4);
  });

  it('is taken up from the beginning when it fails half way, and nothing twice', async () => {
    const clock = new SimulatedClock();
    const store = new FrailStore(clock);
    const network = new MemoryNetwork(clock);
    const options = { clock, store, noSec: 'any' as const, transports: [network.transport(SERVER)] };
    const first = new Engine(options);
    await first.start();
    for (let n = 0; n < 20; n += 1) {
      const device = new ScriptedDevice(network, `192.0.2.10:${4000 + n}`, SERVER);
      await device.register({ endpoint: `lamp-${n}` });
    }
    await first.close();

    const all = store.registrations.all.bind(store.registrations);
    let failures = 2;
    store.registrations.all = function* () {
      let count = 0;
      for (const registration of all()) {
        if (failures > 0 && count === 10) {
          failures -= 1;
          throw new StoreError('the disk went away');
        }
        count += 1;
        yield registration;
      }
    };
    const second = new Engine({ ...options, transports: [network.transport(SERVER)] });
    await second.start();
    assert.deepEqual([second.isServing, store.isOpen], [false, false]);
    await clock.advance(3_000);
    assert.deepEqual([second.isServing, second.devices().length, store.opens], [true, 20, 4]);
    await second.close();
  });
});
