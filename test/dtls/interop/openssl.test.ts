import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { GET_TIME, InteropServer, needs, PSK_HEX, run, TIME } from './partner';

/** s_client writes this once the handshake is over. */
const CONNECTED = 'Verify return code';

describe('openssl s_client', function () {
  this.timeout(20_000);
  let server: InteropServer;
  before(async function () {
    needs(this, 'openssl');
    server = await InteropServer.open();
  });
  after(async () => server?.close());

  const connect = (args: readonly string[], ask = true) =>
    run('openssl', ['s_client', '-dtls1_2', '-connect', `127.0.0.1:${server.port}`, ...args], {
      ...(ask ? { input: GET_TIME, inputAfter: CONNECTED } : {}),
      until: ask ? TIME : CONNECTED,
    });
  const psk = ['-psk_identity', 'dev1', '-psk', PSK_HEX];
  const mutual = () => [
    ...['-cert', server.file('dev1.pem'), '-key', server.file('dev1.key'), '-CAfile', server.file('ca.pem')],
    ...['-verify_return_error', '-curves', 'P-256', '-sigalgs', 'ECDSA+SHA256', '-mtu', '512'],
  ];

  for (const cipher of ['PSK-AES128-CCM8', 'PSK-AES128-CBC-SHA256', 'ECDHE-PSK-AES128-CBC-SHA256']) {
    for (const option of cipher.includes('CBC') ? [[], ['-no_etm']] : [[]]) {
      it(`reads a resource by ${cipher} ${option.join(' ')}`, async () => {
        const output = await connect([...psk, '-cipher', cipher, ...option]);
        assert.match(output, new RegExp(`Cipher is ${cipher}`));
        assert.ok(output.includes(TIME), output);
        assert.match(output, /Secure Renegotiation IS supported/);
        assert.match(output, /Extended master secret: yes/);
        assert.equal(server.identities.at(-1), 'psk dev1');
      });
    }
  }

  for (const cipher of ['ECDHE-ECDSA-AES128-CCM8', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA256']) {
    it(`reads a resource by ${cipher}, both with certificates, in fragments`, async () => {
      const output = await connect([...mutual(), '-cipher', cipher]);
      assert.ok(output.includes(TIME), output);
      assert.match(output, /Verify return code: 0 \(ok\)/);
      assert.equal(server.identities.at(-1), 'x509 dev1');
    });
  }

  it('resumes a session', async () => {
    const session = server.file('session');
    await connect([...psk, '-cipher', 'PSK-AES128-CCM8', '-sess_out', session]);
    const output = await connect([...psk, '-cipher', 'PSK-AES128-CCM8', '-sess_in', session]);
    assert.match(output, /Reused, TLSv1.2, Cipher is PSK-AES128-CCM8/);
    assert.ok(output.includes(TIME));
    assert.equal(server.dtls.statistics.handshakesResumed, 1);
  });

  it('is refused with a wrong key, an unknown identity, no certificate or one of a stranger', async () => {
    const failed = server.dtls.statistics.handshakesFailed;
    const requests = server.requests.length;
    const wrong = ['-psk_identity', 'dev1', '-psk', '00', '-cipher', 'PSK-AES128-CCM8'];
    assert.match(await connect(wrong, false), /alert number 51/);
    const unknown = ['-psk_identity', 'dev2', '-psk', PSK_HEX, '-cipher', 'PSK-AES128-CCM8'];
    assert.match(await connect(unknown, false), /alert number 51/);
    assert.match(await connect(['-cipher', 'ECDHE-ECDSA-AES128-CCM8'], false), /alert number 40/);
    const stranger = ['-cert', server.file('stranger.pem'), '-key', server.file('stranger.key')];
    assert.match(await connect([...stranger, '-cipher', 'ECDHE-ECDSA-AES128-CCM8'], false), /alert number 48/);
    assert.equal(server.dtls.statistics.handshakesFailed, failed + 4);
    assert.equal(server.requests.length, requests);
  });
});
