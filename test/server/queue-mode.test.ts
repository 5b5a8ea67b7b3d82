import assert from 'node:assert/strict';
import { parsePath, type Operation, type Summary } from '../../src';
import { CoapCode } from '../../src/coap';
import { Harness, pathOfRequest } from './harness';

const read = (path: string): Operation => ({ operation: 'read', paths: [parsePath(path)] });

describe('Queue mode', () => {
  let harness: Harness;

  beforeEach(async () => {
    harness = await Harness.start({ awakeTime: 10 });
  });

  afterEach(async () => {
    await harness.close();
  });

  const meter = () => harness.registered({ query: ['b=U', 'Q'], lifetime: 86_400 });

  it('says when a device falls asleep and wakes, and shows it', async () => {
    const device = await meter();
    await harness.clock.advance(9_900);
    assert.equal(harness.engine.devices()[0]?.connectivity, 'online');
    await harness.clock.advance(2_200);
    assert.equal(harness.engine.devices()[0]?.connectivity, 'asleep');
    await device.update();
    await harness.clock.settle();
    assert.equal(harness.engine.devices()[0]?.connectivity, 'online');
    assert.deepEqual(harness.topics(), ['registered', 'asleep', 'updated', 'awake']);
    await harness.clock.advance(30_000);
    assert.deepEqual(harness.topics().slice(4), ['asleep']);
  });

  it('sends at once to a device that is awake, which keeps it awake', async () => {
    const device = await meter();
    await harness.clock.advance(9_000);
    const reply = { code: CoapCode.Content, options: { contentFormat: 0 }, payload: 'Open' };
    const { result } = await harness.perform(device, read('/3/0/0'), reply);
    assert.equal(result.queuedFor, 0);
    await harness.clock.advance(9_000);
    assert.equal(harness.engine.devices()[0]?.connectivity, 'online');
  });

  it('keeps orders while the device sleeps, and sends them one at a time when it is heard', async () => {
    const device = await meter();
    await harness.clock.advance(15_000);
    const run = harness.engine.order({ target: { endpoints: ['lamp-1'] }, operation: read('/3/0/0') });
    const queued: string[] = [];
    run.onQueued((endpoint) => queued.push(endpoint));
    const progress: Summary[] = [];
    run.onProgress((summary) => progress.push(summary));
    const second = harness.engine.perform('lamp-1', read('/3/0/1'));
    await harness.clock.advance(60_000);
    assert.deepEqual([queued, device.inbox.length], [['lamp-1'], 0]);
    assert.equal(progress[0]?.queued, 1);
    assert.equal(harness.engine.devices()[0]?.waiting, 2);

    assert.equal((await device.update()).code, CoapCode.Changed);
    const one = await device.expectRequest();
    await harness.clock.settle();
    assert.deepEqual([pathOfRequest(one.message), device.inbox.length], ['/3/0/0', 0]);
    one.reply(CoapCode.Content, { contentFormat: 0 }, 'a');
    const two = await device.expectRequest();
    assert.equal(pathOfRequest(two.message), '/3/0/1');
    two.reply(CoapCode.Content, { contentFormat: 0 }, 'b');
    assert.equal((await second).queuedFor, 60_000);
    assert.equal((await run.finished).succeeded, 1);
    assert.equal(harness.engine.devices()[0]?.waiting, 0);
  });

  it('lets orders expire that waited too long', async () => {
    const device = await meter();
    await harness.clock.advance(15_000);
    const target = { endpoints: ['lamp-1'] };
    const run = harness.engine.order({ target, operation: read('/3/0/0'), expires: 30_000 });
    await harness.clock.advance(33_000);
    const summary = await run.finished;
    assert.deepEqual([summary.expired, summary.failed, summary.results[0]?.error], [1, 0, 'QUEUE_EXPIRED']);
    await device.update();
    await harness.clock.advance(1000);
    assert.equal(device.inbox.length, 0);
  });

  it('keeps orders for a day when nothing is said', async () => {
    await harness.registered({ query: ['b=U', 'Q'], lifetime: 1_000_000 });
    await harness.clock.advance(15_000);
    const run = harness.engine.order({ target: { endpoint: 'lamp-1' }, operation: read('/3/0/0') });
    let done = false;
    void run.finished.then(() => {
      done = true;
    });
    await harness.clock.advance(24 * 3600_000 - 1000);
    assert.equal(done, false);
    await harness.clock.advance(4000);
    assert.equal((await run.finished).expired, 1);
  });

  it('lets waiting orders be cancelled', async () => {
    const device = await meter();
    await harness.clock.advance(15_000);
    const run = harness.engine.order({ target: { endpoint: 'lamp-1' }, operation: read('/3/0/0') });
    await harness.clock.settle();
    run.cancel();
    assert.equal((await run.finished).results[0]?.error, 'CANCELLED');
    await device.update();
    await harness.clock.settle();
    assert.equal(device.inbox.length, 0);
  });

  it('keeps waiting orders when the device registers again, and fails them when it leaves', async () => {
    const device = await meter();
    await harness.clock.advance(15_000);
    const first = harness.engine.perform('lamp-1', read('/3/0/0'));
    await device.register({ endpoint: 'lamp-1', query: ['b=U', 'Q'], lifetime: 86_400 });
    (await device.expectRequest()).reply(CoapCode.Content, { contentFormat: 0 }, 'a');
    assert.equal((await first).payload, 'a');
    await harness.clock.advance(15_000);
    const failing = assert.rejects(harness.engine.perform('lamp-1', read('/3/0/0')), { code: 'NOT_REGISTERED' });
    await device.deregister();
    await failing;
  });

  it('sends again what got no answer when that does no harm, and fails what must not be done twice', async () => {
    const device = await meter();
    const harmless = harness.engine.perform('lamp-1', read('/3/0/0'));
    await harness.clock.advance(100_000);
    assert.equal(harness.engine.devices()[0]?.waiting, 1);
    const risky = harness.engine.perform('lamp-1', { operation: 'execute', path: parsePath('/3/0/4') });
    const failing = assert.rejects(risky, { code: 'TIMEOUT' });
    device.inbox.length = 0;
    await device.update();
    const request = await device.expectRequest();
    request.reply(CoapCode.Content, { contentFormat: 0 }, 'a');
    assert.equal((await harmless).payload, 'a');
    await harness.clock.advance(100_000);
    await failing;
  });

  it('bounds the orders that wait for one device', async () => {
    await meter();
    await harness.clock.advance(15_000);
    const outcomes: string[] = [];
    for (let n = 0; n < 150; n += 1) {
      harness.engine.perform('lamp-1', read(`/3/0/${n}`)).catch((error: { code: string }) => outcomes.push(error.code));
    }
    await harness.clock.settle();
    assert.equal(outcomes.length, 50);
    assert.equal(harness.engine.devices()[0]?.waiting, 100);
  });

  it('observes a sleeping device when it wakes', async () => {
    const device = await meter();
    await harness.clock.advance(15_000);
    const values: unknown[] = [];
    const policy = { target: { all: true as const }, paths: [parsePath('/3311/0/5851')] };
    await harness.engine.observePolicy('p', policy, {
      value: ({ payload }) => values.push(payload),
      failed: ({ error }) => assert.fail(error),
    });
    await harness.clock.advance(60_000);
    assert.equal(device.inbox.length, 0);
    await device.update();
    (await device.expectRequest()).reply(CoapCode.Content, { observe: 1, contentFormat: 0 }, '5');
    await harness.clock.settle();
    assert.deepEqual(values, [5]);
  });
});
