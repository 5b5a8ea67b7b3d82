import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseRegistrationParameters, versionOf } from '../../src/server/registration-parameters';
import { LifetimeBounds } from '../../src/server/lifetime-bounds';

describe('The parameters of Register and Update', () => {
  it('are read whole', () => {
    assert.deepEqual(
      parseRegistrationParameters(['ep=urn:dev:1', 'lt=0', 'lwm2m=1.2', 'b=UT', 'Q', 'sms=+49', 'pid=abc', 'x=y', 'z']),
      {
        endpoint: 'urn:dev:1',
        lifetime: 0,
        version: '1.2',
        binding: 'UT',
        queueMode: true,
        smsNumber: '+49',
        profileId: 'abc',
      },
    );
  });

  it('may be written as sloppily as real clients do', () => {
    assert.deepEqual(parseRegistrationParameters(['ep="a"', 'lwm2m="1.0",', 'b="U"', 'lt="60"']), {
      endpoint: 'a',
      version: '1.0',
      binding: 'U',
      lifetime: 60,
    });
  });

  it('never throw, and never set what is not theirs', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (queries) => {
        const parameters = parseRegistrationParameters([...queries, '__proto__=x', 'constructor=y']);
        assert.ok(
          Object.keys(parameters).every((key) =>
            /^(endpoint|lifetime|version|binding|queueMode|smsNumber|profileId|problem)$/.test(key),
          ),
        );
      }),
    );
  });

  it('name versions that are known, whatever their patch', () => {
    assert.deepEqual(['1.0', '1.1', '1.2', '1.0.2', '1.1.1', undefined].map(versionOf), [
      '1.0',
      '1.1',
      '1.2',
      '1.0',
      '1.1',
      '1.0',
    ]);
    assert.deepEqual(['1.3', '2.0', '1', '', '1.0.', '01.0'].map(versionOf), Array(6).fill(undefined));
  });
});

describe('Lifetimes', () => {
  it('are clamped, 0 being for ever', () => {
    const bounds = new LifetimeBounds(60, 3600);
    assert.deepEqual(
      [0, 1, 60, 3600, 3601].map((seconds) => bounds.effective(seconds)),
      [3600, 60, 60, 3600, 3600],
    );
    assert.deepEqual(
      [0, 1, 3600, 3601].map((seconds) => bounds.isAbove(seconds)),
      [true, false, false, true],
    );
    assert.equal(new LifetimeBounds().isAbove(0), false);
  });
});
