import assert from 'node:assert/strict';
import { ObjectDefinitions, parsePath } from '../../src/model';
import { DeviceModel } from '../../src/server/device-model';

describe('The model of a device', () => {
  it('follows what is added to the definitions and taken away again', () => {
    const definitions = ObjectDefinitions.builtIn();
    const model = new DeviceModel(definitions, { objects: [], rootPath: [], contentFormats: [] });
    const path = parsePath('/3/0/9');
    const device = definitions.get(3);
    const battery = device?.resources.get(9);
    assert.ok(device !== undefined && battery !== undefined);
    assert.equal(model.typeOf(path), 'integer');
    definitions.add({ ...device, resources: new Map([[9, { ...battery, type: 'float' }]]) });
    assert.equal(model.typeOf(path), 'float');
    definitions.remove(3, device.version);
    assert.equal(model.typeOf(path), 'integer');
  });

  it('knows an object that was not known when it was asked first', () => {
    const definitions = ObjectDefinitions.builtIn();
    const model = new DeviceModel(definitions, { objects: [], rootPath: [], contentFormats: [] });
    const device = definitions.get(3);
    assert.ok(device !== undefined);
    assert.equal(model.definitionOf(50_001), undefined);
    definitions.add({ ...device, id: 50_001 });
    assert.equal(model.definitionOf(50_001)?.id, 50_001);
  });
});
