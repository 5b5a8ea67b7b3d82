import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { ALL_CIPHER_SUITES, cipherSuites } from '../../src/dtls/cipher-suites/cipher-suite';
import { ContentType, encodePlainRecord, readRecord } from '../../src/dtls/record/record';
import { openRecord, type RecordCipher } from '../../src/dtls/record/record-cipher';
import { RecordReader } from '../../src/dtls/record/record-reader';
import { RecordWriter } from '../../src/dtls/record/record-writer';
import { ReplayWindow } from '../../src/dtls/record/replay-window';

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ''), 'hex');

describe('A record', () => {
  it('is read from and written to the bytes of RFC 6347 s4.1', () => {
    const bytes = hex('16 fefd 0000 000000000005 0003 aabbcc');
    const record = readRecord(bytes, 0, 8);
    assert.deepEqual(record, {
      type: 22,
      version: 0xfefd,
      epoch: 0,
      sequence: 5,
      cid: undefined,
      fragment: hex('aabbcc'),
      end: 16,
    });
    assert.deepEqual(encodePlainRecord(22, 5, hex('aabbcc')), bytes);
  });

  it('has its connection id before the length (RFC 9146 s4)', () => {
    const record = readRecord(hex('19 fefd 0001 000000000001 0007010203040506 0002 ffff'), 0, 8);
    assert.equal(record?.cid?.toString('hex'), '0007010203040506');
    assert.equal(record?.fragment.toString('hex'), 'ffff');
  });

  it('is not taken when it is cut off, too long or of another protocol', () => {
    const whole = hex('17 fefd 0001 000000000001 0003 aabbcc');
    for (let length = 0; length < whole.length; length++) {
      assert.equal(readRecord(whole.subarray(0, length), 0, 8), undefined);
    }
    assert.equal(readRecord(hex('17 0303 0001 000000000001 0000'), 0, 8), undefined);
    assert.equal(readRecord(hex('18 fefd 0001 000000000001 ffff'), 0, 8), undefined);
    assert.equal(readRecord(hex('40 fefd 0001 000000000001 0000'), 0, 8), undefined);
    const long = Buffer.concat([hex('17 fefd 0001 000000000001 4801'), Buffer.alloc(0x4801)]);
    assert.equal(readRecord(long, 0, 8), undefined);
  });
});

describe('The replay window', () => {
  it('takes each number once and none that is too old, as a set would say', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 400 }), (numbers) => {
        const window = new ReplayWindow();
        const seen = new Set<number>();
        let newest = -1;
        for (const number of numbers) {
          const expected = !seen.has(number) && number > newest - 64;
          assert.equal(window.isFresh(number), expected, `${number} after ${[...seen].join()}`);
          if (!expected) continue;
          window.mark(number);
          seen.add(number);
          newest = Math.max(newest, number);
          assert.equal(window.newest, newest);
        }
      }),
    );
  });

  it('works with the highest numbers of 48 bits', () => {
    const window = new ReplayWindow();
    const top = 2 ** 48 - 1;
    window.mark(top - 40);
    window.mark(top);
    assert.equal(window.isFresh(top), false);
    assert.equal(window.isFresh(top - 40), false);
    assert.equal(window.isFresh(top - 39), true);
    assert.equal(window.isFresh(top - 64), false);
  });
});

/** Both ends of a connection: one key block, the halves swapped. */
function pair(name: (typeof ALL_CIPHER_SUITES)[number], encryptThenMac: boolean): [RecordCipher, RecordCipher] {
  const [suite] = cipherSuites([name]);
  assert.ok(suite);
  const { protection } = suite;
  const block = randomBytes(protection.keyBlockLength);
  const swapped = Buffer.alloc(block.length);
  const sizes = protection.isBlockCipher ? [32, 16] : [16, 4];
  let offset = 0;
  for (const size of sizes) {
    block.copy(swapped, offset, offset + size, offset + 2 * size);
    block.copy(swapped, offset + size, offset, offset + size);
    offset += 2 * size;
  }
  return [protection.create(block, encryptThenMac), protection.create(swapped, encryptThenMac)];
}

describe('Sealed records', () => {
  for (const name of ALL_CIPHER_SUITES) {
    for (const encryptThenMac of name.includes('CBC') ? [false, true] : [false]) {
      const [writer, reader] = pair(name, encryptThenMac);
      const how = `${name}${encryptThenMac ? ', encrypt-then-MAC' : ''}`;

      it(`come out as they went in, with and without a connection id: ${how}`, () => {
        fc.assert(
          fc.property(fc.uint8Array({ maxLength: 600 }), fc.maxSafeNat(), fc.boolean(), (data, number, hasCid) => {
            const cid = hasCid ? Buffer.from('0007aabbccddeeff', 'hex') : undefined;
            const header = { type: ContentType.applicationData, epoch: 1, sequence: number % 2 ** 48, cid };
            const plaintext = Buffer.from(data);
            const bytes = writer.seal(header, plaintext);
            assert.ok(bytes.length <= plaintext.length + 13 + (cid?.length ?? 0) + writer.overhead);
            const record = readRecord(bytes, 0, 8);
            assert.ok(record);
            assert.deepEqual(openRecord(reader, record), { type: 23, data: plaintext });
          }),
          { numRuns: 200 },
        );
      });

      it(`are not opened when any bit is changed or the end is cut off: ${how}`, () => {
        for (const cid of [undefined, Buffer.from('0007aabbccddeeff', 'hex')]) {
          const header = { type: ContentType.applicationData, epoch: 1, sequence: 9, cid };
          const bytes = writer.seal(header, Buffer.from('thirty-one bytes of application'));
          for (let bit = 0; bit < bytes.length * 8; bit++) {
            const forged = Buffer.from(bytes);
            forged.writeUInt8(forged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
            const record = readRecord(forged, 0, 8);
            if (record !== undefined) assert.equal(openRecord(reader, record), undefined, `bit ${bit}`);
          }
          const start = 13 + (cid?.length ?? 0);
          for (let length = 0; length < bytes.length - start; length++) {
            const short = Buffer.from(bytes.subarray(0, start + length));
            short.writeUInt16BE(length, start - 2);
            const record = readRecord(short, 0, 8);
            assert.ok(record);
            assert.equal(openRecord(reader, record), undefined, `${length} bytes`);
          }
        }
      });
    }
  }

  it('keep the padding of DTLSInnerPlaintext out, and are refused when there is nothing but padding', () => {
    const [writer, reader] = pair('TLS_PSK_WITH_AES_128_CCM_8', false);
    const cid = Buffer.from('0007aabbccddeeff', 'hex');
    // The inner type 0 makes the real type a padding byte: what is left before it is the type and the data.
    const padded = writer.seal({ type: 0, epoch: 1, sequence: 1, cid }, Buffer.from('data\x17\0\0'));
    const record = readRecord(padded, 0, 8);
    assert.ok(record);
    assert.deepEqual(openRecord(reader, record), { type: 23, data: Buffer.from('data') });
    const empty = readRecord(writer.seal({ type: 0, epoch: 1, sequence: 2, cid }, Buffer.alloc(3)), 0, 8);
    assert.ok(empty);
    assert.equal(openRecord(reader, empty), undefined);
  });

  it('are read once, in any order, and a forged one does not use up its number', () => {
    const [writer, reading] = pair('TLS_PSK_WITH_AES_128_CCM_8', false);
    const reader = new RecordReader(reading);
    const write = new RecordWriter(0);
    write.setCipher(writer, undefined);
    const records = [0, 1, 2].map((n) => write.write(1, 23, Buffer.from([n])));
    const read = (bytes: Buffer) => {
      const record = readRecord(bytes, 0, 8);
      assert.ok(record);
      return reader.read(record);
    };
    const [first, second, third] = records as [Buffer, Buffer, Buffer];
    const forged = Buffer.from(third);
    forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1);
    assert.equal(read(forged), 'forged');
    assert.deepEqual(read(third), { type: 23, data: Buffer.from([2]), isNewest: true });
    assert.deepEqual(read(first), { type: 23, data: Buffer.from([0]), isNewest: false });
    assert.equal(read(first), 'replayed');
    assert.deepEqual(read(second), { type: 23, data: Buffer.from([1]), isNewest: false });
  });
});

describe('The record writer', () => {
  it('never gives a number twice and stops when they are used up', () => {
    const writer = new RecordWriter(2 ** 48 - 2);
    const numbers = [0, 1].map(() => readRecord(writer.write(0, 22, Buffer.alloc(1)), 0, 0)?.sequence);
    assert.deepEqual(numbers, [2 ** 48 - 2, 2 ** 48 - 1]);
    assert.throws(() => writer.write(0, 22, Buffer.alloc(1)), /used up/);
    assert.throws(() => writer.write(1, 23, Buffer.alloc(1)), /no keys/);
  });
});
