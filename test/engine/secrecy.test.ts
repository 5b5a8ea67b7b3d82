import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { parsePath } from '../../src';
import { MemoryStore } from '../../src/store/memory-store';
import { SimulatedClock } from '../support/simulated-clock';
import { newKeyPair } from '../support/key-pair';
import { SecureFixture } from './secure-fixture';

const KEYS = ['5ec0de5ec0de5ec0de5ec0de5ec0de01', 'c0ffee11c0ffee22c0ffee33c0ffee44', '0badcafe0badcafe'];

/** How a key may look in a text: hex, base64, as it is, and as Node and JSON write a Buffer. */
function looksOf(key: Buffer): string[] {
  const bytes = [...key];
  return [
    key.toString('hex'),
    key.toString('hex').toUpperCase(),
    key.toString('base64').replace(/=+$/, ''),
    key.toString('base64url'),
    key.toString('latin1'),
    bytes.join(','),
    bytes.join(', '),
    (key.toString('hex').match(/../g) ?? []).join(' '),
  ];
}

describe('Keys', () => {
  it('are in nothing that the engine says, shows or logs', async () => {
    const clock = new SimulatedClock();
    const store = new MemoryStore(clock);
    const { privateKey } = newKeyPair();
    const secret = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    const fixture = await SecureFixture.start({ store, credentials: { privateKey: secret } }, clock);
    const { engine } = fixture;
    const said: unknown[] = [];
    const attempt = async (action: Promise<unknown>): Promise<void> => {
      said.push(await action.catch((error: unknown) => error));
    };

    const [first = '', second = '', third = ''] = KEYS;
    const psk = (key: unknown): object => ({ endpoint: 'lamp-1', security: { mode: 'psk', identity: 'id', key } });
    await attempt(engine.provision(psk(first), { user: 'ann' }));
    const connect = (key: string, port: number) =>
      fixture.device(`192.0.2.10:${port}`, { psk: { identity: 'id', key: Buffer.from(key, 'hex') } });
    const device = await connect(first, 1);
    await device.register({ endpoint: 'lamp-1' });
    await fixture.settle();
    await connect(third, 2);
    await attempt(engine.provision(psk(Buffer.from(second, 'hex'))));
    await fixture.settle();
    const again = await connect(second, 3);
    await again.register({ endpoint: 'lamp-1' });
    await attempt(engine.provision({ ...psk(third), endpoint: 'lamp-2' }));
    await attempt(engine.provision({ ...psk(third), labels: 7 }));
    await attempt(engine.provision(psk(`${third}0`)));
    await attempt(engine.provision(psk({ data: third })));
    await attempt(engine.provision({ endpoint: 'x', security: { mode: 'rpk', publicKey: secret } }));
    await attempt(engine.provision({ endpoint: 'x', security: { mode: 'nosec', key: third } }));
    await attempt(engine.perform('lamp-1', { operation: 'discover', path: parsePath('/0') }));
    store.devices.put = () => {
      throw new Error('a fault');
    };
    await attempt(engine.provision(psk(third)));
    await attempt(engine.provisioned('lamp-1'));
    await attempt(engine.provisionedDevices());
    said.push(engine.devices(), engine.addresses, engine.serverPublicKey, engine.searchDevices('', 9));
    await attempt(engine.unprovision('lamp-1'));
    await fixture.settle();
    await engine.close();
    said.push(fixture.events, fixture.logged);

    const everything = said
      .map((thing) => `${inspect(thing, { depth: 20, maxArrayLength: null })} ${jsonOf(thing)}`)
      .join('\n');
    // What was looked through is what there is to see.
    for (const word of ['registered', 'deregistered', 'rejected', 'lamp-1', 'ann', 'INVALID_ARGUMENT', 'handshake']) {
      assert.match(everything, new RegExp(word));
    }
    const der = privateKey.export({ format: 'jwk' }).d ?? '';
    const scalar = Buffer.from(der, 'base64url');
    for (const key of [...KEYS.map((hex) => Buffer.from(hex, 'hex')), scalar]) {
      for (const look of looksOf(key))
        assert.ok(!everything.includes(look), `a key is shown as ${look.slice(0, 6)}...`);
    }
    assert.doesNotMatch(everything, /PRIVATE KEY-----/);
    const [, line = ''] = secret.split('\n');
    assert.ok(!everything.includes(line));
  });
});

function jsonOf(thing: unknown): string {
  const text =
    thing instanceof Error ? { ...thing, message: thing.message, stack: thing.stack, cause: thing.cause } : thing;
  return JSON.stringify(text) ?? '';
}
