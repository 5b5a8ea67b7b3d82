import assert from 'node:assert/strict';
import { ObjectDefinitions } from '../../src/model/object-definitions';
import { parsePath } from '../../src/model/path';
import { greenhouse } from './definitions';

const withVersion = (version: string) => ({ ...greenhouse, version });

describe('ObjectDefinitions', () => {
  it('has the objects of the OMA registry built in', () => {
    const definitions = ObjectDefinitions.builtIn();
    assert.equal(definitions.list().length, 327);
    const onOff = definitions.resource(parsePath('/3311/0/5850'));
    assert.deepEqual(
      [onOff?.name, onOff?.camelName, onOff?.type, onOff?.operations],
      ['On/Off', 'onOff', 'boolean', 'RW'],
    );
    assert.equal(definitions.resource(parsePath('/3/0/6/1'))?.multiple, true);
    assert.equal(definitions.resource(parsePath('/3/0')), undefined);
    assert.equal(definitions.get(64001), undefined);
  });

  it('takes the exact version, else the nearest of the same major, else the newest', () => {
    const definitions = ObjectDefinitions.empty();
    for (const version of ['1.0', '2.10', '1.2', '2.9', '1.5']) definitions.add(withVersion(version));
    const versionFor = (version?: string) => definitions.get(greenhouse.id, version)?.version;
    assert.equal(versionFor('1.2'), '1.2');
    assert.equal(versionFor('1.1'), '1.2', 'of two equally near the newer');
    assert.equal(versionFor('1.3'), '1.2');
    assert.equal(versionFor('1.99'), '1.5');
    assert.equal(versionFor('2.0'), '2.9');
    assert.equal(versionFor('3.0'), '2.10');
    assert.equal(versionFor(), '2.10');
    assert.equal(versionFor('nonsense'), '2.10');
    assert.deepEqual(
      definitions.list().map(({ version }) => version),
      ['2.10', '2.9', '1.5', '1.2', '1.0'],
    );
  });

  it('hides what is built in by what is added, until that is removed', () => {
    const definitions = ObjectDefinitions.builtIn();
    const device = definitions.get(3);
    assert.ok(device !== undefined);
    definitions.add({ ...device, name: 'Gadget' });
    assert.equal(definitions.get(3)?.name, 'Gadget');
    assert.equal(definitions.list().find(({ id }) => id === 3)?.name, 'Gadget');
    assert.equal(definitions.remove(3, device.version), true);
    assert.equal(definitions.get(3), device);
    assert.equal(definitions.remove(3, device.version), false, 'what is built in stays');
  });

  it('forgets an object whose only version is removed', () => {
    const definitions = ObjectDefinitions.empty();
    definitions.add(greenhouse);
    const { revision } = definitions;
    assert.equal(definitions.remove(greenhouse.id, '1.0'), true);
    assert.notEqual(definitions.revision, revision);
    assert.deepEqual([definitions.get(greenhouse.id), definitions.list()], [undefined, []]);
  });

  it('keeps what is added to one apart from another', () => {
    ObjectDefinitions.builtIn().add(greenhouse);
    assert.equal(ObjectDefinitions.builtIn().get(greenhouse.id), undefined);
  });
});
