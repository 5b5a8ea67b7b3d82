import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Suite } from '../support/dtls-client';
import { PSK, rawPublicKey, TestServer } from './dtls-setup';

const PSK_SUITES = { 'PSK CCM_8': Suite.pskCcm8, 'PSK CBC': Suite.pskCbc, 'ECDHE_PSK CBC': Suite.ecdhePskCbc };
const ECDSA_SUITES = { 'ECDSA CCM_8': Suite.ecdsaCcm8, 'ECDSA GCM': Suite.ecdsaGcm, 'ECDSA CBC': Suite.ecdsaCbc };

describe('A DTLS handshake', () => {
  for (const [name, suite] of [...Object.entries(PSK_SUITES), ...Object.entries(ECDSA_SUITES)]) {
    for (const extendedMasterSecret of [true, false]) {
      for (const encryptThenMac of name.includes('CBC') ? [true, false] : [false]) {
        const how = `${extendedMasterSecret ? '' : ', no EMS'}${encryptThenMac ? ', encrypt-then-MAC' : ''}`;
        it(`establishes a session with ${name}${how}`, async () => {
          const server = await TestServer.open();
          server.echo = true;
          const certificate = name.startsWith('ECDSA') ? rawPublicKey : undefined;
          const psk = certificate === undefined ? PSK : undefined;
          const client = await server.connected({ suite, certificate, psk, extendedMasterSecret, encryptThenMac });
          assert.ok(client.connected);
          for (const length of [1, 15, 16, 17, 64, 1000]) client.send(Buffer.alloc(length, length));
          await server.clock.settle();
          assert.deepEqual(
            client.received.map((data) => data.length),
            [1, 15, 16, 17, 64, 1000],
          );
          assert.deepEqual(
            server.lastChannel.identity,
            psk === undefined ? { mode: 'rpk', name: 'raw-1' } : { mode: 'psk', name: 'lamp-1' },
          );
          assert.equal(client.serverExtensions.has(23), extendedMasterSecret);
          assert.equal(client.serverExtensions.has(22), encryptThenMac);
        });
      }
    }
  }
});
