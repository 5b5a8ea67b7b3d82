import assert from 'node:assert/strict';
import { readServerSettings } from '../../nodes/lwm2m-server/server-settings';
import { fingerprintOf } from '../../nodes/shared/fingerprint';
import { InvalidArgumentError } from '../../src/index';

function read(config: Record<string, unknown>, credentials = {}): ReturnType<typeof readServerSettings> {
  return readServerSettings({ id: 's', type: 'lwm2m-server', name: '', z: '', ...config }, '/user/dir', credentials);
}

describe('settings of a server node', () => {
  it('have the defaults of the contract', () => {
    assert.deepEqual(read({}), {
      engine: {
        host: '::',
        coapPort: 5683,
        coapsPort: 5684,
        noSec: 'loopback',
        lifetimeMin: undefined,
        lifetimeMax: undefined,
        awakeTime: undefined,
        awakeOnNotify: undefined,
        mismatchGrace: undefined,
        objectsDir: undefined,
        profiles: undefined,
      },
      store: 'sqlite',
      directory: '/user/dir/lwm2m/s',
      credentials: { privateKey: undefined, certificate: undefined, trustAnchors: undefined },
    });
  });

  it('take an empty port for off', () => {
    for (const port of ['', '  ', null]) {
      const { coapPort, coapsPort } = read({ coapPort: port, coapsPort: port }).engine;
      assert.deepEqual([coapPort, coapsPort], [null, null]);
    }
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

  it('keep what must outlive the server where they are told to', () => {
    assert.equal(read({ storePath: 'city' }).directory, '/user/dir/city');
    assert.equal(read({ storePath: '/var/lib/city' }).directory, '/var/lib/city');
  });

  it('leave out credentials that are empty, and have another fingerprint with others, which shows none of them', () => {
    const privateKey = '-----BEGIN PRIVATE KEY-----';
    assert.deepEqual(read({}, { privateKey, certificate: ' ' }).credentials, {
      privateKey,
      certificate: undefined,
      trustAnchors: undefined,
    });
    const prints = [{}, { privateKey }, { privateKey: `${privateKey}2` }].map((credentials) =>
      fingerprintOf(read({}, credentials)),
    );
    assert.equal(new Set(prints).size, 3);
    assert.equal(fingerprintOf(read({}, { privateKey })), prints[1]);
    for (const print of prints) assert.match(print, /^[0-9a-f]{64}$/);
  });

  it('say what the engine is to do with sleepy devices, and with those that do something else than they were told', () => {
    const { engine } = read({ awakeOnNotify: false, mismatchGrace: '30' });
    assert.deepEqual([engine.awakeOnNotify, engine.mismatchGrace], [false, 30]);
    assert.equal(read({ awakeOnNotify: 'false' }).engine.awakeOnNotify, false);
    assert.equal(read({ awakeOnNotify: true }).engine.awakeOnNotify, true);
  });

  it('hold object lists by Profile ID, a line each', () => {
    const profiles = ' a3f5c1 </1/0>,</3/0>\r\n\n__proto__\t</3/0>\n';
    const { engine } = read({ profiles });
    assert.deepEqual(Object.entries(engine.profiles ?? {}), [
      ['a3f5c1', '</1/0>,</3/0>'],
      ['__proto__', '</3/0>'],
    ]);
  });

  it('never take memory for a store that is shared', () => {
    assert.equal(read({ store: '' }).store, 'sqlite');
    assert.equal(read({ store: 'memory' }).store, 'memory');
    assert.throws(() => read({ store: 'redis', redisUrl: 'redis://localhost' }), /'redis' is not available/);
  });

  const wrong: Record<string, unknown>[] = [
    { coapPort: 'coap' },
    { coapPort: '${PORT}' },
    { coapPort: 65536 },
    { coapPort: -1 },
    { coapPort: 56.83 },
    { coapsPort: 'coaps' },
    { noSec: 'everybody' },
    { store: 'paper' },
    { lifetimeMin: 'long' },
    { lifetimeMin: 0 },
    { lifetimeMax: 2 ** 32 },
    { lifetimeMin: 61, lifetimeMax: 60 },
    { awakeTime: -1 },
    { awakeOnNotify: 'sometimes' },
    { mismatchGrace: '10 s' },
    { profiles: 'a3f5c1' },
    { profiles: 'a3f5c1 </1/0>, </3/0>' },
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
