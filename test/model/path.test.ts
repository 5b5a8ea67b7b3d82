import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InvalidArgumentError } from '../../src/errors';
import { formatPath, parsePath, pathContains, pathEquals, pathIds, pathLevel, pathOf } from '../../src/model/path';

const ids = fc.array(fc.nat({ max: 65534 }), { maxLength: 4 });

describe('a path', () => {
  it('comes back from its text', () => {
    fc.assert(
      fc.property(ids, (list) => {
        const path = pathOf(...list);
        assert.deepEqual(pathIds(parsePath(formatPath(path))), list);
        assert.ok(pathEquals(parsePath(formatPath(path)), path));
      }),
    );
  });

  it('contains what begins with its ids, and nothing else', () => {
    const few = fc.array(fc.nat({ max: 1 }), { maxLength: 4 });
    fc.assert(
      fc.property(few, few, (outer, inner) => {
        const expected = outer.every((id, index) => inner[index] === id);
        assert.equal(pathContains(pathOf(...outer), pathOf(...inner)), expected);
        assert.equal(pathEquals(pathOf(...outer), pathOf(...inner)), expected && outer.length === inner.length);
      }),
    );
  });

  it('has a level', () => {
    const levels = ['/', '/3', '/3/0', '/3/0/6', '/3/0/6/1'].map((text) => pathLevel(parsePath(text)));
    assert.deepEqual(levels, ['root', 'object', 'object-instance', 'resource', 'resource-instance']);
  });

  for (const text of [
    '',
    '3',
    '/3/',
    '//',
    '/3/0/1/2/3',
    '/65535',
    '/03',
    '/-1',
    '/1.5',
    '/a',
    '/3 /4',
    '/__proto__',
  ]) {
    it(`is not '${text}'`, () => assert.throws(() => parsePath(text), InvalidArgumentError));
  }
});
