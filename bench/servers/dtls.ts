import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { cipherSuites } from '../../src/dtls/cipher-suites/cipher-suite';
import { CONNECTION_ID_LENGTH, DtlsTransport } from '../../src/dtls';
import { ContentType, readRecord } from '../../src/dtls/record/record';
import { RecordReader } from '../../src/dtls/record/record-reader';
import { RecordWriter } from '../../src/dtls/record/record-writer';
import { UdpTransport } from '../../src/transport/udp';
import { systemClock } from '../../src/util/clock';
import { serve } from '../serve';

/** The DTLS transport by itself, with the limits it has in the server: it sends back what a session brings. */
const transport = new DtlsTransport(new UdpTransport({ host: '127.0.0.1', port: 0 }), {
  clock: systemClock,
  instance: 0,
  credentials: {
    psk: (identity) => Promise.resolve(keys.get(identity)),
    serverKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    serverCertificateChain: [],
    trustAnchors: [],
    verifyRawPublicKey: (publicKey) => Promise.resolve(createHash('sha256').update(publicKey).digest('base64url')),
  },
});
const keys = new Map<string, Buffer>();

/**
 * What the process holds, without garbage: the collector is told to give its free pages back too, as otherwise what it keeps
 * for garbage to come counts as resident. It works in turns, because keys are freed only after the collection that found them.
 */
async function settledMemory(): Promise<{ heap: number; resident: number }> {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  for (let turn = 0; turn < 4; turn++) {
    globalThis.gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    await wait(30);
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed, resident: rss };
}

const SIZE = 64;

/** Seals a record and opens it again, so often. One key serves both directions: the cipher opens what it sealed. */
function sealAndOpen(count: number): void {
  const [suite] = cipherSuites(['TLS_PSK_WITH_AES_128_CCM_8']);
  if (suite === undefined) throw new Error('the suite is gone');
  const cipher = suite.protection.create(Buffer.alloc(suite.protection.keyBlockLength, 0x2a), false);
  const writer = new RecordWriter(0);
  const reader = new RecordReader(cipher);
  writer.setCipher(cipher, randomBytes(CONNECTION_ID_LENGTH));
  const data = randomBytes(SIZE);
  for (let n = 0; n < count; n++) {
    const record = readRecord(writer.write(1, ContentType.applicationData, data), 0, CONNECTION_ID_LENGTH);
    const opened = record === undefined ? 'cut off' : reader.read(record);
    if (typeof opened === 'string') throw new Error(`a record is ${opened}`);
  }
}

serve({
  listen: async () => {
    await transport.open({
      received: (channel, datagram) => channel.send(datagram),
      closed: () => undefined,
      failed: (error) => {
        throw error;
      },
    });
    return transport.localAddress?.port;
  },
  /** Devices of these names (identities) have this key. */
  provision: ({ names, key }: { names: string[]; key: string }) => {
    for (const name of names) keys.set(name, Buffer.from(key, 'hex'));
  },
  sessions: () => transport.statistics.sessions,
  memory: settledMemory,
  sealAndOpen,
});
