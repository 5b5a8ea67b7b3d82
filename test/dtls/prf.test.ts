import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { describe, it } from 'mocha';
import { extendedMasterSecret, keyBlock, masterSecret, prf, pskPremasterSecret, verifyData } from '../../src/dtls/prf';
import { prf as otherPrf } from '../support/dtls-client';

const hex = (text: string) => Buffer.from(text, 'hex');

describe('The pseudo-random function', () => {
  it('gives the published test vector of P_SHA256', () => {
    // From "Test vectors for TLS 1.2 PRF", IETF TLS mailing list, P_SHA256.
    const output = prf(
      createSecretKey(hex('9bbe436ba940f017b17652849a71db35')),
      'test label',
      hex('a0ba9f936cda311827a6f796ffd5198c'),
      100,
    );
    assert.equal(
      output.toString('hex'),
      'e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af' +
        '0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701' +
        '87347b66',
    );
  });

  it('agrees with another implementation for every use', () => {
    const secret = Buffer.alloc(48, 7);
    const [client, server, hash] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2), Buffer.alloc(32, 3)];
    const key = createSecretKey(secret);
    const both = Buffer.concat([client, server]);
    assert.deepEqual(
      masterSecret(Buffer.from(secret), client, server).export(),
      otherPrf(secret, 'master secret', both, 48),
    );
    assert.deepEqual(
      extendedMasterSecret(Buffer.from(secret), hash).export(),
      otherPrf(secret, 'extended master secret', hash, 48),
    );
    const reversed = Buffer.concat([server, client]);
    assert.deepEqual(keyBlock(key, server, client, 40), otherPrf(secret, 'key expansion', reversed, 40));
    assert.deepEqual(verifyData(key, 'client', hash), otherPrf(secret, 'client finished', hash, 12));
    assert.deepEqual(verifyData(key, 'server', hash), otherPrf(secret, 'server finished', hash, 12));
  });

  it('wipes the premaster secret', () => {
    const premaster = Buffer.alloc(20, 9);
    masterSecret(premaster, Buffer.alloc(32), Buffer.alloc(32));
    assert.deepEqual(premaster, Buffer.alloc(20));
  });

  it('wipes the ECDH secret that goes into the premaster secret of ECDHE_PSK, and not the key', () => {
    const [shared, psk] = [Buffer.alloc(32, 5), Buffer.from('a key')];
    pskPremasterSecret(shared, psk);
    assert.deepEqual([shared, psk], [Buffer.alloc(32), Buffer.from('a key')]);
  });

  it('builds the premaster secret of PSK (RFC 4279 s2) and of ECDHE_PSK (RFC 5489 s2)', () => {
    assert.equal(pskPremasterSecret(Buffer.alloc(3), hex('aabbcc')).toString('hex'), '00030000000003aabbcc');
    assert.equal(pskPremasterSecret(hex('0102'), hex('aabbcc')).toString('hex'), '000201020003aabbcc');
  });
});
