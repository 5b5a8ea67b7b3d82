import assert from 'node:assert/strict';
import { parsePath, type PeerIdentity } from '../../src';
import { CoapCode, MessageType } from '../../src/coap';
import { MemoryStore } from '../../src/store/memory-store';
import type { ScriptedDevice } from '../support/scripted-device';
import { SimulatedClock } from '../support/simulated-clock';
import { newKeyPair } from '../support/key-pair';
import { Harness } from './harness';

type Mode = PeerIdentity['mode'];

const MODES: readonly Mode[] = ['psk', 'rpk', 'x509', 'nosec'];
const OWNER_AT = '192.0.2.10:40000';
const THIEF_AT = '203.0.113.5:666';
const VALUE = Buffer.from('[{"n":"/3311/0/5851","v":66}]');

const securityOf = (endpoint: string, mode: Mode): object => {
  switch (mode) {
    case 'psk':
      return { mode, identity: `${endpoint}-psk`, key: '00112233445566778899aabbccddeeff' };
    case 'rpk':
      return { mode, publicKey: newKeyPair().spki.toString('base64') };
    case 'x509':
      return { mode, name: `${endpoint}.example.com` };
    case 'nosec':
      return { mode };
  }
};

/** What DTLS proves of a device with the record above. */
const identityOf = (endpoint: string, mode: Mode): PeerIdentity => {
  switch (mode) {
    case 'psk':
      return { mode, name: `${endpoint}-psk` };
    case 'rpk':
      return { mode, name: endpoint };
    case 'x509':
      return { mode, name: `${endpoint}.example.com` };
    case 'nosec':
      return { mode };
  }
};

/** What a thief may try, and what he is answered; `undefined`: with silence. */
type Attempt = (thief: ScriptedDevice) => Promise<number>;

const ATTEMPTS: Readonly<Record<string, Attempt>> = {
  register: async (thief) => (await thief.register({ endpoint: 'lamp-1', links: '</6/0>' })).code,
  update: async (thief) => (await thief.update(['lt=5'], '</3303/0>')).code,
  deregister: async (thief) => (await thief.deregister()).code,
  send: async (thief) => (await thief.request(CoapCode.POST, { uriPath: ['dp'], contentFormat: 110 }, VALUE)).code,
};

describe('A registration of one identity is never touched by another', () => {
  let harness: Harness;
  let store: MemoryStore;
  let owner: ScriptedDevice;
  let token: Buffer;
  let values: unknown[];

  const state = (): string =>
    JSON.stringify([[...store.registrations.all()], store.observations.of('lamp-1'), harness.engine.devices()]);

  const deviceOf = (mode: Mode, address: string, identity: PeerIdentity): ScriptedDevice =>
    mode === 'nosec' ? harness.device(address) : harness.secureDevice(address, identity);

  /** The owner is registered, and observed. */
  async function begin(mode: Mode): Promise<void> {
    const clock = new SimulatedClock();
    store = new MemoryStore(clock);
    harness = await Harness.start({ clock, store });
    await harness.engine.provision({ endpoint: 'lamp-1', security: securityOf('lamp-1', mode) });
    owner = deviceOf(mode, OWNER_AT, identityOf('lamp-1', mode));
    assert.equal((await owner.register({ endpoint: 'lamp-1' })).code, CoapCode.Created);
    values = [];
    await harness.engine.observePolicy(
      'p',
      { target: { endpoint: 'lamp-1' }, paths: [parsePath('/3311/0/5851')] },
      { value: ({ payload }) => values.push(payload), failed: ({ error }) => assert.fail(error) },
    );
    const request = await owner.expectRequest();
    request.reply(CoapCode.Content, { observe: 1, contentFormat: 0 }, '10');
    ({ token } = request.message);
    await clock.settle();
  }

  /** The owner's observation works, and so does its registration. */
  async function assertIntact(): Promise<void> {
    owner.notify(token, 2, '20', { contentFormat: 0 });
    await harness.clock.settle();
    assert.deepEqual(values, [10, 20]);
    assert.equal((await owner.update()).code, CoapCode.Changed);
  }

  afterEach(async () => {
    await harness.close();
  });

  for (const mode of MODES) {
    for (const other of MODES) {
      for (const [operation, attempt] of Object.entries(ATTEMPTS)) {
        // Who may register without DTLS is the policy's to say; it is tested below.
        if (mode === 'nosec' && other === 'nosec' && operation === 'register') continue;

        it(`of ${mode}: ${operation} by ${other} is refused`, async () => {
          await begin(mode);
          if (other !== 'nosec') {
            await harness.engine.provision({ endpoint: 'thief', security: securityOf('thief', other) });
          }
          const thief = deviceOf(other, THIEF_AT, identityOf('thief', other));
          thief.location = owner.location;
          const before = state();
          const [events, known] = [harness.events.length, harness.engine.devices().length];
          const code = await attempt(thief);
          const sameKind = mode === 'nosec' && other === 'nosec' && operation !== 'send';
          const refusal = operation === 'send' ? CoapCode.NotFound : CoapCode.Forbidden;
          assert.equal(code, sameKind ? CoapCode.Unauthorized : refusal);
          await harness.clock.settle();
          assert.equal(state(), before);
          assert.equal(harness.engine.devices().length, known);
          // An address that may be forged is asked to prove itself; that is no rejection yet.
          const said = harness.events
            .slice(events)
            .map(({ topic, payload }) => [topic, (payload as { operation?: string }).operation]);
          assert.deepEqual(said, sameKind ? [] : [['rejected', operation]]);
          await assertIntact();
        });
      }

      it(`of ${mode}: a notification or an answer of ${other} in its name is not believed`, async () => {
        await begin(mode);
        if (other !== 'nosec') {
          await harness.engine.provision({ endpoint: 'thief', security: securityOf('thief', other) });
        }
        const thief = deviceOf(other, THIEF_AT, identityOf('thief', other));
        assert.equal((await thief.register({ endpoint: 'thief' })).code, CoapCode.Created);
        const messageId = thief.notify(token, 9, '99', { contentFormat: 0 });
        const answer = await thief.expect((message) => message.messageId === messageId);
        assert.equal(answer.type, MessageType.RST);
        const reading = harness.engine.perform('lamp-1', { operation: 'read', paths: [parsePath('/3311/0/5850')] });
        const request = await owner.expectRequest();
        const { messageId: id, token: asked } = request.message;
        thief.send({
          type: MessageType.ACK,
          code: CoapCode.Content,
          messageId: id,
          token: asked,
          options: { contentFormat: 0 },
          payload: '1',
        });
        await harness.clock.settle();
        request.reply(CoapCode.Content, { contentFormat: 0 }, '0');
        assert.equal((await reading).payload, false);
        await assertIntact();
      });
    }

    it(`of ${mode}: is that of a new session of the same identity, wherever it is`, async () => {
      if (mode === 'nosec') {
        await begin(mode);
        const again = harness.device('192.0.2.10:50505');
        assert.equal((await again.register({ endpoint: 'lamp-1' })).code, CoapCode.Created);
        return;
      }
      await begin(mode);
      const again = harness.secureDevice('198.51.100.9:50505', identityOf('lamp-1', mode));
      again.location = owner.location;
      assert.equal((await again.update(['lt=500'])).code, CoapCode.Changed);
      await harness.clock.settle();
      assert.equal(harness.engine.devices()[0]?.address?.port, 50505);
      again.notify(token, 2, '20', { contentFormat: 0 });
      await harness.clock.settle();
      assert.deepEqual(values, [10, 20]);
    });
  }

  it('by a credential that has the name of the endpoint but another mode', async () => {
    await begin('psk');
    await harness.engine.provision({ endpoint: 'thief', security: { mode: 'psk', identity: 'lamp-1', key: 'ff' } });
    for (const identity of [
      { mode: 'psk', name: 'lamp-1' },
      { mode: 'rpk', name: 'lamp-1' },
      { mode: 'x509', name: 'lamp-1' },
    ] as const) {
      const thief = harness.secureDevice(`203.0.113.5:${identity.mode.length}${identity.mode.charCodeAt(0)}`, identity);
      thief.location = owner.location;
      const before = state();
      for (const [operation, attempt] of Object.entries(ATTEMPTS)) {
        assert.ok((await attempt(thief)) >= CoapCode.BadRequest, `${identity.mode} ${operation}`);
        thief.location = owner.location;
      }
      await harness.clock.settle();
      assert.equal(state(), before);
    }
    await assertIntact();
  });
});
