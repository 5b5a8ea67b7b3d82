import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InvalidArgumentError } from '../../src/errors';
import { ObjectDefinitions } from '../../src/model/object-definitions';
import { formatPath } from '../../src/model/path';
import { parsePaths, resolvePath } from '../../src/model/resolve-path';
import { greenhouse } from './definitions';

const definitions = ObjectDefinitions.builtIn();
definitions.add(greenhouse);
const resolve = (text: string): string => formatPath(resolvePath(text, definitions));
const several = (paths: string | readonly string[]): string[] => parsePaths(paths, definitions).map(formatPath);

describe('resolvePath', () => {
  const paths: [text: string, path: string][] = [
    ['/', '/'],
    ['/3311', '/3311'],
    ['/3311/0/5850', '/3311/0/5850'],
    ['3311/0/5850', '/3311/0/5850'],
    [' /3311/0 ', '/3311/0'],
    ['/Light Control/0/On\\/Off', '/3311/0/5850'],
    ['/light control/0/ON\\/OFF', '/3311/0/5850'],
    ['lightControl/0/onOff', '/3311/0/5850'],
    ['/Light Control/0/5850', '/3311/0/5850'],
    ['/3311/0/dimmer', '/3311/0/5851'],
    ['/Device/0/availablePowerSources/1', '/3/0/6/1'],
    ['lwm2mServer', '/1'],
    ['/9999/0/1', '/9999/0/1'],
    ['greenhouse/0/Water\\/Feed', '/64001/0/9'],
    ['/Connectivity Statistics/0', '/7/0'],
    ['11/0/Validity (MCC\\, MNC)', '/11/0/8'],
  ];
  for (const [text, path] of paths) it(`reads '${text}'`, () => assert.equal(resolve(text), path));

  const refused: [text: string, reason: RegExp][] = [
    ['', /it is empty/],
    ['//', /no id/],
    ['/3/0/1/2/3', /more than four/],
    ['/65535', /'65535'/],
    ['/Ligt Control/0', /no object 'Ligt Control' is known.*did you mean 'Light Control'/],
    ['/Qwertyuiop', /no object 'Qwertyuiop' is known, in the path '\/Qwertyuiop'$/],
    ['/Light Control/0/dimer', /Light Control \(\/3311\) has no resource 'dimer' \(did you mean 'Dimmer'\?\)/],
    ['/Light Control/0/On/Off', /has no resource 'On'|within a name is written/],
    ['/Light Control/on/Off', /'on' in '.*' is no instance id/],
    ['/Location/0', /several objects are named 'Location': say \/6 or \/3336/],
    ['/greenhouse/0/Mode', /several resources of Greenhouse \(\/64001\) are named 'Mode': say mode or mode11/],
    ['/9999/0/onOff', /no definition of object 9999 says/],
    ['/__proto__', /no object '__proto__'/],
    ['/3/0/constructor', /no resource 'constructor'/],
    [`/${'x'.repeat(2000)}`, /longer than 1000/],
  ];
  for (const [text, reason] of refused) {
    it(`refuses '${text.slice(0, 40)}'`, () => {
      assert.throws(
        () => resolve(text),
        (error) => error instanceof InvalidArgumentError && reason.test(error.message),
      );
    });
  }

  it('finds every resource of the registry by its key, and by its name where only one bears it', () => {
    const escape = (name: string) => name.replace(/[\\/,]/g, '\\$&');
    for (const { id, version } of ObjectDefinitions.builtIn().list()) {
      for (const resource of definitions.get(id, version)?.resources.values() ?? []) {
        const path = `/${id}/0/${resource.id}`;
        assert.equal(resolve(`/${id}/0/${resource.camelName}`), path);
        const namesakes = [...(definitions.get(id, version)?.resources.values() ?? [])].filter(
          ({ name }) => name === resource.name,
        );
        if (namesakes.length === 1) assert.equal(resolve(`${id}/0/${escape(resource.name)}`), path);
      }
    }
  });

  it('looks for a resource in older versions, too', () => {
    const two = ObjectDefinitions.empty();
    two.add(greenhouse);
    two.add({ ...greenhouse, version: '2.0', resources: new Map() });
    assert.equal(formatPath(resolvePath('greenhouse/0/ventOpen', two)), '/64001/0/0');
  });

  it('knows objects that were added and forgets those that were removed', () => {
    const changing = ObjectDefinitions.builtIn();
    assert.throws(() => resolvePath('greenhouse', changing), InvalidArgumentError);
    changing.add(greenhouse);
    assert.equal(formatPath(resolvePath('greenhouse', changing)), '/64001');
    changing.remove(64001, '1.0');
    assert.throws(() => resolvePath('greenhouse', changing), InvalidArgumentError);
  });

  it('takes or refuses whatever text it is given', () => {
    const parts = fc.constantFrom(
      '/',
      '\\',
      ',',
      ' ',
      '3',
      '0',
      '65535',
      'device',
      'Light Control',
      'on\\/off',
      '\0',
      '\u{1F600}',
      '__proto__',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(parts).map((list) => list.join('')),
        ),
        (text) => {
          for (const read of [resolve, several]) {
            try {
              read(text);
            } catch (error) {
              assert.ok(error instanceof InvalidArgumentError, String(error));
            }
          }
        },
      ),
    );
  });
});

describe('parsePaths', () => {
  const lists: [text: string | string[], paths: string[]][] = [
    ['/3/0/1', ['/3/0/1']],
    ['/3/0/1 /3/0/2', ['/3/0/1', '/3/0/2']],
    ['/3/0/1,/3/0/2', ['/3/0/1', '/3/0/2']],
    [' /3/0/1 ,\n/3/0/2, ', ['/3/0/1', '/3/0/2']],
    ['3/0/1 3/0/2', ['/3/0/1', '/3/0/2']],
    ['/Light Control/0/On\\/Off', ['/3311/0/5850']],
    ['/Light Control/0/On\\/Off /Device/0/Serial Number', ['/3311/0/5850', '/3/0/2']],
    ['Light Control/0/Dimmer, Device/0', ['/3311/0/5851', '/3/0']],
    ['lightControl/0/onOff lightControl/0/dimmer', ['/3311/0/5850', '/3311/0/5851']],
    ['/11/0/Validity (MCC\\, MNC), /3', ['/11/0/8', '/3']],
    ['/3 /3', ['/3']],
    ['/', ['/']],
    [
      ['/3/0/1', 'Light Control'],
      ['/3/0/1', '/3311'],
    ],
  ];
  for (const [text, paths] of lists) it(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(several(text), paths));

  it('refuses nothing, and lists with something that is no path', () => {
    for (const nothing of ['', ' , ', []]) assert.throws(() => several(nothing), /no path is given/);
    assert.throws(() => several('/3/0/1 /3/0/x y'), /no resource 'x y'/);
    assert.throws(() => several(['/3', '']), /it is empty/);
    assert.throws(() => several([5 as unknown as string]), /a number in the array of paths/);
  });
});
