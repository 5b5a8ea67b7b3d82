import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { DtlsRefusal } from '../../src/dtls';
import { cipherSuites } from '../../src/dtls/cipher-suites/cipher-suite';
import { RecordWriter } from '../../src/dtls/record/record-writer';
import { Content, Suite, Type } from '../support/dtls-client';
import { SeededRandom } from '../support/seeded-random';
import { IS_SOAK, PSK, rawPublicKey, TestServer, type TestPeer } from './dtls-setup';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heap(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

const RAW = { suite: Suite.ecdsaCcm8, psk: undefined, certificate: rawPublicKey };

/** A device that was there before the attack and is asked during and after it. */
async function survives(server: TestServer, control: TestPeer): Promise<void> {
  const before = control.received.length;
  const start = performance.now();
  await control.say('GET');
  await server.clock.settle();
  assert.equal(control.received.length, before + 1, 'the control client has no answer');
  assert.ok(performance.now() - start < 500);
}

/** The attacks on DTLS of the table in docs/security.md; the names are its rows. */
describe('An attack', () => {
  it('cookie flood: 100,000 ClientHellos leave nothing behind, and no reply is longer than its request', async function () {
    this.timeout(60_000);
    const server = await TestServer.open();
    server.echo = true;
    const control = await server.connected();
    const hello = server.client({}).helloBody(Buffer.alloc(0));
    const record = (body: Buffer) =>
      Buffer.concat([
        Buffer.from('16fefd0000000000000000', 'hex'),
        Buffer.from([(body.length + 12) >> 8, (body.length + 12) & 255, 1, 0, body.length >> 8, body.length & 255]),
        Buffer.from([0, 0, 0, 0, 0, 0, body.length >> 8, body.length & 255]),
        body,
      ]);
    let replies = 0;
    let longest = 0;
    server.network.filter = (from, to, datagram) => {
      if (from.port !== 5684 || to.host.startsWith('10.1.')) return true;
      replies += 1;
      longest = Math.max(longest, datagram.length);
      return false;
    };
    const flood = (count: number, from: number) => {
      for (let n = from; n < from + count; n++) {
        // Every second one has a cookie, which is wrong.
        const body = Buffer.from(hello);
        body.writeUInt32BE(n, 2);
        const bytes = n % 2 === 0 ? record(body) : record(withCookie(body, Buffer.alloc(16, n)));
        server.inner.deliver(`172.${16 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}:${1024 + (n % 60_000)}`, bytes);
      }
    };
    flood(2_000, 0);
    const before = heap();
    const requests = replies;
    flood(100_000, 2_000);
    assert.equal(replies - requests, 100_000);
    assert.ok(longest <= record(hello).length && longest <= 67, `a reply of ${longest} bytes`);
    assert.ok(heap() - before < 500_000, `${heap() - before} bytes of heap`);
    assert.equal(server.inner.size, 1, 'only the control client has a channel');
    assert.deepEqual([server.dtls.statistics.handshakes, server.dtls.statistics.handshakesStarted], [0, 1]);
    await survives(server, control);
  });

  const failures: Record<string, { count: number; run: (server: TestServer) => Promise<void> }> = {
    'a wrong key': {
      count: 10_000,
      run: async (server) => failing(server, { psk: { ...PSK, key: Buffer.from('no') } }),
    },
    'an unknown identity': {
      count: 10_000,
      run: async (server) => failing(server, { psk: { identity: 'nobody', key: Buffer.from('no') } }),
    },
    'no suite in common': { count: 10_000, run: async (server) => failing(server, { suite: 0x1301 }) },
    'a message that cannot be read': {
      count: 10_000,
      run: async (server) => {
        const client = server.client();
        client.answer = 'nothing';
        await client.connect();
        client.sendMessage(Type.clientKeyExchange, Buffer.from('ffff', 'hex'));
        await server.clock.settle();
        assert.deepEqual(client.alerts, ['2 50']);
        client.raw.close();
      },
    },
    'a wrong signature': {
      count: 1_000,
      run: async (server) => {
        const client = server.client(RAW);
        client.verifyBody = () => Buffer.from(`04030008${'30060201010201ff'}`, 'hex');
        await client.connect();
        assert.deepEqual(client.alerts, ['2 51']);
        client.raw.close();
      },
    },
  };
  for (const [kind, { count: whole, run }] of Object.entries(failures)) {
    const count = IS_SOAK ? whole : whole / 10;
    const counts = IS_SOAK ? `${whole}` : `${count} (SOAK=1: ${whole})`;
    it(`handshake exhaustion, leaked counters: ${counts} handshakes that fail by ${kind}`, async function () {
      this.timeout(180_000);
      const server = await TestServer.open();
      server.echo = true;
      const control = await server.connected({ ...RAW });
      for (let n = 0; n < 200; n++) await run(server);
      const before = heap();
      for (let n = 0; n < count; n++) await run(server);
      const { statistics } = server.dtls;
      assert.equal(statistics.handshakesFailed, count + 200);
      assert.deepEqual([statistics.handshakes, statistics.sessions], [0, 1]);
      assert.equal(server.inner.size, 1);
      const growth = heap() - before;
      assert.ok(growth < before * 0.05, `the heap grew by ${growth} of ${before}`);
      await survives(server, control);
      assert.ok((await server.connected()).connected, 'the next good one succeeds');
    });
  }

  it('handshake exhaustion, leaked counters: handshakes that are never finished are bounded, in total and per network', async () => {
    const server = await TestServer.open({ limits: { handshakes: 50, handshakesPerNetwork: 20 } });
    server.echo = true;
    const control = await server.connected(RAW);
    const silent = async (address: string) => {
      const client = server.client({}, address);
      client.answer = 'nothing';
      await client.connect();
      return client.helloDone;
    };
    const fromOne = await Promise.all(Array.from({ length: 100 }, (_, n) => silent(`192.0.2.${n}:1`)));
    assert.equal(fromOne.filter(Boolean).length, 20);
    const fromMany = await Promise.all(Array.from({ length: 100 }, (_, n) => silent(`198.51.${n}.1:1`)));
    assert.equal(fromMany.filter(Boolean).length, 30);
    assert.equal(server.dtls.statistics.handshakes, 50);
    assert.equal(server.dtls.statistics.handshakesRefused, 150);
    await survives(server, control);
    await server.clock.advance(61_000);
    assert.equal(server.dtls.statistics.handshakes, 0);
    assert.ok((await server.connected()).connected);
  });

  it('handshake exhaustion, leaked counters: half-open ones from many networks give way to new peers after a few seconds', async () => {
    const refusals: DtlsRefusal[] = [];
    const server = await TestServer.open({
      limits: { handshakes: 50, handshakesPerNetwork: 20 },
      refused: (refusal) => refusals.push(refusal),
    });
    const silent = async (address: string) => {
      const client = server.client({ connectionId: Buffer.alloc(0) }, address);
      client.answer = 'nothing';
      await client.connect();
      return client.helloDone;
    };
    const answered = await Promise.all(Array.from({ length: 60 }, (_, n) => silent(`198.51.${n}.1:1`)));
    assert.equal(answered.filter(Boolean).length, 50);
    assert.equal((await server.connected()).connected, false, 'a handshake is given time');
    await server.clock.advance(5_000);
    for (let n = 0; n < 5; n++) assert.ok((await server.connected(RAW)).connected, 'a device comes in');
    assert.equal(server.dtls.statistics.handshakes, 49, 'only one place was needed');
    assert.deepEqual(
      refusals.map(({ address }) => address.host),
      ['198.51.0.1'],
      'the oldest',
    );
    const ofOneNetwork = await Promise.all(Array.from({ length: 60 }, (_, n) => silent(`192.0.2.${n}:1`)));
    assert.equal(ofOneNetwork.filter(Boolean).length, 20, 'a network has no more places than before');
    assert.equal(server.dtls.statistics.handshakes, 50);
    await server.clock.advance(61_000);
    assert.equal(server.dtls.statistics.handshakes, 0);
  });

  it('handshake exhaustion, leaked counters: a peer that starts anew takes the place of its own half-open one', async () => {
    const server = await TestServer.open({ limits: { handshakes: 1 } });
    const silent = server.client();
    silent.answer = 'nothing';
    await silent.connect();
    silent.raw.close();
    await server.clock.advance(5_000);
    const { host, port } = silent.raw.address;
    const again = await server.connected({}, `${host}:${port}`);
    assert.ok(silent.helloDone && again.connected);
    assert.equal(server.dtls.statistics.handshakes, 0);
  });

  it('handshake exhaustion, leaked counters: a half-open handshake keeps little, however large its datagrams were', async () => {
    const server = await TestServer.open();
    const junk = Buffer.alloc(50_000);
    const held: TestPeer[] = [];
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    for (let n = 0; n < 100; n++) {
      const client = server.client();
      client.answer = 'nothing';
      // Behind the hello, and later behind a record that comes before its time, the datagram is full of nothing.
      client.tamper = (record) => Buffer.concat([record, junk]);
      await client.connect();
      client.keys = undefined;
      for (let early = 0; early < 8; early++) {
        const record = client.plainRecord(Content.handshake, Buffer.alloc(40));
        record.writeUInt16BE(1, 3);
        client.raw.send('10.0.0.1:5684', Buffer.concat([record, junk]));
      }
      await server.clock.settle();
      client.raw.received.length = 0;
      held.push(client);
    }
    collectGarbage();
    await server.clock.settle();
    collectGarbage();
    assert.equal(server.dtls.statistics.handshakes, 100);
    assert.ok(server.dtls.pendingBytes > 0);
    const each = (process.memoryUsage().arrayBuffers - before) / held.length;
    assert.ok(each < 20_000, `${each} bytes for each`);
  });

  it('fragments: unbounded, zero-length, overlapping ones take less than 1 ms and 16 KiB a peer', async function () {
    this.timeout(60_000);
    const server = await TestServer.open();
    const random = new SeededRandom(5);
    const attacker = server.client();
    attacker.answer = 'nothing';
    await attacker.connect();
    const handshake = (type: number, length: number, seq: number, offset: number, piece: Buffer) => {
      const header = Buffer.alloc(12);
      header.writeUInt8(type, 0);
      header.writeUIntBE(length, 1, 3);
      header.writeUInt16BE(seq, 4);
      header.writeUIntBE(offset, 6, 3);
      header.writeUIntBE(piece.length, 9, 3);
      return Buffer.concat([header, piece]);
    };
    const times: number[] = [];
    for (let n = 0; n < 20_000; n++) {
      const length = [0, 1, 8192, 8193, 0xffffff, random.below(9000)][random.below(6)] ?? 0;
      const offset = [0, length, random.below(length + 1)][random.below(3)] ?? 0;
      const size = Math.min([0, 1, length - offset, random.below(1200)][random.below(4)] ?? 0, 1200, length - offset);
      // Never the next message itself, which would end the handshake: what is ahead of it has to be kept.
      const fragment = handshake(16, length, 3 + random.below(20), offset, Buffer.alloc(size));
      const bytes = attacker.plainRecord(Content.handshake, fragment);
      const start = performance.now();
      server.inner.deliver(attacker.raw.address, bytes);
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    assert.ok((times[Math.floor(times.length * 0.999)] ?? 0) < 1, `${times.at(-20)} ms`);
    assert.equal(server.dtls.statistics.handshakes, 1);
    assert.ok(server.dtls.pendingBytes <= 16384, `${server.dtls.pendingBytes} bytes`);
    await server.clock.advance(61_000);
    assert.equal(server.dtls.pendingBytes, 0);
  });

  it('nonce reuse: the nonces of 1,000,000 records only grow', function () {
    this.timeout(60_000);
    const [suite] = cipherSuites(['TLS_PSK_WITH_AES_128_CCM_8']);
    assert.ok(suite);
    const writer = new RecordWriter(0);
    writer.setCipher(suite.protection.create(randomBytes(40), false), undefined);
    const data = Buffer.alloc(1);
    let last = -1;
    for (let n = 0; n < 1_000_000; n++) {
      const record = writer.write(1, Content.data, data);
      const nonce = record.readUIntBE(15, 6);
      if (record.readUInt16BE(13) !== 1 || nonce <= last) assert.fail(`the nonce ${nonce} after ${last}`);
      last = nonce;
    }
    assert.equal(last, 999_999);
  });

  it('nonce reuse: repeated flights and a restart with the same client random and key never bring a pair back', async () => {
    const keys = new Set<string>();
    const pairs = new Set<string>();
    for (let restart = 0; restart < 3; restart++) {
      const server = await TestServer.open();
      const client = server.client({ random: Buffer.alloc(32, 1), clock: server.clock });
      let lost = 0;
      server.network.filter = (from, _to, datagram) => {
        const sealedAt = datagram.indexOf(Buffer.from('16fefd0001', 'hex'));
        if (from.port !== 5684 || sealedAt < 0) return true;
        pairs.add(`${restart} ${datagram.toString('hex', sealedAt + 13, sealedAt + 21)}`);
        return (lost += 1) > 3;
      };
      await client.connect();
      await server.clock.advance(20_000);
      assert.ok(client.connected);
      assert.equal(pairs.size, (restart + 1) * 4, 'a repeated Finished took a number that was used');
      keys.add(`${client.keys?.read.toString('hex')} ${client.keys?.saltRead.toString('hex')}`);
      client.stop();
    }
    assert.equal(keys.size, 3);
  });

  it('replay, CID redirect: 1,000 replayed records from everywhere cause no event and move no address', async () => {
    const server = await TestServer.open();
    const client = await server.connected({ connectionId: Buffer.alloc(0) });
    const copies: Buffer[] = [];
    server.network.filter = (_from, _to, datagram) => copies.push(datagram) > 0;
    for (let n = 0; n < 100; n++) client.send(Buffer.from(`${n}`));
    await server.clock.settle();
    server.network.filter = undefined;
    for (let round = 0; round < 10; round++) {
      for (const copy of copies) server.inner.deliver(`192.0.2.${round}:7`, copy);
    }
    assert.equal(server.data.length, 100);
    assert.deepEqual(server.lastChannel.address, client.raw.address);
    assert.equal(server.dtls.statistics.recordsReplayed, 1000);
    assert.equal(server.inner.size, 1);
  });

  it('forged record or alert: the session lives through 10,000 of them', async () => {
    const server = await TestServer.open();
    server.echo = true;
    const client = await server.connected({ connectionId: Buffer.alloc(0) });
    const plain = await server.connected({ ...RAW });
    const random = new SeededRandom(3);
    const forge = (peer: TestPeer) => {
      const type = [Content.data, Content.alert, Content.handshake][random.below(3)] ?? Content.data;
      const data = type === Content.alert ? Buffer.from([2, random.below(120)]) : random.bytes(1 + random.below(40));
      // In the clear, or sealed by somebody else: the last byte of the tag is wrong.
      if (random.happens(0.3)) return peer.plainRecord(type, data);
      const sequences = [...peer.sequences] as [number, number];
      const record = peer.seal(type, data);
      peer.sequences = sequences;
      record.writeUInt8(record.readUInt8(record.length - 1) ^ 1, record.length - 1);
      return record;
    };
    for (let n = 0; n < 5_000; n++) {
      for (const peer of [client, plain]) server.inner.deliver(peer.raw.address, forge(peer));
    }
    for (const peer of [client, plain]) await survives(server, peer);
    assert.deepEqual(server.closedChannels, []);
    assert.equal(server.dtls.statistics.sessions, 2);
  });

  it('PSK identity probing: a known and an unknown identity get the same flights in the same time', async function () {
    this.timeout(180_000);
    const server = await TestServer.open();
    const probe = async (identity: string) => {
      const client = server.client({ psk: { identity, key: Buffer.from('a guess') } });
      const start = process.hrtime.bigint();
      await client.connect();
      const time = Number(process.hrtime.bigint() - start);
      client.raw.close();
      assert.equal(client.connected, false);
      const shape = client.raw.received.map((datagram) => datagram.length).join();
      return { time, said: `${client.messages.join()} ${client.alerts.join()} ${shape}` };
    };
    const median = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1] ?? 0;
    const said = new Set<string>();
    let gap = 1;
    // A busy machine may disturb one measurement, not three.
    for (let attempt = 0; attempt < 3 && gap >= 0.05; attempt++) {
      const times = { known: [] as number[], unknown: [] as number[] };
      for (let n = 0; n < 2_500; n++) {
        for (const kind of n % 2 === 0 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const)) {
          const result = await probe(kind === 'known' ? PSK.identity : 'lamp-9');
          times[kind].push(result.time);
          said.add(result.said);
        }
      }
      gap = Math.abs(median(times.known) / median(times.unknown) - 1);
    }
    assert.equal(said.size, 1, [...said].join(' | '));
    assert.ok(gap < 0.05, `the medians differ by ${(gap * 100).toFixed(1)}%`);
  });

  it('reflection: a peer that proved its address gets a flight again a few times only', async () => {
    const server = await TestServer.open();
    const client = server.client();
    client.answer = 'nothing';
    const hellos: Buffer[] = [];
    server.network.filter = (from, _to, datagram) => from.port === 5684 || hellos.push(datagram) > 0;
    await client.connect();
    const before = client.raw.received.length;
    const last = hellos.at(-1) ?? Buffer.alloc(0);
    for (let n = 0; n < 10_000; n++) server.inner.deliver(client.raw.address, last);
    await server.clock.settle();
    assert.equal(client.raw.received.length, before);
    assert.equal(server.dtls.statistics.handshakesStarted, 1);
  });
});

describe('Any bytes', () => {
  /** What a peer may be when the bytes come in. */
  const STAGES = ['stranger', 'in a handshake', 'connected'] as const;

  for (const stage of STAGES) {
    it(`from a peer that is ${stage} neither throw nor end a session`, async function () {
      this.timeout(60_000);
      const server = await TestServer.open();
      server.echo = true;
      const control = await server.connected(RAW);
      const peer = server.client();
      peer.answer = stage === 'connected' ? 'all' : 'nothing';
      if (stage !== 'stranger') await peer.connect();
      peer.raw.onDatagram = undefined;
      const record = fc
        .tuple(
          fc.constantFrom(20, 21, 22, 23, 25, 0, 99),
          fc.constantFrom(0xfefd, 0xfeff, 0xfefc, 0x0303),
          fc.constantFrom(0, 1, 2, 65_535),
          fc.nat(100),
          fc.uint8Array({ maxLength: 200 }),
          fc.boolean(),
        )
        .map(([type, version, epoch, sequence, data, isHandshake]) => {
          const body = isHandshake ? handshakeLike(Buffer.from(data)) : Buffer.from(data);
          const header = Buffer.alloc(13);
          header.writeUInt8(type, 0);
          header.writeUInt16BE(version, 1);
          header.writeUInt16BE(epoch, 3);
          header.writeUIntBE(sequence, 5, 6);
          header.writeUInt16BE(body.length, 11);
          return Buffer.concat([header, body]);
        });
      const datagram = fc.oneof(
        fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
        fc.array(record, { minLength: 1, maxLength: 4 }).map((records) => Buffer.concat(records)),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(datagram, { minLength: 1, maxLength: 8 }), async (datagrams) => {
          for (const bytes of datagrams) server.inner.deliver(peer.raw.address, Buffer.from(bytes));
          await server.clock.settle();
        }),
        { numRuns: 3_000 },
      );
      await survives(server, control);
      if (stage === 'connected') {
        peer.raw.onDatagram = (bytes) => peer.receive(bytes);
        await survives(server, peer);
      }
    });
  }
});

/** The header of some handshake message before what follows. */
function handshakeLike(data: Buffer): Buffer {
  const header = Buffer.alloc(12);
  const [type = 0, seq = 0] = data;
  header.writeUInt8([1, 2, 3, 11, 12, 14, 15, 16, 20, 99][type % 10] ?? 0, 0);
  header.writeUIntBE(data.length, 1, 3);
  header.writeUInt16BE(seq % 4, 4);
  header.writeUIntBE(data.length, 9, 3);
  return Buffer.concat([header, data]);
}

function withCookie(hello: Buffer, cookie: Buffer): Buffer {
  // Version, random, an empty session id; then the cookie.
  return Buffer.concat([hello.subarray(0, 35), Buffer.from([cookie.length]), cookie, hello.subarray(36)]);
}

async function failing(server: TestServer, options: Parameters<TestServer['client']>[0]): Promise<void> {
  const client = await server.connected(options);
  assert.equal(client.connected, false);
  client.raw.close();
}
