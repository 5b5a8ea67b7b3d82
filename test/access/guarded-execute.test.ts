import assert from 'node:assert/strict';
import {
  parsePath,
  type AccessSettings,
  type Condition,
  type ExecuteOperation,
  type Order,
  type Summary,
} from '../../src';
import { CoapCode } from '../../src/coap';
import { Harness, pathOfRequest } from '../server/harness';
import { SimulatedClock } from '../support/simulated-clock';

const SPEED: Condition = { path: parsePath('/6/0/6'), test: 'eq', value: 0 };

const stop = (...conditions: Condition[]): ExecuteOperation => ({
  operation: 'execute',
  path: parsePath('/3/0/4'),
  conditions,
});

describe('A guarded execute', () => {
  let harness: Harness;
  let asked: string[];
  /** What the car answers to a read, by path; a number is a refusal. */
  let values: Record<string, string | number>;

  async function start(access?: AccessSettings): Promise<void> {
    harness = await Harness.start({ clock: new SimulatedClock(), access });
    asked = [];
    values = { '/6/0/6': '0' };
    const device = await harness.registered({ endpoint: 'car-1', links: '</3/0>,</6/0>', lifetime: 864_000 });
    const next = (): void => {
      void device.expectRequest().then((request) => {
        next();
        const path = pathOfRequest(request.message);
        asked.push(path);
        const value = values[path];
        if (request.message.code === CoapCode.POST) request.reply(CoapCode.Changed);
        else if (typeof value === 'string') request.reply(CoapCode.Content, { contentFormat: 0 }, value);
        else request.reply(value ?? CoapCode.NotFound);
      });
    };
    next();
  }

  beforeEach(() => start());
  afterEach(() => harness.close());

  const perform = (operation: ExecuteOperation): Promise<unknown> => {
    const result = harness.engine.perform('car-1', operation);
    result.catch(() => undefined);
    return harness.settled(result);
  };

  describe('with a condition', () => {
    it('reads the value from the device right before, and executes when it holds', async () => {
      await perform(stop(SPEED));
      assert.deepEqual(asked, ['/6/0/6', '/3/0/4']);
      values['/6/0/6'] = '12.5';
      await assert.rejects(perform(stop(SPEED)), {
        code: 'PRECONDITION',
        message: '/6/0/6 eq 0 does not hold on car-1',
      });
      assert.deepEqual(asked.slice(2), ['/6/0/6']);
    });

    const matrix: readonly [
      value: string | number,
      test: Condition['test'],
      wanted: Condition['value'],
      holds: boolean,
    ][] = [
      ['0', 'eq', 0, true],
      ['-0', 'eq', 0, true],
      ['0.1', 'eq', 0, false],
      ['0.1', 'ne', 0, true],
      ['0', 'ne', 0, false],
      ['2', 'lt', 3, true],
      ['3', 'lt', 3, false],
      ['3', 'le', 3, true],
      ['4', 'le', 3, false],
      ['4', 'gt', 3, true],
      ['3', 'gt', 3, false],
      ['3', 'ge', 3, true],
      ['2', 'ge', 3, false],
      ['0', 'eq', false, false],
      ['0', 'ne', 'abc', false],
      [CoapCode.NotFound, 'ne', 1, false],
      [CoapCode.Unauthorized, 'eq', 0, false],
    ];
    for (const [value, test, wanted, holds] of matrix) {
      it(`${String(value)} ${test} ${JSON.stringify(wanted)} ${holds ? 'holds' : 'does not hold'}`, async () => {
        values['/6/0/6'] = value;
        const result = perform(stop({ ...SPEED, test, value: wanted }));
        if (holds) await result;
        else await assert.rejects(result, { code: 'PRECONDITION' });
        assert.deepEqual(asked, holds ? ['/6/0/6', '/3/0/4'] : ['/6/0/6']);
      });
    }

    it('needs all of several, and stops at the first that does not hold', async () => {
      values['/3/0/9'] = '50';
      const battery: Condition = { path: parsePath('/3/0/9'), test: 'ge', value: 60 };
      await assert.rejects(perform(stop(battery, SPEED)), /\/3\/0\/9 ge 60 does not hold/);
      assert.deepEqual(asked, ['/3/0/9']);
    });

    it('compares texts and booleans', async () => {
      values['/3/0/0'] = 'Acme';
      await perform(stop({ path: parsePath('/3/0/0'), test: 'eq', value: 'Acme' }));
      await assert.rejects(perform(stop({ path: parsePath('/3/0/0'), test: 'ne', value: 'Acme' })), {
        code: 'PRECONDITION',
      });
    });

    it('chosen by who orders tells him nothing of a value that he may not read; a guard of others does not need that', async () => {
      const roles = [
        { name: 'stops', operations: ['execute'], paths: ['/3/0/4'] },
        { name: 'sees', operations: ['read'], paths: ['/6'] },
      ];
      await harness.close();
      await start({ roles, users: [{ name: 'tom', roles: ['stops'] }] });
      const order = (condition: Condition) => harness.engine.perform('car-1', stop(condition), { user: 'tom' });
      await assert.rejects(order({ ...SPEED, isOfUser: true }), {
        code: 'ACCESS_DENIED',
        message: 'tom may not read /6/0/6 on car-1: needs a role or grant with read',
      });
      assert.deepEqual(asked, []);
      await harness.settled(order(SPEED));
      harness.engine.setAccess({ roles, users: [{ name: 'tom', roles: ['stops', 'sees'] }] });
      await harness.settled(order({ ...SPEED, isOfUser: true }));
      assert.deepEqual(asked, ['/6/0/6', '/3/0/4', '/6/0/6', '/3/0/4']);
    });

    const wrong: readonly [condition: object, text: RegExp][] = [
      [{ path: parsePath('/6/0') }, /a condition is on a resource, not on \/6\/0/],
      [{ test: 'about' }, /a condition's test must be one of/],
      [{ value: NaN }, /a condition's value must be/],
      [{ value: null }, /a condition's value must be/],
      [{ value: 'x', test: 'lt' }, /only numbers are compared by lt/],
      [{ maxAge: -1 }, /maxAge/],
    ];
    for (const [change, text] of wrong) {
      it(`that cannot be is refused before anything is sent: ${JSON.stringify(change)}`, async () => {
        await assert.rejects(perform(stop({ ...SPEED, ...change })), (error: Error & { code?: string }) => {
          assert.equal(error.code, 'INVALID_ARGUMENT');
          assert.match(error.message, text);
          return true;
        });
        assert.deepEqual(asked, []);
      });
    }
  });

  describe('with a second person', () => {
    const order = (change: Partial<Order> = {}) => {
      const run = harness.engine.order({
        target: { endpoint: 'car-1' },
        operation: stop(),
        user: 'tom',
        confirmation: {},
        ...change,
      });
      return run;
    };
    const outcome = async (finished: Promise<Summary>): Promise<string | undefined> => {
      const { results } = await harness.settled(finished);
      return results[0]?.error ?? results[0]?.state;
    };

    it('waits until another person agrees, then goes out', async () => {
      const run = order();
      await harness.clock.advance(60_000);
      assert.deepEqual(asked, []);
      const { id, user, members } = run.confirmation ?? assert.fail('it waits for nobody');
      assert.deepEqual([user, members], ['tom', ['car-1']]);
      assert.deepEqual(
        harness.engine.confirmations().map((waiting) => waiting.id),
        [id],
      );
      harness.engine.confirm(id, { user: 'ada' });
      assert.equal(await outcome(run.finished), 'succeeded');
      assert.deepEqual(asked, ['/3/0/4']);
      assert.throws(() => harness.engine.confirm(id, { user: 'ada' }), { code: 'INVALID_ARGUMENT' });
      const trail = (await harness.engine.audit()).map((entry) => `${entry.user} ${entry.operation} ${entry.outcome}`);
      assert.deepEqual(trail, ['tom execute succeeded', 'ada confirm succeeded']);
    });

    it('is not confirmed by the same person, by nobody, or by one who is not asked', async () => {
      const run = order({ confirmation: { by: ['eve'] } });
      const id = run.confirmation?.id ?? '';
      for (const user of ['tom', undefined, 'ada']) {
        assert.throws(() => harness.engine.confirm(id, { user }), { code: 'ACCESS_DENIED' }, user);
      }
      assert.deepEqual(asked, []);
      harness.engine.confirm(id, { user: 'eve' });
      assert.equal(await outcome(run.finished), 'succeeded');
    });

    it('is not confirmed by one who may not do it himself; and who may not order it is denied at once', async () => {
      await harness.close();
      await start({
        roles: [{ name: 'driver', operations: ['execute'] }],
        users: ['tom', 'ada'].map((name) => ({ name, roles: ['driver'] })),
      });
      const run = order();
      const id = run.confirmation?.id ?? '';
      assert.throws(() => harness.engine.confirm(id, { user: 'eve' }), /eve may not execute \/3\/0\/4 on car-1/);
      harness.engine.confirm(id, { user: 'ada' });
      assert.equal(await outcome(run.finished), 'succeeded');
      const denied = order({ user: 'eve' });
      assert.equal(denied.confirmation, undefined);
      assert.equal(await outcome(denied.finished), 'ACCESS_DENIED');
    });

    it('is needed whenever the right to order begins: what was denied when it was given goes out to nobody', async () => {
      await harness.close();
      await start({});
      const others = Array.from({ length: 300 }, (_, n) => `bus-${n}`);
      const run = order({ target: { endpoints: [...others, 'car-1'] } });
      assert.equal(run.confirmation, undefined);
      // The first of them fail, and before the turn of the last he may.
      run.onResult(() => harness.engine.setAccess(undefined));
      const { failed, results } = await harness.settled(run.finished);
      assert.deepEqual([failed, results.at(-1)?.error, asked], [301, 'ACCESS_DENIED', []]);
      assert.equal((await harness.engine.audit({ outcome: 'denied', limit: 1000 })).length, 301);
    });

    it('asks the rights and conditions again when it goes out', async () => {
      const run = order({ operation: stop(SPEED) });
      values['/6/0/6'] = '30';
      harness.engine.confirm(run.confirmation?.id ?? '', { user: 'ada' });
      assert.equal(await outcome(run.finished), 'PRECONDITION');
      assert.deepEqual(asked, ['/6/0/6']);
    });

    it('expires, and can be cancelled; then nobody can confirm it', async () => {
      const late = order({ confirmation: { within: 10_000 } });
      await harness.clock.advance(10_000);
      assert.equal(await outcome(late.finished), 'QUEUE_EXPIRED');
      const cancelled = order();
      cancelled.cancel();
      assert.equal(await outcome(cancelled.finished), 'CANCELLED');
      for (const { confirmation } of [late, cancelled]) {
        assert.throws(() => harness.engine.confirm(confirmation?.id ?? '', { user: 'ada' }), {
          code: 'INVALID_ARGUMENT',
        });
      }
      assert.deepEqual([asked, harness.engine.confirmations()], [[], []]);
      assert.equal((await harness.engine.audit({ outcome: 'expired' })).length, 1);
    });

    it('needs to know who the first one is', () => {
      assert.throws(() => order({ user: undefined }), /a second person needs a first one/);
    });
  });
});
