import assert from 'node:assert/strict';
import { checkRange, deviations } from '../../src/model/conformance';
import { ObjectDefinitions } from '../../src/model/object-definitions';
import { parsePath } from '../../src/model/path';
import type { ResourceType, Value } from '../../src/model/resource-value';
import { parseValueRange } from '../../src/model/value-range';
import { definitionOf, greenhouse } from './definitions';

describe('parseValueRange', () => {
  const ranges: [type: ResourceType, range: string, allowed: Value[], outside: Value[]][] = [
    ['integer', '0..100', [0, 100], [-1, 101]],
    ['integer', '0-100', [0, 100], [-1, 101]],
    ['integer', '-10 to 30', [-10, 30], [-11, 31]],
    ['integer', '1...15', [1, 15], [0, 16]],
    ['integer', '-30..-120', [-30, -120], [-29, -121]],
    ['integer', '0..3, 99', [3, 99], [4, 98]],
    ['integer', '5, 10, 15, 20', [5, 20], [6]],
    ['integer', '1: normal 2: remote 255: non_responsive', [1, 2, 255], [0, 3]],
    ['unsigned', '0: RELEASE 1: CLICK 3: DOUBLE-CLICK', [0, 3], [2]],
    ['unsigned', '0..18446744073709551615', [2n ** 64n - 1n], [2n ** 64n]],
    ['float', '0; 3.8..20.5', [0, 3.8, 20.5], [1, 20.6]],
    ['float', '-1..1', [-1, 0.5], [1.1]],
    ['string', '0..16 bytes', ['', '0123456789abcdef'], ['0123456789abcdefg', '\u00e4'.repeat(9)]],
    ['string', '1..64 Bytes', ['a'], ['']],
    ['string', '64', ['', 'a'.repeat(64)], ['a'.repeat(65)]],
    ['string', '10,26', ['a'.repeat(26)], ['a'.repeat(27)]],
    ['string', 'auto,manual', ['auto', 'manual'], ['off']],
    ['opaque', '16,32,48', [Buffer.alloc(48)], [Buffer.alloc(49)]],
    ['opaque', '0..4', [Buffer.alloc(0)], [Buffer.alloc(5)]],
  ];
  for (const [type, text, allowed, outside] of ranges) {
    it(`reads '${text}' of type ${type}`, () => {
      const range = parseValueRange(type, text);
      assert.ok(range !== undefined);
      for (const value of allowed) assert.ok(range.allows(value), String(value));
      for (const value of outside) assert.ok(!range.allows(value), String(value));
    });
  }

  it('does not guess what it cannot be sure of', () => {
    for (const text of ['255', '8-Bits', '2 Instances', '<7 to >12.5', '1 bytes', 'ON;OFF', '']) {
      assert.equal(parseValueRange('integer', text), undefined, text);
    }
    assert.equal(
      parseValueRange('string', 'The possible values are those listed in the LwM2M Core Specification'),
      undefined,
    );
    for (const type of ['boolean', 'time', 'objlnk', 'corelnk', 'none'] as const) {
      assert.equal(parseValueRange(type, '0..1'), undefined);
    }
  });

  it('reads nearly all ranges of the OMA registry', () => {
    const definitions = ObjectDefinitions.builtIn();
    const unread = definitions
      .list()
      .flatMap(({ id, version }) => [...(definitions.get(id, version)?.resources.values() ?? [])])
      .filter(({ type, range }) => range !== '' && parseValueRange(type, range) === undefined);
    assert.deepEqual([...new Set(unread.map(({ range }) => range))].sort(), [
      '0..65535', // of a boolean
      '1 bytes',
      '2 Instances',
      '2 bytes',
      '255',
      '8-Bits',
      '<7 to >12.5',
      'ON;OFF',
      'The possible values are those listed in the LwM2M Core Specification',
    ]);
  });
});

describe('checkRange', () => {
  const check = (resourceId: number, value: Value): string | undefined => {
    const definition = greenhouse.resources.get(resourceId);
    assert.ok(definition !== undefined);
    return checkRange(definition, value);
  };

  it('says what is outside of what', () => {
    assert.equal(check(1, 61), '61 is outside -20..60');
    assert.equal(check(2, 'x'.repeat(17)), 'a text of 17 bytes is outside 0..16 bytes');
    assert.equal(check(3, 5), '5 is outside 0: off 1: day 2: night');
    assert.equal(check(11, 'off'), "'off' is outside auto,manual");
  });

  it('finds nothing wrong with what is in range, or has none', () => {
    assert.deepEqual(
      [check(1, 60), check(2, 'x'), check(4, 2n ** 60n), check(0, true), check(1, null)],
      Array(5).fill(undefined),
    );
  });
});

describe('deviations', () => {
  const of = (path: string, value: Value): string[] => deviations([{ path: parsePath(path), value }], definitionOf);

  it('are none of values as defined, of unknown resources and of unknown objects', () => {
    const conforming: [string, Value][] = [
      ['/64001/0/0', true],
      ['/64001/0/1', 21],
      ['/64001/0/2/0', 'a'],
      ['/64001/0/2', null],
      ['/64001/0/3', 2],
      ['/64001/0/4', -(2n ** 63n)],
      ['/64001/0/5', Buffer.of(1)],
      ['/64001/0/6', new Date(0)],
      ['/64001/0/7/0', '3:0'],
      ['/64001/0/8', '</3>'],
      ['/64001/0/999', {} as Value],
      ['/64001/7', null],
      ['/9/9/9/9', 'x'],
    ];
    for (const [path, value] of conforming) assert.deepEqual(of(path, value), [], path);
  });

  const breaking: [path: string, value: Value, problem: RegExp][] = [
    ['/64001/0/0', 1, /^\/64001\/0\/0: Vent Open is of type boolean, not integer$/],
    ['/64001/0/1', 'hot', /of type float, not string/],
    ['/64001/0/1', 99, /out of range: 99 is outside -20..60/],
    ['/64001/0/2', 'a', /has several instances, not a single value/],
    ['/64001/0/0/0', true, /has no instances/],
    ['/64001/0/3', -1, /of type unsigned, not integer/],
    ['/64001/0/4', 1.5, /of type integer, not float/],
    ['/64001/0/4', 2n ** 63n, /of type integer, not integer|of type integer/],
    ['/64001/0/5', 'x', /of type opaque, not string/],
    ['/64001/0/6', 0, /of type time, not integer/],
    ['/64001/0/7/0', '3', /of type objlnk, not string/],
    ['/64001/0/8', Buffer.of(1), /of type corelnk, not opaque/],
    ['/64001/0/9', true, /executable and has no value/],
    ['/64001/0/10', -20, /outside -30..-120/],
  ];
  for (const [path, value, problem] of breaking) {
    it(`are told of ${typeof value} ${String(value)} at ${path}`, () => {
      const found = of(path, value);
      assert.equal(found.length, 1);
      assert.match(found[0] ?? '', problem);
    });
  }

  it('are told of a second instance of a single object and of what was not asked for', () => {
    const single = { ...greenhouse, multiple: false };
    const values = [{ path: parsePath('/64001/1/0'), value: true }];
    assert.deepEqual(
      deviations(values, () => single),
      ['/64001/1/0: Greenhouse has one instance only, 0'],
    );
    assert.deepEqual(deviations(values, definitionOf, [parsePath('/64001/0')]), ['/64001/1/0 was not asked for']);
    assert.deepEqual(deviations(values, definitionOf, [parsePath('/3'), parsePath('/64001')]), []);
  });
});
