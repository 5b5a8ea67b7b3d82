import { Engine } from '../../src/index';
import { serve } from '../serve';

/** The whole server on CoAP and on CoAP over DTLS. */
const engine = new Engine({ host: '127.0.0.1', coapPort: 0, coapsPort: 0, noSec: 'loopback' });

serve({
  listen: async () => {
    await engine.start();
    return Object.fromEntries(engine.addresses.map(({ scheme, port }) => [scheme, port]));
  },
  /** Devices of these names register over DTLS with this key; the name is endpoint and identity. */
  provision: async ({ names, key }: { names: string[]; key: string }) => {
    for (const endpoint of names) {
      await engine.provision({ endpoint, security: { mode: 'psk', identity: endpoint, key } });
    }
  },
  /** How many devices are registered over CoAP and over DTLS. */
  registered: () => {
    const transports = engine.devices().map(({ address }) => address?.transport);
    const count = (scheme: string) => transports.filter((transport) => transport === scheme).length;
    return { coap: count('coap'), coaps: count('coaps') };
  },
});
