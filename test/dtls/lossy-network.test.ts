import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Suite, type DtlsClientOptions } from '../support/dtls-client';
import { newAuthority } from '../support/certificates';
import { PSK, rawPublicKey, TestServer } from './dtls-setup';

const WITHIN = 60_000;
const SUITES: Record<string, Partial<DtlsClientOptions>> = {
  PSK: { suite: Suite.pskCcm8, psk: PSK },
  'raw public keys in fragments': { suite: Suite.ecdsaCcm8, psk: undefined, certificate: rawPublicKey, fragment: 120 },
};

/** Of `count` clients, how many have a session and an answer within a minute; each says one thing, once. */
async function shakeHands(loss: number, count: number, options: Partial<DtlsClientOptions>, seed: number) {
  const server = await TestServer.open({
    network: { seed, loss, duplicate: 0.1, reorder: 0.2, reorderDelay: 400, delay: 20 },
    limits: { sessionsPerIdentity: count },
    mtu: 300,
  });
  const { clock } = server;
  const clients = Array.from({ length: count }, () => server.client({ clock, ...options }));
  const end = clock.monotonic() + WITHIN;
  const times: number[] = [];
  for (const client of clients) {
    void client.start().then(() => {
      times.push(clock.monotonic() - end + WITHIN);
      client.send(Buffer.from(client.raw.address.host));
    });
  }
  await clock.advance(WITHIN + 1_000);
  const inTime = times.filter((time) => time <= WITHIN).length;
  for (const client of clients) client.stop();
  return { server, clients, inTime };
}

function longCertificate() {
  const ca = newAuthority({ commonName: 'x'.repeat(900) });
  return { certificate: ca.certificate, key: ca.key };
}

describe('Handshakes over a bad network (duplicates, reordering and loss both ways)', () => {
  for (const [name, options] of Object.entries(SUITES)) {
    for (const [loss, share, count] of [
      [0.01, 0.999, 1000],
      [0.1, 0.99, 400],
      [0.3, 0.95, 400],
    ] as const) {
      it(`succeed within a minute for ${share * 100}% at ${loss * 100}% loss, without double effects: ${name}`, async function () {
        this.timeout(120_000);
        const clients = name === 'PSK' ? count : count / 4;
        const { server, inTime } = await shakeHands(loss, clients, options, 42);
        assert.ok(inTime >= clients * share, `${inTime} of ${clients}`);
        const { statistics } = server.dtls;
        assert.ok(statistics.handshakesCompleted >= inTime);
        assert.equal(new Set(server.data).size, server.data.length, 'something was delivered twice');
        const live = server.received_.filter(({ channel }) => server.dtls.channel(channel.address) === channel);
        assert.equal(live.length, server.received_.length, 'a late copy of a handshake cost a session');
        await server.clock.advance(WITHIN);
        assert.equal(statistics.handshakes, 0, 'every handshake ends');
      });
    }
  }

  it('are repeated by flights with doubled waits: 1, 2, 4, 8, 16 s, and end after a minute', async () => {
    const server = await TestServer.open();
    const client = server.client();
    client.answer = 'nothing';
    await client.connect();
    const times: number[] = [];
    client.raw.onDatagram = () => times.push(server.clock.monotonic() / 1000);
    await server.clock.advance(120_000);
    assert.deepEqual(times, [1, 3, 7, 15, 31]);
    assert.equal(server.dtls.statistics.handshakes, 0);
    assert.equal(server.dtls.statistics.handshakesFailed, 1);
  });

  it('take new record numbers for a repeated flight and keep its message numbers', async () => {
    const server = await TestServer.open();
    const client = server.client();
    client.answer = 'nothing';
    await client.connect();
    await server.clock.advance(1_000);
    const flights = client.raw.received.slice(-2).map((datagram) => ({
      record: datagram.readUIntBE(5, 6),
      message: datagram.readUInt16BE(13 + 4),
    }));
    assert.deepEqual(flights, [
      { record: 1, message: 1 },
      { record: 3, message: 1 },
    ]);
  });

  it('answer a repeated Finished with flight 6 again, until the client sends data', async () => {
    const server = await TestServer.open();
    const client = server.client({ clock: server.clock });
    // Of the server: the cookie, flight 4, and then a loss.
    let sent = 0;
    server.network.filter = (from) => from.port !== 5684 || (sent += 1) !== 3;
    await client.connect();
    assert.equal(client.connected, false);
    assert.equal(server.dtls.statistics.sessions, 1);
    server.network.filter = undefined;
    await server.clock.advance(1_100);
    assert.equal(client.connected, true);
    assert.equal(server.dtls.statistics.flightsRepeated, 1);
    assert.equal(server.dtls.statistics.handshakesCompleted, 1);
    await client.say('hello');
    assert.deepEqual(server.data, ['hello']);
  });

  it('use smaller datagrams when large ones seem not to get through', async () => {
    const server = await TestServer.open({ mtu: 1200 });
    let longest = 0;
    server.network.filter = (_from, _to, datagram) => {
      longest = Math.max(longest, datagram.length);
      return datagram.length <= 548;
    };
    // A chain of one long certificate: flight 4 does not fit.
    const { certificate, key } = longCertificate();
    server.credentials.serverKey = key;
    server.credentials.serverCertificateChain = [certificate];
    server.credentials.trustAnchors = [certificate];
    const client = server.client({
      clock: server.clock,
      suite: Suite.ecdsaCcm8,
      psk: undefined,
      certificate: { kind: 'x509', der: [], key },
    });
    await client.connect();
    assert.equal(client.helloDone, false);
    assert.ok(longest > 1000, `${longest}`);
    await server.clock.advance(20_000);
    assert.ok(client.helloDone, 'the smaller datagrams arrived');
  });
});
