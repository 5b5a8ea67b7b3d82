import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CoapCode, encodeMessage, MessageType, type CoapOptions } from '../../src/coap';
import { SeededRandom } from '../support/seeded-random';
import { Harness } from './harness';

const UNVERIFIED = '203.0.113.8:7';
const SERVER = '192.0.2.1:5683';
/** RFC 9175 s2.4. */
const ALWAYS_ALLOWED = 136;

/** A request as bytes. The option 65,001 is critical and unknown, and each further one costs one byte. */
function requestOf(code: number, options: CoapOptions, payload = '', unknown = 0, tokenLength = 8): Buffer {
  const message = { type: MessageType.CON, code, messageId: 7, token: Buffer.alloc(tokenLength, 1), options };
  const head = encodeMessage({ ...message, payload: Buffer.alloc(0) });
  const more = unknown === 0 ? [] : [0xe0, 0xf0, 0xdc, ...new Array<number>(unknown - 1).fill(0)];
  return Buffer.concat([head, Buffer.from(more), Buffer.from(payload === '' ? '' : `\xff${payload}`, 'latin1')]);
}

const long = (length: number): string => 'x'.repeat(length);

const REQUESTS: Readonly<Record<string, Buffer>> = {
  'GET /.well-known/core': requestOf(CoapCode.GET, { uriPath: ['.well-known', 'core'] }),
  'a later block of /.well-known/core': requestOf(CoapCode.GET, {
    uriPath: ['.well-known', 'core'],
    block2: { num: 3, more: false, szx: 6 },
  }),
  'an unknown path': requestOf(CoapCode.GET, { uriPath: ['x'] }),
  'a long unknown path': requestOf(CoapCode.GET, { uriPath: [long(200), long(200)] }),
  'POST / ': requestOf(CoapCode.POST, {}),
  'a Register without ep': requestOf(CoapCode.POST, { uriPath: ['rd'] }),
  'a Register of a bad lifetime': requestOf(CoapCode.POST, { uriPath: ['rd'], uriQuery: ['ep=a', 'lt=x'] }),
  'a Register of an unknown version': requestOf(CoapCode.POST, { uriPath: ['rd'], uriQuery: ['ep=a', 'lwm2m=7.3'] }),
  'a Register of an unknown profile': requestOf(CoapCode.POST, { uriPath: ['rd'], uriQuery: ['ep=a', 'pid=1'] }),
  'a Register of no links': requestOf(CoapCode.POST, { uriPath: ['rd'], uriQuery: ['ep=a'] }, `<${long(300)}`),
  'a Register that is let in': requestOf(CoapCode.POST, { uriPath: ['rd'], uriQuery: ['ep=a'] }, '</1/0>'),
  'an Update of nobody': requestOf(CoapCode.POST, { uriPath: ['rd', 'nobody'] }),
  'a De-register of nobody': requestOf(CoapCode.DELETE, { uriPath: ['rd', 'nobody'] }),
  'GET /rd': requestOf(CoapCode.GET, { uriPath: ['rd'] }),
  'a Send of nobody': requestOf(CoapCode.POST, { uriPath: ['dp'], contentFormat: 110 }, '[{"n":"/3/0/0","v":1}]'),
  'an unknown critical option': requestOf(CoapCode.GET, {}, '', 1),
  'an unknown critical option, many times': requestOf(CoapCode.GET, {}, '', 300),
  'a proxy request': requestOf(CoapCode.GET, { proxyUri: `coap://${long(100)}` }),
  'a block of a bad size': requestOf(
    CoapCode.POST,
    { uriPath: ['rd'], block1: { num: 0, more: true, szx: 6 } },
    long(20),
  ),
  'the middle of a body': requestOf(
    CoapCode.POST,
    { uriPath: ['rd'], block1: { num: 9, more: true, szx: 0 } },
    long(16),
  ),
  'a body that is too large': requestOf(CoapCode.POST, {
    uriPath: ['rd'],
    block1: { num: 0, more: false, szx: 0 },
    size1: 9_999_999,
  }),
  'a CoAP ping': Buffer.from([0x40, 0, 0, 1]),
  'a response to nothing': Buffer.from([0x40, 0x45, 0, 1, 0xff, 0x41]),
  'no CoAP': Buffer.from('4fffffffffff', 'hex'),
};

describe('A peer whose address may be forged', () => {
  let harness: Harness;

  beforeEach(async () => {
    harness = await Harness.start();
    await harness.registered();
  });

  afterEach(async () => {
    await harness.close();
  });

  /** Sends a datagram from a fresh address; all that comes back, for as long as anything may. */
  async function answersTo(datagram: Buffer, address: string): Promise<Buffer[]> {
    const peer = harness.network.peer(address);
    peer.send(SERVER, datagram);
    await harness.clock.settle();
    await harness.clock.advance(100_000);
    peer.close();
    return peer.received;
  }

  function assertSmall(request: Buffer, answers: readonly Buffer[]): void {
    const bytes = answers.reduce((sum, { length }) => sum + length, 0);
    assert.ok(answers.length <= 1, `${answers.length} datagrams`);
    assert.ok(bytes <= Math.max(ALWAYS_ALLOWED, 3 * request.length), `${bytes} bytes for ${request.length}`);
    assert.ok(bytes <= ALWAYS_ALLOWED, `${bytes} bytes, whatever the request`);
  }

  for (const [name, request] of Object.entries(REQUESTS)) {
    it(`gets little for ${name}`, async () => {
      const answers = await answersTo(request, UNVERIFIED);
      // Not believing must not be mistaken for not being there.
      if ((request[1] ?? 0) !== 0x45 && name !== 'no CoAP') assert.equal(answers.length, 1);
      assertSmall(request, answers);
    });
  }

  it('gets little for using the registration of another', async () => {
    const [client] = harness.engine.devices();
    const device = harness.device('192.0.2.99:1');
    await device.register({ endpoint: 'lamp-2' });
    for (const code of [CoapCode.POST, CoapCode.DELETE]) {
      const request = requestOf(code, { uriPath: device.location, uriQuery: ['lt=60'] });
      assertSmall(request, await answersTo(request, UNVERIFIED));
    }
    assert.equal(client?.endpoint, 'lamp-1');
  });

  it('gets little for any request', async () => {
    const paths = fc.array(fc.constantFrom('rd', 'dp', 'bs', '.well-known', 'core', 'a', long(255)), { maxLength: 3 });
    const queries = fc.array(fc.constantFrom('ep=a', 'lt=-1', 'lt=60', 'b=UU', 'lwm2m=1.1', long(255)), {
      maxLength: 4,
    });
    const block = fc.record({ num: fc.nat(20), more: fc.boolean(), szx: fc.nat(6) });
    const option = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
    let port = 1000;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 7 }),
        fc.record({
          uriPath: paths,
          uriQuery: queries,
          block1: option(block),
          block2: option(block),
          observe: option(fc.nat(1)),
        }),
        fc.string({ maxLength: 80 }),
        fc.nat(40),
        async (code, options, payload, unknown) => {
          const request = requestOf(code, options, payload, unknown);
          port += 1;
          const answers = await answersTo(request, `203.0.113.9:${port}`);
          assertSmall(request, answers);
        },
      ),
      { numRuns: 150, seed: new SeededRandom(4).below(1000) },
    );
  });
});
