import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { DEFAULT_CIPHER_SUITES } from '../../src/dtls';
import { Content, Suite, Type, type DtlsClientOptions } from '../support/dtls-client';
import { PSK, rawPublicKey, SERVER, TestServer } from './dtls-setup';

async function alertsOf(options: Partial<DtlsClientOptions>, server?: TestServer): Promise<string[]> {
  const client = await (server ?? (await TestServer.open())).connected(options);
  assert.equal(client.connected, false);
  return client.alerts;
}

describe('What a ClientHello offers', () => {
  it('is taken in the order of the server: CCM_8 first', async () => {
    const server = await TestServer.open();
    const client = await server.connected({ suite: Suite.pskCcm8, extraSuites: [Suite.pskCbc, Suite.ecdhePskCbc] });
    assert.ok(client.connected);
    const reversed = await server.connected({ suite: Suite.pskCcm8, extraSuites: [Suite.ecdhePskCbc] });
    assert.ok(reversed.connected);
  });

  it('has no CBC unless it was chosen', async () => {
    const server = await TestServer.open({ cipherSuites: DEFAULT_CIPHER_SUITES });
    for (const suite of [Suite.pskCbc, Suite.ecdhePskCbc])
      assert.deepEqual(await alertsOf({ suite }, server), ['2 40']);
    const ecdsa = { suite: Suite.ecdsaCbc, psk: undefined, certificate: rawPublicKey };
    assert.deepEqual(await alertsOf(ecdsa, server), ['2 40']);
    assert.ok((await server.connected({ suite: Suite.pskCcm8 })).connected);
  });

  it('is refused by protocol_version below DTLS 1.2, only after the cookie', async () => {
    const server = await TestServer.open();
    assert.deepEqual(await alertsOf({ version: 0xfeff }, server), ['2 70']);
    assert.equal(server.dtls.statistics.cookiesAsked, 1);
    assert.ok((await server.connected({ version: 0xfefc })).connected, 'a client of more is answered by 1.2');
  });

  it('is refused when it claims to renegotiate or to fragment in an unknown way', async () => {
    assert.deepEqual(await alertsOf({ extraExtensions: [[1, Buffer.from([5])]] }), ['2 47']);
    assert.deepEqual(await alertsOf({ renegotiationInfo: Buffer.alloc(12, 1) }), ['2 40']);
  });

  it('answers renegotiation_info also to the signalling suite (RFC 5746 s3.6)', async () => {
    const server = await TestServer.open();
    const client = await server.connected({ extraSuites: [0x00ff] });
    assert.deepEqual(client.serverExtensions.get(0xff01), Buffer.from([0]));
  });

  it('gets no extension back that it did not offer', async () => {
    const server = await TestServer.open();
    const client = await server.connected({ extendedMasterSecret: false });
    assert.deepEqual([...client.serverExtensions.keys()], [0xff01]);
  });

  it('may come in fragments, before and after the cookie', async () => {
    const server = await TestServer.open();
    assert.ok((await server.connected({ fragment: 20 })).connected);
  });
});

describe('HelloVerifyRequest and ServerHello', () => {
  it('take the record numbers of the ClientHellos, and the message number of the second (RFC 6347 s4.2.1)', async () => {
    const server = await TestServer.open();
    const client = server.client();
    client.sequences[0] = 77;
    client.answer = 'nothing';
    await client.connect();
    const [verify, hello] = client.raw.received;
    assert.equal(verify?.readUIntBE(5, 6), 77);
    assert.equal(verify?.readUInt16BE(1), 0xfeff);
    assert.equal(verify?.readUInt16BE(13 + 4), 0);
    assert.equal(hello?.readUIntBE(5, 6), 78);
    assert.equal(hello?.readUInt16BE(13 + 4), 1);
  });

  it('have no ServerKeyExchange between them for PSK: there is no hint to give (RFC 4279 s2)', async () => {
    const server = await TestServer.open();
    const { messages } = await server.connected({ psk: PSK });
    assert.deepEqual(messages, [Type.helloVerifyRequest, Type.serverHello, Type.serverHelloDone, Type.finished]);
  });
});

describe('What is not a handshake', () => {
  it('is a ClientHello that would leave us no record numbers, or whose message number is out of reason', async () => {
    const server = await TestServer.open();
    const client = server.client({ clock: server.clock });
    client.sequences[0] = 2 ** 48 - 3;
    await client.connect();
    await server.clock.advance(500);
    const late = server.client();
    late.nextSeq = 300;
    await late.connect();
    assert.equal(client.raw.received.length + late.raw.received.length, 0);
    assert.equal(server.inner.size, 0);
    assert.equal(server.dtls.statistics.recordsMalformed, 2);
    client.stop();
  });

  it('is not answered when nobody knows the peer: data, alerts, other messages, other protocols', async () => {
    const server = await TestServer.open();
    const client = server.client();
    client.sendRecord(Content.data, Buffer.from('GET'), 0);
    client.sendRecord(Content.alert, Buffer.from([2, 40]), 0);
    client.sendChangeCipherSpec();
    client.sendMessage(Type.clientKeyExchange, client.keyExchangeBody());
    client.sendMessage(Type.finished, Buffer.alloc(12));
    client.raw.send(SERVER, Buffer.from('4001123400', 'hex'));
    client.raw.send(SERVER, Buffer.from('19fefd00010000000000000007010203040506000411223344', 'hex'));
    await server.clock.settle();
    assert.equal(client.raw.received.length, 0);
    assert.equal(server.inner.size, 0);
    assert.equal(server.data.length, 0);
  });
});
