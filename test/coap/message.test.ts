import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  CoapCode,
  decodeMessage,
  encodeEmptyMessage,
  encodeMessage,
  MessageFormatError,
  MessageType,
} from '../../src/coap';
import type { CoapMessage, CoapOptions } from '../../src/coap';
import { CodecError } from '../../src/errors';

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ''), 'hex');

/** A CON GET 0x1234 with these option bytes and no token. */
const withOptions = (options: string) => decodeMessage(hex(`40011234 ${options}`)).options;

const EMPTY = Buffer.alloc(0);

describe('CoAP messages', () => {
  describe('the examples of RFC 7252 appendix A', () => {
    const examples: [string, string, CoapMessage][] = [
      [
        'figure 16: a CON GET of /temperature',
        '40 01 7d34 bb 74656d7065726174757265',
        {
          type: MessageType.CON,
          code: CoapCode.GET,
          messageId: 0x7d34,
          token: EMPTY,
          options: { uriPath: ['temperature'] },
          payload: EMPTY,
        },
      ],
      [
        'figure 16: its piggybacked response',
        '60 45 7d34 ff 32322e332043',
        {
          type: MessageType.ACK,
          code: CoapCode.Content,
          messageId: 0x7d34,
          token: EMPTY,
          options: {},
          payload: Buffer.from('22.3 C'),
        },
      ],
      [
        'figure 17: with a token',
        '41 01 7d35 20 bb 74656d7065726174757265',
        {
          type: MessageType.CON,
          code: CoapCode.GET,
          messageId: 0x7d35,
          token: hex('20'),
          options: { uriPath: ['temperature'] },
          payload: EMPTY,
        },
      ],
      [
        'figure 19: an empty acknowledgement',
        '60 00 7d37',
        { type: MessageType.ACK, code: 0, messageId: 0x7d37, token: EMPTY, options: {}, payload: EMPTY },
      ],
    ];
    for (const [name, bytes, message] of examples) {
      it(name, () => {
        assert.deepEqual(decodeMessage(hex(bytes)), message);
        assert.equal(encodeMessage(message).toString('hex'), hex(bytes).toString('hex'));
      });
    }
  });

  it('reads a LwM2M registration', () => {
    const message: CoapMessage = {
      type: MessageType.CON,
      code: CoapCode.POST,
      messageId: 1,
      token: hex('0102030405060708'),
      options: { uriPath: ['rd'], contentFormat: 40, uriQuery: ['ep=lamp-1', 'lt=300', 'lwm2m=1.1', 'b=U'] },
      payload: Buffer.from('</1/0>,</3/0>'),
    };
    const bytes =
      '48020001 0102030405060708 b2 7264 11 28 39 65703d6c616d702d31 06 6c743d333030 09 6c776d326d3d312e31 03 623d55 ff' +
      '3c2f312f303e2c3c2f332f303e';
    assert.equal(encodeMessage(message).toString('hex'), hex(bytes).toString('hex'));
    assert.deepEqual(decodeMessage(hex(bytes)), message);
  });

  it('encodes an empty message as the general encoder does', () => {
    const message = { code: 0, messageId: 0xabcd, token: EMPTY, options: {}, payload: EMPTY };
    for (const type of [MessageType.CON, MessageType.ACK, MessageType.RST]) {
      assert.deepEqual(encodeEmptyMessage(type, 0xabcd), encodeMessage({ ...message, type }));
    }
  });

  describe('options', () => {
    it('with a delta or length of 13 and of 269 or more have one and two more bytes', () => {
      const long = 'x'.repeat(300);
      const message = { type: 0, code: 1, messageId: 0, token: EMPTY, payload: EMPTY };
      assert.equal(encodeMessage({ ...message, options: { size1: 5 } }).toString('hex'), '40010000d12f05');
      assert.equal(
        encodeMessage({ ...message, options: { requestTag: [hex('aa')] } }).toString('hex'),
        '40010000e10017aa',
      );
      const encoded = encodeMessage({ ...message, options: { proxyUri: long } });
      assert.equal(encoded.subarray(4, 8).toString('hex'), 'de16001f');
      assert.equal(decodeMessage(encoded).options.proxyUri, long);
    });

    it('of integers may have leading zeros, and zero has no bytes', () => {
      assert.equal(withOptions('c2 0000').contentFormat, 0);
      assert.equal(withOptions('c0').contentFormat, 0);
      assert.equal(
        encodeMessage({
          type: 0,
          code: 1,
          messageId: 0,
          token: EMPTY,
          payload: EMPTY,
          options: { observe: 0 },
        }).toString('hex'),
        '4001000060',
      );
    });

    it('unknown and critical are noted, unknown and elective left out', () => {
      assert.deepEqual(withOptions('91 01'), { unknownCritical: [9] });
      assert.deepEqual(withOptions('d1 09 01'), {});
      assert.deepEqual(withOptions('90 20'), { unknownCritical: [9], uriPath: [''] });
    });

    it('of a wrong length count as unknown (RFC 7252 s5.4.3)', () => {
      assert.deepEqual(withOptions('c3 010203'), {}, 'Content-Format is elective');
      assert.deepEqual(withOptions('73 010203'), { unknownCritical: [7] }, 'Uri-Port is critical');
      assert.deepEqual(withOptions('64 01020304'), {}, 'Observe of four bytes');
      assert.deepEqual(withOptions('51 01'), { unknownCritical: [5] }, 'If-None-Match with a value');
      assert.deepEqual(withOptions('40'), {}, 'an ETag of no bytes');
      assert.deepEqual(withOptions('30'), { unknownCritical: [3] }, 'a Uri-Host of no bytes');
    });

    it('given twice where once is allowed count as unknown (RFC 7252 s5.4.5)', () => {
      assert.deepEqual(withOptions('d1 04 01 01 02'), { accept: 1, unknownCritical: [17] });
      assert.deepEqual(withOptions('c1 01 01 02'), { contentFormat: 1 });
      assert.deepEqual(withOptions('31 61 01 62'), { uriHost: 'a', unknownCritical: [3] });
    });

    it('of text that is no UTF-8 count as unknown, so that two names cannot look the same', () => {
      assert.deepEqual(withOptions('b2 61ff'), { unknownCritical: [11] });
      assert.deepEqual(withOptions('b2 c3a4'), { uriPath: ['ä'] });
    });

    it('that cannot be carried are not encoded', () => {
      const bad: CoapOptions[] = [
        { contentFormat: 65_536 },
        { contentFormat: -1 },
        { contentFormat: 1.5 },
        { observe: 2 ** 24 },
        { maxAge: 2 ** 32 },
        { uriPath: ['ä'.repeat(128)] },
        { uriHost: '' },
        { eTag: [EMPTY] },
        { requestTag: [Buffer.alloc(9)] },
        { block1: { num: 2 ** 20, more: false, szx: 0 } },
        { uriQuery: Array.from({ length: 100 }, () => 'x'.repeat(255)) },
      ];
      for (const options of bad) {
        const message = { type: 0, code: 1, messageId: 0, token: EMPTY, payload: EMPTY, options };
        assert.throws(() => encodeMessage(message), CodecError, JSON.stringify(options).slice(0, 80));
      }
    });
  });

  describe('format errors (RFC 7252 s3)', () => {
    const flawed: [string, string, boolean][] = [
      ['no bytes', '', false],
      ['less than a header', '400112', false],
      ['version 0', '00011234', false],
      ['version 2', '80011234', false],
      ['a token length of 9', '49011234 000102030405060708', true],
      ['a token length of 15', '4f011234 000102030405060708090a0b0c0d0e', true],
      ['a token that is cut off', '44011234 0102', true],
      ['an Empty message with a token', '41001234 01', true],
      ['an Empty message with a payload', '40001234 ff01', true],
      ['a code of class 1', '40201234', true],
      ['a code of class 3', '40601234', true],
      ['a code of class 7', '40e11234', true],
      ['an option that is cut off', '40011234 b5 7264', true],
      ['an extended delta that is cut off', '40011234 d0', true],
      ['a two byte delta that is cut off', '40011234 e0 01', true],
      ['an extended length that is cut off', '40011234 0d', true],
      ['a two byte length that is cut off', '40011234 0e 01', true],
      ['delta 15 without length 15', '40011234 f0', true],
      ['length 15', '40011234 0f', true],
      ['an option number above 65,535', '40011234 e0 ffff', true],
      ['a payload marker and no payload', '40011234 ff', true],
    ];
    for (const [name, bytes, readable] of flawed) {
      it(`${name}`, () => {
        assert.throws(
          () => decodeMessage(hex(bytes)),
          (error) => {
            assert.ok(error instanceof MessageFormatError);
            assert.equal(error.messageId, readable ? 0x1234 : undefined);
            assert.equal(error.type, readable ? MessageType.CON : undefined);
            return true;
          },
        );
      });
    }

    it('a request in an acknowledgement, and a reset with a code', () => {
      assert.throws(() => decodeMessage(hex('60011234')), MessageFormatError);
      assert.throws(() => decodeMessage(hex('70451234')), MessageFormatError);
    });
  });

  describe('as properties', () => {
    const bytes = (min: number, max: number) =>
      fc.uint8Array({ minLength: min, maxLength: max }).map((array) => Buffer.from(array));
    const text = (min: number) =>
      fc
        .string({ unit: 'binary', minLength: min, maxLength: 40 })
        .filter((value) => Buffer.from(value).toString() === value);
    const some = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: 1, maxLength: 4 });
    const uint = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 });
    const block = fc.record({ num: uint(20), more: fc.boolean(), szx: uint(3) }, { noNullPrototype: true });
    const options: fc.Arbitrary<CoapOptions> = fc.record(
      {
        ifMatch: some(bytes(0, 8)),
        uriHost: text(1),
        eTag: some(bytes(1, 8)),
        ifNoneMatch: fc.constant(true),
        observe: uint(24),
        uriPort: uint(16),
        locationPath: some(text(0)),
        uriPath: some(text(0)),
        contentFormat: uint(16),
        maxAge: uint(32),
        uriQuery: some(text(0)),
        hopLimit: fc.integer({ min: 1, max: 255 }),
        accept: uint(16),
        locationQuery: some(text(0)),
        block2: block,
        block1: block,
        size2: uint(32),
        proxyUri: fc.string({ minLength: 1, maxLength: 300 }),
        proxyScheme: text(1),
        size1: uint(32),
        echo: bytes(1, 40),
        noResponse: uint(8),
        requestTag: some(bytes(0, 8)),
      },
      { requiredKeys: [], noNullPrototype: true },
    );
    const codes = [
      ...Array.from({ length: 31 }, (_, index) => index + 1),
      0x41,
      0x45,
      0x5f,
      0x80,
      0x84,
      0x9d,
      0xa0,
      0xa5,
    ];
    const message: fc.Arbitrary<CoapMessage> = fc.record(
      {
        type: fc.constantFrom(MessageType.CON, MessageType.NON),
        code: fc.constantFrom(...codes),
        messageId: uint(16),
        token: bytes(0, 8),
        options,
        payload: bytes(0, 100),
      },
      { noNullPrototype: true },
    );

    it('decode(encode(m)) is m', () => {
      fc.assert(
        fc.property(message, (m) => assert.deepEqual(decodeMessage(encodeMessage(m)), m)),
        { numRuns: 2_000 },
      );
    });

    it('thousands of texts, many of them again and again, are each read as they are', () => {
      const read = (path: string) =>
        decodeMessage(encodeMessage({ ...empty, options: { uriPath: [path, 'rd'] } })).options.uriPath;
      const empty = { type: MessageType.CON, code: CoapCode.GET, messageId: 1, token: EMPTY, payload: EMPTY };
      for (let round = 0; round < 2; round += 1) {
        for (let n = 0; n < 5_000; n += 1) {
          for (const path of [`lamp-${n}`, `\u0000${n}`, `lämpchen-${n % 10}`, `${n}`.padStart(24, '.')]) {
            assert.deepEqual(read(path), [path, 'rd']);
          }
        }
      }
    });

    it('any bytes are a message or a MessageFormatError', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (array) => {
          decodeOrFormatError(Buffer.from(array));
        }),
        { numRuns: 20_000 },
      );
    });

    it('any mutation of a message is a message or a MessageFormatError', () => {
      const edit = fc.record({ at: fc.nat(), value: uint(8), cut: fc.boolean() });
      fc.assert(
        fc.property(message, fc.array(edit, { minLength: 1, maxLength: 5 }), (m, edits) => {
          let datagram = encodeMessage(m);
          for (const { at, value, cut } of edits) {
            if (datagram.length === 0) break;
            datagram[at % datagram.length] = value;
            if (cut) datagram = datagram.subarray(0, at % datagram.length);
          }
          decodeOrFormatError(datagram);
        }),
        { numRuns: 5_000 },
      );
    });
  });
});

/** Fails when decoding throws anything else, or gives what cannot be encoded again. */
function decodeOrFormatError(datagram: Buffer): void {
  let message: CoapMessage;
  try {
    message = decodeMessage(datagram);
  } catch (error) {
    assert.ok(error instanceof MessageFormatError, String(error));
    return;
  }
  const again = decodeMessage(encodeMessage(message));
  const { unknownCritical, ...known } = message.options;
  assert.deepEqual(again, { ...message, options: known }, `unknown: ${unknownCritical?.join(', ')}`);
}
