import assert from 'node:assert/strict';
import { Engine, parsePath, simulateFleet, type DeviceEvent } from '../../src';

const KEY = '000102030405060708090a0b0c0d0e0f';

/** Over real sockets, with a DTLS implementation that is not ours. */
describe('A simulated device on node-dtls-client', () => {
  it('registers over coaps, is ordered about, and is cut off with its record', async () => {
    const engine = new Engine({ host: '127.0.0.1', coapPort: null, coapsPort: 0, noSec: 'none' });
    await engine.start();
    const [address] = engine.addresses;
    assert.equal(address?.scheme, 'coaps');
    const serverUri = `coaps://127.0.0.1:${address?.port}`;
    const events: DeviceEvent[] = [];
    const told: (() => void)[] = [];
    engine.on('device', (event) => {
      events.push(event);
      for (const wake of told.splice(0)) wake();
    });
    const heard = async (topic: string, endpoint: string): Promise<DeviceEvent> => {
      for (;;) {
        const event = events.find((e) => e.topic === topic && e.endpoint === endpoint);
        if (event !== undefined) return event;
        await new Promise<void>((resolve) => told.push(resolve));
      }
    };
    const security = { mode: 'psk', key: Buffer.from(KEY, 'hex') } as const;
    await engine.provision({ endpoint: 'lamp-1', security: { ...security, identity: 'lamp-1' }, groups: ['street'] });
    await engine.provision({ endpoint: 'lamp-2', security: { mode: 'psk', identity: 'lamp-2', key: 'ff' } });
    const fleet = simulateFleet({ kind: 'street-light', count: 2, endpointPrefix: 'lamp-', serverUri, security });
    const started = fleet.start();

    const { payload } = await heard('registered', 'lamp-1');
    assert.deepEqual((payload as { identity?: object }).identity, { mode: 'psk', name: 'lamp-1' });
    const path = parsePath('/3311/0/5850');
    const run = engine.order({
      target: { group: 'street' },
      operation: { operation: 'write', path, value: true, mode: 'replace' },
    });
    assert.equal((await run.finished).succeeded, 1);
    assert.equal((await engine.perform('lamp-1', { operation: 'read', paths: [path] })).payload, true);

    const refused = await heard('rejected', 'lamp-2');
    assert.equal((refused.payload as { reason?: string }).reason, 'identity');
    await engine.unprovision('lamp-1');
    await heard('deregistered', 'lamp-1');
    assert.deepEqual(engine.devices({ group: 'street' }), []);
    await fleet.stop();
    await started;
    await engine.close();
  });
});
