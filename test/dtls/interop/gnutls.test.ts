import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { GET_TIME, InteropServer, needs, PSK_HEX, run, TIME } from './partner';

const COMMON = 'NONE:+VERS-DTLS1.2:+AES-128-CCM-8:+AEAD:+SHA256:+COMP-NULL';
const PSK_PRIORITY = `${COMMON}:+PSK:+SIGN-ALL:+CTYPE-ALL`;
const ECDSA_PRIORITY = `${COMMON}:+ECDHE-ECDSA:+SIGN-ECDSA-SHA256:+CTYPE-ALL:+GROUP-SECP256R1`;

describe('gnutls-cli', function () {
  this.timeout(20_000);
  let server: InteropServer;
  before(async function () {
    needs(this, 'gnutls-cli');
    server = await InteropServer.open();
  });
  after(async () => server?.close());

  const connect = (args: readonly string[]) =>
    // Without stdbuf it keeps its output to itself when that is a pipe.
    run('stdbuf', ['-oL', 'gnutls-cli', '--udp', '-p', server.port, '127.0.0.1', ...args], {
      // It sends what it reads by lines; the line's end is the payload of the request.
      input: Buffer.concat([GET_TIME, Buffer.from('ff0a', 'hex')]),
      inputAfter: 'Simple Client Mode',
      until: TIME,
    });
  const noCheck = ['--insecure', '--no-ca-verification'];

  it('reads a resource by a pre-shared key', async () => {
    const args = [...noCheck, '--pskusername', 'dev1', '--pskkey', PSK_HEX, '--priority', PSK_PRIORITY];
    const output = await connect(args);
    assert.ok(output.includes(TIME), output);
    assert.match(output, /\(PSK\)-\(AES-128-CCM-8\)/);
    assert.equal(server.identities.at(-1), 'psk dev1');
  });

  it('reads a resource, both with certificates', async () => {
    const files = [
      ...['--x509cafile', server.file('ca.pem'), '--x509certfile', server.file('dev1.pem')],
      ...['--x509keyfile', server.file('dev1.key'), '--verify-hostname', 'localhost'],
    ];
    const output = await connect([...files, '--priority', `${ECDSA_PRIORITY}:-CTYPE-RAWPK`]);
    assert.ok(output.includes(TIME), output);
    assert.match(output, /Status: The certificate is trusted/);
    assert.match(output, /\(ECDHE-SECP256R1\)-\(ECDSA-SHA256\)-\(AES-128-CCM-8\)/);
    assert.equal(server.identities.at(-1), 'x509 dev1');
  });

  it('reads a resource, both with raw public keys', async () => {
    const files = ['--rawpkkeyfile', server.file('dev1.key'), '--rawpkfile', server.file('dev1.pub')];
    const output = await connect([...noCheck, ...files, '--priority', `${ECDSA_PRIORITY}:-CTYPE-X509`]);
    assert.ok(output.includes(TIME), output);
    assert.equal(server.identities.at(-1), 'rpk dev1');
  });

  it('is refused with a wrong key', async () => {
    const { handshakesFailed } = server.dtls.statistics;
    const args = [...noCheck, '--pskusername', 'dev1', '--pskkey', 'deadbeef', '--priority', PSK_PRIORITY];
    assert.match(await connect(args), /fatal alert/i);
    assert.equal(server.dtls.statistics.handshakesFailed, handshakesFailed + 1);
  });
});
