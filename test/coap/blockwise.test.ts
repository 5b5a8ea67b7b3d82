import assert from 'node:assert/strict';
import { blockSize, CoapCode } from '../../src/coap';
import type { CoapMessage, CoapOptions } from '../../src/coap';
import { CodecError } from '../../src/errors';
import { CoapFixture } from '../support/coap-fixture';
import type { ScriptedDevice } from '../support/scripted-device';
import { SeededRandom } from '../support/seeded-random';

const body = (length: number) => new SeededRandom(length).bytes(length);

describe('Block-wise transfer', () => {
  let fixture: CoapFixture;

  beforeEach(async () => {
    fixture = await CoapFixture.open();
  });

  afterEach(() => fixture.stack.close());

  describe('of requests to us (Block1)', () => {
    const path = { uriPath: ['rd'] };

    /** Sends one block, with a token of its own. */
    async function put(lamp: ScriptedDevice, whole: Buffer, num: number, szx: number, options: CoapOptions = {}) {
      const size = blockSize(szx);
      const payload = whole.subarray(num * size, (num + 1) * size);
      const more = (num + 1) * size < whole.length;
      return await lamp.request(CoapCode.PUT, { ...path, ...options, block1: { num, more, szx } }, payload);
    }

    it('reaches the handler once and whole, though each block has another token', async () => {
      const lamp = fixture.device();
      const whole = body(1_000);
      fixture.answer = () => ({ code: CoapCode.Changed });
      for (let num = 0; num < 3; num += 1) {
        const response = await put(lamp, whole, num, 4, { contentFormat: 40, size1: 1_000 });
        assert.equal(response.code, CoapCode.Continue);
        assert.deepEqual(response.options.block1, { num, more: true, szx: 4 });
      }
      const last = await put(lamp, whole, 3, 4, { contentFormat: 40 });
      assert.deepEqual([last.code, last.options.block1], [CoapCode.Changed, { num: 3, more: false, szx: 4 }]);
      assert.equal(fixture.handled.length, 1);
      assert.deepEqual(fixture.handled[0]?.payload, whole);
      assert.equal(fixture.handled[0]?.options.contentFormat, 40);
    });

    it('of one block alone is complete at once', async () => {
      const lamp = fixture.device();
      fixture.answer = () => ({ code: CoapCode.Changed });
      const response = await put(lamp, body(20), 0, 6);
      assert.deepEqual([response.code, response.options.block1], [CoapCode.Changed, { num: 0, more: false, szx: 6 }]);
      assert.deepEqual(fixture.handled[0]?.payload, body(20));
    });

    it('asks for smaller blocks when ours are smaller, and takes them from there', async () => {
      await fixture.stack.close();
      fixture = await CoapFixture.open({ limits: { blockSize: 128 } });
      const lamp = fixture.device();
      const whole = body(600);
      const first = await put(lamp, whole, 0, 5);
      assert.deepEqual(first.options.block1, { num: 0, more: true, szx: 3 });
      assert.equal((await put(lamp, whole, 4, 3)).code, CoapCode.Content);
      assert.deepEqual(fixture.handled[0]?.payload, whole);
    });

    it('keeps two bodies for one path apart by Request-Tag, and those of two devices', async () => {
      const [lamp, other] = [fixture.device(), fixture.device('198.51.100.2:5683')];
      const tags = [[Buffer.from('01', 'hex')], [Buffer.from('02', 'hex')]] as const;
      const [one, two, three] = [body(100), body(101), body(102)];
      await put(lamp, one, 0, 2, { requestTag: tags[0] });
      await put(lamp, two, 0, 2, { requestTag: tags[1] });
      await put(other, three, 0, 2, { requestTag: tags[0] });
      await put(lamp, one, 1, 2, { requestTag: tags[0] });
      await put(other, three, 1, 2, { requestTag: tags[0] });
      await put(lamp, two, 1, 2, { requestTag: tags[1] });
      assert.deepEqual(
        fixture.handled.map(({ payload }) => payload),
        [one, three, two],
      );
    });

    it('answers 4.08 to a lone last block, to a gap, and after the idle time', async () => {
      const lamp = fixture.device();
      const whole = body(300);
      assert.equal((await put(lamp, whole, 4, 2)).code, CoapCode.RequestEntityIncomplete);
      assert.equal((await put(lamp, body(2 ** 20), 1_000, 6)).code, CoapCode.RequestEntityTooLarge);
      await put(lamp, whole, 0, 2);
      assert.equal((await put(lamp, whole, 2, 2)).code, CoapCode.RequestEntityIncomplete);
      await put(lamp, whole, 0, 2);
      await fixture.clock.advance(94_000);
      assert.equal((await put(lamp, whole, 1, 2)).code, CoapCode.RequestEntityIncomplete);
      assert.equal(fixture.handled.length, 0);
    });

    it('takes a block twice when its 2.31 was lost and the client sends it under a new message id', async () => {
      const lamp = fixture.device();
      const whole = body(300);
      for (const num of [0, 1, 1, 2, 3, 3, 4]) await put(lamp, whole, num, 2);
      assert.equal(fixture.handled.length, 1);
      assert.deepEqual(fixture.handled[0]?.payload, whole);
    });

    it('may take long, as long as no pause is longer than the idle time', async () => {
      const lamp = fixture.device();
      for (let num = 0; num < 5; num += 1) {
        await put(lamp, body(300), num, 2);
        await fixture.clock.advance(80_000);
      }
      assert.equal(fixture.handled.length, 1);
    });

    it('answers 4.13 with Size1 above the cap, by what is declared and by what comes', async () => {
      await fixture.stack.close();
      fixture = await CoapFixture.open({ limits: { requestBody: 200 } });
      const lamp = fixture.device();
      const declared = await put(lamp, body(100), 0, 2, { size1: 201 });
      assert.deepEqual([declared.code, declared.options.size1], [CoapCode.RequestEntityTooLarge, 200]);
      const whole = body(256);
      for (const num of [0, 1, 2]) assert.equal((await put(lamp, whole, num, 2)).code, CoapCode.Continue);
      const above = await put(lamp, whole, 3, 2);
      assert.deepEqual([above.code, above.options.size1], [CoapCode.RequestEntityTooLarge, 200]);
      assert.equal((await put(lamp, whole, 3, 2)).code, CoapCode.RequestEntityTooLarge);
      assert.equal(fixture.handled.length, 0);
    });

    it('answers 4.00 to a block of a wrong size and to the reserved exponent 7', async () => {
      const lamp = fixture.device();
      const short = { ...path, block1: { num: 0, more: true, szx: 2 } };
      assert.equal((await lamp.request(CoapCode.PUT, short, body(63))).code, CoapCode.BadRequest);
      const long = { ...path, block1: { num: 0, more: false, szx: 0 } };
      assert.equal((await lamp.request(CoapCode.PUT, long, body(17))).code, CoapCode.BadRequest);
      const reserved = { ...path, block1: { num: 0, more: true, szx: 7 } };
      assert.equal((await lamp.request(CoapCode.PUT, reserved, body(16))).code, CoapCode.BadRequest);
      const reserved2 = { ...path, block2: { num: 0, more: false, szx: 7 } };
      assert.equal((await lamp.request(CoapCode.GET, reserved2)).code, CoapCode.BadRequest);
    });

    it('bounds transfers for one peer and bytes for all, with 5.03, and frees them after the idle time', async () => {
      await fixture.stack.close();
      fixture = await CoapFixture.open({ limits: { transfers: 2, transferBytesTotal: 8_000 } });
      const lamp = fixture.device();
      const begin = async (device: ScriptedDevice, name: string) =>
        (await put(device, body(2_000), 0, 6, { uriPath: [name] })).code;
      assert.deepEqual(
        [await begin(lamp, 'a'), await begin(lamp, 'b'), await begin(lamp, 'c')],
        [CoapCode.Continue, CoapCode.Continue, CoapCode.ServiceUnavailable],
      );
      const codes: number[] = [];
      for (let peer = 2; peer < 8; peer += 1) codes.push(await begin(fixture.device(`198.51.100.${peer}:5683`), 'a'));
      assert.equal(codes.filter((code) => code === CoapCode.Continue).length, 3);
      await fixture.clock.advance(94_000);
      assert.equal(await begin(lamp, 'c'), CoapCode.Continue);
    });
  });

  describe('of our responses (Block2)', () => {
    const whole = body(2_500);
    const get = (num: number, szx: number): CoapOptions => ({ uriPath: ['big'], block2: { num, more: false, szx } });

    it('serves a large response in blocks with Size2 and one ETag, asking the handler once', async () => {
      const lamp = fixture.device();
      fixture.answer = () => ({ code: CoapCode.Content, options: { contentFormat: 42 }, payload: whole });
      const first = await lamp.request(CoapCode.POST, { uriPath: ['big'] });
      assert.deepEqual(first.options.block2, { num: 0, more: true, szx: 6 });
      assert.equal(first.options.size2, 2_500);
      const blocks = [first.payload];
      for (const num of [1, 2]) {
        const next = await lamp.request(CoapCode.POST, get(num, 6));
        assert.deepEqual(next.options.block2, { num, more: num === 1, szx: 6 });
        assert.deepEqual([next.options.eTag, next.options.contentFormat], [first.options.eTag, 42]);
        blocks.push(next.payload);
      }
      assert.equal(first.options.eTag?.length, 1);
      assert.deepEqual(Buffer.concat(blocks), whole);
      assert.equal(fixture.handled.length, 1);
    });

    it('takes the size that the peer asks for from the start, or changes to', async () => {
      const lamp = fixture.device();
      fixture.answer = () => ({ code: CoapCode.Content, payload: whole });
      const first = await lamp.request(CoapCode.GET, get(0, 2));
      assert.deepEqual([first.payload.length, first.options.block2], [64, { num: 0, more: true, szx: 2 }]);
      const smaller = await lamp.request(CoapCode.GET, get(4, 0));
      assert.deepEqual(smaller.options.block2, { num: 4, more: true, szx: 0 });
      assert.deepEqual(smaller.payload, whole.subarray(64, 80));
    });

    it('says Block2 in a response that fits, when the peer did', async () => {
      const lamp = fixture.device();
      fixture.answer = () => ({ code: CoapCode.Content, payload: Buffer.from('small') });
      const response = await lamp.request(CoapCode.GET, get(0, 6));
      assert.deepEqual([response.options.block2, response.options.size2], [{ num: 0, more: false, szx: 6 }, 5]);
    });

    it('reads again for a later block that is not kept, but does nothing else twice', async () => {
      const lamp = fixture.device();
      fixture.answer = () => ({ code: CoapCode.Content, payload: whole });
      const block = await lamp.request(CoapCode.GET, get(1, 6));
      assert.deepEqual(block.payload, whole.subarray(1_024, 2_048));
      const posted = await lamp.request(CoapCode.POST, get(1, 6));
      assert.equal(posted.code, CoapCode.RequestEntityIncomplete);
      assert.equal(fixture.handled.length, 1);
    });

    it('answers 4.00 to a block past the end', async () => {
      const lamp = fixture.device();
      fixture.answer = () => ({ code: CoapCode.Content, payload: whole });
      assert.equal((await lamp.request(CoapCode.GET, get(3, 6))).code, CoapCode.BadRequest);
    });

    it('follows a request in blocks', async () => {
      const lamp = fixture.device();
      fixture.answer = ({ payload }) => ({ code: CoapCode.Changed, payload: Buffer.concat([payload, payload]) });
      const request = body(1_500);
      await lamp.request(
        CoapCode.POST,
        { uriPath: ['big'], block1: { num: 0, more: true, szx: 6 } },
        request.subarray(0, 1_024),
      );
      const options = { uriPath: ['big'], block1: { num: 1, more: false, szx: 6 } };
      const first = await lamp.request(CoapCode.POST, options, request.subarray(1_024));
      assert.deepEqual(first.options.block1, { num: 1, more: false, szx: 6 });
      assert.deepEqual(first.options.block2, { num: 0, more: true, szx: 6 });
      const second = await lamp.request(CoapCode.POST, get(1, 6));
      const third = await lamp.request(CoapCode.POST, get(2, 6));
      assert.deepEqual(
        Buffer.concat([first.payload, second.payload, third.payload]),
        Buffer.concat([request, request]),
      );
    });
  });

  describe('of our requests (Block1)', () => {
    const write = (length: number) => ({
      code: CoapCode.PUT,
      options: { uriPath: ['5', '0', '0'], contentFormat: 42 },
      payload: body(length),
    });

    /** Answers each block with 2.31, and the last with 2.04. */
    async function collect(lamp: ScriptedDevice, largest = 6): Promise<CoapMessage[]> {
      const messages: CoapMessage[] = [];
      for (;;) {
        const request = await lamp.expectRequest();
        const { block1 } = request.message.options;
        assert.ok(block1 !== undefined);
        messages.push(request.message);
        const answer = { block1: { ...block1, szx: Math.min(block1.szx, largest) } };
        request.reply(block1.more ? CoapCode.Continue : CoapCode.Changed, answer);
        if (!block1.more) return messages;
      }
    }

    const joined = (messages: CoapMessage[]) => Buffer.concat(messages.map(({ payload }) => payload));

    it('go in blocks of 1,024 with Size1, all with the same token', async () => {
      const lamp = fixture.device();
      const open = fixture.stack.request(fixture.channel(lamp), write(3_000));
      const messages = await collect(lamp);
      assert.equal((await open).code, CoapCode.Changed);
      assert.deepEqual(joined(messages), body(3_000));
      assert.deepEqual(
        messages.map(({ options }) => [
          options.block1?.num,
          options.block1?.more,
          options.size1,
          options.contentFormat,
        ]),
        [
          [0, true, 3_000, 42],
          [1, true, undefined, 42],
          [2, false, undefined, 42],
        ],
      );
      for (const { token } of messages) assert.deepEqual(token, messages[0]?.token);
    });

    it('go on in smaller blocks when the device asks for them', async () => {
      const lamp = fixture.device();
      const open = fixture.stack.request(fixture.channel(lamp), write(1_500));
      const messages = await collect(lamp, 4);
      await open;
      assert.deepEqual(joined(messages), body(1_500));
      assert.deepEqual(
        messages.map(({ options }) => options.block1?.num),
        [0, 4, 5],
      );
    });

    it('start again in smaller blocks after a 4.13 that hints at them, also when the whole fitted one message', async () => {
      const lamp = fixture.device();
      for (const length of [500, 1_500]) {
        const open = fixture.stack.request(fixture.channel(lamp), write(length));
        (await lamp.expectRequest()).reply(CoapCode.RequestEntityTooLarge, { block1: { num: 0, more: false, szx: 2 } });
        const messages = await collect(lamp);
        assert.equal((await open).code, CoapCode.Changed);
        assert.deepEqual(joined(messages), body(length));
        assert.equal(messages[0]?.payload.length, 64);
      }
    });

    it('end where the device ends them', async () => {
      const lamp = fixture.device();
      const open = fixture.stack.request(fixture.channel(lamp), write(3_000));
      (await lamp.expectRequest()).reply(CoapCode.RequestEntityTooLarge, { size1: 100 });
      assert.equal((await open).code, CoapCode.RequestEntityTooLarge);
      assert.equal(lamp.inbox.length, 0);
    });

    it('fail when another block is acknowledged than was sent', async () => {
      const lamp = fixture.device();
      const open = fixture.stack.request(fixture.channel(lamp), write(3_000));
      (await lamp.expectRequest()).reply(CoapCode.Continue, { block1: { num: 7, more: true, szx: 6 } });
      await assert.rejects(open, CodecError);
    });

    it('do not mix: the next body to a device waits for the one before', async () => {
      const lamp = fixture.device();
      const first = fixture.stack.request(fixture.channel(lamp), write(3_000));
      const second = fixture.stack.request(fixture.channel(lamp), write(2_000));
      assert.deepEqual(joined(await collect(lamp)), body(3_000));
      assert.deepEqual(joined(await collect(lamp)), body(2_000));
      await Promise.all([first, second]);
    });

    it('survive a lost block and a lost acknowledgement', async () => {
      const lamp = fixture.device();
      let count = 0;
      fixture.network.filter = () => (count += 1) !== 2 && count !== 5;
      const open = fixture.stack.request(fixture.channel(lamp), write(3_000));
      let seen: CoapMessage[] = [];
      const collecting = collect(lamp).then((messages) => (seen = messages));
      await fixture.clock.advance(20_000);
      await collecting;
      assert.equal((await open).code, CoapCode.Changed);
      const distinct = [...new Map(seen.map((message) => [message.messageId, message])).values()];
      assert.deepEqual(joined(distinct), body(3_000));
      assert.equal(fixture.stack.statistics.retransmissions, 2);
    });
  });

  describe('of responses to us (Block2)', () => {
    const read = { code: CoapCode.GET, options: { uriPath: ['3'], accept: 11_542 } };

    interface Serving {
      whole: Buffer;
      szx?: number;
      eTag?: (num: number) => Buffer;
      change?: (options: CoapOptions, payload: Buffer) => [CoapOptions, Buffer];
    }

    /** Answers `count` requests with the block asked for. */
    async function serve(lamp: ScriptedDevice, count: number, { whole, szx = 6, eTag, change }: Serving) {
      const messages: CoapMessage[] = [];
      for (let index = 0; index < count; index += 1) {
        const request = await lamp.expectRequest();
        messages.push(request.message);
        const asked = request.message.options.block2 ?? { num: 0, more: false, szx };
        const size = blockSize(asked.szx);
        const end = (asked.num + 1) * size;
        let options: CoapOptions = {
          contentFormat: 11_542,
          block2: { num: asked.num, more: end < whole.length, szx: asked.szx },
        };
        if (eTag !== undefined) options.eTag = [eTag(index)];
        let payload = whole.subarray(asked.num * size, end);
        if (change !== undefined) [options, payload] = change(options, payload);
        request.reply(CoapCode.Content, options, payload);
      }
      return messages;
    }

    it('are put together, with the same request for each block', async () => {
      const lamp = fixture.device();
      const open = fixture.stack.request(fixture.channel(lamp), read);
      const messages = await serve(lamp, 3, { whole: body(2_100), eTag: () => Buffer.from('e') });
      const response = await open;
      assert.deepEqual(response.payload, body(2_100));
      assert.deepEqual(response.options, { contentFormat: 11_542, eTag: [Buffer.from('e')] });
      assert.deepEqual(messages[2]?.options, { ...read.options, block2: { num: 2, more: false, szx: 6 } });
    });

    it('begin anew when the ETag changes, and fail when it keeps changing', async () => {
      const lamp = fixture.device();
      const open = fixture.stack.request(fixture.channel(lamp), read);
      await serve(lamp, 2, { whole: body(2_000), eTag: (num) => Buffer.from([num]) });
      await serve(lamp, 2, { whole: body(2_001), eTag: () => Buffer.from('new') });
      assert.deepEqual((await open).payload, body(2_001));
      const failing = assert.rejects(fixture.stack.request(fixture.channel(lamp), read), CodecError);
      await serve(lamp, 6, { whole: body(2_000), eTag: (num) => Buffer.from([num]) });
      await failing;
    });

    it('are not asked for twice when asking changes something', async () => {
      const lamp = fixture.device();
      const open = fixture.stack.request(fixture.channel(lamp), { code: CoapCode.POST, options: { uriPath: ['x'] } });
      const failing = assert.rejects(open, CodecError);
      await serve(lamp, 2, { whole: body(2_000), eTag: (num) => Buffer.from([num]) });
      await failing;
      assert.equal(lamp.inbox.length, 0);
    });

    it('repeat the body of a FETCH with each block, and that of nothing else', async () => {
      const lamp = fixture.device();
      for (const [code, length] of [
        [CoapCode.FETCH, 5],
        [CoapCode.POST, 0],
      ] as const) {
        const request = { code, options: { uriPath: ['x'], contentFormat: 112 }, payload: Buffer.from('paths') };
        const open = fixture.stack.request(fixture.channel(lamp), request);
        const messages = await serve(lamp, 2, { whole: body(2_000) });
        assert.deepEqual((await open).payload, body(2_000));
        assert.equal(messages[1]?.payload.length, length);
      }
    });

    const wrong: [string, Partial<Serving>, number][] = [
      ['a block of another number', { change: (o, p) => [{ ...o, block2: { num: 5, more: true, szx: 6 } }, p] }, 1],
      ['more to come after a short block', { change: (o, p) => [o, p.subarray(1)] }, 1],
      ['no Block2 in a later block', { change: (o, p) => (o.block2?.num === 1 ? [{}, p] : [o, p]) }, 2],
      ['the reserved exponent 7', { change: (o, p) => [{ ...o, block2: { num: 0, more: true, szx: 7 } }, p] }, 1],
      ['a declared size above the cap', { change: (o, p) => [{ ...o, size2: 2 ** 30 }, p] }, 1],
    ];
    for (const [name, change, count] of wrong) {
      it(`fail with ${name}`, async () => {
        const lamp = fixture.device();
        const open = assert.rejects(fixture.stack.request(fixture.channel(lamp), read), CodecError);
        await serve(lamp, count, { whole: body(3_000), ...change });
        await open;
      });
    }

    it('fail when they grow beyond the cap', async () => {
      await fixture.stack.close();
      fixture = await CoapFixture.open({ limits: { responseBody: 4_000 } });
      const lamp = fixture.device();
      const open = assert.rejects(fixture.stack.request(fixture.channel(lamp), read), /above the limit of 4000/);
      await serve(lamp, 4, { whole: body(2 ** 20) });
      await open;
    });

    it('end with the error that the device answers to a later block', async () => {
      const lamp = fixture.device();
      const open = fixture.stack.request(fixture.channel(lamp), read);
      await serve(lamp, 1, { whole: body(2_000) });
      (await lamp.expectRequest()).reply(CoapCode.NotFound);
      assert.equal((await open).code, CoapCode.NotFound);
    });

    it('stop by signal between two blocks', async () => {
      const lamp = fixture.device();
      const controller = new AbortController();
      const open = fixture.stack.request(fixture.channel(lamp), read, { signal: controller.signal });
      const rejection = assert.rejects(open, { code: 'CANCELLED' });
      await serve(lamp, 1, { whole: body(5_000) });
      await lamp.expectRequest();
      controller.abort();
      await rejection;
    });
  });
});
