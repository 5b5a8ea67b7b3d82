import assert from 'node:assert/strict';
import {
  InvalidArgumentError,
  isFailure,
  parsePath,
  type MemberFailure,
  type Operation,
  type OperationResult,
  type Summary,
  type Target,
} from '../../src';
import { CoapCode } from '../../src/coap';
import { Harness } from '../server/harness';
import type { ScriptedDevice } from '../support/scripted-device';

const READ: Operation = { operation: 'read', paths: [parsePath('/3311/0/5850')] };

/** Answers every request with this, for ever. */
function answering(device: ScriptedDevice, code: number, payload = ''): void {
  const next = (): void => {
    void device.expectRequest().then((request) => {
      request.reply(code, payload === '' ? {} : { contentFormat: 0 }, payload);
      next();
    });
  };
  next();
}

describe('An order', () => {
  let harness: Harness;

  beforeEach(async () => {
    harness = await Harness.start();
  });

  afterEach(async () => {
    await harness.close();
  });

  async function lamps(count: number, prefix = 'lamp'): Promise<ScriptedDevice[]> {
    const devices: ScriptedDevice[] = [];
    for (let n = 0; n < count; n += 1) {
      devices.push(await harness.registered({ endpoint: `${prefix}-${n}` }, `10.0.${n >> 8}.${n & 255}:${5000}`));
    }
    return devices;
  }

  it('to one device has one result and is not many', async () => {
    const [lamp] = await lamps(1);
    answering(lamp as ScriptedDevice, CoapCode.Content, '1');
    const run = harness.engine.order({ target: { endpoint: 'lamp-0' }, operation: READ });
    const outcomes: (OperationResult | MemberFailure)[] = [];
    run.onResult((outcome) => outcomes.push(outcome));
    const summary = await run.finished;
    assert.deepEqual([run.many, run.members], [false, ['lamp-0']]);
    assert.deepEqual(summary, {
      total: 1,
      succeeded: 1,
      failed: 0,
      queued: 0,
      expired: 0,
      results: [{ endpoint: 'lamp-0', state: 'succeeded', code: '2.05', payload: true }],
    });
    assert.equal(outcomes.length, 1);
  });

  it('to many tells of each member, failures with their code', async () => {
    const [good, bad] = await lamps(2);
    answering(good as ScriptedDevice, CoapCode.Content, '1');
    answering(bad as ScriptedDevice, CoapCode.NotFound);
    const endpoints = ['lamp-0', 'lamp-1', 'stranger', 'lamp-0'];
    const run = harness.engine.order({ target: { endpoints }, operation: READ });
    const failures: string[] = [];
    run.onResult((outcome) => {
      if (isFailure(outcome)) failures.push(`${outcome.endpoint} ${outcome.error.code}`);
    });
    const summary = await run.finished;
    assert.equal(run.many, true);
    assert.deepEqual(summary.results, [
      { endpoint: 'lamp-0', state: 'succeeded', code: '2.05', payload: true },
      { endpoint: 'lamp-1', state: 'failed', error: 'RESPONSE', code: '4.04' },
      { endpoint: 'stranger', state: 'failed', error: 'NOT_REGISTERED' },
    ]);
    assert.deepEqual([summary.succeeded, summary.failed], [1, 2]);
    assert.deepEqual(failures.sort(), ['lamp-1 RESPONSE', 'stranger NOT_REGISTERED']);
  });

  it('of an array with one member is many all the same', async () => {
    const run = harness.engine.order({ target: { endpoints: ['x'] }, operation: READ });
    assert.equal(run.many, true);
    assert.equal((await run.finished).failed, 1);
  });

  it('to nobody is complete at once', async () => {
    await lamps(1);
    for (const target of [{ selector: 'ep=none-*' }, { group: 'nobody' }, { endpoints: [] }] satisfies Target[]) {
      const run = harness.engine.order({ target, operation: READ });
      const empty: Summary = { total: 0, succeeded: 0, failed: 0, queued: 0, expired: 0, results: [] };
      assert.deepEqual(await run.finished, empty);
      assert.deepEqual([run.many, run.members], [true, []]);
    }
  });

  for (const target of [
    { selector: '' },
    { selector: 'what' },
    { group: '' },
    { endpoint: '' },
    { endpoints: [''] },
    {} as Target,
  ] satisfies Target[]) {
    it(`to ${JSON.stringify(target)} is refused`, () => {
      assert.throws(() => harness.engine.order({ target, operation: READ }), InvalidArgumentError);
    });
  }

  it('to 1,000 devices asks a bounded number of them at a time', async () => {
    const devices = await lamps(1000);
    const run = harness.engine.order({ target: { selector: 'ep=lamp-*' }, operation: READ });
    for (let turns = 0; turns < 10; turns += 1) await harness.clock.settle();
    const asked = devices.filter(({ inbox }) => inbox.length > 0).length;
    assert.ok(asked > 0 && asked <= 256, `${asked} at once`);
    for (const device of devices) answering(device, CoapCode.Content, '0');
    const summary = await run.finished;
    assert.deepEqual([summary.total, summary.succeeded], [1000, 1000]);
  });

  it('says its progress at most once a second', async () => {
    const devices = await lamps(4);
    const run = harness.engine.order({ target: { all: true }, operation: READ });
    const progress: Summary[] = [];
    run.onProgress((summary) => progress.push(summary));
    for (const device of devices.slice(0, 2)) {
      (await device.expectRequest()).reply(CoapCode.Content, { contentFormat: 0 }, '1');
    }
    await harness.clock.advance(999);
    assert.equal(progress.length, 0);
    await harness.clock.advance(1);
    assert.deepEqual(
      progress.map(({ succeeded, total }) => [succeeded, total]),
      [[2, 4]],
    );
    await harness.clock.advance(200_000);
    const summary = await run.finished;
    assert.deepEqual([summary.succeeded, summary.failed], [2, 2]);
    assert.deepEqual(
      summary.results.map(({ error }) => error),
      [undefined, undefined, 'TIMEOUT', 'TIMEOUT'],
    );
    assert.ok(progress.length <= 3);
  });

  it('is cancelled whole, by itself or by a signal', async () => {
    await lamps(300);
    const controller = new AbortController();
    const target = { all: true } as const;
    const one = harness.engine.order({ target, operation: READ });
    const two = harness.engine.order({ target, operation: READ, signal: controller.signal });
    await harness.clock.settle();
    one.cancel();
    controller.abort();
    for (const run of [one, two]) {
      const summary = await run.finished;
      assert.equal(summary.failed, 300);
      assert.ok(summary.results.every(({ error }) => error === 'CANCELLED'));
    }
    const late = harness.engine.order({ target, operation: READ, signal: controller.signal });
    assert.equal((await late.finished).failed, 300);
  });

  it('is cancelled when the engine closes, also those whose turn has not come, and no timer is left', async () => {
    await lamps(300);
    const run = harness.engine.order({ target: { all: true }, operation: READ });
    const told: string[] = [];
    run.onResult((outcome) => told.push(isFailure(outcome) ? outcome.error.code : 'succeeded'));
    run.onProgress(() => undefined);
    const parked = harness.engine.order({ target: { all: true }, operation: READ, user: 'ada', confirmation: {} });
    const single = assert.rejects(harness.engine.perform('lamp-0', READ), { code: 'CANCELLED' });
    await harness.clock.settle();
    await harness.engine.close();
    for (const { finished } of [run, parked]) {
      const { results, failed } = await finished;
      assert.equal(failed, 300);
      assert.ok(results.every(({ error }) => error === 'CANCELLED'));
    }
    assert.equal(told.length, 300);
    await single;
    const late = harness.engine.order({ target: { all: true }, operation: READ });
    assert.deepEqual(new Set((await late.finished).results.map(({ error }) => error)), new Set(['CANCELLED']));
    await assert.rejects(harness.engine.perform('lamp-0', READ), { code: 'CANCELLED' });
    assert.equal(harness.clock.timers, 0);
  });
});
