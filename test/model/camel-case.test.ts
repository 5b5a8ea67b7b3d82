import assert from 'node:assert/strict';
import fc from 'fast-check';
import { camelCase, camelCaseKeys } from '../../src/model/camel-case';

describe('camelCase', () => {
  const examples: [name: string, key: string][] = [
    ['On/Off', 'onOff'],
    ['Dimmer', 'dimmer'],
    ['LWM2M  Server URI', 'lwm2mServerUri'],
    ['LwM2M Server', 'lwm2mServer'],
    ['SMS Binding Secret Key(s)', 'smsBindingSecretKeys'],
    ['DefaultMinPeriod', 'defaultMinPeriod'],
    ['APNLink', 'apnLink'],
    ['5GNR Connectivity', '_5gnrConnectivity'],
    ['Group\u00a0Address', 'groupAddress'],
    ['Niveau d\u00e9tect\u00e9', 'niveauDetecte'],
    ['__proto__', 'proto'],
    ['%', ''],
  ];
  for (const [name, key] of examples) it(`makes '${key}' of '${name}'`, () => assert.equal(camelCase(name), key));

  it('makes an identifier of whatever has a letter or digit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const key = camelCase(name);
        assert.ok(key === '' || /^[_\p{L}][\p{L}\p{N}]*$/u.test(key), JSON.stringify(key));
        assert.notEqual(key, '__proto__');
      }),
    );
  });
});

describe('camelCaseKeys', () => {
  it('lets the lowest id keep a key that several names make, in any order', () => {
    const names = new Map([
      [9, 'Mode'],
      [3, 'mode'],
      [4, 'Mode 9'],
      [5, '?'],
    ]);
    const keys = camelCaseKeys(names, 'resource');
    assert.deepEqual(Object.fromEntries(keys), { 3: 'mode', 4: 'mode9', 5: 'resource5', 9: 'mode9_9' });
  });

  it('never gives a key twice', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'A', 'a 1', 'a1', 'a 11', '%', 'resource 3', '5')), (list) => {
        const keys = camelCaseKeys(new Map(list.entries()), 'resource');
        assert.equal(new Set(keys.values()).size, list.length);
      }),
    );
  });
});
