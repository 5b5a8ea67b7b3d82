import assert from 'node:assert/strict';
import { CoapCode, MessageType } from '../../src/coap';
import type { CoapObservation, CoapResponse, Observer } from '../../src/coap';
import type { Lwm2mError } from '../../src/errors';
import { CoapFixture } from '../support/coap-fixture';
import type { ScriptedDevice } from '../support/scripted-device';
import { SeededRandom } from '../support/seeded-random';

const READ = { code: CoapCode.GET, options: { uriPath: ['3311', '0', '5850'], accept: 112 } };
const TOKEN = Buffer.from('0badcafe', 'hex');

class KeepingObserver implements Observer {
  readonly values: string[] = [];
  readonly endings: (CoapResponse | Lwm2mError)[] = [];

  notified(response: CoapResponse): void {
    this.values.push(response.payload.toString());
  }

  ended(reason: CoapResponse | Lwm2mError): void {
    this.endings.push(reason);
  }
}

describe('Observe', () => {
  let fixture: CoapFixture;
  let lamp: ScriptedDevice;
  let observer: KeepingObserver;

  beforeEach(async () => {
    fixture = await CoapFixture.open();
    lamp = fixture.device();
    observer = new KeepingObserver();
  });

  afterEach(() => fixture.stack.close());

  const restore = (token = TOKEN) => fixture.stack.restoreObservation(fixture.channel(lamp), token, READ, observer);

  /** Begins an observation; the device answers `first` with the number 1. */
  async function begin(): Promise<CoapObservation> {
    const begun = fixture.stack.observe(fixture.channel(lamp), READ, observer);
    const request = await lamp.expectRequest();
    assert.deepEqual(request.message.options, { ...READ.options, observe: 0 });
    request.reply(CoapCode.Content, { observe: 1, contentFormat: 112 }, 'first');
    const { response, observation } = await begun;
    assert.equal(response.payload.toString(), 'first');
    assert.ok(observation !== undefined);
    assert.deepEqual(observation.token, request.message.token);
    return observation;
  }

  it('answers with the first value and notifies of those after it, CON and NON', async () => {
    const { token } = await begin();
    const messageId = lamp.notify(token, 2, 'second');
    const acknowledgement = await lamp.expect();
    assert.deepEqual(
      [acknowledgement.type, acknowledgement.code, acknowledgement.messageId],
      [MessageType.ACK, 0, messageId],
    );
    lamp.notify(token, 3, 'third', {}, MessageType.NON);
    await fixture.clock.settle();
    assert.deepEqual(observer.values, ['second', 'third']);
    assert.equal(lamp.inbox.length, 0, 'a NON is not acknowledged');
  });

  it('takes a notification that comes in the same moment as the response', async () => {
    const begun = fixture.stack.observe(fixture.channel(lamp), READ, observer);
    const request = await lamp.expectRequest();
    request.reply(CoapCode.Content, { observe: 1 }, 'first');
    lamp.notify(request.message.token, 2, 'second');
    assert.equal((await begun).response.payload.toString(), 'first');
    await fixture.clock.settle();
    assert.deepEqual(observer.values, ['second']);
  });

  it('does not hold when the device answers an error or does not observe', async () => {
    for (const code of [CoapCode.Content, CoapCode.NotFound]) {
      const begun = fixture.stack.observe(fixture.channel(lamp), READ, observer);
      const request = await lamp.expectRequest();
      request.reply(code, {}, 'once');
      const { response, observation } = await begun;
      assert.deepEqual([response.code, observation], [code, undefined]);
      lamp.notify(request.message.token, 1, 'unasked');
      assert.equal((await lamp.expect()).type, MessageType.RST);
    }
    assert.deepEqual(observer.values, []);
  });

  it('ends with the request when that fails', async () => {
    const begun = fixture.stack.observe(fixture.channel(lamp), READ, observer);
    const request = await lamp.expectRequest();
    request.reset();
    await assert.rejects(begun, { code: 'TRANSPORT' });
    lamp.notify(request.message.token, 1, 'unasked');
    assert.equal((await lamp.expect()).type, MessageType.RST);
    assert.deepEqual(observer.endings, []);
  });

  it('observes by FETCH, for composite observations', async () => {
    const fetch = { code: CoapCode.FETCH, options: { contentFormat: 112, accept: 112 }, payload: Buffer.from('paths') };
    const begun = fixture.stack.observe(fixture.channel(lamp), fetch, observer);
    const request = await lamp.expectRequest();
    assert.deepEqual([request.message.code, request.message.payload.toString()], [CoapCode.FETCH, 'paths']);
    request.reply(CoapCode.Content, { observe: 9 }, 'first');
    const { observation } = await begun;
    const cancelled = observation?.cancel('get');
    const cancel = await lamp.expectRequest();
    assert.equal(cancel.message.options.observe, 1);
    assert.deepEqual([cancel.message.code, cancel.message.payload.toString()], [CoapCode.FETCH, 'paths']);
    cancel.reply(CoapCode.Content);
    await cancelled;
  });

  describe('ordering (RFC 7641 s3.4)', () => {
    const numbers = async (...sequence: number[]) => {
      for (const number of sequence) {
        lamp.notify(TOKEN, number, `${number}`);
        await fixture.clock.settle();
      }
      return observer.values.map(Number);
    };

    it('drops what is older than the newest, and acknowledges it all the same', async () => {
      restore();
      assert.deepEqual(await numbers(10, 12, 11, 12, 13), [10, 12, 13]);
      assert.equal(lamp.inbox.filter(({ type }) => type === MessageType.ACK).length, 5);
      assert.equal(fixture.stack.statistics.staleNotifications, 2);
    });

    it('goes over the wrap of 24 bits', async () => {
      restore();
      const top = 2 ** 24 - 1;
      assert.deepEqual(await numbers(top - 1, top, 0, top, 1), [top - 1, top, 0, 1]);
    });

    it('takes half the numbers as newer', async () => {
      restore();
      const half = 2 ** 23;
      assert.deepEqual(await numbers(5, 5 + half), [5]);
      assert.deepEqual(await numbers(5 + half - 1), [5, 5 + half - 1]);
      assert.deepEqual(await numbers(3), [5, 5 + half - 1, 3]);
    });

    it('takes any number after 128 s', async () => {
      restore();
      assert.deepEqual(await numbers(100), [100]);
      await fixture.clock.advance(127_900);
      assert.deepEqual(await numbers(50), [100]);
      await fixture.clock.advance(200);
      assert.deepEqual(await numbers(50), [100, 50]);
    });

    it('hands over no value older than one before, in whatever order they come', async () => {
      await fixture.stack.close();
      fixture = await CoapFixture.open({
        network: { seed: 3, reorder: 0.5, reorderDelay: 900, duplicate: 0.2, delay: 5 },
      });
      lamp = fixture.device();
      restore();
      const start = 2 ** 24 - 100;
      for (let index = 0; index < 200; index += 1) {
        lamp.notify(
          TOKEN,
          (start + index) % 2 ** 24,
          `${index}`,
          {},
          index % 2 === 0 ? MessageType.CON : MessageType.NON,
        );
        await fixture.clock.advance(100);
      }
      await fixture.clock.advance(2_000);
      const values = observer.values.map(Number);
      assert.ok(values.length > 50, `${values.length} of 200`);
      assert.deepEqual(
        values,
        [...new Set(values)].sort((a, b) => a - b),
      );
      assert.equal(values.at(-1), 199);
    });
  });

  describe('its end', () => {
    it('comes with an error notification, once', async () => {
      const { token } = await begin();
      lamp.send({ code: CoapCode.NotFound, token, payload: 'gone' });
      await fixture.clock.settle();
      assert.equal((await lamp.expect()).type, MessageType.ACK);
      assert.equal(observer.endings.length, 1);
      assert.equal((observer.endings[0] as CoapResponse).code, CoapCode.NotFound);
      lamp.notify(token, 5, 'after the end');
      assert.equal((await lamp.expect()).type, MessageType.RST);
      assert.deepEqual(observer.values, []);
    });

    it('comes with a notification without Observe, whose value counts', async () => {
      const { token } = await begin();
      lamp.send({ code: CoapCode.Content, token, payload: 'last' });
      await fixture.clock.settle();
      assert.deepEqual(observer.values, ['last']);
      assert.equal(observer.endings.length, 1);
    });

    it('comes with the channel and with the stack', async () => {
      await begin();
      fixture.transport.drop(lamp.peer.address);
      const other = new KeepingObserver();
      fixture.stack.restoreObservation(fixture.channel(lamp), TOKEN, READ, other);
      await fixture.stack.close();
      assert.equal((observer.endings[0] as Lwm2mError).code, 'TRANSPORT');
      assert.equal((other.endings[0] as Lwm2mError).code, 'CANCELLED');
      assert.deepEqual([observer.endings.length, other.endings.length], [1, 1]);
    });
  });

  describe('cancelled by us', () => {
    it('by GET: Observe=1 with the same token and options', async () => {
      const observation = await begin();
      const cancelled = observation.cancel('get');
      const request = await lamp.expectRequest();
      assert.deepEqual(request.message.options, { ...READ.options, observe: 1 });
      assert.deepEqual(request.message.token, observation.token);
      request.reply(CoapCode.Content, {}, 'state');
      await cancelled;
      lamp.notify(observation.token, 2, 'after the end');
      assert.equal((await lamp.expect()).type, MessageType.RST);
      assert.deepEqual([observer.values, observer.endings], [[], []]);
    });

    it('by GET, while a notification with the same token is under way', async () => {
      const observation = await begin();
      const cancelled = observation.cancel('get');
      const request = await lamp.expectRequest();
      const messageId = lamp.notify(observation.token, 2, 'late');
      const acknowledgement = await lamp.expect();
      assert.deepEqual([acknowledgement.type, acknowledgement.messageId], [MessageType.ACK, messageId]);
      let isCancelled = false;
      void cancelled.then(() => (isCancelled = true));
      await fixture.clock.settle();
      assert.equal(isCancelled, false, 'the notification is not the response');
      request.reply(CoapCode.Content, {}, 'state');
      await cancelled;
      assert.deepEqual(observer.values, []);
    });

    it('by reset: nothing is sent before the next notification, which gets RST', async () => {
      for (const type of [MessageType.CON, MessageType.NON] as const) {
        const observation = restore();
        await observation.cancel('reset');
        await fixture.clock.settle();
        assert.equal(lamp.inbox.length, 0);
        const messageId = lamp.notify(TOKEN, 1, 'x', {}, type);
        const reset = await lamp.expect();
        assert.deepEqual([reset.type, reset.messageId], [MessageType.RST, messageId]);
      }
      assert.deepEqual([observer.values, observer.endings], [[], []]);
    });

    it('by forgetting it; twice does no harm', async () => {
      const observation = restore();
      observation.forget();
      observation.forget();
      await observation.cancel('get');
      await fixture.clock.settle();
      assert.equal(lamp.inbox.length, 0);
      assert.equal(fixture.stack.channels, 0, 'nothing is held for the device');
    });
  });

  describe('after a restart', () => {
    it('accepts notifications with a restored token', async () => {
      const observation = restore();
      assert.deepEqual(observation.channel.address, lamp.peer.address);
      lamp.notify(TOKEN, 12_345, 'on');
      await fixture.clock.settle();
      assert.deepEqual(observer.values, ['on']);
    });

    it('answers RST to a token that is genuinely unknown, from a stranger too', async () => {
      restore();
      lamp.notify(Buffer.from('ffffffff', 'hex'), 1, 'x');
      assert.equal((await lamp.expect()).type, MessageType.RST);
      const stranger = fixture.device('198.51.100.77:5683');
      stranger.notify(TOKEN, 1, 'x');
      assert.equal((await stranger.expect()).type, MessageType.RST);
      stranger.send({ type: MessageType.NON, code: CoapCode.Content, token: TOKEN, payload: 'late, no notification' });
      await fixture.clock.settle();
      assert.equal(stranger.inbox.length, 0);
      assert.equal(fixture.stack.channels, 1, 'nothing is kept for the stranger');
      assert.deepEqual(observer.values, []);
    });

    it('cancels a restored one by GET', async () => {
      const cancelled = restore().cancel('get');
      const request = await lamp.expectRequest();
      assert.deepEqual(request.message.token, TOKEN);
      request.reply(CoapCode.Content);
      await cancelled;
    });
  });

  it('goes on when an observer fails, and logs that', async () => {
    const failing: Observer = {
      notified() {
        throw new Error('observer fault');
      },
      ended() {
        throw new Error('observer fault');
      },
    };
    fixture.stack.restoreObservation(fixture.channel(lamp), TOKEN, READ, failing);
    lamp.notify(TOKEN, 1, 'on');
    assert.equal((await lamp.expect()).type, MessageType.ACK);
    lamp.send({ code: CoapCode.NotFound, token: TOKEN });
    assert.equal((await lamp.expect()).type, MessageType.ACK);
    assert.equal(fixture.logged.length, 2);
    assert.match(fixture.logged[0] ?? '', /^error: an observer of 198\.51\.100\.1:5683 failed: Error: observer fault/);
  });

  it('is bounded for each channel', async () => {
    await fixture.stack.close();
    fixture = await CoapFixture.open({ limits: { observations: 2 } });
    lamp = fixture.device();
    for (const token of ['01', '02']) restore(Buffer.from(token, 'hex'));
    assert.throws(() => restore(Buffer.from('03', 'hex')), { code: 'TRANSPORT' });
    await assert.rejects(fixture.stack.observe(fixture.channel(lamp), READ, observer), { code: 'TRANSPORT' });
  });

  describe('a device whose address changes', () => {
    it('keeps its observations and what waits for it', async () => {
      const observation = await begin();
      const moved = fixture.device('203.0.113.9:40000');
      const underWay = fixture.stack.request(fixture.channel(lamp), READ);
      const lost = assert.rejects(underWay, { code: 'TIMEOUT' });
      const waiting = fixture.stack.request(fixture.channel(lamp), READ);
      await lamp.expectRequest();
      fixture.stack.moveChannel(fixture.channel(lamp), fixture.channel(moved));
      (await moved.expectRequest()).reply(CoapCode.Content, {}, 'from the new address');
      assert.equal((await waiting).payload.toString(), 'from the new address');
      moved.notify(observation.token, 2, 'moved');
      lamp.notify(observation.token, 3, 'from the old address');
      await fixture.clock.settle();
      assert.deepEqual(observer.values, ['moved']);
      assert.deepEqual(observation.channel.address, moved.peer.address);
      await fixture.clock.advance(94_000);
      await lost;
    });
  });

  describe('with bodies of several blocks', () => {
    const whole = new SeededRandom(5).bytes(1_500).toString('hex').slice(0, 1_500);
    const block = (num: number, text = whole) => text.slice(num * 1_024, (num + 1) * 1_024);
    const option = (num: number, text = whole) => ({ num, more: (num + 1) * 1_024 < text.length, szx: 6 });

    it('fetches the rest of the first value and of a notification by GET without Observe, under another token', async () => {
      const begun = fixture.stack.observe(fixture.channel(lamp), READ, observer);
      const request = await lamp.expectRequest();
      request.reply(CoapCode.Content, { observe: 1, block2: option(0) }, block(0));
      const rest = await lamp.expectRequest();
      assert.deepEqual(rest.message.options, { ...READ.options, block2: { num: 1, more: false, szx: 6 } });
      assert.notDeepEqual(rest.message.token, request.message.token);
      rest.reply(CoapCode.Content, { block2: option(1) }, block(1));
      assert.equal((await begun).response.payload.toString(), whole);

      lamp.notify(request.message.token, 2, block(0), { block2: option(0) });
      const more = await lamp.expectRequest();
      assert.equal(more.message.options.observe, undefined);
      more.reply(CoapCode.Content, { block2: option(1) }, block(1));
      await fixture.clock.settle();
      assert.deepEqual(observer.values, [whole]);
    });

    it('holds notifications back until the first value is there', async () => {
      const begun = fixture.stack.observe(fixture.channel(lamp), READ, observer);
      const request = await lamp.expectRequest();
      request.reply(CoapCode.Content, { observe: 1, block2: option(0) }, block(0));
      const rest = await lamp.expectRequest();
      lamp.notify(request.message.token, 2, 'second');
      lamp.notify(request.message.token, 3, 'third');
      await fixture.clock.settle();
      assert.deepEqual(observer.values, []);
      rest.reply(CoapCode.Content, { block2: option(1) }, block(1));
      await begun;
      await fixture.clock.settle();
      assert.deepEqual(observer.values, ['second', 'third']);
    });

    it('lets a newer notification pass one that is not complete', async () => {
      restore();
      lamp.notify(TOKEN, 1, block(0), { block2: option(0) });
      const rest = await lamp.expectRequest();
      lamp.notify(TOKEN, 2, 'newer');
      await fixture.clock.settle();
      rest.reply(CoapCode.Content, { block2: option(1) }, block(1));
      await fixture.clock.settle();
      assert.deepEqual(observer.values, ['newer']);
    });

    it('says in the log when the rest does not come', async () => {
      restore();
      lamp.notify(TOKEN, 1, block(0), { block2: option(0) });
      (await lamp.expectRequest()).reply(CoapCode.NotFound);
      await fixture.clock.settle();
      assert.deepEqual(observer.values, []);
      assert.match(fixture.logged.join(), /a notification of 198\.51\.100\.1:5683 was lost.*4\.04/);
    });
  });
});
