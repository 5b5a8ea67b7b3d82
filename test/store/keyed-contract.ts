import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../src/errors';
import type { KeyedStore } from '../../src/server';

/** What is put in where the type of the things does not matter. */
type Things = KeyedStore<unknown>;

export async function thingsOf(things: Things): Promise<Map<string, unknown>> {
  const all = new Map<string, unknown>();
  for await (const [id, thing] of things.all()) all.set(id, thing);
  return all;
}

const EVERYTHING = {
  text: 'ü \u{1f600} \0',
  numbers: [0, -1.5, NaN, Infinity, 2n ** 63n],
  bytes: Buffer.from('00ff', 'hex'),
  at: new Date(1_700_000_000_000),
  by: new Map<string | number, unknown>([[7, { nested: [undefined, null, true] }]]),
  ['__proto__x']: 'own',
};

/** What every `KeyedStore` promises. */
export function keyedContract(name: string, thingsIn: () => Things): void {
  describe(`for ${name}`, () => {
    it('keeps things whole, by id', async () => {
      const things = thingsIn();
      await things.put('one', EVERYTHING);
      await things.put('two', { n: 2 });
      assert.deepEqual(
        await thingsOf(things),
        new Map<string, unknown>([
          ['one', EVERYTHING],
          ['two', { n: 2 }],
        ]),
      );
      const [[, thing] = []] = await thingsOf(things);
      assert.ok(Buffer.isBuffer((thing as typeof EVERYTHING).bytes), 'a Buffer is one afterwards');
    });

    it('replaces and removes by id', async () => {
      const things = thingsIn();
      await things.put('one', { n: 1 });
      await things.put('one', { n: 2 });
      assert.deepEqual(await thingsOf(things), new Map([['one', { n: 2 }]]));
      assert.equal(await things.remove('two'), false);
      assert.equal(await things.remove('one'), true);
      assert.equal(await things.remove('one'), false);
      assert.deepEqual(await thingsOf(things), new Map());
    });

    it('keeps a thing as it was when it was given, and gives it as it is kept', async () => {
      const things = thingsIn();
      const thing = { list: [1], bytes: Buffer.from('01', 'hex') };
      const put = things.put('one', thing);
      thing.list.push(2);
      thing.bytes[0] = 9;
      await put;
      const kept = { list: [1], bytes: Buffer.from('01', 'hex') };
      const given = (await thingsOf(things)).get('one') as typeof thing;
      assert.deepEqual(given, kept);
      given.list.push(3);
      assert.deepEqual((await thingsOf(things)).get('one'), kept);
    });

    it('keeps ids apart that differ in any character', async () => {
      const things = thingsIn();
      const ids = ['a', 'a\0', 'a\0b', 'A', '', '\u0001"a"', '\ud800', '\udfff', '__proto__', 'é', 'e\u0301'];
      for (const id of ids) await things.put(id, { id });
      const all = await thingsOf(things);
      assert.deepEqual([...all.keys()].sort(), [...ids].sort());
      for (const id of ids) assert.deepEqual(all.get(id), { id });
      for (const id of ids) assert.equal(await things.remove(id), true, JSON.stringify(id));
    });

    it('lists all of many', async () => {
      const things = thingsIn();
      const ids = Array.from({ length: 1_203 }, (_unused, n) => `id-${n}`);
      await Promise.all(ids.map(async (id) => things.put(id, id)));
      const all = await thingsOf(things);
      assert.equal(all.size, ids.length);
      for (const id of ids) assert.equal(all.get(id), id);
    });

    it('settles changes of one id in the order in which they were asked for', async () => {
      const things = thingsIn();
      const outcomes = await Promise.all([
        things.put('one', 1),
        things.remove('one'),
        things.remove('one'),
        things.put('one', 2),
        things.put('one', 3),
      ]);
      assert.deepEqual(outcomes.slice(1, 3), [true, false]);
      assert.deepEqual(await thingsOf(things), new Map([['one', 3]]));
    });

    it('refuses what cannot be kept, and changes nothing', async () => {
      const things = thingsIn();
      await things.put('one', 1);
      for (const thing of [() => 1, { inside: Symbol('s') }, [Promise.resolve()]]) {
        await assert.rejects(async () => things.put('one', thing), InvalidArgumentError);
      }
      assert.deepEqual(await thingsOf(things), new Map([['one', 1]]));
    });
  });
}
