import { randomBytes } from 'node:crypto';
import { createServer, request, type IncomingMessage, type OutgoingMessage } from 'coap';
import { serve } from '../serve';

/** A registration server as one would write it on the npm package `coap`, keeping its registrations in a Map. */
const registrations = new Map<string, { endpoint: string; links: string; port: number }>();
const server = createServer({ type: 'udp4' });

server.on('request', (incoming: IncomingMessage, outgoing: OutgoingMessage) => {
  const [path = '', query = ''] = incoming.url.split('?');
  const id = path.split('/')[2];
  if (incoming.method !== 'POST') {
    outgoing.code = '4.05';
  } else if (id === undefined) {
    const endpoint = new URLSearchParams(query).get('ep') ?? '';
    const newId = randomBytes(16).toString('hex');
    registrations.set(newId, { endpoint, links: incoming.payload.toString(), port: incoming.rsinfo.port });
    outgoing.code = '2.01';
    outgoing.setOption('Location-Path', [Buffer.from('rd'), Buffer.from(newId)]);
  } else {
    outgoing.code = registrations.has(id) ? '2.04' : '4.04';
  }
  outgoing.end();
});

function read(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const get = request({ host: '127.0.0.1', port, pathname: '/3/0/1', method: 'GET' });
    get.on('response', () => resolve());
    get.on('error', reject);
    get.end();
  });
}

let notified = 0;

function observe(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const get = request({ host: '127.0.0.1', port, pathname: '/3311/0/5850', method: 'GET', observe: true });
    get.on('response', (stream: IncomingMessage) => {
      // The first is the answer itself.
      let isFirst = true;
      stream.on('data', () => {
        if (!isFirst) notified += 1;
        isFirst = false;
      });
      resolve();
    });
    get.on('error', reject);
    get.end();
  });
}

serve({
  observe: async ({ ports }: { ports: number[] }) => {
    for (const port of ports) await observe(port);
  },
  /** How many notifications the listeners have heard. */
  notified: () => notified,
  listen: () =>
    new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const { _sock: socket } = server as unknown as { _sock: { address(): { port: number } } };
        resolve(socket.address().port);
      });
    }),
  /** Reads from every peer in turn, `window` at a time. */
  read: async ({ ports, total, window }: { ports: number[]; total: number; window: number }) => {
    let next = 0;
    const worker = async () => {
      while (next < total) await read(ports[next++ % ports.length] ?? 0);
    };
    await Promise.all(Array.from({ length: window }, worker));
  },
});
