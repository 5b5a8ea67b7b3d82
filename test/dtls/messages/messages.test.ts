import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { CodecError } from '../../../src/errors';
import { decodeAlert, encodeAlert } from '../../../src/dtls/alert';
import { decodeCertificate, encodeCertificate } from '../../../src/dtls/messages/certificate';
import { decodeCertificateRequest, encodeCertificateRequest } from '../../../src/dtls/messages/certificate-request';
import { decodeCertificateVerify, encodeCertificateVerify } from '../../../src/dtls/messages/certificate-verify';
import { decodeChangeCipherSpec, encodeChangeCipherSpec } from '../../../src/dtls/messages/change-cipher-spec';
import { decodeClientHello, encodeClientHello } from '../../../src/dtls/messages/client-hello';
import { decodeClientKeyExchange, encodeClientKeyExchange } from '../../../src/dtls/messages/client-key-exchange';
import { decodeFinished, encodeFinished } from '../../../src/dtls/messages/finished';
import { decodeHandshakeFragments, encodeHandshakeFragment } from '../../../src/dtls/messages/handshake-fragment';
import { decodeHelloRequest, encodeHelloRequest } from '../../../src/dtls/messages/hello-request';
import { decodeHelloVerifyRequest, encodeHelloVerifyRequest } from '../../../src/dtls/messages/hello-verify-request';
import { decodeServerHello, encodeServerHello } from '../../../src/dtls/messages/server-hello';
import { decodeServerHelloDone, encodeServerHelloDone } from '../../../src/dtls/messages/server-hello-done';
import { decodeServerKeyExchange, encodeServerKeyExchange } from '../../../src/dtls/messages/server-key-exchange';

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ''), 'hex');
const RANDOM = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const POINT = `04${'11'.repeat(32)}${'22'.repeat(32)}`;

interface Vector<Message> {
  readonly name: string;
  readonly bytes: string;
  readonly message: Message;
  readonly encode: (message: Message) => Buffer;
  readonly decode: (bytes: Buffer) => Message;
}

const vector = <Message>(entry: Vector<Message>) => entry as unknown as Vector<unknown>;

const VECTORS: Vector<unknown>[] = [
  vector({
    name: 'ClientHello with all extensions (RFC 5246 s7.4.1.2, RFC 6347 s4.2.1)',
    bytes: `fefd ${RANDOM} 04 a1a2a3a4 02 c1c2 0004 c0a8 00ff 01 00
      003c 000a 0004 0002 0017  000d 0004 0002 0403  0013 0003 02 0200  0014 0002 01 02
      0001 0001 02  000b 0002 01 00  0016 0000  0017 0000  0036 0003 02 dead  ff01 0001 00`,
    message: {
      version: 0xfefd,
      random: hex(RANDOM),
      sessionId: hex('a1a2a3a4'),
      cookie: hex('c1c2'),
      cipherSuites: [0xc0a8, 0x00ff],
      compressionMethods: [0],
      extensions: {
        maxFragmentLength: 2,
        ecPointFormats: [0],
        encryptThenMac: true,
        extendedMasterSecret: true,
        connectionId: hex('dead'),
        renegotiationInfo: hex(''),
        supportedGroups: [23],
        signatureAlgorithms: [0x0403],
        clientCertificateTypes: [2, 0],
        serverCertificateTypes: [2],
      },
    },
    encode: encodeClientHello,
    decode: decodeClientHello,
  }),
  vector({
    name: 'ClientHello without extensions',
    bytes: `fefd ${RANDOM} 00 00 0002 c0a8 01 00`,
    message: {
      version: 0xfefd,
      random: hex(RANDOM),
      sessionId: hex(''),
      cookie: hex(''),
      cipherSuites: [0xc0a8],
      compressionMethods: [0],
      extensions: {},
    },
    encode: encodeClientHello,
    decode: decodeClientHello,
  }),
  vector({
    name: 'HelloVerifyRequest (RFC 6347 s4.2.1)',
    bytes: 'feff 04 01020304',
    message: { version: 0xfeff, cookie: hex('01020304') },
    encode: encodeHelloVerifyRequest,
    decode: decodeHelloVerifyRequest,
  }),
  vector({
    name: 'ServerHello (RFC 5246 s7.4.1.3)',
    bytes: `fefd ${RANDOM} 02 beef c0ae 00
      0029 0013 0001 02  0014 0001 02  0001 0001 01  000b 0002 01 00  0016 0000  0017 0000  0036 0003 02 0007  ff01 0001 00`,
    message: {
      version: 0xfefd,
      random: hex(RANDOM),
      sessionId: hex('beef'),
      cipherSuite: 0xc0ae,
      compressionMethod: 0,
      extensions: {
        clientCertificateType: 2,
        serverCertificateType: 2,
        maxFragmentLength: 1,
        ecPointFormats: [0],
        encryptThenMac: true,
        extendedMasterSecret: true,
        connectionId: hex('0007'),
        renegotiationInfo: hex(''),
      },
    },
    encode: encodeServerHello,
    decode: decodeServerHello,
  }),
  vector({
    name: 'Certificate with a chain (RFC 5246 s7.4.2)',
    bytes: '00000b 000003 aabbcc 000002 ddee',
    message: { kind: 'x509', chain: [hex('aabbcc'), hex('ddee')] },
    encode: encodeCertificate,
    decode: (bytes) => decodeCertificate(bytes, 'x509'),
  }),
  vector({
    name: 'Certificate of a client that has none',
    bytes: '000000',
    message: { kind: 'x509', chain: [] },
    encode: encodeCertificate,
    decode: (bytes) => decodeCertificate(bytes, 'x509'),
  }),
  vector({
    name: 'Certificate with a raw public key, without a list around it (RFC 7250 s3)',
    bytes: '000004 30020500',
    message: { kind: 'raw-public-key', subjectPublicKeyInfo: hex('30020500') },
    encode: encodeCertificate,
    decode: (bytes) => decodeCertificate(bytes, 'raw-public-key'),
  }),
  vector({
    name: 'ServerKeyExchange of PSK (RFC 4279 s2)',
    bytes: '0004 68696e74',
    message: { keyExchange: 'psk', identityHint: Buffer.from('hint') },
    encode: encodeServerKeyExchange,
    decode: (bytes) => decodeServerKeyExchange(bytes, 'psk'),
  }),
  vector({
    name: 'ServerKeyExchange of ECDHE_PSK (RFC 5489 s2)',
    bytes: `0000 03 0017 41 ${POINT}`,
    message: { keyExchange: 'ecdhe-psk', identityHint: hex(''), group: 23, publicPoint: hex(POINT) },
    encode: encodeServerKeyExchange,
    decode: (bytes) => decodeServerKeyExchange(bytes, 'ecdhe-psk'),
  }),
  vector({
    name: 'ServerKeyExchange of ECDHE_ECDSA (RFC 8422 s5.4)',
    bytes: `03 0017 41 ${POINT} 0403 0003 300100`,
    message: {
      keyExchange: 'ecdhe-ecdsa',
      group: 23,
      publicPoint: hex(POINT),
      signatureScheme: 0x0403,
      signature: hex('300100'),
    },
    encode: encodeServerKeyExchange,
    decode: (bytes) => decodeServerKeyExchange(bytes, 'ecdhe-ecdsa'),
  }),
  vector({
    name: 'CertificateRequest (RFC 5246 s7.4.4)',
    bytes: '01 40 0002 0403 0000',
    message: { certificateTypes: [64], signatureAlgorithms: [0x0403], certificateAuthorities: [] },
    encode: encodeCertificateRequest,
    decode: decodeCertificateRequest,
  }),
  vector({
    name: 'CertificateRequest with authorities',
    bytes: '02 4001 0004 0403 0401 0006 0004 30023100',
    message: {
      certificateTypes: [64, 1],
      signatureAlgorithms: [0x0403, 0x0401],
      certificateAuthorities: [hex('30023100')],
    },
    encode: encodeCertificateRequest,
    decode: decodeCertificateRequest,
  }),
  vector({
    name: 'ServerHelloDone (RFC 5246 s7.4.5)',
    bytes: '',
    message: undefined,
    encode: encodeServerHelloDone,
    decode: decodeServerHelloDone,
  }),
  vector({
    name: 'HelloRequest (RFC 5246 s7.4.1.1)',
    bytes: '',
    message: undefined,
    encode: encodeHelloRequest,
    decode: decodeHelloRequest,
  }),
  vector({
    name: 'ClientKeyExchange of PSK (RFC 4279 s2)',
    bytes: '0004 64657631',
    message: { keyExchange: 'psk', identity: Buffer.from('dev1') },
    encode: encodeClientKeyExchange,
    decode: (bytes) => decodeClientKeyExchange(bytes, 'psk'),
  }),
  vector({
    name: 'ClientKeyExchange of ECDHE_PSK (RFC 5489 s2)',
    bytes: `0004 64657631 41 ${POINT}`,
    message: { keyExchange: 'ecdhe-psk', identity: Buffer.from('dev1'), publicPoint: hex(POINT) },
    encode: encodeClientKeyExchange,
    decode: (bytes) => decodeClientKeyExchange(bytes, 'ecdhe-psk'),
  }),
  vector({
    name: 'ClientKeyExchange of ECDHE_ECDSA (RFC 8422 s5.7)',
    bytes: `41 ${POINT}`,
    message: { keyExchange: 'ecdhe-ecdsa', publicPoint: hex(POINT) },
    encode: encodeClientKeyExchange,
    decode: (bytes) => decodeClientKeyExchange(bytes, 'ecdhe-ecdsa'),
  }),
  vector({
    name: 'CertificateVerify (RFC 5246 s7.4.8)',
    bytes: '0403 0004 30020500',
    message: { signatureScheme: 0x0403, signature: hex('30020500') },
    encode: encodeCertificateVerify,
    decode: decodeCertificateVerify,
  }),
  vector({
    name: 'Finished (RFC 5246 s7.4.9)',
    bytes: '000102030405060708090a0b',
    message: { verifyData: hex('000102030405060708090a0b') },
    encode: encodeFinished,
    decode: decodeFinished,
  }),
  vector({
    name: 'ChangeCipherSpec (RFC 5246 s7.1)',
    bytes: '01',
    message: undefined,
    encode: encodeChangeCipherSpec,
    decode: decodeChangeCipherSpec,
  }),
  vector({
    name: 'an alert (RFC 5246 s7.2)',
    bytes: '0228',
    message: { level: 2, description: 40 },
    encode: () => encodeAlert('fatal', 'handshakeFailure'),
    decode: decodeAlert,
  }),
  vector({
    name: 'a handshake fragment (RFC 6347 s4.2.2)',
    bytes: '0b 000005 0002 000001 000003 aabbcc',
    message: [{ type: 11, length: 5, messageSeq: 2, fragmentOffset: 1, fragment: hex('aabbcc') }],
    encode: ([fragment]) => (fragment === undefined ? Buffer.alloc(0) : encodeHandshakeFragment(fragment)),
    decode: decodeHandshakeFragments,
  }),
];

/** Captured. */
const OPENSSL_HELLO = `
  fefdd079cc81021d124175fa49f73b09e39b3453b689b6f0a9208cec10180bd7604400000004c0a800ff0100003a002300000016000000
  170000000d002a0028040305030603080708080809080a080b080408050806040105010601030303010302040205020602`;
const GNUTLS_HELLO = `
  fefd9564f82a01303ec36de18654806b6d54592acb1fa87c6ee508ace83c5835b36800000044c02ccca9c0adc00ac02bc0acc009c023c0
  aec030cca8c014c02fc013c027009dc09d0035003d009cc09c002f003cc0a0009fccaac09f0039006b009ec09e00330067c0a201000085
  00050005010000000000130002010200140003020002000a00160014001700180019001d001e01000101010201030104000b0002010000
  0d00220020040108090804040308070501080a0805050308080601080b0806060302010203001600000017000000230000ff0100010000
  00000e000c0000096c6f63616c686f7374001c00024000`;

/** Cut off after the extensions' start, a hello is a hello without extensions. */
const SHORTER_IS_LEGAL = new Map([
  ['ClientHello with all extensions (RFC 5246 s7.4.1.2, RFC 6347 s4.2.1)', 50],
  ['ServerHello (RFC 5246 s7.4.1.3)', 40],
]);

describe('Each message of DTLS', () => {
  for (const { name, bytes, message, encode, decode } of VECTORS) {
    it(`reads and writes the bytes of ${name}`, () => {
      assert.deepEqual(decode(hex(bytes)), message);
      assert.equal(encode(message).toString('hex'), hex(bytes).toString('hex'));
    });

    it(`refuses ${name} cut off at any place or with a byte too many`, () => {
      const whole = hex(bytes);
      for (let length = 0; length < whole.length; length++) {
        if (length === SHORTER_IS_LEGAL.get(name)) continue;
        assert.throws(() => decode(whole.subarray(0, length)), CodecError, `${length} bytes`);
      }
      assert.throws(() => decode(Buffer.concat([whole, hex('00')])), CodecError);
    });
  }

  it('reads the ClientHellos that OpenSSL 3.0 and GnuTLS 3.7 sent', () => {
    const openssl = decodeClientHello(hex(OPENSSL_HELLO));
    assert.deepEqual(openssl.cipherSuites, [0xc0a8, 0x00ff]);
    assert.equal(openssl.extensions.extendedMasterSecret, true);
    assert.equal(openssl.extensions.encryptThenMac, true);
    const gnutls = decodeClientHello(hex(GNUTLS_HELLO));
    assert.ok(gnutls.cipherSuites.includes(0xc0ae));
    assert.deepEqual(gnutls.extensions.clientCertificateTypes, [2]);
    assert.deepEqual(gnutls.extensions.serverCertificateTypes, [0, 2]);
    assert.deepEqual(gnutls.extensions.renegotiationInfo, hex(''));
  });

  it('refuses what contradicts itself', () => {
    const twice = `fefd ${RANDOM} 00 00 0002 c0a8 01 00 0008 0017 0000 0017 0000`;
    assert.throws(() => decodeClientHello(hex(twice)), /twice/);
    assert.throws(() => decodeClientHello(hex(`fefd ${RANDOM} 00 00 0003 c0a800 01 00`)), /odd/);
    assert.throws(() => decodeCertificate(hex(`000024 ${'000001 aa'.repeat(9)}`), 'x509'), /too long/);
    assert.throws(() => decodeClientKeyExchange(hex(`0101 ${'61'.repeat(257)}`), 'psk'), CodecError);
    assert.throws(() => decodeServerKeyExchange(hex(`03 0018 41 ${POINT} 0403 0001 00`), 'ecdhe-ecdsa'), /curve/);
    assert.throws(() => decodeHandshakeFragments(hex('0b 000005 0002 000003 000003 aabbcc')), CodecError);
    assert.throws(() => decodeChangeCipherSpec(hex('02')), CodecError);
    assert.throws(() => decodeAlert(hex('0300')), /level/);
  });
});
