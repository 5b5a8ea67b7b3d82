import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { InvalidArgumentError } from '../../src/errors';
import { ObjectDefinitions } from '../../src/model/object-definitions';
import { parsePath } from '../../src/model/path';
import { toCompositePayload, toPayload, type Keys } from '../../src/model/payload';
import { fromCompositePayload, fromPayload } from '../../src/model/payload-input';
import { resolvePath } from '../../src/model/resolve-path';
import type { ResourceValue, Value } from '../../src/model/resource-value';
import { definitionOf } from './definitions';

const at = (path: string, value: Value, timestamp?: number): ResourceValue => ({
  path: parsePath(path),
  value,
  ...(timestamp === undefined ? {} : { timestamp }),
});
const out = (path: string, values: readonly ResourceValue[], keys: Keys = 'id'): unknown =>
  toPayload(parsePath(path), values, { keys, definitionOf });
const into = (path: string, payload: unknown): Record<string, unknown> =>
  Object.fromEntries(
    fromPayload(parsePath(path), payload, definitionOf).map(({ path: { ...ids }, value }) => [
      Object.values(ids)
        .filter((id) => id !== undefined)
        .join('/'),
      value,
    ]),
  );

describe('toPayload', () => {
  const instance = [at('/64001/0/0', true), at('/64001/0/2/0', 'a'), at('/64001/0/2/7', 'b'), at('/64001/0/999', 5)];

  it('is the bare value for a resource and a resource instance', () => {
    assert.equal(out('/64001/0/0', [at('/64001/0/0', false)]), false);
    assert.equal(out('/64001/0/2/7', [at('/64001/0/2/7', 'b')]), 'b');
    assert.equal(out('/64001/0/4', [at('/64001/0/4', 2n ** 60n)]), 2n ** 60n);
  });

  it('is keyed by resource instance id for a multiple resource', () => {
    assert.deepEqual(out('/64001/0/2', instance.slice(1, 3)), { '0': 'a', '7': 'b' });
  });

  it('is keyed by resource id for an object instance, with what the definition does not know', () => {
    assert.deepEqual(out('/64001/0', instance), { '0': true, '2': { '0': 'a', '7': 'b' }, '999': 5 });
  });

  it('is keyed by camelCase name when that is asked for', () => {
    assert.deepEqual(out('/64001/0', instance, 'name'), {
      ventOpen: true,
      bedLabels: { '0': 'a', '7': 'b' },
      '999': 5,
    });
    assert.deepEqual(out('/64001', instance, 'name'), {
      '0': { ventOpen: true, bedLabels: { '0': 'a', '7': 'b' }, '999': 5 },
    });
    assert.deepEqual(out('/', instance, 'name'), {
      greenhouse: { '0': { ventOpen: true, bedLabels: { '0': 'a', '7': 'b' }, '999': 5 } },
    });
  });

  it('is keyed by object instance id for an object, of one instance too', () => {
    assert.deepEqual(out('/64001', [at('/64001/3/0', true)]), { '3': { '0': true } });
    assert.deepEqual(out('/64001', [at('/64001/3/0', true), at('/64001/4', null)]), { '3': { '0': true }, '4': {} });
  });

  it('tells nothing from empty', () => {
    assert.equal(out('/64001/0/0', []), null);
    assert.equal(out('/64001/0/2/0', []), null);
    assert.deepEqual(out('/64001/0/2', []), {});
    assert.deepEqual(out('/64001/0/2', [at('/64001/0/2', null)]), {});
    assert.deepEqual(out('/64001/0/999', [at('/64001/0/999', null)]), {});
    assert.deepEqual(out('/64001/0', []), {});
    assert.deepEqual(out('/64001', []), {});
  });

  it('delivers values that break the definition as they were sent', () => {
    assert.equal(out('/64001/0/2', [at('/64001/0/2', 'a')]), 'a');
    assert.deepEqual(out('/64001/0/0', [at('/64001/0/0/1', true)]), { '1': true });
    assert.deepEqual(out('/64001/0/2', [at('/64001/0/2', 'a'), at('/64001/0/2/1', 'b')]), { '1': 'b' });
  });

  it('takes the newest of several values with times, wherever it stands', () => {
    assert.equal(out('/64001/0/4', [at('/64001/0/4', 2, 2000), at('/64001/0/4', 1, 1000)]), 2);
    assert.equal(out('/64001/0/4', [at('/64001/0/4', 3), at('/64001/0/4', 1, 1000)]), 3);
    assert.equal(out('/64001/0/4', [at('/64001/0/4', 1), at('/64001/0/4', 2)]), 2);
  });

  it('leaves out what lies outside the path', () => {
    assert.deepEqual(out('/64001/0', [at('/64001/1/0', true), at('/3/0/0', 'x')]), {});
  });

  it('falls back on the id when two objects have the same name', () => {
    const builtIn = ObjectDefinitions.builtIn();
    const values = [at('/6/0/0', 1), at('/3336/0/5750', 'x')];
    const payload = toPayload(parsePath('/'), values, { keys: 'name', definitionOf: (id) => builtIn.get(id) });
    assert.deepEqual(payload, { location: { '0': { latitude: 1 } }, '3336': { '0': { applicationType: 'x' } } });
  });
});

describe('toCompositePayload', () => {
  it('is keyed by the paths asked for, without those the device does not have', () => {
    const paths = ['/3/0/0', '/64001/0', '/64001/0/0', '/64001/0/2', '/5'].map(parsePath);
    const values = [at('/64001/0/0', true), at('/64001/0/2/1', 'b'), at('/3/0/0', 'Acme')];
    assert.deepEqual(toCompositePayload(paths, values, { keys: 'name', definitionOf }), {
      '/3/0/0': 'Acme',
      '/64001/0': { ventOpen: true, bedLabels: { '1': 'b' } },
      '/64001/0/0': true,
      '/64001/0/2': { '1': 'b' },
    });
  });
});

describe('fromPayload', () => {
  it('takes ids, keys and names in any mix', () => {
    assert.deepEqual(
      into('/64001/0', { '4': 1, ventOpen: 1, 'Target & Mean Temperature': '21.5', 'water/feed': 'x' }),
      {
        '64001/0/4': 1,
        '64001/0/0': true,
        '64001/0/1': 21.5,
        '64001/0/9': 'x',
      },
    );
  });

  it('takes a multiple resource as object or array', () => {
    assert.deepEqual(into('/64001/0/2', ['a', 'b']), { '64001/0/2/0': 'a', '64001/0/2/1': 'b' });
    assert.deepEqual(into('/64001/0/2', { '7': 'a' }), { '64001/0/2/7': 'a' });
    assert.deepEqual(into('/64001/0/2/7', 'a'), { '64001/0/2/7': 'a' });
    assert.deepEqual(into('/64001/0', { bedLabels: ['a'] }), { '64001/0/2/0': 'a' });
  });

  it('takes an object keyed by instance id at object level', () => {
    assert.deepEqual(into('/64001', { '0': { ventOpen: true }, '5': {} }), { '64001/0/0': true, '64001/5': null });
  });

  it('takes what is empty as one value, null', () => {
    assert.deepEqual(into('/64001/0', {}), { '64001/0': null });
    assert.deepEqual(into('/64001/0/2', []), { '64001/0/2': null });
    assert.deepEqual(into('/64001/0/2', {}), { '64001/0/2': null });
  });

  it('goes by what a value is when no definition says', () => {
    assert.deepEqual(into('/9/0', { '0': 1.5, '1': ['a'], '2': { '3': true }, '4': { type: 'Buffer', data: [1] } }), {
      '9/0/0': 1.5,
      '9/0/1/0': 'a',
      '9/0/2/3': true,
      '9/0/4': Buffer.of(1),
    });
  });

  it('takes what a function node makes', () => {
    assert.deepEqual(into('/64001/0', runInNewContext('({ ventOpen: true, bedLabels: ["a"] })')), {
      '64001/0/0': true,
      '64001/0/2/0': 'a',
    });
  });

  const refused: [path: string, payload: unknown, reason: RegExp][] = [
    ['/', {}, /nothing can be written at \//],
    ['/64001', 5, /Greenhouse \(\/64001\) takes an object keyed by instance id, not 5/],
    ['/64001', { x: {} }, /'x' is no instance id/],
    ['/64001/0', 5, /Greenhouse \(\/64001\/0\) takes an object keyed by resource, .* not 5/],
    ['/64001/0', [1], /not an array/],
    ['/64001/0', Buffer.of(1), /not a Buffer/],
    ['/64001/0', new Map(), /not an object/],
    ['/64001/0', { ventOpn: true }, /Greenhouse \(\/64001\) has no resource 'ventOpn' \(did you mean 'Vent Open'\?\)/],
    ['/64001/0', { '65535': true }, /has no resource '65535'/],
    ['/64001/0', { '0': true, ventOpen: true }, /resource 0 twice/],
    ['/64001/0', { Mode: 1 }, /several resources .* named 'Mode': say mode or mode11/],
    ['/64001/0', { ventOpen: undefined }, /Vent Open \(\/64001\/0\/0\): undefined is not true or false/],
    ['/64001/0', { ventOpen: null }, /null is not true or false/],
    ['/64001/0/0', { '0': true }, /Vent Open \(\/64001\/0\/0\): an object is not true or false/],
    ['/64001/0/2', 'a', /Bed Labels \(\/64001\/0\/2\) has several instances: give an array .* not 'a'/],
    ['/64001/0/2', { a: 'b' }, /'a' is no instance id/],
    ['/64001/0/2', [undefined], /Bed Labels \(\/64001\/0\/2\/0\): undefined is not a text/],
    ['/9/0', { onOff: true }, /no definition of object 9 says which resource 'onOff' is/],
    ['/9/0/0', null, /\/9\/0\/0: null is not a value/],
  ];
  for (const [path, payload, reason] of refused) {
    it(`refuses ${JSON.stringify(payload) ?? 'undefined'} at ${path}`, () => {
      assert.throws(
        () => fromPayload(parsePath(path), payload, definitionOf),
        (error) => error instanceof InvalidArgumentError && reason.test(error.message),
      );
    });
  }

  it('is not led astray by names of the prototype', () => {
    for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
      const payload: unknown = JSON.parse(`{ ${JSON.stringify(key)}: { "polluted": true } }`);
      for (const path of ['/64001', '/64001/0', '/64001/0/2', '/9/0', '/9/0/1']) {
        assert.throws(() => fromPayload(parsePath(path), payload, definitionOf), InvalidArgumentError);
      }
      assert.throws(() => fromCompositePayload(payload, definitionOf), InvalidArgumentError);
    }
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
});

describe('fromCompositePayload', () => {
  it('takes an object keyed by paths at every level, where null removes', () => {
    const payload = { '/64001/0/0': 'true', '/64001/1': { bedLabels: { '0': 'a', '1': null } }, '/64001/0/2/3': null };
    assert.deepEqual(fromCompositePayload(payload, definitionOf), [
      at('/64001/0/0', true),
      at('/64001/1/2/0', 'a'),
      at('/64001/1/2/1', null),
      at('/64001/0/2/3', null),
    ]);
  });

  it('takes names in paths from a resolver that knows them', () => {
    const definitions = ObjectDefinitions.builtIn();
    const values = fromCompositePayload(
      { 'lightControl/0/onOff': true, '/3311/0/5851': 50 },
      (id) => definitions.get(id),
      (text) => resolvePath(text, definitions),
    );
    assert.deepEqual(values, [at('/3311/0/5850', true), at('/3311/0/5851', 50)]);
  });

  it('refuses what says nothing, says it twice or is no such object', () => {
    assert.throws(() => fromCompositePayload({}, definitionOf), /without any path/);
    for (const empty of [{ '/64001/0': {} }, { '/64001/0/2': [] }, { '/64001': { '0': {} } }]) {
      assert.throws(() => fromCompositePayload(empty, definitionOf), /is given nothing to write \(null removes\)/);
    }
    assert.throws(() => fromCompositePayload(5, definitionOf), /takes an object keyed by paths, not 5/);
    assert.throws(() => fromCompositePayload({ '64001/0/0': 1 }, definitionOf), /does not start with/);
    assert.throws(
      () => fromCompositePayload({ '/64001/0': { '0': 1 }, '/64001/0/0': 0 }, definitionOf),
      /written twice/,
    );
  });
});
