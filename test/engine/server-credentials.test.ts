import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { Engine, StoreError } from '../../src';
import { keptServerKey, publicKeyOf, readServerCredentials } from '../../src/engine/server-credentials';
import { MemorySecrets } from '../../src/store/memory-secrets';
import { newAuthority, newCertificate } from '../support/certificates';
import { newKeyPair } from '../support/key-pair';

const pem = (key: KeyObject, type: 'pkcs8' | 'sec1' = 'pkcs8'): string =>
  key.export({ format: 'pem', type }).toString();

const root = newAuthority({ commonName: 'root' });
const issuer = newAuthority({ commonName: 'issuer' }, root);
const server = newCertificate({ commonName: 'server' }, issuer);
const privateKey = pem(server.key);
const chain = [server, issuer, root].map(({ certificate }) => certificate.toString());

describe('The credentials of a server', () => {
  it('are a key, its certificate with the issuers but not the root, and trust anchors', () => {
    const trustAnchors = `# ours\n${root.certificate.toString()}\n${issuer.certificate.toString()}`;
    const credentials = readServerCredentials({ privateKey, certificate: chain.join('\n'), trustAnchors });
    assert.equal(credentials.key?.equals(server.key), true);
    assert.deepEqual(
      credentials.chain.map(({ subject }) => subject),
      ['CN=server', 'CN=issuer'],
    );
    assert.deepEqual(
      credentials.trustAnchors.map(({ subject }) => subject),
      ['CN=root', 'CN=issuer'],
    );
  });

  it('may be a key alone, in either PEM form, or nothing', () => {
    assert.equal(readServerCredentials({ privateKey: pem(server.key, 'sec1') }).key?.equals(server.key), true);
    for (const nothing of [{}, { privateKey: '', certificate: ' \n', trustAnchors: '' }]) {
      assert.deepEqual(readServerCredentials(nothing), {
        key: undefined,
        formerKey: undefined,
        chain: [],
        trustAnchors: [],
      });
    }
  });

  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const locked = server.key.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-128-cbc', passphrase: 'x' }).toString();
  const broken = chain[0]?.replace(/[A-Z]{4}\n/, 'AAAA\n') ?? '';
  const wrong: [string, Parameters<typeof readServerCredentials>[0], RegExp][] = [
    ['a key that is none', { privateKey: 'MIGHAgEA' }, /private key is no key in PEM/],
    ['a locked key', { privateKey: locked }, /locked by a password/],
    ['a key of another kind', { privateKey: pem(rsa) }, /on the curve P-256/],
    ['a certificate without a key', { certificate: chain[0] }, /needs the server's private key/],
    ['a certificate that is none', { privateKey, certificate: 'x' }, /server's certificate: there is no certificate/],
    ['a broken certificate', { privateKey, certificate: broken.slice(0, 100) + broken.slice(140) }, /cannot be read/],
    [
      'a certificate of another key',
      { privateKey: pem(newKeyPair().privateKey), certificate: chain[0] },
      /belong together/,
    ],
    [
      'issuers in a wrong order',
      { privateKey, certificate: `${chain[0]}${chain[2]}` },
      /'CN=root' did not issue 'CN=server'/,
    ],
    ['a trust anchor that is none', { trustAnchors: 'x' }, /trust anchors: there is no certificate/],
    ['a trust anchor that may not issue', { trustAnchors: chain[0] }, /'CN=server' is no certificate of an authority/],
  ];
  for (const [name, options, message] of wrong) {
    it(`are refused with ${name}`, () => {
      assert.throws(() => new Engine({ coapPort: null, credentials: options }), { code: 'INVALID_ARGUMENT', message });
    });
  }

  it('have a key that is made once when none is given', async () => {
    const secrets = new MemorySecrets();
    const key = await keptServerKey(secrets);
    assert.equal((await keptServerKey(secrets)).equals(key), true);
    assert.equal(publicKeyOf(key), publicKeyOf(await keptServerKey(secrets)));
    assert.notEqual(publicKeyOf(await keptServerKey(new MemorySecrets())), publicKeyOf(key));
  });

  it('have the key of the instance that was first, when two start at once on one store', async () => {
    const secrets = new MemorySecrets();
    const slow = {
      get: async (name: string) => {
        const secret = secrets.get(name);
        await Promise.resolve();
        return secret;
      },
      add: (name: string, secret: Buffer) => Promise.resolve(secrets.add(name, secret)),
    };
    const [one, other] = await Promise.all([keptServerKey(slow), keptServerKey(slow)]);
    assert.equal(one.equals(other), true);
  });

  it('are not made up when what the store keeps is no key', async () => {
    const secrets = new MemorySecrets();
    secrets.add('server-key', Buffer.from('no key'));
    await assert.rejects(keptServerKey(secrets), StoreError);
  });

  it('are nothing to a server without DTLS', async () => {
    const engine = new Engine({ transports: [] });
    await engine.start();
    assert.equal(engine.serverPublicKey, undefined);
    await engine.close();
  });
});
