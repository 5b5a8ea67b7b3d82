import assert from 'node:assert/strict';
import type { ServerEvent } from '../../src';
import { CoapCode } from '../../src/coap';
import { LagMeter } from '../../src/util/lag-meter';
import { Harness } from '../server/harness';
import { SimulatedClock } from '../support/simulated-clock';

describe('An engine that cannot keep up', () => {
  let harness: Harness;
  let lag: number;
  let conditions: ServerEvent[];
  /** Each registration comes from a port of its own: with the same port and message id it would be a repetition. */
  let port = 1024;

  beforeEach(async () => {
    lag = 0;
    conditions = [];
    harness = await Harness.start({
      lag: () => lag,
      maxLag: 100,
      listen: (engine) => engine.on('condition', (event) => conditions.push(event)),
    });
    for (const priority of ['low', 'normal', 'high']) {
      await harness.engine.provision({ endpoint: priority, security: { mode: 'nosec' }, priority });
    }
  });

  afterEach(() => harness.close());

  /** The code of the answer to a Register, and how long the device is told to wait. */
  async function register(endpoint: string, host = '192.0.2.20'): Promise<[code: number, maxAge: number | undefined]> {
    port += 1;
    const device = harness.device(`${host}:${port}`);
    const { code, options } = await device.register({ endpoint });
    device.close();
    return [code, options.maxAge];
  }

  async function admitted(): Promise<string[]> {
    const names: string[] = [];
    for (const endpoint of ['low', 'normal', 'high', 'unknown']) {
      const [code] = await register(endpoint);
      if (code === CoapCode.Created) names.push(endpoint);
      else assert.equal(code, CoapCode.ServiceUnavailable);
    }
    return names;
  }

  it('puts off registrations of low priority first, then normal ones and those of nobody, high ones never', async () => {
    lag = 100;
    assert.deepEqual(await admitted(), ['low', 'normal', 'high', 'unknown']);
    lag = 101;
    assert.deepEqual(await admitted(), ['normal', 'high', 'unknown']);
    lag = 201;
    assert.deepEqual(await admitted(), ['high']);
    lag = 60_000;
    assert.deepEqual(await admitted(), ['high']);
    lag = 50;
    assert.deepEqual(await admitted(), ['low', 'normal', 'high', 'unknown']);
  });

  it('never puts off an Update, nor a De-register', async () => {
    const device = harness.device();
    await device.register({ endpoint: 'low' });
    lag = 60_000;
    assert.equal((await device.update()).code, CoapCode.Changed);
    assert.equal((await device.update(['lt=100'])).code, CoapCode.Changed);
    assert.equal((await device.deregister()).code, CoapCode.Deleted);
  });

  it('spreads their return over a minute', async () => {
    lag = 150;
    const waits = new Set<number>();
    for (let n = 0; n < 400; n += 1) {
      const [code, maxAge = 0] = await register('low', `10.0.${n >> 8}.${n & 255}`);
      assert.equal(code, CoapCode.ServiceUnavailable);
      assert.ok(maxAge >= 30 && maxAge <= 90, `${maxAge}`);
      waits.add(maxAge);
    }
    assert.ok(waits.size > 50, `${waits.size} different waits`);
  });

  it('says so once at its beginning and once at its end, with numbers, and rejects with a reason', async () => {
    const { clock } = harness;
    const began = clock.now();
    lag = 150;
    await register('low', '192.0.2.21');
    lag = 420;
    await register('low', '192.0.2.22');
    await register('normal', '192.0.2.23');
    await register('high', '192.0.2.24');
    await clock.advance(3_000);
    await register('low', '192.0.2.25');
    lag = 0;
    assert.equal(conditions.length, 1);
    assert.equal(harness.engine.trouble, undefined);
    await clock.advance(4_999);
    assert.equal(conditions.length, 1);
    await clock.advance(1);
    const [trouble, recovered] = conditions.map(({ topic, payload: { message, ...numbers } }) => {
      assert.match(message, /put off/);
      return { topic, ...numbers };
    });
    const shared = { about: 'overload', code: 'OVERLOAD', since: began };
    assert.deepEqual(trouble, { topic: 'trouble', ...shared, lag: 150, putOff: { low: 1, normal: 0 } });
    assert.deepEqual(recovered, { topic: 'recovered', ...shared, lag: 420, putOff: { low: 3, normal: 1 } });
    assert.equal(conditions.length, 2);
    assert.deepEqual(
      harness.eventsOf('rejected').map(({ endpoint, payload }) => [endpoint, payload.operation, payload.reason]),
      ['low', 'low', 'normal', 'low'].map((endpoint) => [endpoint, 'register', 'overload']),
    );
    lag = 150;
    await register('low', '192.0.2.26');
    assert.deepEqual(conditions[2]?.payload.putOff, { low: 1, normal: 0 });
  });
});

describe('A storm of registrations', () => {
  it('of 10,000 devices that come together is served, every one of them', async function () {
    this.timeout(60_000);
    const harness = await Harness.start();
    const devices = Array.from({ length: 10_000 }, (_, n) => {
      const device = harness.device(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}:5000`);
      return device.register({ endpoint: `lamp-${n}` });
    });
    const answers = await Promise.all(devices);
    assert.ok(answers.every(({ code }) => code === CoapCode.Created));
    await harness.clock.settle();
    assert.equal(harness.engine.devices().length, 10_000);
    assert.equal(harness.eventsOf('registered').length, 10_000);
    await harness.close();
    assert.equal(harness.clock.timers, 0);
  });
});

describe('The lag of the event loop', () => {
  /** A clock whose timers are late by what the test says. */
  class LateClock extends SimulatedClock {
    late = 0;

    override setTimer(callback: () => void, delay: number): { cancel: () => void } {
      return super.setTimer(callback, delay + this.late);
    }
  }

  it('is the worst lateness of the last moments, and nothing is measured while nobody asks', async () => {
    const clock = new LateClock();
    const meter = new LagMeter(clock);
    assert.equal(meter.lag(), 0);
    await clock.advance(1_000);
    assert.equal(clock.timers, 0);
    clock.late = 300;
    meter.lag();
    await clock.advance(200);
    assert.equal(meter.lag(), 150);
    await clock.advance(150);
    clock.late = 0;
    assert.equal(meter.lag(), 300);
    await clock.advance(400);
    assert.equal(meter.lag(), 300);
    await clock.advance(1_100);
    assert.equal(meter.lag(), 0);
    meter.close();
    assert.equal(clock.timers, 0);
  });
});
