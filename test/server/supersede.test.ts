import assert from 'node:assert/strict';
import { parsePath, type Operation } from '../../src';
import { supersedeKey } from '../../src/server';

const write = (path: string, value: unknown, mode: 'replace' | 'update' = 'replace'): Operation => ({
  operation: 'write',
  path: parsePath(path),
  value,
  mode,
});
const composite = (values: Record<string, unknown>): Operation => ({ operation: 'write-composite', values });
const read = (...paths: string[]): Operation => ({ operation: 'read', paths: paths.map(parsePath) });

describe('An order takes the place of another', () => {
  const equal: [string, Operation, Operation][] = [
    ['that writes another value to the same path', write('/3311/0/5851', 1), write('/3311/0/5851', 2)],
    ['that updates what it replaces', write('/3311/0/5851', 1, 'update'), write('/3311/0/5851', 2)],
    [
      'that updates the same resources of an instance',
      write('/3311/0', { 5850: true, 5851: 1 }, 'update'),
      write('/3311/0', { 5851: 2, 5850: false }, 'update'),
    ],
    [
      'that writes the same paths in another order',
      composite({ '/1/0/1': 1, '/1/0/2': 2 }),
      composite({ '/1/0/2': 0, '/1/0/1': 0 }),
    ],
    ['that writes its one path as a composite', composite({ '/3311/0/5851': 5 }), write('/3311/0/5851', 6)],
    ['that is an equal read', read('/3/0', '/4/0'), read('/3/0', '/4/0')],
    [
      'that sets the same attributes',
      { operation: 'write-attributes', path: parsePath('/3/0/9'), attributes: { pmin: 1, pmax: 2 } },
      { operation: 'write-attributes', path: parsePath('/3/0/9'), attributes: { pmax: 20, pmin: 10 } },
    ],
    [
      'that is an equal discover',
      { operation: 'discover', path: parsePath('/3') },
      { operation: 'discover', path: parsePath('/3') },
    ],
  ];
  for (const [words, one, other] of equal) {
    it(words, () => {
      assert.notEqual(supersedeKey(one), undefined);
      assert.equal(supersedeKey(one), supersedeKey(other));
    });
  }

  const different: [string, Operation, Operation][] = [
    ['of another path', write('/3311/0/5851', 1), write('/3311/0/5850', 1)],
    [
      'of other resources of the same instance',
      write('/3311/0', { 5850: true }, 'update'),
      write('/3311/0', { 5851: 1 }, 'update'),
    ],
    [
      'that updates what another replaces as a whole',
      write('/3311/0', { 5850: true }),
      write('/3311/0', { 5850: true }, 'update'),
    ],
    ['of more paths', composite({ '/1/0/1': 1 }), composite({ '/1/0/1': 1, '/1/0/2': 2 })],
    ['of another kind', read('/3311/0/5851'), write('/3311/0/5851', 1)],
    [
      'of other attributes',
      { operation: 'write-attributes', path: parsePath('/3/0/9'), attributes: { pmin: 1 } },
      { operation: 'write-attributes', path: parsePath('/3/0/9'), attributes: { pmax: 1 } },
    ],
  ];
  for (const [words, one, other] of different) {
    it(`but not of one ${words}`, () => assert.notEqual(supersedeKey(one), supersedeKey(other)));
  }

  const countable: Operation[] = [
    { operation: 'execute', path: parsePath('/3/0/4') },
    { operation: 'create', path: parsePath('/3311'), value: {} },
    { operation: 'delete', path: parsePath('/3311/1') },
  ];
  for (const operation of countable) {
    it(`but never of one to ${operation.operation}`, () => assert.equal(supersedeKey(operation), undefined));
  }
});
