import assert from 'node:assert/strict';
import { CoapCode, MessageType } from '../../src/coap';
import type { HandlerResponse } from '../../src/coap';
import { CoapFixture } from '../support/coap-fixture';

const PATH = { uriPath: ['rd'] };

describe('CoapStack as a server', () => {
  let fixture: CoapFixture;

  beforeEach(async () => {
    fixture = await CoapFixture.open();
  });

  afterEach(() => fixture.stack.close());

  it('gives the handler the request and piggybacks its response', async () => {
    const lamp = fixture.device();
    fixture.answer = () => ({ code: CoapCode.Created, options: { locationPath: ['rd', 'a1'] } });
    const sent = lamp.send({ code: CoapCode.POST, token: Buffer.from('tok'), options: PATH, payload: 'links' });
    const response = await lamp.expect();
    assert.deepEqual(
      [response.type, response.messageId, response.token.toString(), response.code, response.options],
      [MessageType.ACK, sent.messageId, 'tok', CoapCode.Created, { locationPath: ['rd', 'a1'] }],
    );
    const [request] = fixture.handled;
    assert.deepEqual(request?.options, PATH);
    assert.equal(request?.payload.toString(), 'links');
    assert.equal(request?.confirmable, true);
    assert.deepEqual(request?.channel.address, { host: '198.51.100.1', port: 5683 });
  });

  it('answers a NON request with a NON response, and its duplicate with silence', async () => {
    const lamp = fixture.device();
    const non = { type: MessageType.NON, code: CoapCode.GET, messageId: 9, token: Buffer.from('n'), options: PATH };
    lamp.send(non);
    lamp.send(non);
    await fixture.clock.settle();
    assert.equal(lamp.inbox.length, 1);
    assert.deepEqual([lamp.inbox[0]?.type, lamp.inbox[0]?.token.toString()], [MessageType.NON, 'n']);
    assert.equal(fixture.handled[0]?.confirmable, false);
    assert.equal(fixture.handled.length, 1);
  });

  it('acknowledges first when the handler takes its time, and retransmits the separate response until acknowledged', async () => {
    const lamp = fixture.device();
    let answer: (response: HandlerResponse) => void = () => undefined;
    fixture.answer = () => new Promise((resolve) => (answer = resolve));
    const sent = lamp.send({ code: CoapCode.POST, token: Buffer.from('slow'), options: PATH });
    await fixture.clock.advance(900);
    assert.equal(lamp.inbox.length, 0);
    await fixture.clock.advance(200);
    const acknowledgement = await lamp.expect();
    assert.deepEqual(
      [acknowledgement.type, acknowledgement.code, acknowledgement.messageId],
      [MessageType.ACK, 0, sent.messageId],
    );
    answer({ code: CoapCode.Changed });
    const first = await lamp.expect();
    assert.deepEqual([first.type, first.code, first.token.toString()], [MessageType.CON, CoapCode.Changed, 'slow']);
    await fixture.clock.advance(3_100);
    const second = await lamp.expect();
    assert.deepEqual(second, first);
    lamp.sendEmpty(MessageType.ACK, first.messageId);
    await fixture.clock.advance(100_000);
    assert.equal(lamp.inbox.length, 0, 'the acknowledgement ends it');
    assert.equal(fixture.stack.statistics.timeouts, 0);
  });

  it('sends no empty acknowledgement behind a response that was in time', async () => {
    const lamp = fixture.device();
    fixture.answer = async () => {
      await new Promise<void>((resolve) => fixture.clock.setTimer(resolve, 500));
      return { code: CoapCode.Changed };
    };
    lamp.send({ code: CoapCode.POST, options: PATH });
    await fixture.clock.advance(5_000);
    assert.deepEqual(
      lamp.inbox.map(({ code }) => code),
      [CoapCode.Changed],
    );
  });

  it('sends a separate response past requests of its own that wait', async () => {
    const lamp = fixture.device();
    let answer: (response: HandlerResponse) => void = () => undefined;
    fixture.answer = () => new Promise((resolve) => (answer = resolve));
    lamp.send({ code: CoapCode.POST, token: Buffer.from('slow'), options: PATH });
    await fixture.clock.advance(1_100);
    const open = fixture.stack.request(fixture.channel(lamp), { code: CoapCode.GET, options: {} });
    const request = await lamp.expectRequest();
    answer({ code: CoapCode.Changed });
    await lamp.expect(({ code }) => code === CoapCode.Changed);
    request.reply(CoapCode.Content);
    await open;
  });

  it('answers 5.00 without a word of why when the handler fails, and logs it as one line', async () => {
    const lamp = fixture.device();
    fixture.answer = () => Promise.reject(new Error('secret\nof the house'));
    lamp.send({ code: CoapCode.POST, options: { uriPath: ['rd\n'] } });
    const later = await lamp.expect();
    fixture.answer = () => {
      throw new Error('thrown at once');
    };
    lamp.send({ code: CoapCode.POST, options: PATH });
    const atOnce = await lamp.expect();
    fixture.answer = () => ({ code: CoapCode.Content, options: { contentFormat: -1 } });
    lamp.send({ code: CoapCode.POST, options: PATH });
    const impossible = await lamp.expect();
    for (const response of [later, atOnce, impossible]) {
      assert.deepEqual([response.code, response.payload.length], [CoapCode.InternalServerError, 0]);
    }
    assert.equal(fixture.stack.statistics.handlerErrors, 3);
    assert.equal(fixture.logged.length, 3);
    assert.match(
      fixture.logged[0] ?? '',
      /^error: POST \/rd\\u\{a\} of 198\.51\.100\.1:5683 failed: Error: secret \| of the house \| at /,
    );
    assert.ok(fixture.logged.every((line) => !line.includes('\n')));
  });

  it('honours No-Response (RFC 7967): a CON is still acknowledged', async () => {
    const lamp = fixture.device();
    const quiet = { ...PATH, noResponse: 2 };
    lamp.send({ code: CoapCode.POST, options: quiet });
    assert.deepEqual((await lamp.expect()).code, 0);
    lamp.send({ type: MessageType.NON, code: CoapCode.POST, options: quiet });
    await fixture.clock.settle();
    assert.equal(lamp.inbox.length, 0);
    fixture.answer = () => ({ code: CoapCode.NotFound });
    lamp.send({ type: MessageType.NON, code: CoapCode.POST, options: quiet });
    assert.equal((await lamp.expect()).code, CoapCode.NotFound, 'an error is wanted');
    assert.equal(fixture.handled.length, 3);
  });

  it('is no proxy', async () => {
    const lamp = fixture.device();
    lamp.send({ code: CoapCode.GET, options: { proxyUri: 'coap://elsewhere/' } });
    assert.equal((await lamp.expect()).code, CoapCode.ProxyingNotSupported);
    assert.equal(fixture.handled.length, 0);
  });

  it('answers 5.03 with Max-Age to a peer that has too many requests with the handler', async () => {
    await fixture.stack.close();
    fixture = await CoapFixture.open({ limits: { handledRequests: 2 } });
    const answers: ((response: HandlerResponse) => void)[] = [];
    fixture.answer = () => new Promise((resolve) => answers.push(resolve));
    const [lamp, other] = [fixture.device(), fixture.device('198.51.100.2:5683')];
    for (let index = 0; index < 3; index += 1) lamp.send({ code: CoapCode.GET, options: PATH });
    other.send({ code: CoapCode.GET, options: PATH });
    const refused = await lamp.expect();
    assert.deepEqual([refused.code, refused.options.maxAge], [CoapCode.ServiceUnavailable, 10]);
    await fixture.clock.settle();
    assert.equal(fixture.handled.length, 3, 'the other peer is not held up');
    for (const answer of answers) answer({ code: CoapCode.Content });
    await fixture.clock.settle();
    assert.equal(lamp.inbox.length, 2);
  });

  it('forgets the oldest messages of a peer that sends more than it remembers, of that peer alone', async () => {
    await fixture.stack.close();
    fixture = await CoapFixture.open({ limits: { rememberedMessages: 20 } });
    const [lamp, flood] = [fixture.device(), fixture.device('198.51.100.2:5683')];
    lamp.send({ code: CoapCode.GET, messageId: 1, options: PATH });
    for (let messageId = 1; messageId <= 50; messageId += 1) {
      flood.send({ type: MessageType.NON, code: CoapCode.GET, messageId, options: PATH });
    }
    await fixture.clock.settle();
    assert.equal(fixture.stack.statistics.forgottenEarly, 30);
    lamp.send({ code: CoapCode.GET, messageId: 1, options: PATH });
    flood.send({ type: MessageType.NON, code: CoapCode.GET, messageId: 31, options: PATH });
    flood.send({ type: MessageType.NON, code: CoapCode.GET, messageId: 50, options: PATH });
    await fixture.clock.settle();
    assert.equal(fixture.stack.statistics.duplicates, 3);
    assert.equal(fixture.handled.length, 51);
    flood.send({ type: MessageType.NON, code: CoapCode.GET, messageId: 5, options: PATH });
    await fixture.clock.settle();
    assert.equal(fixture.handled.length, 52, 'what is forgotten is new');
    await fixture.clock.advance(250_000);
    assert.equal(fixture.stack.channels, 0);
  });

  it('counts no reply to a request that it has forgotten meanwhile', async () => {
    await fixture.stack.close();
    fixture = await CoapFixture.open({ limits: { rememberedMessages: 1, rememberedBytesTotal: 1_000 } });
    const lamp = fixture.device();
    const answers: ((response: HandlerResponse) => void)[] = [];
    fixture.answer = () => new Promise((resolve) => answers.push(resolve));
    for (let index = 0; index < 5; index += 1) lamp.send({ code: CoapCode.GET, options: PATH });
    await fixture.clock.settle();
    for (const answer of answers) answer({ code: CoapCode.Content, payload: Buffer.alloc(400) });
    await fixture.clock.settle();
    assert.equal(lamp.inbox.length, 5);
    const early = fixture.stack.statistics.forgottenEarly;
    fixture.answer = () => ({ code: CoapCode.Content, payload: Buffer.alloc(400) });
    fixture.device('198.51.100.2:5683').send({ code: CoapCode.GET, options: PATH });
    await fixture.clock.settle();
    assert.equal(fixture.stack.statistics.forgottenEarly, early, 'two replies of 405 bytes are within the bound');
  });

  it('bounds what it remembers of all peers, in messages and in bytes', async () => {
    await fixture.stack.close();
    fixture = await CoapFixture.open({ limits: { rememberedMessagesTotal: 10, rememberedBytesTotal: 1_000 } });
    for (let peer = 1; peer <= 25; peer += 1) {
      fixture.device(`198.51.100.${peer}:5683`).send({ code: CoapCode.GET, options: PATH });
    }
    await fixture.clock.settle();
    assert.equal(fixture.stack.channels, 10);
    assert.equal(fixture.transport.size, 10, 'channels of forgotten peers are released');
    fixture.answer = () => ({ code: CoapCode.Content, payload: Buffer.alloc(300) });
    for (let peer = 31; peer <= 36; peer += 1) {
      fixture.device(`198.51.100.${peer}:5683`).send({ code: CoapCode.GET, options: PATH });
    }
    await fixture.clock.settle();
    assert.equal(fixture.stack.channels, 3, 'three replies of 305 bytes');
  });

  it('survives a handler that never answers when the stack is closed', async () => {
    const lamp = fixture.device();
    let answer: (response: HandlerResponse) => void = () => undefined;
    fixture.answer = () => new Promise((resolve) => (answer = resolve));
    lamp.send({ code: CoapCode.GET, options: PATH });
    await fixture.clock.settle();
    await fixture.stack.close();
    answer({ code: CoapCode.Content });
    await fixture.clock.advance(10_000);
    assert.equal(lamp.inbox.length, 0);
    assert.equal(fixture.clock.timers, 0);
  });

  it('holds nothing for a peer that was quiet for EXCHANGE_LIFETIME, and runs no timer then', async () => {
    for (let peer = 1; peer <= 100; peer += 1) {
      fixture.device(`198.51.100.${peer}:5683`).send({ code: CoapCode.POST, options: PATH });
    }
    await fixture.clock.settle();
    assert.equal(fixture.stack.channels, 100);
    await fixture.clock.advance(249_000);
    assert.equal(fixture.stack.channels, 0);
    assert.equal(fixture.transport.size, 0);
    assert.equal(fixture.clock.timers, 0);
  });
});
