import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { GET_TIME, InteropServer, TIME } from './partner';

describe('node-dtls-client', function () {
  this.timeout(20_000);
  let server: InteropServer;
  before(async () => {
    server = await InteropServer.open();
  });
  after(async () => server.close());

  async function get(identity: string, key: string): Promise<string> {
    const { dtls } = await import('node-dtls-client');
    return new Promise((resolve) => {
      const socket = dtls.createSocket({
        type: 'udp4',
        address: '127.0.0.1',
        port: Number(server.port),
        psk: { [identity]: key },
        timeout: 3_000,
        ciphers: ['TLS_PSK_WITH_AES_128_CCM_8'],
      });
      socket.on('connected', () => socket.send(GET_TIME));
      socket.on('message', (message: Buffer) => {
        socket.close();
        resolve(message.toString('latin1'));
      });
      // It closes itself then.
      socket.on('error', (error: Error) => resolve(`error: ${error.message}`));
    });
  }

  it('reads a resource by a pre-shared key', async () => {
    const answer = await get('dev1', 'secretPSK');
    assert.ok(answer.endsWith(TIME), answer);
    assert.equal(server.identities.at(-1), 'psk dev1');
  });

  it('is refused with a wrong key', async () => {
    const requests = server.requests.length;
    assert.match(await get('dev1', 'wrong'), /error/);
    assert.equal(server.requests.length, requests);
  });
});
