import assert from 'node:assert/strict';
import { parsePath } from '../../../src';
import { CoapCode } from '../../../src/coap';
import { SecureFixture, type SecureDevice } from '../../engine/secure-fixture';
import { newAuthority, newCertificate } from '../../support/certificates';
import { Suite } from '../../support/dtls-client';

const KEY = '73656372657450534b';
const AT = '192.0.2.10:40000';

describe('OMA cases of security', () => {
  let fixture: SecureFixture;

  afterEach(() => fixture.engine.close());

  /** What both cases ask for once the session is there: a registration, and a read over it. */
  async function registersAndIsRead(device: SecureDevice): Promise<void> {
    assert.equal(device.peer.client.connected, true);
    const registration = device.register({ endpoint: 'client-1' });
    await fixture.settle();
    assert.equal((await registration).code, CoapCode.Created);
    const read = fixture.engine.perform('client-1', { operation: 'read', paths: [parsePath('/3/0/0')] });
    const request = await device.expectRequest();
    assert.deepEqual(request.message.options.uriPath, ['3', '0', '0']);
    request.reply(CoapCode.Content, { contentFormat: 0 }, 'Open Mobile Alliance');
    assert.equal((await read).payload, 'Open Mobile Alliance');
    assert.equal(fixture.engine.devices()[0]?.address?.transport, 'coaps');
  }

  it('OMA 401 UDP channel security: pre-shared key', async () => {
    fixture = await SecureFixture.start();
    await fixture.engine.provision({ endpoint: 'client-1', security: { mode: 'psk', identity: 'client-1', key: KEY } });
    const psk = { identity: 'client-1', key: Buffer.from(KEY, 'hex') };
    await registersAndIsRead(await fixture.device(AT, { suite: Suite.pskCcm8, psk }));
  });

  it('OMA 402 UDP channel security: certificates', async () => {
    const authority = newAuthority();
    const server = newCertificate({ commonName: 'server.example.com' }, authority);
    fixture = await SecureFixture.start({
      credentials: {
        privateKey: server.key.export({ format: 'pem', type: 'pkcs8' }).toString(),
        certificate: server.certificate.toString(),
        trustAnchors: authority.certificate.toString(),
      },
    });
    const client = newCertificate({ commonName: 'client-1' }, authority);
    const certificate = { kind: 'x509' as const, der: [client.raw], key: client.key };
    await registersAndIsRead(await fixture.device(AT, { suite: Suite.ecdsaCcm8, certificate }));
  });
});
