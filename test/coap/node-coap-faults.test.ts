import assert from 'node:assert/strict';
import { CoapCode, decodeMessage, encodeMessage, MessageType } from '../../src/coap';
import type { CoapResponse, HandlerResponse } from '../../src/coap';
import { TimeoutError, TransportError } from '../../src/errors';
import { CoapFixture, SERVER } from '../support/coap-fixture';

const READ = { code: CoapCode.GET, options: { uriPath: ['3', '0', '0'] } };

/** The faults of node-coap 1.5.0 that a server of many devices cannot live with; none of them is ours. */
describe('what node-coap gets wrong', () => {
  let fixture: CoapFixture;

  beforeEach(async () => {
    fixture = await CoapFixture.open();
  });

  afterEach(() => fixture.stack.close());

  describe('one table of message ids for all peers', () => {
    it('a notification whose message id equals that of an open request to another device is delivered', async () => {
      const [quiet, lamp] = [fixture.device('198.51.100.1:5683'), fixture.device('198.51.100.2:5683')];
      const notified: CoapResponse[] = [];
      const observer = { notified: (response: CoapResponse) => void notified.push(response), ended() {} };
      fixture.stack.restoreObservation(fixture.channel(lamp), Buffer.from('0badcafe', 'hex'), READ, observer);
      const open = fixture.stack.request(fixture.channel(quiet), READ);
      const request = await quiet.expectRequest();
      const { messageId } = request.message;
      lamp.send({
        code: CoapCode.Content,
        messageId,
        token: Buffer.from('0badcafe', 'hex'),
        options: { observe: 5 },
        payload: 'on',
      });
      const acknowledgement = await lamp.expect();
      assert.deepEqual([acknowledgement.type, acknowledgement.messageId], [MessageType.ACK, messageId]);
      assert.deepEqual(
        notified.map(({ payload }) => payload.toString()),
        ['on'],
      );
      request.reply(CoapCode.Content);
      await open;
    });

    it("another peer's reset does not end a request", async () => {
      const [lamp, stranger] = [fixture.device('198.51.100.1:5683'), fixture.device('198.51.100.2:5683')];
      const open = fixture.stack.request(fixture.channel(lamp), READ);
      const request = await lamp.expectRequest();
      stranger.sendEmpty(MessageType.RST, request.message.messageId);
      await fixture.clock.settle();
      request.reply(CoapCode.Content, {}, 'mine');
      assert.equal((await open).payload.toString(), 'mine');
    });

    it('a response from the wrong peer is not accepted, with the right message id and token', async () => {
      const [lamp, stranger] = [fixture.device('198.51.100.1:5683'), fixture.device('198.51.100.2:5683')];
      const open = fixture.stack.request(fixture.channel(lamp), READ);
      const request = await lamp.expectRequest();
      const { messageId, token } = request.message;
      const forged = { code: CoapCode.Content, token, payload: 'forged' };
      stranger.send({ ...forged, type: MessageType.ACK, messageId });
      stranger.send({ ...forged, type: MessageType.CON });
      stranger.send({ ...forged, type: MessageType.NON });
      await fixture.clock.settle();
      request.reply(CoapCode.Content, {}, 'true');
      assert.equal((await open).payload.toString(), 'true');
      assert.equal(fixture.stack.statistics.unmatched, 3);
    });

    it('an acknowledgement with the right message id and the wrong token is not accepted', async () => {
      const lamp = fixture.device();
      const open = fixture.stack.request(fixture.channel(lamp), READ);
      const request = await lamp.expectRequest();
      const { messageId } = request.message;
      lamp.send({
        type: MessageType.ACK,
        messageId,
        code: CoapCode.Content,
        token: Buffer.alloc(8),
        payload: 'forged',
      });
      await fixture.clock.settle();
      request.reply(CoapCode.Content, {}, 'true');
      assert.equal((await open).payload.toString(), 'true');
    });
  });

  describe('duplicates executed again', () => {
    const order = { code: CoapCode.POST, messageId: 77, token: Buffer.from('t'), options: { uriPath: ['rd'] } };

    it('not while the handler is at work', async () => {
      const lamp = fixture.device();
      let answer: (response: HandlerResponse) => void = () => undefined;
      fixture.answer = () => new Promise((resolve) => (answer = resolve));
      for (let copy = 0; copy < 3; copy += 1) lamp.send(order);
      await fixture.clock.settle();
      answer({ code: CoapCode.Created });
      const response = await lamp.expect();
      assert.deepEqual([response.type, response.code, response.messageId], [MessageType.ACK, CoapCode.Created, 77]);
      await fixture.clock.settle();
      assert.equal(fixture.handled.length, 1);
      assert.equal(lamp.inbox.length, 0, 'one response for all');
    });

    it('not after a piggybacked response, which is sent again byte by byte', async () => {
      const lamp = fixture.device();
      let count = 0;
      fixture.answer = () => ({ code: CoapCode.Created, options: { locationPath: ['rd', `${(count += 1)}`] } });
      for (let copy = 0; copy < 3; copy += 1) lamp.send(order);
      await fixture.clock.settle();
      assert.equal(fixture.handled.length, 1);
      const [first, ...rest] = lamp.peer.received;
      assert.equal(rest.length, 2);
      for (const again of rest) assert.deepEqual(again, first);
    });

    it('not after a separate response: the acknowledgement is sent again', async () => {
      const lamp = fixture.device();
      let answer: (response: HandlerResponse) => void = () => undefined;
      fixture.answer = () => new Promise((resolve) => (answer = resolve));
      lamp.send(order);
      await fixture.clock.advance(1_500);
      answer({ code: CoapCode.Changed });
      await fixture.clock.settle();
      const separate = await lamp.expect(({ code }) => code === CoapCode.Changed);
      lamp.sendEmpty(MessageType.ACK, separate.messageId);
      await lamp.expect(({ type }) => type === MessageType.ACK);
      lamp.send(order);
      const again = await lamp.expect();
      assert.deepEqual([again.type, again.code, again.messageId], [MessageType.ACK, 0, 77]);
      assert.equal(fixture.handled.length, 1);
    });

    it('but a new request with the same message id after EXCHANGE_LIFETIME is', async () => {
      const lamp = fixture.device();
      lamp.send(order);
      await fixture.clock.advance(246_000);
      lamp.send(order);
      await fixture.clock.advance(2_000);
      assert.equal(fixture.handled.length, 1);
      lamp.send(order);
      await fixture.clock.settle();
      assert.equal(fixture.handled.length, 2);
    });

    it('nor later, though what is forgotten is swept once a second', async () => {
      const [lamp, other] = [fixture.device(), fixture.device('198.51.100.2:5683')];
      other.send(order);
      await fixture.clock.advance(300);
      lamp.send(order);
      await fixture.clock.advance(247_400);
      lamp.send(order);
      await fixture.clock.settle();
      assert.equal(fixture.handled.length, 3);
    });

    it('and a separate response that comes again is acknowledged again', async () => {
      const lamp = fixture.device();
      const open = fixture.stack.request(fixture.channel(lamp), READ);
      const { message } = await lamp.expectRequest();
      const response = { code: CoapCode.Content, messageId: 99, token: message.token };
      for (let copy = 0; copy < 3; copy += 1) lamp.send(response);
      await open;
      await fixture.clock.settle();
      const replies = lamp.inbox.map(({ type, messageId }) => [type, messageId]);
      assert.deepEqual(replies, Array(3).fill([MessageType.ACK, 99]));
    });

    it('nor duplicates of notifications', async () => {
      const lamp = fixture.device();
      let notified = 0;
      const token = Buffer.from('0badcafe', 'hex');
      const observer = { notified: () => void (notified += 1), ended() {} };
      fixture.stack.restoreObservation(fixture.channel(lamp), token, READ, observer);
      const messageId = lamp.notify(token, 1, 'a');
      lamp.send({ code: CoapCode.Content, messageId, token, options: { observe: 1 }, payload: 'a' });
      await fixture.clock.settle();
      assert.equal(notified, 1);
      const replies = lamp.inbox.map(({ type, messageId: id }) => [type, id]);
      assert.deepEqual(replies, [
        [MessageType.ACK, messageId],
        [MessageType.ACK, messageId],
      ]);
    });
  });

  describe('an exchange without end', () => {
    it('an empty acknowledgement and then silence ends at a deadline', async () => {
      const lamp = fixture.device();
      const open = assert.rejects(fixture.stack.request(fixture.channel(lamp), READ), TimeoutError);
      (await lamp.expectRequest()).acknowledge();
      await fixture.clock.advance(94_000);
      await open;
    });

    it('a CON that nobody answers is sent five times and ends at MAX_TRANSMIT_WAIT, 93 s', async () => {
      const lamp = fixture.device();
      let endedAt = 0;
      const open = fixture.stack.request(fixture.channel(lamp), READ).catch((error: unknown) => {
        endedAt = fixture.clock.monotonic();
        throw error;
      });
      const rejection = assert.rejects(open, TimeoutError);
      await fixture.clock.advance(247_000);
      await rejection;
      assert.equal(lamp.inbox.length, 5);
      assert.ok(endedAt >= 93_000 && endedAt <= 93_200, `ended at ${endedAt}`);
    });
  });

  it('NSTART ignored: 20 requests leave one after the other', async () => {
    const lamp = fixture.device();
    const open = Array.from({ length: 20 }, () => fixture.stack.request(fixture.channel(lamp), READ));
    for (let done = 0; done < 20; done += 1) {
      await fixture.clock.settle();
      assert.equal(lamp.inbox.length, 1, 'one outstanding');
      (await lamp.expectRequest()).reply(CoapCode.Content);
    }
    await Promise.all(open);
  });

  describe('messages of the layer below reaching the application', () => {
    it('a ping is answered with a reset', async () => {
      const lamp = fixture.device();
      lamp.sendEmpty(MessageType.CON, 4711);
      const pong = await lamp.expect();
      assert.deepEqual([pong.type, pong.code, pong.messageId], [MessageType.RST, 0, 4711]);
      assert.equal(fixture.handled.length, 0);
      assert.equal(fixture.stack.channels, 0);
    });

    it('a stray reset, acknowledgement or NON ping is ignored', async () => {
      const lamp = fixture.device();
      for (const type of [MessageType.RST, MessageType.ACK, MessageType.NON]) lamp.sendEmpty(type, 1);
      lamp.send({ type: MessageType.ACK, code: CoapCode.Content, messageId: 1, payload: 'stray' });
      await fixture.clock.settle();
      assert.equal(lamp.inbox.length, 0);
      assert.equal(fixture.handled.length, 0);
      assert.equal(fixture.stack.statistics.unmatched, 3);
    });
  });

  describe('malformed input answered with an error text', () => {
    it('a malformed CON gets a reset, from the port that it was sent to', async () => {
      const peer = fixture.network.peer('198.51.100.9:5683');
      peer.send(SERVER, Buffer.from('49011234', 'hex'));
      const reply = decodeMessage(await peer.receive());
      assert.deepEqual([reply.type, reply.code, reply.messageId], [MessageType.RST, 0, 0x1234]);
    });

    it('anything else that is malformed gets silence', async () => {
      const peer = fixture.network.peer('198.51.100.9:5683');
      for (const bytes of ['', '40', '80011234', '59011234', '69451234', '79001234', '70451234']) {
        peer.send(SERVER, Buffer.from(bytes, 'hex'));
      }
      await fixture.clock.settle();
      assert.equal(peer.received.length, 0);
      assert.equal(fixture.stack.statistics.malformed, 7);
    });

    it('an unknown critical option gets 4.02 with its number, in a NON silence', async () => {
      const lamp = fixture.device();
      const bytes = encodeMessage({
        type: MessageType.CON,
        code: CoapCode.GET,
        messageId: 5,
        token: Buffer.alloc(0),
        options: {},
        payload: Buffer.alloc(0),
      });
      lamp.peer.send(SERVER, Buffer.concat([bytes, Buffer.from('90', 'hex')]));
      const refusal = await lamp.expect();
      assert.equal(refusal.code, CoapCode.BadOption);
      assert.equal(refusal.payload.toString(), 'unknown critical option 9');
      lamp.peer.send(SERVER, Buffer.from('5001000690', 'hex'));
      await fixture.clock.settle();
      assert.equal(lamp.inbox.length, 0);
      assert.equal(fixture.handled.length, 0);
    });
  });

  it('a reset ends the request with an error that says so', async () => {
    const lamp = fixture.device();
    const open = fixture.stack.request(fixture.channel(lamp), READ);
    (await lamp.expectRequest()).reset();
    await assert.rejects(
      open,
      (error) => error instanceof TransportError && /198\.51\.100\.1:5683 reset/.test(error.message),
    );
  });
});
