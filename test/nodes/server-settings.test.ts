import assert from 'node:assert/strict';
import { readServerSettings } from '../../nodes/lwm2m-server/server-settings';
import { InvalidArgumentError } from '../../src/index';

function read(config: Record<string, unknown>): ReturnType<typeof readServerSettings> {
  return readServerSettings({ id: 's', type: 'lwm2m-server', name: '', z: '', ...config }, '/user/dir');
}

describe('settings of a server node', () => {
  it('have the defaults of the contract', () => {
    assert.deepEqual(read({}), {
      engine: {
        host: '::',
        coapPort: 5683,
        noSec: 'loopback',
        lifetimeMin: undefined,
        lifetimeMax: undefined,
        awakeTime: undefined,
        objectsDir: undefined,
      },
      store: 'sqlite',
    });
  });

  it('take an empty port for off', () => {
    for (const coapPort of ['', '  ', null]) assert.equal(read({ coapPort }).engine.coapPort, null);
  });

  it('may be numbers as text, as an environment variable leaves them', () => {
    const { engine } = read({ coapPort: '15683', lifetimeMin: '60', lifetimeMax: '86400', awakeTime: '20.5' });
    assert.deepEqual(
      [engine.coapPort, engine.lifetimeMin, engine.lifetimeMax, engine.awakeTime],
      [15683, 60, 86400, 20.5],
    );
  });

  it('find a relative folder of objects below the user directory', () => {
    assert.equal(read({ objectsDir: 'objects' }).engine.objectsDir, '/user/dir/objects');
    assert.equal(read({ objectsDir: '/etc/objects' }).engine.objectsDir, '/etc/objects');
  });

  const wrong: Record<string, unknown>[] = [
    { coapPort: 'coap' },
    { coapPort: '${PORT}' },
    { coapPort: 65536 },
    { coapPort: -1 },
    { coapPort: 56.83 },
    { noSec: 'everybody' },
    { store: 'paper' },
    { lifetimeMin: 'long' },
    { lifetimeMin: 0 },
    { lifetimeMax: 2 ** 32 },
    { lifetimeMin: 61, lifetimeMax: 60 },
    { awakeTime: -1 },
  ];
  for (const config of wrong) {
    it(`refuse ${JSON.stringify(config)} and name it`, () => {
      const [name = ''] = Object.keys(config);
      assert.throws(
        () => read(config),
        (error) => error instanceof InvalidArgumentError && error.message.includes(name),
      );
    });
  }
});
