import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CoapCode, CoapStack, encodeMessage, MessageType } from '../../src/coap';
import { CoapFixture, SERVER } from '../support/coap-fixture';
import { SeededRandom } from '../support/seeded-random';

/** A second stack on the fixture's network, as the peer of the first. */
async function peerStack(fixture: CoapFixture, seed: number, executed: Map<string, number>) {
  const peer = new CoapStack({
    clock: fixture.clock,
    random: new SeededRandom(seed),
    handler: ({ options, payload }) => {
      const name = options.uriPath?.join('/') ?? '';
      executed.set(name, (executed.get(name) ?? 0) + 1);
      return { code: CoapCode.Changed, payload };
    },
  });
  const transport = fixture.network.transport('198.51.100.1:5683');
  await peer.open(transport);
  return { peer, transport };
}

describe('CoapStack on a bad network', () => {
  for (const seed of [1, 2, 3]) {
    it(`executes each of 200 exchanges at most once, and all end: 30% lost, doubled, reordered (seed ${seed})`, async () => {
      const network = { seed, loss: 0.3, duplicate: 0.2, reorder: 0.3, reorderDelay: 4_000, delay: 20 };
      const fixture = await CoapFixture.open({ network, parameters: { nstart: 4 } });
      const executed = new Map<string, number>();
      const { peer, transport } = await peerStack(fixture, seed + 100, executed);
      const atServer = new Map<string, number>();
      fixture.answer = async ({ options, payload }) => {
        const name = options.uriPath?.join('/') ?? '';
        atServer.set(name, (atServer.get(name) ?? 0) + 1);
        // Some take so long that their response is separate.
        if (payload.length % 3 === 0) await new Promise<void>((resolve) => fixture.clock.setTimer(resolve, 2_500));
        return { code: CoapCode.Changed, payload };
      };

      const there = fixture.transport.channel('198.51.100.1:5683');
      const here = transport.channel(SERVER);
      const exchange = async (stack: CoapStack, channel: typeof here, index: number) => {
        const payload = Buffer.from('x'.repeat(index % 7) + index);
        const request = { code: CoapCode.POST, options: { uriPath: [`${index}`] }, payload };
        const response = await stack.request(channel, request);
        assert.deepEqual(response.payload, payload, 'the response is of this request');
      };
      const exchanges: Promise<void>[] = [];
      for (let index = 0; index < 100; index += 1) {
        exchanges.push(exchange(fixture.stack, there, index), exchange(peer, here, index));
      }
      const settled = Promise.allSettled(exchanges);
      let outcomes: PromiseSettledResult<void>[] | undefined;
      void settled.then((all) => (outcomes = all));
      await fixture.clock.advanceUntil(() => outcomes !== undefined, 24 * 3_600_000, 10_000);

      for (const [name, count] of [...executed, ...atServer])
        assert.equal(count, 1, `${name} was executed ${count} times`);
      const failed = (outcomes ?? []).filter((outcome) => outcome.status === 'rejected');
      for (const { reason } of failed) assert.equal((reason as { code: string }).code, 'TIMEOUT', String(reason));
      // Five tries each way at 30% loss: about one in forty fails.
      assert.ok(failed.length <= 30, `${failed.length} of 200 failed`);
      assert.ok(fixture.stack.statistics.duplicates > 0 && fixture.stack.statistics.retransmissions > 20);
      await fixture.clock.advance(300_000);
      assert.deepEqual([fixture.stack.channels, peer.channels], [0, 0], 'nothing is left');
      assert.equal(fixture.clock.timers, 0);
      await Promise.all([fixture.stack.close(), peer.close()]);
    });
  }

  it('carries bodies of many blocks both ways, whole or not at all', async () => {
    const network = { seed: 9, loss: 0.15, duplicate: 0.2, reorder: 0.2, reorderDelay: 3_000, delay: 10 };
    const fixture = await CoapFixture.open({ network });
    const executed = new Map<string, number>();
    const { peer } = await peerStack(fixture, 10, executed);
    const random = new SeededRandom(11);
    const there = fixture.transport.channel('198.51.100.1:5683');
    let whole = 0;
    let over = 0;
    for (let index = 0; index < 10; index += 1) {
      const payload = random.bytes(5_000 + 1_000 * index);
      const request = { code: CoapCode.PUT, options: { uriPath: [`${index}`] }, payload };
      fixture.stack
        .request(there, request)
        .then((response) => {
          assert.equal(response.code, CoapCode.Changed);
          assert.deepEqual(response.payload, payload);
          whole += 1;
        })
        .catch((error: { code?: string }) => assert.equal(error.code, 'TIMEOUT'))
        .finally(() => (over += 1));
    }
    await fixture.clock.advanceUntil(() => over === 10, 24 * 3_600_000, 10_000);
    assert.ok(whole >= 7, `${whole} of 10`);
    for (const [name, count] of executed) assert.equal(count, 1, `${name} was executed ${count} times`);
    await Promise.all([fixture.stack.close(), peer.close()]);
  });
});

describe('CoapStack and hostile datagrams', () => {
  const bytes = fc.uint8Array({ maxLength: 120 }).map((array) => Buffer.from(array));
  const uint = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 });
  const block = fc.record({ num: fc.oneof(uint(3), uint(20)), more: fc.boolean(), szx: uint(3) });
  const message = fc
    .record({
      type: fc.constantFrom(MessageType.CON, MessageType.NON, MessageType.ACK, MessageType.RST),
      code: fc.oneof(fc.constantFrom(0, 1, 2, 3, 0x41, 0x45, 0x5f, 0x84, 0x88, 0x8d), uint(8)),
      messageId: uint(4),
      token: fc.uint8Array({ maxLength: 8 }).map((array) => Buffer.from(array)),
      options: fc.record(
        {
          observe: uint(24),
          uriPath: fc.constant(['a']),
          block1: block,
          block2: block,
          size1: uint(32),
          size2: uint(32),
        },
        { requiredKeys: [] },
      ),
      payload: fc.oneof(bytes, fc.constantFrom(Buffer.alloc(16), Buffer.alloc(1_024))),
    })
    .map((parts) => encodeMessage(parts));
  const edit = fc.tuple(message, fc.nat(), uint(8)).map(([datagram, at, value]) => {
    datagram[at % datagram.length] = value;
    return datagram;
  });

  it('takes any datagrams in any order without an error, and goes on to serve', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(bytes, message, edit), { maxLength: 40 }), async (datagrams) => {
        const fixture = await CoapFixture.open({ limits: { requestBody: 4_096, responseBody: 4_096 } });
        const peer = fixture.network.peer('198.51.100.66:5683');
        const observer = { notified() {}, ended() {} };
        const channel = fixture.transport.channel(peer.address);
        fixture.stack.restoreObservation(channel, Buffer.from([1]), { code: CoapCode.GET, options: {} }, observer);
        const request = fixture.stack.request(channel, { code: CoapCode.GET, options: {} }).then(
          () => undefined,
          (error: { code?: string }) => assert.notEqual(error.code, undefined),
        );
        await fixture.clock.settle();
        for (const datagram of datagrams) peer.send(SERVER, datagram);
        await fixture.clock.settle();

        const lamp = fixture.device();
        const response = await lamp.request(CoapCode.GET, { uriPath: ['alive'] });
        assert.equal(response.code, CoapCode.Content);
        assert.deepEqual(
          fixture.logged.filter((line) => line.startsWith('error')),
          [],
        );
        await fixture.clock.advance(100_000);
        await fixture.stack.close();
        await request;
      }),
      { numRuns: 400 },
    );
  });

  it('never answers a reset, an acknowledgement or an error with anything', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(bytes, edit), { maxLength: 20 }), async (datagrams) => {
        const fixture = await CoapFixture.open();
        const peer = fixture.network.peer('198.51.100.66:5683');
        const quiet = datagrams.filter((datagram) => {
          if (datagram.length > 0) datagram[0] = (datagram[0] as number) | 0x20;
          return datagram.length > 0;
        });
        for (const datagram of quiet) peer.send(SERVER, datagram);
        await fixture.clock.settle();
        assert.equal(peer.received.length, 0);
        assert.equal(fixture.transport.size, 0, 'and keeps nothing');
        await fixture.stack.close();
      }),
      { numRuns: 200 },
    );
  });

  it('holds little for 10,000 transfers that never go on, and nothing after the idle time', async () => {
    const fixture = await CoapFixture.open();
    for (let index = 0; index < 10_000; index += 1) {
      const peer = fixture.network.peer(`198.51.${index >> 8}.${index & 255}:5683`);
      const options = { uriPath: ['rd'], block1: { num: 0, more: true, szx: 6 }, size1: 200_000 };
      const parts = { type: MessageType.CON, code: CoapCode.POST, messageId: 1, token: Buffer.alloc(0), options };
      peer.send(SERVER, encodeMessage({ ...parts, payload: Buffer.alloc(1_024) }));
      peer.close();
    }
    await fixture.clock.settle();
    assert.equal(fixture.stack.transferBytes, 10_000 * (1_024 + 512));
    await fixture.clock.advance(94_000);
    assert.equal(fixture.stack.transferBytes, 0);
    await fixture.stack.close();
  });
});
