import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { instanceOf, type DtlsRefusal } from '../../src/dtls';
import { Content, Suite, Type } from '../support/dtls-client';
import { newKeyPair, PSK, rawPublicKey, TestServer, type TestPeer } from './dtls-setup';

const NO_CID = Buffer.alloc(0);

function resumption({ sessionId, master }: TestPeer) {
  return { sessionId, master };
}

describe('A DTLS session', () => {
  it('is a channel with the identity that was proved, the same for every datagram', async () => {
    const server = await TestServer.open();
    const client = await server.connected();
    await client.say('one');
    await client.say('two');
    const [first, second] = server.received_;
    assert.equal(first?.channel, second?.channel);
    assert.equal(first?.channel.scheme, 'coaps');
    assert.equal(first?.channel.transport, server.dtls);
    assert.deepEqual(first?.channel.identity, { mode: 'psk', name: PSK.identity });
    assert.deepEqual(first?.channel.address, client.raw.address);
    assert.equal(server.dtls.channel(client.raw.address), first?.channel);
    assert.equal(server.dtls.channel({ host: '10.9.9.9', port: 1 }), undefined);
    first?.channel.send(Buffer.from('answer'));
    await server.clock.settle();
    assert.deepEqual(client.received.map(String), ['answer']);
  });

  it('ends with close_notify, which is answered, and can be resumed after', async () => {
    const server = await TestServer.open();
    const client = await server.connected();
    await client.say('hello');
    client.sendRecord(Content.alert, Buffer.from([1, 0]), 1);
    await server.clock.settle();
    assert.deepEqual(client.alerts, ['1 0!']);
    assert.deepEqual(server.closedChannels, [server.lastChannel]);
    assert.equal(server.dtls.channel(client.raw.address), undefined);
    server.lastChannel.send(Buffer.from('into the void'));
    const again = await server.connected({ resume: resumption(client) });
    assert.ok(again.connected && again.resumed);
  });

  it('cannot be resumed after a fatal alert (RFC 5246 s7.2.2)', async () => {
    const server = await TestServer.open();
    const client = await server.connected();
    client.sendRecord(Content.alert, Buffer.from([2, 40]), 1);
    await server.clock.settle();
    assert.equal(server.dtls.statistics.sessions, 0);
    const again = await server.connected({ resume: resumption(client) });
    assert.ok(again.connected && !again.resumed);
  });

  it('goes on after a warning, and ends with decode_error on an alert that is none', async () => {
    const server = await TestServer.open();
    const client = await server.connected();
    client.sendRecord(Content.alert, Buffer.from([1, 90]), 1);
    await client.say('still here');
    assert.deepEqual(server.data, ['still here']);
    client.sendRecord(Content.alert, Buffer.from([9, 9, 9]), 1);
    await server.clock.settle();
    assert.deepEqual(client.alerts, ['2 50!']);
  });

  it('refuses renegotiation with a warning and goes on (RFC 5246 s7.2.2, RFC 5746 s4.5)', async () => {
    const server = await TestServer.open();
    const client = await server.connected();
    client.sendFragments(Type.clientHello, client.nextSeq, client.helloBody(Buffer.alloc(0)), 1);
    await client.say('still here');
    assert.deepEqual(client.alerts, ['1 100!']);
    assert.deepEqual(server.data, ['still here']);
  });

  it('says close_notify to all when the server is closed', async () => {
    const server = await TestServer.open();
    const client = await server.connected();
    await client.say('hello');
    await server.dtls.close();
    await server.clock.settle();
    assert.deepEqual(client.alerts, ['1 0!']);
    assert.deepEqual(server.closedChannels, [server.lastChannel]);
    assert.equal(server.clock.timers, 0);
  });

  it('is dropped without a word when it was silent for too long', async () => {
    const server = await TestServer.open({ limits: { idleTimeout: 3_600_000, resumptionLifetime: 1_000 } });
    const client = await server.connected();
    await client.say('hello');
    await server.clock.advance(3_500_000);
    await client.say('hello again');
    await server.clock.advance(3_500_000);
    assert.equal(server.dtls.statistics.sessions, 1);
    await server.clock.advance(200_000);
    assert.equal(server.dtls.statistics.sessions, 0);
    assert.deepEqual(server.closedChannels, [server.lastChannel]);
    assert.equal(server.clock.timers, 0, 'nothing is left to look after');
  });

  it('is not said to be closed to a layer that released its channel', async () => {
    const server = await TestServer.open();
    const client = await server.connected();
    await client.say('hello');
    server.dtls.release(server.lastChannel);
    assert.equal(server.lastChannel.context, undefined);
    await client.say('it lives on');
    assert.equal(server.data.length, 2);
    server.dtls.release(server.lastChannel);
    client.sendRecord(Content.alert, Buffer.from([1, 0]), 1);
    await server.clock.settle();
    assert.deepEqual(server.closedChannels, []);
  });

  it('does not send a datagram that is longer than the peer takes (RFC 6066 s4)', async () => {
    const server = await TestServer.open();
    const client = await server.connected({ extraExtensions: [[1, Buffer.from([1])]] });
    assert.deepEqual(client.serverExtensions.get(1), Buffer.from([1]));
    await client.say('hello');
    server.lastChannel.send(Buffer.alloc(513));
    server.lastChannel.send(Buffer.alloc(512));
    await server.clock.settle();
    assert.deepEqual(
      client.received.map((data) => data.length),
      [512],
    );
    assert.equal(server.dtls.statistics.datagramsOversized, 1);
  });

  it('delivers data that came before the Finished only after it', async () => {
    const server = await TestServer.open();
    const first = await server.connected();
    const client = server.client({ resume: resumption(first) });
    client.answer = 'nothing';
    await client.connect();
    client.cork(() => {
      client.sequences[1] = 1;
      client.send(Buffer.from('early'));
      client.sendChangeCipherSpec();
    });
    await server.clock.settle();
    assert.deepEqual(server.data, []);
    client.sequences[1] = 0;
    client.sendMessage(Type.finished, client.finishedBody(), 1);
    await server.clock.settle();
    assert.deepEqual(server.data, ['early']);
  });
});

describe('A DTLS session that its peer ended', () => {
  it('delivers nothing of what stood behind the end, and is not known to anybody after it', async () => {
    const server = await TestServer.open();
    let open = () => {};
    server.credentials.gate = new Promise((resolve) => (open = resolve));
    const client = server.client();
    // All of it waits for the key.
    await client.connect();
    client.sendRecord(Content.alert, Buffer.from([1, 0]), 1);
    client.send(Buffer.from('from beyond'));
    await server.clock.settle();
    open();
    await server.clock.settle();
    assert.equal(server.dtls.statistics.handshakesCompleted, 1);
    assert.deepEqual(server.data, []);
    assert.deepEqual([server.dtls.statistics.sessions, server.inner.size], [0, 0]);
  });

  it('delivers no early data to a layer that ended it while it was told of the first', async () => {
    const server = await TestServer.open();
    const first = await server.connected();
    const client = server.client({ resume: resumption(first) });
    client.answer = 'nothing';
    await client.connect();
    client.cork(() => {
      client.sequences[1] = 1;
      client.send(Buffer.from('one'));
      client.send(Buffer.from('two'));
      client.sendChangeCipherSpec();
    });
    const received = server.received.bind(server);
    server.received = (channel, data) => {
      received(channel, data);
      server.dtls.cutOff(channel.identity);
    };
    await server.clock.settle();
    client.sequences[1] = 0;
    client.sendMessage(Type.finished, client.finishedBody(), 1);
    await server.clock.settle();
    assert.deepEqual(server.data, ['one']);
    assert.equal(server.closedChannels.length, 1);
  });

  it('by a fatal alert is not resumed through a resumption that was under way (RFC 5246 s7.2.2)', async () => {
    const server = await TestServer.open();
    const client = await server.connected();
    const underWay = server.client({ resume: resumption(client) });
    underWay.answer = 'nothing';
    await underWay.connect();
    client.sendRecord(Content.alert, Buffer.from([2, 40]), 1);
    await server.clock.settle();
    underWay.sendChangeCipherSpec();
    underWay.sendMessage(Type.finished, underWay.finishedBody(), 1);
    await server.clock.settle();
    const again = await server.connected({ resume: resumption(client) });
    assert.ok(again.connected && !again.resumed);
  });
});

describe('Resumption', () => {
  it('makes new keys from the old secret, without the credentials and with the cookie, and keeps the channel', async () => {
    const server = await TestServer.open();
    const client = await server.connected();
    await client.say('before');
    const before = server.lastChannel;
    before.context = 'what CoAP knows of the device';
    const { lookups } = server.credentials;
    const again = await server.connected({ resume: resumption(client) });
    assert.ok(again.connected && again.resumed);
    assert.deepEqual(again.messages, [Type.helloVerifyRequest, Type.serverHello, Type.finished]);
    await again.say('after');
    assert.equal(server.lastChannel, before);
    assert.equal(before.context, 'what CoAP knows of the device');
    assert.deepEqual(before.address, again.raw.address);
    assert.deepEqual(server.closedChannels, []);
    assert.equal(server.credentials.lookups, lookups);
    assert.equal(server.dtls.statistics.sessions, 1);
    assert.notDeepEqual(again.keys, client.keys);
    // The old keys are gone, and so is the old address.
    await client.say('from the past');
    assert.deepEqual(server.data, ['before', 'after']);
    assert.equal(server.dtls.channel(client.raw.address), undefined);
  });

  it('leaves the old keys in place until the new Finished is verified', async () => {
    const server = await TestServer.open();
    const client = await server.connected();
    const thief = server.client({ resume: { ...resumption(client), master: Buffer.alloc(48) } });
    thief.answer = 'nothing';
    await assert.rejects(async () => {
      thief.raw.onDatagram = undefined;
      void thief.start();
      for (const datagram of [await thief.raw.receive()]) thief.receive(datagram);
      thief.receive(await thief.raw.receive());
    }, /wrongly/);
    thief.sendChangeCipherSpec();
    thief.sendRecord(Content.handshake, Buffer.alloc(24), 1);
    await client.say('mine');
    assert.deepEqual(server.data, ['mine']);
    assert.equal(server.dtls.statistics.handshakesResumed, 0);
  });

  it('falls back to a full handshake when the session is unknown, over age, of another suite or without EMS', async () => {
    const server = await TestServer.open({ limits: { resumptionLifetime: 60_000 } });
    const client = await server.connected();
    const unknown = await server.connected({ resume: { sessionId: Buffer.alloc(16, 1), master: client.master } });
    assert.ok(unknown.connected && !unknown.resumed);
    const other = await server.connected({ resume: resumption(unknown), suite: Suite.pskCbc });
    assert.ok(other.connected && !other.resumed);
    await server.clock.advance(61_000);
    const late = await server.connected({ resume: resumption(other), suite: Suite.pskCbc });
    assert.ok(late.connected && !late.resumed);
    const plain = await server.connected({ extendedMasterSecret: false });
    assert.equal(plain.sessionId.length, 0, 'without EMS there is nothing to resume (RFC 7627 s5.4)');
  });

  it('is refused without the extended master secret that the session had (RFC 7627 s5.3)', async () => {
    const server = await TestServer.open();
    const client = await server.connected();
    const again = await server.connected({ resume: resumption(client), extendedMasterSecret: false });
    assert.deepEqual([again.connected, again.alerts], [false, ['2 40']]);
  });
});

describe('A connection id', () => {
  it("carries the instance's number, and the session follows its peer to another address", async () => {
    const server = await TestServer.open({ instance: 513 });
    server.echo = true;
    const client = await server.connected({ connectionId: Buffer.from('dead', 'hex') });
    assert.equal(client.serverCid.length, 8);
    assert.equal(instanceOf(client.serverCid), 513);
    await client.say('here');
    const channel = server.lastChannel;
    const before = client.raw.address;
    client.moveTo('10.77.0.1:9999');
    await client.say('there');
    assert.equal(server.lastChannel, channel);
    assert.deepEqual(channel.address, { host: '10.77.0.1', port: 9999 });
    assert.deepEqual(client.received.map(String), ['here', 'there']);
    assert.equal(server.dtls.channel(before), undefined);
    assert.equal(server.dtls.channel(client.raw.address), channel);
    assert.equal(server.dtls.statistics.handshakesStarted, 1);
    assert.equal(server.inner.size, 1, 'the old address is forgotten');
  });

  it('is not used when the client does not offer it, and then a changed address finds no session', async () => {
    const server = await TestServer.open();
    const client = await server.connected();
    assert.equal(client.serverCid.length, 0);
    client.moveTo('10.77.0.1:9999');
    await client.say('there');
    assert.deepEqual(server.data, []);
    assert.equal(server.inner.size, 1);
  });

  it('does not move a session by an old record, nor by a replayed one from elsewhere', async () => {
    const server = await TestServer.open();
    const client = await server.connected({ connectionId: NO_CID });
    const spy = server.network.peer('10.66.0.6:666');
    const copies: Buffer[] = [];
    server.network.filter = (_from, _to, datagram) => copies.push(datagram) > 0;
    await client.say('one');
    await client.say('two');
    server.network.filter = undefined;
    for (const copy of copies) spy.send('10.0.0.1:5684', copy);
    // A record that was held back: never seen, but not the newest.
    const held = client.seal(Content.data, Buffer.from('late'));
    await client.say('three');
    spy.send('10.0.0.1:5684', held);
    await server.clock.settle();
    assert.deepEqual(server.data, ['one', 'two', 'three', 'late']);
    assert.deepEqual(server.lastChannel.address, client.raw.address);
    assert.equal(server.dtls.statistics.recordsReplayed, 2);
    assert.equal(server.dtls.statistics.addressesMoved, 0);
  });

  it('must be in every record once it is agreed on (RFC 9146 s3)', async () => {
    const server = await TestServer.open();
    const client = await server.connected({ connectionId: NO_CID });
    client.serverCid = Buffer.alloc(0);
    await client.say('without');
    assert.deepEqual(server.data, []);
  });

  it('must be in the Finished already (RFC 9146 s3)', async () => {
    const server = await TestServer.open();
    const client = server.client({ connectionId: NO_CID });
    client.answer = 'nothing';
    await client.connect();
    client.serverCid = Buffer.alloc(0);
    client.sendFlight5();
    await server.clock.settle();
    assert.equal(server.dtls.statistics.sessions, 0);
  });

  it('of 255 bytes leaves room for a flight, also where datagrams must be small', async () => {
    for (const suite of [Suite.pskCcm8, Suite.pskCbc]) {
      const server = await TestServer.open({ mtu: 128 });
      const client = await server.connected({ suite, connectionId: Buffer.alloc(255, 7) });
      assert.ok(client.connected);
      await client.say('hello');
      assert.deepEqual(server.data, ['hello']);
    }
  });

  it('works across a resumption, which gives a new one', async () => {
    const server = await TestServer.open();
    const client = await server.connected({ connectionId: NO_CID });
    const again = await server.connected({ connectionId: NO_CID, resume: resumption(client) });
    assert.ok(again.resumed);
    assert.notDeepEqual(again.serverCid, client.serverCid);
    again.moveTo('10.77.0.1:9999');
    await again.say('there');
    await client.say('old');
    assert.deepEqual(server.data, ['there']);
    assert.deepEqual(server.lastChannel.address, again.raw.address);
  });

  it('lets nobody take the address of a session that has none', async () => {
    const server = await TestServer.open();
    server.credentials.keys.set('mover', PSK.key);
    const victim = await server.connected();
    const mover = await server.connected({ psk: { ...PSK, identity: 'mover' }, connectionId: NO_CID });
    const record = mover.seal(Content.data, Buffer.from('I am here now'));
    victim.raw.send('10.0.0.1:5684', record);
    await victim.say('I still am');
    assert.deepEqual(server.data, ['I am here now', 'I still am']);
    assert.deepEqual(server.lastChannel.identity, { mode: 'psk', name: PSK.identity });
  });

  for (const suite of [Suite.pskCbc, Suite.ecdsaGcm, Suite.ecdhePskCbc, Suite.ecdsaCbc]) {
    for (const encryptThenMac of [false, true]) {
      it(`works with the suite ${suite.toString(16)}${encryptThenMac ? ' and encrypt-then-MAC' : ''}`, async () => {
        const server = await TestServer.open();
        server.echo = true;
        const isPsk = suite === Suite.pskCbc || suite === Suite.ecdhePskCbc;
        const credentials = isPsk ? { psk: PSK } : { psk: undefined, certificate: rawPublicKey };
        const connectionId = Buffer.from('abcdef', 'hex');
        const client = await server.connected({ suite, encryptThenMac, connectionId, ...credentials });
        client.moveTo('10.77.0.1:9999');
        await client.say('there');
        assert.deepEqual(client.received.map(String), ['there']);
      });
    }
  }
});

describe('A new handshake', () => {
  it('on an existing address leaves the session alone until its Finished is verified, then replaces it', async () => {
    const server = await TestServer.open();
    const client = await server.connected();
    await client.say('old');
    const old = server.lastChannel;
    const { address } = client.raw;
    client.raw.close();
    const attacker = server.client({ psk: { ...PSK, key: Buffer.from('wrong') } }, `${address.host}:${address.port}`);
    await attacker.connect();
    assert.equal(attacker.connected, false);
    attacker.raw.close();
    client.moveTo(`${address.host}:${address.port}`);
    await client.say('still');
    assert.equal(server.lastChannel, old);
    client.raw.close();
    const rebooted = await server.connected({}, `${address.host}:${address.port}`);
    await rebooted.say('new');
    assert.notEqual(server.lastChannel, old);
    assert.deepEqual(server.closedChannels, [old]);
    assert.equal(server.dtls.statistics.sessions, 1);
  });

  it('of the same identity from another address replaces the session there', async () => {
    const server = await TestServer.open();
    const client = await server.connected();
    await client.say('old');
    const old = server.lastChannel;
    const elsewhere = await server.connected();
    const back = await server.connected({ resume: resumption(client), psk: { ...PSK, key: Buffer.from('wrong') } });
    assert.equal(back.connected, false, 'what was replaced is not resumed');
    assert.deepEqual(server.closedChannels, [old]);
    assert.deepEqual(client.alerts, ['1 0!'], 'close_notify');
    await elsewhere.say('new');
    await client.say('old');
    assert.deepEqual(server.data, ['old', 'new']);
    const other = await server.connected({ suite: Suite.ecdsaCcm8, psk: undefined, certificate: rawPublicKey });
    assert.ok(other.connected);
    assert.equal(server.dtls.statistics.sessions, 2, 'another identity is another device');
  });

  it('replaces one under way when the client starts anew, and ignores copies of its own hello', async () => {
    const server = await TestServer.open();
    const client = server.client();
    client.answer = 'nothing';
    await client.connect();
    const hello = client.raw.received.length;
    const { address } = client.raw;
    client.raw.close();
    const rebooted = server.client({}, `${address.host}:${address.port}`);
    const copies: Buffer[] = [];
    server.network.filter = (from, _to, datagram) => from.port === 5684 || copies.push(datagram) > 0;
    await rebooted.connect();
    assert.ok(rebooted.connected && hello > 0);
    assert.equal(server.dtls.statistics.handshakes, 0);
    const started = server.dtls.statistics.handshakesStarted;
    server.network.filter = undefined;
    for (const copy of copies) rebooted.raw.send('10.0.0.1:5684', copy);
    await rebooted.say('unharmed');
    assert.equal(server.dtls.statistics.handshakesStarted, started);
    assert.deepEqual(server.data, ['unharmed']);
  });
});

describe('Credentials', () => {
  it('may take their time: what comes meanwhile waits', async () => {
    const server = await TestServer.open();
    let open = () => {};
    server.credentials.gate = new Promise((resolve) => (open = resolve));
    const client = server.client();
    await client.connect();
    assert.equal(server.dtls.statistics.handshakes, 1);
    assert.equal(client.connected, false);
    open();
    await server.clock.settle();
    assert.equal(client.connected, true);
    await client.say('hello');
    assert.deepEqual(server.data, ['hello']);
  });

  it('that fail end the handshake with internal_error, and the next one is served', async () => {
    const server = await TestServer.open();
    server.credentials.gate = Promise.reject(new Error('the store is down'));
    const client = await server.connected();
    assert.deepEqual([client.connected, client.alerts], [false, ['2 80']]);
    server.credentials.gate = undefined;
    assert.ok((await server.connected()).connected);
    assert.equal(server.dtls.statistics.handshakes, 0);
  });

  it('that never answer do not keep a handshake alive', async () => {
    const server = await TestServer.open();
    server.credentials.gate = new Promise(() => {});
    await server.connected();
    await server.clock.advance(61_000);
    assert.equal(server.dtls.statistics.handshakes, 0);
  });

  it('change without a restart', async () => {
    const server = await TestServer.open();
    const psk = { identity: 'new', key: Buffer.from('key') };
    assert.equal((await server.connected({ psk })).connected, false);
    server.credentials.keys.set('new', psk.key);
    assert.equal((await server.connected({ psk })).connected, true);
    const raw = { suite: Suite.ecdsaCcm8, psk: undefined, certificate: rawPublicKey };
    server.credentials.serverKey = undefined;
    assert.deepEqual((await server.connected(raw)).alerts, ['2 40']);
    server.credentials.serverKey = newKeyPair().privateKey;
    assert.equal((await server.connected(raw)).connected, true);
  });

  it('that were removed cut a device off at once: sessions, resumption and handshakes under way', async () => {
    const server = await TestServer.open();
    const client = await server.connected();
    await client.say('hello');
    const resuming = server.client({ resume: resumption(client) });
    resuming.answer = 'nothing';
    await resuming.connect();
    let open = () => {};
    server.credentials.gate = new Promise((resolve) => (open = resolve));
    const waiting = server.client();
    await waiting.connect();
    assert.equal(server.dtls.statistics.handshakes, 2);
    server.credentials.keys.delete(PSK.identity);
    assert.equal(server.dtls.cutOff({ mode: 'psk', name: PSK.identity }), 1);
    open();
    await server.clock.settle();
    assert.deepEqual(server.closedChannels, [server.lastChannel]);
    assert.deepEqual([client.alerts, waiting.alerts, resuming.alerts], [['2 49!'], ['2 49'], ['2 49!']]);
    assert.deepEqual([server.dtls.statistics.sessions, server.dtls.statistics.handshakes], [0, 0]);
    const again = await server.connected({ resume: resumption(client) });
    assert.deepEqual([again.connected, again.resumed], [false, false]);
  });

  it('are asked again when an identity was cut off while they answered', async () => {
    const server = await TestServer.open();
    const { rawKeys } = server.credentials;
    let open = () => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    let questions = 0;
    // The answer is read at once and takes its time to arrive: by then it is old.
    server.credentials.verifyRawPublicKey = async (spki) => {
      questions += 1;
      const answer = rawKeys.get(spki.toString('hex'));
      await gate;
      return answer;
    };
    const client = await server.connected({ suite: Suite.ecdsaCcm8, psk: undefined, certificate: rawPublicKey });
    assert.equal(questions, 1);
    rawKeys.clear();
    assert.equal(server.dtls.cutOff({ mode: 'rpk', name: 'raw-1' }), 0);
    open();
    await server.clock.settle();
    assert.equal(questions, 2);
    assert.deepEqual([client.connected, client.alerts], [false, ['2 46']]);
  });

  it('leave no moment between the answer and the session in which a cut-off is missed', async () => {
    for (let turns = 0; turns < 20; turns++) {
      const server = await TestServer.open();
      const { rawKeys } = server.credentials;
      server.credentials.verifyRawPublicKey = (spki) => {
        const answer = Promise.resolve(rawKeys.get(spki.toString('hex')));
        let moment: Promise<unknown> = answer;
        for (let turn = 0; turn < turns; turn++) moment = moment.then(() => undefined);
        void moment.then(() => {
          rawKeys.clear();
          server.dtls.cutOff({ mode: 'rpk', name: 'raw-1' });
        });
        return answer;
      };
      await server.connected({ suite: Suite.ecdsaCcm8, psk: undefined, certificate: rawPublicKey });
      assert.equal(server.dtls.statistics.sessions, 0, `cut off ${turns} turns after the answer`);
    }
  });

  it('of the server that cannot be used stop it from opening, with a word', async () => {
    const { privateKey } = (await import('node:crypto')).generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const server = new TestServer();
    server.credentials.serverKey = privateKey;
    await assert.rejects(server.dtls.open(server), /P-256/);
  });
});

describe('A peer that is not let in', () => {
  it('is told of, with what it claimed, and its text cannot break the log', async () => {
    const lines: string[] = [];
    const refused: DtlsRefusal[] = [];
    const write = (line: string) => void lines.push(line);
    const log = { debug: write, info: write, warn: write, error: write };
    const server = await TestServer.open({ log, refused: (refusal) => refused.push(refusal) });
    const key = Buffer.from('a key that nobody may see');
    server.credentials.keys.set('lamp\r\n', Buffer.from('secret of the server'));
    const client = await server.connected({ psk: { identity: 'lamp\r\n', key } });
    assert.equal(client.connected, false);
    assert.deepEqual(
      refused.map(({ address, identity }) => ({ address, identity })),
      [{ address: client.raw.address, identity: { mode: 'psk', name: 'lamp\r\n' } }],
    );
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /as 'lamp\\u\{d\}\\u\{a\}' failed: .*another key/);
    assert.doesNotMatch(lines.join(), /secret|nobody/);
    for (let n = 0; n < 200; n++) await server.connected({ suite: 0x1301 });
    assert.equal(lines.length, 60, 'the log is not filled');
    assert.equal(refused.length, 201);
  });

  it('cannot break the log through the credentials, which may repeat its text in an error', async () => {
    const lines: string[] = [];
    const write = (line: string) => void lines.push(line);
    const server = await TestServer.open({ log: { debug: write, info: write, warn: write, error: write } });
    server.credentials.psk = (identity) => Promise.reject(new Error(`no row for ${identity} ${'x'.repeat(5_000)}`));
    await server.connected({ psk: { identity: 'a\r\nall is well\u001b[2J', key: PSK.key } });
    assert.equal(lines.length, 1);
    assert.doesNotMatch(lines.join(), /\p{Cc}/u);
    assert.ok((lines[0]?.length ?? 0) < 1_000, `a line of ${lines[0]?.length}`);
  });

  it('is one whose identity is no text, even with a key that would fit (RFC 4279 s5.1)', async () => {
    const server = await TestServer.open();
    server.credentials.keys.set('\ufffd', PSK.key);
    const client = await server.connected({ psk: { identity: Buffer.from('ff', 'hex'), key: PSK.key } });
    assert.deepEqual([client.connected, client.alerts], [false, ['2 51']]);
    const empty = await server.connected({ psk: { identity: 'lamp-0', key: Buffer.alloc(0) } });
    assert.equal(empty.connected, false);
  });
});
