import assert from 'node:assert/strict';
import { CoapCode } from '../../src/coap';
import type { CoapRequest } from '../../src/coap';
import { CancelledError } from '../../src/errors';
import { CoapFixture } from '../support/coap-fixture';
import type { ReceivedRequest, ScriptedDevice } from '../support/scripted-device';

const SMALL: CoapRequest = { code: CoapCode.GET, options: { uriPath: ['small'] } };
const LARGE: CoapRequest = { code: CoapCode.GET, options: { uriPath: ['large'] } };

/** Anjay's clients, and others, serve one body at a time and answer 5.03 to what comes between its blocks. */
describe('While a body comes or goes in blocks', () => {
  let fixture: CoapFixture;
  let lamp: ScriptedDevice;

  beforeEach(async () => {
    fixture = await CoapFixture.open();
    lamp = fixture.device();
  });

  afterEach(() => fixture.stack.close());

  const ask = (request: CoapRequest, signal?: AbortSignal) =>
    fixture.stack.request(fixture.channel(lamp), request, { signal });

  const pathOf = ({ message }: ReceivedRequest) => message.options.uriPath?.[0];
  const block = (num: number, more: boolean) => ({ block2: { num, more, szx: 0 } });

  /** Answers one block of three and says what it was asked. */
  async function answerBlock(num: number): Promise<string | undefined> {
    const request = await lamp.expectRequest();
    request.reply(CoapCode.Content, block(num, num < 2), num < 2 ? 'x'.repeat(16) : 'x');
    return pathOf(request);
  }

  async function answerSmall(): Promise<string | undefined> {
    const request = await lamp.expectRequest();
    request.reply(CoapCode.Content, {}, 'small');
    return pathOf(request);
  }

  it('of a response, other requests wait, and go in their order afterwards', async () => {
    const large = ask(LARGE);
    const others = [ask(SMALL), ask(SMALL)];
    const asked = [];
    for (let num = 0; num < 3; num += 1) asked.push(await answerBlock(num));
    asked.push(await answerSmall(), await answerSmall());
    assert.deepEqual(asked, ['large', 'large', 'large', 'small', 'small']);
    assert.equal((await large).payload.length, 33);
    await Promise.all(others);
  });

  it('of a request, other requests wait', async () => {
    const upload = ask({ code: CoapCode.PUT, options: { uriPath: ['upload'] }, payload: Buffer.alloc(3000) });
    const asked = [];
    let other: Promise<unknown> | undefined;
    for (let num = 0; num < 3; num += 1) {
      const request = await lamp.expectRequest();
      other ??= ask(SMALL);
      asked.push(pathOf(request));
      const { block1 } = request.message.options;
      request.reply(num < 2 ? CoapCode.Continue : CoapCode.Changed, { block1 });
    }
    asked.push(await answerSmall());
    assert.deepEqual(asked, ['upload', 'upload', 'upload', 'small']);
    assert.equal((await upload).code, CoapCode.Changed);
    await other;
  });

  it('of a notification, other requests wait', async () => {
    const values: string[] = [];
    const observer = {
      notified: ({ payload }: { payload: Buffer }) => void values.push(payload.toString()),
      ended: () => assert.fail('it goes on'),
    };
    const token = Buffer.from('0badcafe', 'hex');
    fixture.stack.restoreObservation(fixture.channel(lamp), token, LARGE, observer);
    lamp.notify(token, 5, 'x'.repeat(16), block(0, true));
    await fixture.clock.settle();
    const others = [ask(SMALL), ask(SMALL)];
    const asked = [await answerBlock(1), await answerBlock(2), await answerSmall(), await answerSmall()];
    assert.deepEqual(asked, ['large', 'large', 'small', 'small']);
    await Promise.all(others);
    assert.deepEqual(values, ['x'.repeat(33)]);
  });

  it('that is given up, others go on', async () => {
    const giveUp = new AbortController();
    const large = ask(LARGE, giveUp.signal);
    const failed = assert.rejects(large, CancelledError);
    const other = ask(SMALL);
    await answerBlock(0);
    await fixture.clock.settle();
    giveUp.abort();
    await failed;
    // The request for the second block is under way, and counts until the device has acknowledged it.
    const asked = [pathOf(await lamp.expectRequest()), await answerSmall()];
    assert.deepEqual(asked, ['large', 'small']);
    assert.equal((await other).payload.toString(), 'small');
  });

  it('that breaks off with an error, others go on', async () => {
    const large = ask(LARGE);
    const other = ask(SMALL);
    await answerBlock(0);
    (await lamp.expectRequest()).reply(CoapCode.ServiceUnavailable);
    assert.equal(await answerSmall(), 'small');
    assert.equal((await large).code, CoapCode.ServiceUnavailable);
    await other;
  });
});
