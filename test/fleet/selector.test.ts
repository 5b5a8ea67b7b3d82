import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InvalidArgumentError } from '../../src';
import { matchesGlob } from '../../src/fleet/glob';
import { parseSelector, type SelectorSubject } from '../../src/fleet/selector';

const LAMP: SelectorSubject = {
  endpoint: 'lamp-north-1',
  connectivity: 'online',
  labels: new Map([['site', 'north']]),
  groups: new Set(['main-street']),
  priority: 'low',
  has: (objectId, instance) => objectId === 3311 && (instance ?? 0) === 0,
};

describe('A selector', () => {
  for (const [text, matches] of [
    ['ep=lamp-*', true],
    ['ep=lamp-?orth-1', true],
    ['ep=lamp', false],
    ['ep=*', true],
    ['ep=lamp.north-1', false],
    ['label:site=north', true],
    ['label:site=n*', false],
    ['label:floor=1', false],
    ['group:main-street', true],
    ['group:main', false],
    ['has:/3311', true],
    ['has:/3311/0', true],
    ['has:/3311/1', false],
    ['has:/3303', false],
    ['state:online', true],
    ['state:asleep|online', true],
    ['state:offline', false],
    ['priority:low', true],
    ['priority:high', false],
    ['  ep=lamp-*   group:main-street\thas:/3311 ', true],
    ['ep=lamp-* group:other', false],
  ] as const) {
    it(`${text} ${matches ? 'matches' : 'does not match'}`, () => {
      assert.equal(parseSelector(text)(LAMP), matches);
    });
  }

  for (const text of [
    '',
    '   ',
    'lamp-1',
    'ep=',
    'ep:lamp',
    'label:site',
    'label:=x',
    'group:',
    'has:3311',
    'has:/',
    'has:/3/0/1',
    'has:/x',
    'state:on',
    'state:',
    'state:online|',
    'priority:urgent',
    'constructor:x',
    'ep=lamp-* nonsense',
  ]) {
    it(`${JSON.stringify(text)} is refused`, () => {
      assert.throws(() => parseSelector(text), InvalidArgumentError);
    });
  }
});

describe('A glob', () => {
  it('matches what the same regular expression matches', () => {
    const piece = fc.constantFrom('a', 'b', '*', '?', '.', '[');
    const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    const subject = fc.array(fc.constantFrom('a', 'b', '.', '['), { maxLength: 8 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(pattern, subject, (glob, text) => {
        const source = glob.replace(/[.[]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.');
        assert.equal(matchesGlob(glob, text), new RegExp(`^${source}$`, 's').test(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('of many stars takes no long time', () => {
    assert.equal(matchesGlob(`${'*a'.repeat(500)}b`, 'a'.repeat(2000)), false);
  });
});
