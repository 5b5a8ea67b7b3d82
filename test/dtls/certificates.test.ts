import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { AlertError } from '../../src/dtls/alert';
import { readCertificateFields } from '../../src/dtls/x509/certificate-fields';
import { verifyCertificatePath } from '../../src/dtls/x509/verify-certificate-path';
import { CodecError } from '../../src/errors';
import { KeyUsage, newAuthority, newCertificate, Usage, type TestCertificate } from '../support/certificates';
import { Suite } from '../support/dtls-client';
import { newKeyPair, rawKey, TestServer } from './dtls-setup';

const NOW = Date.UTC(2030, 0, 1);
const root = newAuthority({ commonName: 'root' });
const intermediate = newAuthority({ commonName: 'intermediate', pathLength: 0 }, root);
const device = newCertificate({ commonName: 'lamp-7', isAuthority: false }, intermediate);

/**
 * A certificate in DER that claims a name and the root as its issuer, is signed by its own holder, and has a good certificate
 * of the holder in PEM in its text, which node:crypto finds first.
 */
function newPolyglot(commonName: string): TestCertificate {
  const own = newCertificate({ commonName: 'lamp-7' }, root);
  const forger = { ...root, key: own.key };
  return { ...newCertificate({ commonName, uris: [`\n${own.certificate.toString()}`] }, forger), key: own.key };
}

function verify(chain: readonly TestCertificate[], anchors = [root], now = NOW): readonly string[] | string {
  try {
    return verifyCertificatePath(
      chain.map(({ raw }) => raw),
      anchors.map(({ certificate }) => certificate),
      now,
    );
  } catch (error) {
    if (error instanceof AlertError) return error.alert;
    throw error;
  }
}

describe('A path of certificates', () => {
  it('is good when it leads to a trust anchor, which itself need not be sent', () => {
    assert.deepEqual(verify([device, intermediate]), ['lamp-7']);
    assert.deepEqual(verify([device, intermediate, root]), ['lamp-7']);
    assert.deepEqual(verify([device], [intermediate]), ['lamp-7'], 'an intermediate may be the anchor');
    assert.deepEqual(verify([newCertificate({}, root)], [intermediate, root]), ['device']);
  });

  it('proves the names of SubjectAltName, then the common name', () => {
    const named = newCertificate({ commonName: 'cn', dnsNames: ['lamp.example'], uris: ['urn:dev:1'] }, root);
    assert.deepEqual(verify([named]), ['lamp.example', 'urn:dev:1', 'cn']);
    assert.deepEqual(verify([newCertificate({ commonName: 'two\0names' }, root)]), [], 'a NUL is in no name');
  });

  it('is refused with unknown_ca when it leads nowhere', () => {
    const stranger = newAuthority({ commonName: 'root' });
    assert.equal(verify([device]), 'unknownCa', 'the intermediate is missing');
    assert.equal(verify([device, intermediate], []), 'unknownCa');
    assert.equal(verify([device, intermediate], [stranger]), 'unknownCa', 'the same name, another key');
    assert.equal(verify([newCertificate({}, stranger), stranger]), 'unknownCa', 'it brings its own root');
    assert.equal(verify([newCertificate({ commonName: 'self' })]), 'unknownCa');
    assert.equal(verify([device, root, intermediate]), 'unknownCa', 'not in order (RFC 5246 s7.4.2)');
  });

  it('is refused when somebody in it may not issue certificates (CVE-2021-34433)', () => {
    const leafAsIssuer = newCertificate({ commonName: 'leaf', isAuthority: false }, root);
    assert.equal(verify([newCertificate({}, leafAsIssuer), leafAsIssuer]), 'unknownCa');
    const noConstraints = newCertificate({ commonName: 'old' }, root);
    assert.equal(verify([newCertificate({}, noConstraints), noConstraints]), 'unknownCa');
    const noSigning = newAuthority({ commonName: 'no sign', keyUsage: KeyUsage.digitalSignature }, root);
    assert.equal(verify([newCertificate({}, noSigning), noSigning]), 'unknownCa');
    const below = newAuthority({ commonName: 'below' }, intermediate);
    assert.equal(verify([newCertificate({}, below), below, intermediate]), 'unknownCa', 'pathLen 0 is exceeded');
    const anchorThatMayNot = newCertificate({ commonName: 'root', isAuthority: false });
    assert.equal(verify([newCertificate({}, anchorThatMayNot)], [anchorThatMayNot]), 'unknownCa');
  });

  it('is refused when a certificate in it is not in its time', () => {
    const past = { notBefore: new Date('2001-01-01'), notAfter: new Date('2002-01-01') };
    assert.equal(verify([newCertificate(past, root)]), 'certificateExpired');
    assert.equal(verify([newCertificate({ notBefore: new Date('2040-01-01') }, root)]), 'certificateExpired');
    const old = newAuthority({ commonName: 'old', ...past }, root);
    assert.equal(verify([newCertificate({}, old), old]), 'certificateExpired');
    const oldRoot = newAuthority({ commonName: 'old root', ...past });
    assert.equal(verify([newCertificate({}, oldRoot)], [oldRoot]), 'certificateExpired');
  });

  it('is refused when the certificate is not for clients, or may not sign', () => {
    assert.equal(verify([newCertificate({ extendedKeyUsage: [Usage.server] }, root)]), 'unsupportedCertificate');
    assert.equal(verify([newCertificate({ keyUsage: KeyUsage.keyAgreement }, root)]), 'unsupportedCertificate');
    assert.deepEqual(verify([newCertificate({ extendedKeyUsage: [Usage.server, Usage.client] }, root)]), ['device']);
    assert.deepEqual(verify([newCertificate({ keyUsage: KeyUsage.digitalSignature }, root)]), ['device']);
  });

  it('is refused when a critical extension is unknown, and only then', () => {
    assert.equal(verify([newCertificate({ unknown: 'critical' }, root)]), 'unsupportedCertificate');
    assert.deepEqual(verify([newCertificate({ unknown: 'plain' }, root)]), ['device']);
  });

  it('is refused when a signature is wrong or of a weak kind', () => {
    const broken = { ...device, raw: Buffer.from(device.raw) };
    broken.raw.writeUInt8(broken.raw.readUInt8(broken.raw.length - 1) ^ 1, broken.raw.length - 1);
    assert.equal(verify([broken, intermediate]), 'unknownCa');
    assert.equal(verify([newCertificate({ hash: 'sha1' }, root)]), 'unknownCa');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const weak = newAuthority({ commonName: 'weak', key: privateKey });
    assert.equal(verify([newCertificate({}, weak)], [weak]), 'unknownCa');
  });

  it('is refused when it is empty or holds what is no certificate', () => {
    assert.equal(verify([]), 'handshakeFailure');
    assert.equal(verify([{ ...device, raw: Buffer.from('3003020101', 'hex') }]), 'badCertificate');
    assert.equal(verify([{ ...device, raw: Buffer.concat([device.raw, Buffer.from([0])]) }]), 'badCertificate');
  });

  it('is refused when a certificate in DER hides another one in PEM, which node:crypto would read instead', () => {
    const forged = newPolyglot('victim');
    assert.match(new X509Certificate(forged.raw).subject, /lamp-7/, 'node:crypto reads the one in PEM');
    assert.deepEqual(readCertificateFields(forged.raw).names, ['victim']);
    assert.equal(verify([forged]), 'badCertificate');
    assert.equal(verify([device, forged]), 'badCertificate', 'nor as an issuer');
  });
});

describe('A path of certificates that a stranger made up', () => {
  /** The keys that signatures are checked with while `run` runs. */
  function keysUsed(run: () => void): KeyObject[] {
    const keys: KeyObject[] = [];
    const { prototype } = X509Certificate;
    const original = Object.getOwnPropertyDescriptor(prototype, 'verify');
    assert.ok(original);
    Object.defineProperty(prototype, 'verify', {
      ...original,
      value: function (this: X509Certificate, key: KeyObject) {
        keys.push(key);
        return Reflect.apply(original.value as (key: KeyObject) => boolean, this, [key]);
      },
    });
    try {
      run();
    } finally {
      Object.defineProperty(prototype, 'verify', original);
    }
    return keys;
  }

  it('costs one signature, by the key of the trust anchor: the keys of a stranger may be as slow as RSA can be', () => {
    const fakeRoot = newAuthority({ commonName: 'root' });
    const chain = [newAuthority({ commonName: 'a0' }, fakeRoot)];
    for (let n = 1; n < 7; n++) chain.unshift(newAuthority({ commonName: `a${n}` }, chain[0]));
    chain.unshift(newCertificate({}, chain[0]));
    const used = keysUsed(() => assert.equal(verify(chain), 'unknownCa'));
    assert.equal(used.length, 1);
    assert.ok(used.every((key) => key.equals(root.certificate.publicKey)));
    const nowhere = chain.slice(0, -1);
    assert.deepEqual(
      keysUsed(() => assert.equal(verify(nowhere), 'unknownCa')),
      [],
      'a path that leads nowhere costs none',
    );
  });

  it('is refused wherever in it a signature is wrong', () => {
    const [top, middle] = [newAuthority({ commonName: 'top' }, root), newAuthority({ commonName: 'middle' })];
    const trueMiddle = newAuthority({ commonName: 'middle' }, top);
    assert.deepEqual(verify([newCertificate({}, trueMiddle), trueMiddle, top]), ['device']);
    assert.equal(verify([newCertificate({}, middle), trueMiddle, top]), 'unknownCa', 'the first');
    const ofFakeTop = newAuthority({ commonName: 'middle' }, newAuthority({ commonName: 'top' }));
    assert.equal(verify([newCertificate({}, ofFakeTop), ofFakeTop, top]), 'unknownCa', 'the second');
    const fakeTop = newAuthority({ commonName: 'top' }, newAuthority({ commonName: 'root' }));
    const ofFake = newAuthority({ commonName: 'middle' }, fakeTop);
    assert.equal(verify([newCertificate({}, ofFake), ofFake, fakeTop]), 'unknownCa', 'the third');
  });

  it('may pass an anchor that has the name but not the key, as when a root was renewed', () => {
    const renewed = newAuthority({ commonName: 'root' });
    assert.deepEqual(verify([newCertificate({}, root)], [renewed, root]), ['device']);
    assert.deepEqual(verify([device, intermediate], [newAuthority({ commonName: 'intermediate' }), root]), ['lamp-7']);
  });
});

describe('The reader of certificates', () => {
  it('throws nothing but CodecError on changed bytes, and never reads beyond the end', () => {
    const source = newCertificate(
      { dnsNames: ['a.b'], isAuthority: true, pathLength: 3, keyUsage: 0x84, extendedKeyUsage: [Usage.client] },
      root,
    ).raw;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(source.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        fc.nat(source.length),
        (changes, length) => {
          const bytes = Buffer.from(source);
          for (const [at, value] of changes) bytes.writeUInt8(value, at);
          for (const candidate of [bytes, bytes.subarray(0, length)]) {
            try {
              readCertificateFields(candidate);
            } catch (error) {
              assert.ok(error instanceof CodecError, String(error));
            }
          }
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('agrees with node:crypto', () => {
    for (const { raw } of [root, intermediate, device]) {
      const fields = readCertificateFields(raw);
      const certificate = new X509Certificate(raw);
      assert.equal(fields.isAuthority, certificate.ca);
      assert.equal(new Date(fields.notAfter).getTime(), Date.parse(certificate.validTo));
      assert.deepEqual(
        fields.names.map((name) => `CN=${name}`),
        [certificate.subject],
      );
    }
  });
});

describe('A handshake with certificates', () => {
  const serverKey = newKeyPair().privateKey;
  const serverCertificate = newCertificate({ commonName: 'server', key: serverKey }, root);

  async function serverWith(anchors: readonly TestCertificate[]): Promise<TestServer> {
    const server = await TestServer.open();
    server.credentials.serverKey = serverKey;
    server.credentials.serverCertificateChain = [serverCertificate.certificate];
    server.credentials.trustAnchors = anchors.map(({ certificate }) => certificate);
    return server;
  }

  const x509 = (own: TestCertificate, ...others: TestCertificate[]) => ({
    suite: Suite.ecdsaCcm8,
    psk: undefined,
    certificate: { kind: 'x509' as const, der: [own, ...others].map(({ raw }) => raw), key: own.key },
  });

  it('lets a device in by the first name of its certificate, or by the one that the credentials know', async () => {
    const server = await serverWith([root]);
    const own = newCertificate({ commonName: 'cn', dnsNames: ['lamp.example'], uris: ['urn:dev:1'] }, root);
    await (await server.connected(x509(own))).say('hello');
    assert.deepEqual(server.lastChannel.identity, { mode: 'x509', name: 'lamp.example' });
    Object.assign(server.credentials, {
      verifyCertificate: (names: readonly string[]) => Promise.resolve(names.find((name) => name.startsWith('urn:'))),
    });
    await (await server.connected(x509(own))).say('hello');
    assert.deepEqual(server.lastChannel.identity, { mode: 'x509', name: 'urn:dev:1' });
    const nameless = await server.connected(x509(newCertificate({ commonName: 'nobody' }, root)));
    assert.deepEqual([nameless.connected, nameless.alerts], [false, ['2 46']]);
  });

  it('takes a chain that needs many fragments', async () => {
    const server = await serverWith([root]);
    const client = await server.connected({ ...x509(device, intermediate), fragment: 50 });
    assert.ok(client.connected);
  });

  const refused: [string, string, ReturnType<typeof x509>][] = [
    ['unknown_ca', '2 48', x509(newCertificate({}))],
    ['certificate_expired', '2 45', x509(newCertificate({ notAfter: new Date('2021-01-01') }, root))],
    ['unsupported_certificate', '2 43', x509(newCertificate({ extendedKeyUsage: [Usage.server] }, root))],
    ['decrypt_error', '2 51', x509({ ...newCertificate({}, root), key: newKeyPair().privateKey })],
    ['bad_certificate', '2 42', x509({ ...device, raw: Buffer.from('3000', 'hex') })],
    ['bad_certificate for two certificates in one', '2 42', x509(newPolyglot('victim'))],
    [
      'unsupported_certificate',
      '2 43',
      x509(newCertificate({ key: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey }, root)),
    ],
  ];
  for (const [name, alert, options] of refused) {
    it(`is refused with ${name}`, async () => {
      const server = await serverWith([root]);
      const client = await server.connected(options);
      assert.deepEqual([client.connected, client.alerts], [false, [alert]]);
      assert.deepEqual([server.dtls.statistics.sessions, server.dtls.statistics.handshakes], [0, 0]);
    });
  }

  it('is refused with handshake_failure when the client has no certificate', async () => {
    const server = await serverWith([root]);
    const client = await server.connected({ ...x509(device), certificate: undefined });
    assert.deepEqual(client.alerts, ['2 40']);
    const raw = await serverWith([root]);
    const empty = await raw.connected({
      ...x509(device),
      certificate: { kind: 'rpk', der: [Buffer.alloc(0)], key: device.key },
    });
    assert.deepEqual(empty.alerts, ['2 40']);
  });

  it('is refused when the raw public key is of nobody, is none, or is not on P-256', async () => {
    const server = await TestServer.open();
    const rpk = (der: Buffer, key = rawKey.privateKey) => ({
      suite: Suite.ecdsaCcm8,
      psk: undefined,
      certificate: { kind: 'rpk' as const, der: [der], key },
    });
    const stranger = newKeyPair();
    assert.deepEqual((await server.connected(rpk(stranger.spki, stranger.privateKey))).alerts, ['2 46']);
    assert.deepEqual((await server.connected(rpk(Buffer.from('nonsense')))).alerts, ['2 42']);
    const other = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const spki = other.publicKey.export({ format: 'der', type: 'spki' });
    assert.deepEqual((await server.connected(rpk(spki, other.privateKey))).alerts, ['2 43']);
    const { lookups } = server.credentials;
    assert.deepEqual((await server.connected(rpk(rawKey.spki, stranger.privateKey))).alerts, ['2 51']);
    assert.equal(server.credentials.lookups, lookups, 'nobody is asked before the key is proved');
  });

  it('shows a raw public key to a client that shows one, and a certificate to others (RFC 7250 s4.2)', async () => {
    const server = await serverWith([root]);
    const types = (client: number[], accepted: number[]) =>
      server.connected({
        ...x509(device, intermediate),
        certificate:
          client[0] === 2 ? { kind: 'x509', der: [], key: rawKey.privateKey } : x509(device, intermediate).certificate,
        extraExtensions: [
          [19, Buffer.from([client.length, ...client])],
          [20, Buffer.from([accepted.length, ...accepted])],
        ],
      });
    assert.deepEqual((await types([0], [0, 2])).serverExtensions.get(20), Buffer.from([0]));
    assert.deepEqual((await types([2], [0, 2])).serverExtensions.get(20), Buffer.from([2]));
    assert.deepEqual((await types([9], [0])).alerts, ['2 43'], 'unsupported_certificate');
  });
});
