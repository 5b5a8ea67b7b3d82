import assert from 'node:assert/strict';
import { CoapCode, MessageType } from '../../src/coap';
import { MessageIds } from '../../src/coap/message-ids';
import { CancelledError, CodecError, TransportError } from '../../src/errors';
import { CoapFixture } from '../support/coap-fixture';

const READ = { code: CoapCode.GET, options: { uriPath: ['3', '0', '0'], accept: 110 } };

describe('CoapStack as a client', () => {
  let fixture: CoapFixture;

  beforeEach(async () => {
    fixture = await CoapFixture.open();
  });

  afterEach(() => fixture.stack.close());

  it('resolves with the piggybacked response; an error code is a response', async () => {
    const lamp = fixture.device();
    const open = fixture.stack.request(fixture.channel(lamp), READ);
    const request = await lamp.expectRequest();
    assert.deepEqual([request.message.type, request.message.options], [MessageType.CON, READ.options]);
    assert.equal(request.message.token.length, 8);
    request.reply(CoapCode.NotFound, { contentFormat: 0 }, 'no such thing');
    assert.deepEqual(await open, {
      code: CoapCode.NotFound,
      options: { contentFormat: 0 },
      payload: Buffer.from('no such thing'),
    });
  });

  it('acknowledges a separate response, whether its empty acknowledgement came before, after or never', async () => {
    const lamp = fixture.device();
    for (const order of ['before', 'after', 'never']) {
      const open = fixture.stack.request(fixture.channel(lamp), READ);
      const request = await lamp.expectRequest();
      if (order === 'before') request.acknowledge();
      const messageId = request.respond(CoapCode.Content, {}, order);
      if (order === 'after') request.acknowledge();
      assert.equal((await open).payload.toString(), order);
      const acknowledgement = await lamp.expect();
      assert.deepEqual([acknowledgement.type, acknowledgement.messageId], [MessageType.ACK, messageId]);
    }
    await fixture.clock.advance(100_000);
    assert.equal(lamp.inbox.length, 0, 'nothing was retransmitted');
  });

  it('takes a NON response to a CON request, and sends NON requests', async () => {
    const lamp = fixture.device();
    const first = fixture.stack.request(fixture.channel(lamp), READ);
    (await lamp.expectRequest()).respond(CoapCode.Content, {}, 'a', MessageType.NON);
    assert.equal((await first).payload.toString(), 'a');
    const second = fixture.stack.request(fixture.channel(lamp), { ...READ, confirmable: false });
    const request = await lamp.expectRequest();
    assert.equal(request.message.type, MessageType.NON);
    request.reply(CoapCode.Content, {}, 'b');
    assert.equal((await second).payload.toString(), 'b');
    assert.equal(lamp.inbox.length, 0);
  });

  it('a NON request without a response ends with a TimeoutError', async () => {
    const lamp = fixture.device();
    const open = fixture.stack.request(fixture.channel(lamp), { ...READ, confirmable: false });
    const rejection = assert.rejects(open, {
      code: 'TIMEOUT',
      message: '198.51.100.1:5683 did not respond within 93 s',
    });
    await fixture.clock.advance(94_000);
    await rejection;
    assert.equal(lamp.inbox.length, 1);
  });

  it('retransmits with doubled waits of 2 to 3 s, the same bytes each time (RFC 7252 s4.2)', async () => {
    const lamp = fixture.device();
    const times: number[] = [];
    fixture.network.filter = () => times.push(fixture.clock.monotonic()) > 0;
    const open = fixture.stack.request(fixture.channel(lamp), READ);
    const rejection = assert.rejects(open, { code: 'TIMEOUT' });
    await fixture.clock.advance(94_000);
    await rejection;
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    assert.equal(waits.length, 4);
    const first = waits[0] ?? 0;
    assert.ok(first >= 2_000 && first <= 3_100, `first wait ${first}`);
    waits.forEach((wait, index) => assert.ok(Math.abs(wait - first * 2 ** index) <= 100 * 2 ** index, waits.join()));
    for (const datagram of lamp.peer.received) assert.deepEqual(datagram, lamp.peer.received[0]);
    assert.equal(fixture.stack.statistics.retransmissions, 4);
    assert.equal(fixture.stack.statistics.timeouts, 1);
  });

  it('lets the next request go when the one before has only its empty acknowledgement', async () => {
    const lamp = fixture.device();
    const slow = fixture.stack.request(fixture.channel(lamp), READ);
    const quick = fixture.stack.request(fixture.channel(lamp), READ);
    const first = await lamp.expectRequest();
    first.acknowledge();
    const second = await lamp.expectRequest();
    second.reply(CoapCode.Content, {}, 'quick');
    first.respond(CoapCode.Content, {}, 'slow');
    assert.deepEqual([(await quick).payload.toString(), (await slow).payload.toString()], ['quick', 'slow']);
  });

  it('goes on with the queue when a request fails', async () => {
    const lamp = fixture.device();
    const lost = assert.rejects(fixture.stack.request(fixture.channel(lamp), READ), TransportError);
    const next = fixture.stack.request(fixture.channel(lamp), READ);
    (await lamp.expectRequest()).reset();
    await lost;
    (await lamp.expectRequest()).reply(CoapCode.Content);
    assert.equal((await next).code, CoapCode.Content);
  });

  it('refuses a request at once when too many wait', async () => {
    await fixture.stack.close();
    fixture = await CoapFixture.open({ limits: { queuedRequests: 3 } });
    const lamp = fixture.device();
    const open = Array.from({ length: 4 }, () => fixture.stack.request(fixture.channel(lamp), READ));
    await assert.rejects(fixture.stack.request(fixture.channel(lamp), READ), {
      code: 'TRANSPORT',
      message: '3 requests wait already for 198.51.100.1:5683',
    });
    for (let index = 0; index < open.length; index += 1) (await lamp.expectRequest()).reply(CoapCode.Content);
    await Promise.all(open);
  });

  it('cancels by signal: before it is sent, while it waits, and under way', async () => {
    const lamp = fixture.device();
    const channel = fixture.channel(lamp);
    await assert.rejects(fixture.stack.request(channel, READ, { signal: AbortSignal.abort() }), CancelledError);
    const [underWay, waiting] = [new AbortController(), new AbortController()];
    const first = assert.rejects(fixture.stack.request(channel, READ, { signal: underWay.signal }), CancelledError);
    const second = assert.rejects(fixture.stack.request(channel, READ, { signal: waiting.signal }), CancelledError);
    const third = fixture.stack.request(channel, READ);
    const request = await lamp.expectRequest();
    waiting.abort();
    await second;
    underWay.abort();
    await first;
    const messageId = request.respond(CoapCode.Content, {}, 'too late');
    const reset = await lamp.expect(({ type }) => type === MessageType.RST);
    assert.equal(reset.messageId, messageId, 'nobody waits for it any more');
    (await lamp.expectRequest()).reply(CoapCode.Content, {}, 'third');
    assert.equal((await third).payload.toString(), 'third');
    assert.equal(lamp.inbox.length, 0, 'the cancelled ones were not sent');
  });

  it('fails a request that cannot be encoded, and nothing else', async () => {
    const lamp = fixture.device();
    const impossible = { code: CoapCode.GET, options: { uriPath: ['x'.repeat(256)] } };
    await assert.rejects(fixture.stack.request(fixture.channel(lamp), impossible), CodecError);
    const open = fixture.stack.request(fixture.channel(lamp), READ);
    (await lamp.expectRequest()).reply(CoapCode.Content);
    await open;
  });

  it('rejects a response with an unknown critical option: RST to a CON, and the request fails', async () => {
    const lamp = fixture.device();
    const open = fixture.stack.request(fixture.channel(lamp), READ);
    const { message } = await lamp.expectRequest();
    const bytes = Buffer.concat([Buffer.from('4845abcd', 'hex'), message.token, Buffer.from('90', 'hex')]);
    lamp.peer.send(lamp.server, bytes);
    await assert.rejects(open, { code: 'TRANSPORT', message: /unknown critical option 9$/ });
    const reset = await lamp.expect();
    assert.deepEqual([reset.type, reset.messageId], [MessageType.RST, 0xabcd]);
  });

  it('fails everything under way when the channel is gone or the stack closed', async () => {
    const [lamp, other] = [fixture.device(), fixture.device('198.51.100.2:5683')];
    const gone = Array.from({ length: 3 }, () => fixture.stack.request(fixture.channel(lamp), READ));
    const closed = fixture.stack.request(fixture.channel(other), READ);
    const outcomes = Promise.allSettled([...gone, closed]);
    await fixture.clock.settle();
    fixture.transport.drop(lamp.peer.address);
    await fixture.stack.close();
    const codes = (await outcomes).map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : 'fulfilled',
    );
    assert.deepEqual(codes, ['TRANSPORT', 'TRANSPORT', 'TRANSPORT', 'CANCELLED']);
    await assert.rejects(fixture.stack.request(fixture.channel(other), READ), CancelledError);
    assert.equal(fixture.clock.timers, 0);
  });

  it('finds a channel again that was released', async () => {
    const lamp = fixture.device();
    const old = fixture.channel(lamp);
    const ask = async (text: string) => {
      const open = fixture.stack.request(old, READ);
      (await lamp.expectRequest()).reply(CoapCode.Content, {}, text);
      assert.equal((await open).payload.toString(), text);
    };
    await ask('first');
    await fixture.clock.advance(250_000);
    assert.equal(fixture.transport.size, 0);
    await ask('second');
    assert.notEqual(fixture.channel(lamp), old);
  });

  describe('message ids', () => {
    it('are not used again within EXCHANGE_LIFETIME, though the channel is idle between', async () => {
      const lamp = fixture.device();
      const seen = new Set<number>();
      for (let round = 0; round < 20; round += 1) {
        const open = fixture.stack.request(fixture.channel(lamp), READ);
        const request = await lamp.expectRequest();
        assert.ok(!seen.has(request.message.messageId));
        seen.add(request.message.messageId);
        request.reply(CoapCode.Content);
        await open;
        await fixture.clock.advance(10_000);
      }
    });

    it('of 65,536 exchanges and more: none twice within the lifetime, and they come back after it', () => {
      const lifetime = 247_000;
      for (const start of [0, 1, 4_095, 4_096, 40_000, 65_535]) {
        const ids = new MessageIds(start, lifetime);
        const usedAt = new Map<number, number>();
        let now = 0;
        let given = 0;
        let refused = 0;
        for (let round = 0; round < 200_000; round += 1) {
          now += 2;
          const id = ids.next(now);
          if (id === undefined) {
            refused += 1;
            now += 1_000;
            continue;
          }
          const before = usedAt.get(id);
          assert.ok(before === undefined || now - before >= lifetime, `id ${id} after ${now - (before ?? 0)} ms`);
          usedAt.set(id, now);
          given += 1;
        }
        assert.ok(given > 190_000 && refused > 0, `${given} given, ${refused} refused`);
      }
    });

    it('run out without loss: the request waits until one is free', async () => {
      await fixture.stack.close();
      fixture = await CoapFixture.open({ parameters: { maxLatency: 1_000 } });
      const lamp = fixture.device();
      lamp.peer.onDatagram = (datagram) => {
        const reply = Buffer.from(datagram.subarray(0, 12));
        reply[0] = 0x68;
        reply[1] = CoapCode.Content;
        lamp.peer.send(lamp.server, reply);
      };
      for (let sent = 0; sent < 61_440; sent += 256) {
        await Promise.all(Array.from({ length: 256 }, () => fixture.stack.request(fixture.channel(lamp), READ)));
      }
      const sent = fixture.stack.statistics.requestsSent;
      let answered = 0;
      const more = Array.from({ length: 200 }, async () => {
        for (let round = 0; round < 30; round += 1) {
          await fixture.stack.request(fixture.channel(lamp), READ);
          answered += 1;
        }
      });
      await fixture.clock.settle();
      assert.ok(fixture.stack.statistics.requestsSent <= sent + 4_096);
      await fixture.clock.advance(120_000);
      await Promise.all(more);
      assert.equal(answered, 6_000);
    });
  });
});
