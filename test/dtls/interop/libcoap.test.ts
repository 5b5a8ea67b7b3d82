import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { InteropServer, needs, run, TIME } from './partner';

for (const program of ['coap-client-openssl', 'coap-client-gnutls']) {
  describe(program, function () {
    this.timeout(40_000);
    let server: InteropServer;
    before(async function () {
      needs(this, program);
      server = await InteropServer.open();
    });
    after(async () => server?.close());

    const get = (...args: string[]) =>
      run(program, [...args, '-m', 'get', `coaps://127.0.0.1:${server.port}/time`], { until: TIME });

    it('reads a resource by a pre-shared key', async () => {
      assert.ok((await get('-B', '7', '-u', 'dev1', '-k', 'secretPSK')).includes(TIME));
      assert.equal(server.identities.at(-1), 'psk dev1');
    });

    it('reads a resource, both with certificates', async () => {
      const files = ['-c', server.file('dev1.pem'), '-j', server.file('dev1.key'), '-C', server.file('ca.pem')];
      const target = `coaps://localhost:${server.port}/time`;
      const output = await run(program, ['-B', '7', ...files, '-m', 'get', target], { until: TIME });
      assert.ok(output.includes(TIME), output);
      assert.equal(server.identities.at(-1), 'x509 dev1');
    });

    if (program === 'coap-client-openssl') {
      it('reads a resource although it loses 30% of its own packets', async () => {
        assert.ok((await get('-l', '30%', '-B', '30', '-u', 'dev1', '-k', 'secretPSK')).includes(TIME));
      });
    }

    if (program === 'coap-client-gnutls') {
      it('reads a resource, both with raw public keys', async () => {
        assert.ok((await get('-B', '7', '-M', server.file('dev1.key'))).includes(TIME));
        assert.equal(server.identities.at(-1), 'rpk dev1');
      });

      it('is refused with the raw public key of a stranger', async () => {
        const requests = server.requests.length;
        assert.ok(!(await get('-B', '5', '-M', server.file('stranger.key'))).includes(TIME));
        assert.equal(server.requests.length, requests);
      });
    }

    it('is refused with a wrong key, and says why', async () => {
      const requests = server.requests.length;
      assert.match(await get('-B', '5', '-u', 'dev1', '-k', 'wrong'), /decrypt error/i);
      assert.equal(server.requests.length, requests);
    });
  });
}
