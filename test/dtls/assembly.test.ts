import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { Admission } from '../../src/dtls/admission';
import { ConnectionIds, instanceOf } from '../../src/dtls/connection-ids';
import { CookieJar } from '../../src/dtls/cookie';
import { HelloAssembler } from '../../src/dtls/hello-assembler';
import { ASSEMBLY_LIMITS, MessageAssembler } from '../../src/dtls/message-assembler';
import type { ClientHello } from '../../src/dtls/messages/client-hello';
import type { HandshakeFragment } from '../../src/dtls/messages/handshake-fragment';
import { networkOf } from '../../src/dtls/network-of';
import { InvalidArgumentError } from '../../src/errors';
import { SeededRandom } from '../support/seeded-random';
import { SimulatedClock } from '../support/simulated-clock';

function piece(body: Buffer, start: number, end: number, messageSeq = 0): HandshakeFragment {
  return { type: 11, length: body.length, messageSeq, fragmentOffset: start, fragment: body.subarray(start, end) };
}

describe('The message assembler', () => {
  it('puts any overlapping fragments in any order together, and messages into their order', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 4 }),
        (seed, size, count) => {
          const random = new SeededRandom(seed);
          const bodies = Array.from({ length: count }, () => random.bytes(size));
          const pieces = bodies.flatMap((body, seq) =>
            // Ten cuts and the whole range: every byte is covered, most of them often.
            Array.from({ length: 10 }, (_, index) => Math.floor((index * size) / 10)).map((start) =>
              piece(body, start, Math.min(size, start + Math.ceil(size / 10) + random.below(20)), seq),
            ),
          );
          pieces.sort(() => random.fraction() - 0.5);
          const assembler = new MessageAssembler(0);
          const out: Buffer[] = [];
          for (const fragment of pieces) {
            assembler.add(fragment);
            for (let message = assembler.take(); message !== undefined; message = assembler.take())
              out.push(message.body);
          }
          assert.deepEqual(out, bodies);
          assert.equal(assembler.pendingBytes, 0);
        },
      ),
    );
  });

  it('keeps the bytes that came first when a fragment overlaps with others', () => {
    const assembler = new MessageAssembler(0);
    assembler.add(piece(Buffer.from('abcdef'), 1, 4));
    assembler.add(piece(Buffer.from('XXXXXX'), 0, 6));
    assert.equal(assembler.take()?.body.toString(), 'XbcdXX');
  });

  it('takes neither another length nor another type for a message', () => {
    const assembler = new MessageAssembler(0);
    assert.ok(assembler.add(piece(Buffer.from('abcdef'), 0, 3)));
    assert.equal(assembler.add(piece(Buffer.from('abcdefgh'), 3, 8)), false);
    assert.equal(assembler.add({ ...piece(Buffer.from('abcdef'), 3, 6), type: 15 }), false);
    assert.equal(assembler.take(), undefined);
  });

  it('gives an empty message, and is not filled by empty fragments of one that is not', () => {
    const assembler = new MessageAssembler(0);
    assert.equal(assembler.add(piece(Buffer.alloc(8000), 0, 0)), false);
    assert.equal(assembler.pendingBytes, 0);
    assert.ok(assembler.add(piece(Buffer.alloc(0), 0, 0)));
    assert.equal(assembler.take()?.body.length, 0);
  });

  it('bounds the length of a message, the messages that wait, their bytes and their pieces', () => {
    const assembler = new MessageAssembler(5);
    assert.equal(assembler.add(piece(Buffer.alloc(ASSEMBLY_LIMITS.messageLength + 1), 0, 1, 5)), false);
    assert.equal(assembler.add(piece(Buffer.alloc(4), 0, 1, 4)), false, 'old');
    assert.equal(assembler.add(piece(Buffer.alloc(4), 0, 1, 5 + ASSEMBLY_LIMITS.pendingMessages)), false, 'too far');
    assert.ok(assembler.add(piece(Buffer.alloc(8192), 0, 1, 5)));
    assert.ok(assembler.add(piece(Buffer.alloc(8192), 0, 1, 6)));
    assert.equal(assembler.add(piece(Buffer.alloc(8), 0, 1, 7)), false, 'too many bytes');
    let taken = 0;
    for (let start = 2; start < 8000; start += 2)
      if (assembler.add(piece(Buffer.alloc(8192), start, start + 1, 5))) taken += 1;
    assert.ok(taken < 32, `${taken} pieces`);
    assembler.dropPending();
    assert.equal(assembler.pendingBytes, 0);
    assert.equal(assembler.next, 5);
  });
});

describe('The store of fragmented ClientHellos', () => {
  const hello = (length: number, start: number, end: number) => ({
    ...piece(Buffer.alloc(length), start, end),
    type: 1,
  });

  it('is bounded, also for one network, and forgets', () => {
    const clock = new SimulatedClock();
    const assembler = new HelloAssembler(clock);
    for (let n = 0; n < 10_000; n++) {
      const host = `10.${(n >> 8) & 255}.${n & 255}.${n % 200}`;
      assert.equal(assembler.add({ host, port: 5000 + n }, hello(2000, 0, 10)), undefined);
    }
    assert.equal(assembler.size, 256);
    const fromOne = new HelloAssembler(clock);
    for (let port = 1; port < 100; port++) fromOne.add({ host: '10.0.0.1', port }, hello(2000, 0, 10));
    assert.equal(fromOne.size, 32);
    assert.equal(fromOne.add({ host: '10.0.0.1', port: 1 }, hello(5000, 0, 10)), undefined);
  });

  it('completes a hello, but not with a part that is older than ten seconds', async () => {
    const clock = new SimulatedClock();
    const assembler = new HelloAssembler(clock);
    const address = { host: '10.0.0.1', port: 1 };
    assembler.add(address, hello(100, 0, 50));
    assert.equal(assembler.add(address, hello(100, 50, 100))?.length, 100);
    assembler.add(address, hello(100, 0, 50));
    await clock.advance(10_001);
    assert.equal(assembler.add(address, hello(100, 50, 100)), undefined);
  });
});

describe('A cookie', () => {
  const hello = (cookie: Buffer, random = 1): ClientHello => ({
    version: 0xfefd,
    random: Buffer.alloc(32, random),
    sessionId: Buffer.alloc(0),
    cookie,
    cipherSuites: [0xc0a8],
    compressionMethods: [0],
    extensions: {},
  });
  const address = { host: '10.0.0.1', port: 5 };

  it('is good for its address and hello only', () => {
    const random = new SeededRandom(1);
    const jar = new CookieJar(new SimulatedClock(), (length) => random.bytes(length));
    const cookie = jar.bake(address, hello(Buffer.alloc(0)));
    assert.equal(jar.isGood(address, hello(cookie)), true);
    assert.equal(jar.isGood({ ...address, port: 6 }, hello(cookie)), false);
    assert.equal(jar.isGood({ ...address, host: '10.0.0.2' }, hello(cookie)), false);
    assert.equal(jar.isGood(address, hello(cookie, 2)), false);
    assert.equal(jar.isGood(address, { ...hello(cookie), cipherSuites: [0xc0a8, 1] }), false);
    assert.equal(jar.isGood(address, hello(cookie.subarray(1))), false);
    for (let bit = 0; bit < 128; bit++) {
      const forged = Buffer.from(cookie);
      forged.writeUInt8(forged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      assert.equal(jar.isGood(address, hello(forged)), false);
    }
  });

  it('outlives one change of the secret and not two', async () => {
    const clock = new SimulatedClock();
    let seed = 0;
    const jar = new CookieJar(clock, (length) => new SeededRandom((seed += 1)).bytes(length));
    await clock.advance(59_000);
    const cookie = jar.bake(address, hello(Buffer.alloc(0)));
    await clock.advance(60_000);
    assert.equal(jar.isGood(address, hello(cookie)), true);
    await clock.advance(60_000);
    assert.equal(jar.isGood(address, hello(cookie)), false);
  });

  it('is not good after a long silence, although its generation looks right', async () => {
    const clock = new SimulatedClock();
    let seed = 0;
    const jar = new CookieJar(clock, (length) => new SeededRandom((seed += 1)).bytes(length));
    const cookie = jar.bake(address, hello(Buffer.alloc(0)));
    await clock.advance(120_000);
    assert.equal(jar.isGood(address, hello(cookie)), false);
    await clock.advance(180_000);
    assert.equal(jar.isGood(address, hello(cookie)), false);
  });
});

describe('Limits', () => {
  it('count addresses by /24 and /64', () => {
    assert.equal(networkOf('192.0.2.17'), '192.0.2');
    assert.equal(networkOf('2001:db8:0:1::5'), '2001:db8:0:1:');
    assert.equal(networkOf('2001:0db8:0000:0001:1:2:3:4'), '2001:db8:0:1:');
    assert.equal(networkOf('2001:db8::1'), '2001:db8:0:0:');
    assert.equal(networkOf('::1'), '0:0:0:0:');
    assert.equal(networkOf('::'), '0:0:0:0:');
    assert.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0:');
    assert.equal(networkOf('1::2:3:4:5:6:7'), '1:0:2:3:');
    assert.equal(networkOf('64:ff9b::192.0.2.1'), '64:ff9b:0:0:');
  });

  it('hold in total and per network, and come back to nothing', () => {
    const admission = new Admission(3, 2);
    admission.take('10.0.0.1');
    admission.take('10.0.0.2');
    assert.equal(admission.hasRoom('10.0.0.3'), false);
    assert.equal(admission.hasRoom('10.0.1.3'), true);
    admission.take('10.0.1.3');
    assert.equal(admission.hasRoom('10.0.2.3'), false);
    for (const host of ['10.0.0.9', '10.0.0.1', '10.0.1.1']) admission.release(host);
    assert.deepEqual([admission.count, admission.networks], [0, 0]);
    assert.throws(() => admission.release('10.0.0.1'));
  });
});

describe('Connection ids', () => {
  it("hold the instance's number and are found only by the instance that gave them out", () => {
    const ids = new ConnectionIds<string>(513, (length) => Buffer.alloc(length, 9));
    const serial = ids.allocate();
    ids.assign(serial, 'lamp');
    const cid = ids.encode(serial);
    assert.equal(cid.toString('hex'), '0201090909090909');
    assert.equal(instanceOf(cid), 513);
    assert.equal(ids.find(cid), 'lamp');
    assert.equal(new ConnectionIds<string>(514, (length) => Buffer.alloc(length, 9)).find(cid), undefined);
    ids.free(serial, 'another');
    assert.equal(ids.find(cid), 'lamp');
    ids.free(serial, 'lamp');
    assert.equal(ids.find(cid), undefined);
    assert.throws(() => new ConnectionIds(70_000, () => Buffer.alloc(6)), InvalidArgumentError);
  });

  it('are never given out twice at a time', () => {
    const random = new SeededRandom(1);
    // Only one bit differs, so that the same number comes up again and again.
    const ids = new ConnectionIds<number>(1, (length) => Buffer.alloc(length, random.below(2)));
    const first = ids.allocate();
    ids.assign(first, 1);
    const second = ids.allocate();
    assert.notEqual(first, second);
  });
});
