import assert from 'node:assert/strict';
import type { Attributes } from '../../../src';
import { CoapCode } from '../../../src/coap';
import { asked, attributes, bytes, create, ENDPOINT, FORMAT, OmaCase, read, remove, replace } from './support';

/** Power source voltages (/3/0/7) and currents (/3/0/8), as TLV. */
const voltage = (first: string): Buffer => bytes(`88 07 08 42 00 ${first} 42 01 13 88`);
const current = (first: string): Buffer => bytes(`87 08 41 00 ${first} 42 01 03 84`);

describe('OMA cases of information reporting', () => {
  let oma: OmaCase;

  afterEach(async () => {
    await oma.close();
  });

  const elapse = (seconds: number) => oma.harness.clock.advance(seconds * 1000);

  /** Observes a path; the client takes the attributes and answers with the first value. */
  async function observe(path: string, first: Buffer, wish?: Attributes) {
    const observation = oma.observe({ attributes: wish }, path);
    if (wish !== undefined) {
      const query = Object.entries(wish).map(([name, value]) => `${name}=${value}`);
      await oma.answer(asked(`PUT ${path}?${query.join('&')}`).answers('2.04'));
    }
    const step = asked(`GET ${path} observe=0`).answers('2.05', FORMAT.tlv, first, { observe: 1 });
    const { token } = await oma.answer(step);
    return { ...observation, token };
  }

  it('OMA 301 Observation of two resources with their periods, and notifications of both', async () => {
    oma = await OmaCase.start();
    const sources = asked('GET /3/0/6').answers('2.05', FORMAT.tlv, bytes('86 06 41 00 01 41 01 05'));
    assert.deepEqual((await oma.order(read('/3/0/6'), sources)).payload, { 0: 1, 1: 5 });
    const volts = await observe('/3/0/7', voltage('0E D8'), { pmin: 5, pmax: 15 });
    const amperes = await observe('/3/0/8', current('7D'), { pmin: 10, pmax: 20 });
    for (let round = 0; round < 3; round += 1) {
      await elapse(15);
      assert.equal(await oma.notify(volts.token, 2 + round, FORMAT.tlv, voltage('0E D9')), 'ACK');
      await elapse(5);
      assert.equal(await oma.notify(amperes.token, 2 + round, FORMAT.tlv, current('7C')), 'ACK');
    }
    const changed = { 0: 3801, 1: 5000 };
    assert.deepEqual(volts.heard.payloads(), [{ 0: 3800, 1: 5000 }, changed, changed, changed]);
    assert.deepEqual(amperes.heard.payloads().at(-1), { 0: 124, 1: 900 });
    const now = oma.harness.clock.now();
    assert.deepEqual(
      volts.heard.values.map(({ timestamp }) => (now - timestamp) / 1000),
      [60, 45, 25, 5],
    );
  });

  it('OMA 302 Cancellation by RST to a notification, one observation at a time', async () => {
    // The server resets where it cannot ask: a client that sleeps.
    oma = await OmaCase.start({ query: ['b=U', 'Q'] });
    const volts = await observe('/3/0/7', voltage('0E D8'));
    const amperes = await observe('/3/0/8', current('7D'));
    await elapse(100);
    assert.equal(oma.view().connectivity, 'asleep');
    await (await volts.handle).cancel();
    assert.equal(await oma.notify(volts.token, 2, FORMAT.tlv, voltage('0E D9')), 'RST');
    assert.equal(await oma.notify(amperes.token, 2, FORMAT.tlv, current('7C')), 'ACK');
    await elapse(100);
    await (await amperes.handle).cancel();
    assert.equal(await oma.notify(amperes.token, 3, FORMAT.tlv, current('7B')), 'RST');
    assert.equal(oma.client.inbox.length, 0);
    assert.deepEqual([volts.heard.values.length, amperes.heard.values.length], [1, 2]);
  });

  it('OMA 303 Cancellation by GET with Observe=1 and the token of the observation', async () => {
    oma = await OmaCase.start();
    const { handle, heard, token } = await observe('/3/0/7', voltage('0E D8'));
    assert.equal(await oma.notify(token, 2, FORMAT.tlv, voltage('0E D9')), 'ACK');
    const cancelled = (await handle).cancel();
    const last = await oma.answer(asked('GET /3/0/7 observe=1').answers('2.05', FORMAT.tlv, voltage('0E D9')));
    await cancelled;
    assert.deepEqual(last.token, token);
    assert.equal(await oma.notify(token, 3, FORMAT.tlv, voltage('0E DA')), 'RST');
    assert.equal(heard.values.length, 2);
  });

  describe('of composite observations', () => {
    const PATHS = ['/3/0/7', '/1/0/1'];
    const LIST = '[{"n":"/3/0/7"},{"n":"/1/0/1"}]';
    const values = (volts: number) =>
      `[{"bn":"/3/0/7/","n":"0","v":${volts}},{"n":"1","v":5000},{"bn":"/1/0/1","v":86400}]`;

    beforeEach(async () => {
      oma = await OmaCase.start({ links: '</>;ct=110,</1/0>,</3/0>,</16/0>' });
    });

    async function observeComposite(wish?: Attributes) {
      const observation = oma.observe({ attributes: wish }, ...PATHS);
      if (wish !== undefined) {
        for (const path of PATHS) await oma.answer(asked(`PUT ${path}?pmin=2&pmax=10`).answers('2.04'));
      }
      const step = asked('FETCH / observe=0 format=110 accept=110', LIST);
      const { token } = await oma.answer(step.answers('2.05', FORMAT.senmlJson, values(3800), { observe: 1 }));
      return { ...observation, token };
    }

    it('OMA 304 Observe-Composite with its periods', async () => {
      const { heard, token } = await observeComposite({ pmin: 2, pmax: 10 });
      await elapse(10);
      assert.equal(await oma.notify(token, 2, FORMAT.senmlJson, values(3801)), 'ACK');
      assert.deepEqual(heard.payloads(), [
        { '/3/0/7': { 0: 3800, 1: 5000 }, '/1/0/1': 86_400 },
        { '/3/0/7': { 0: 3801, 1: 5000 }, '/1/0/1': 86_400 },
      ]);
      assert.equal(heard.failures.length, 0);
    });

    it('OMA 305 Cancellation of a composite observation by FETCH with Observe=1 and the same list', async () => {
      const { handle, token } = await observeComposite();
      const cancelled = (await handle).cancel();
      const step = asked('FETCH / observe=1 format=110 accept=110', LIST);
      const last = await oma.answer(step.answers('2.05', FORMAT.senmlJson, values(3800)));
      await cancelled;
      assert.deepEqual(last.token, token);
      assert.equal(await oma.notify(token, 2, FORMAT.senmlJson, values(3801)), 'RST');
    });

    const portfolio = (...instances: number[]) =>
      `[${['{"n":"/3/0/9","v":90}', ...instances.map((id) => `{"n":"/16/${id}/0/0","vs":"p${id}"}`)].join(',')}]`;

    async function observePortfolio(...instances: number[]) {
      const observation = oma.observe({}, '/3/0/9', '/16');
      const step = asked('FETCH / observe=0 format=110 accept=110', '[{"n":"/3/0/9"},{"n":"/16"}]');
      const answer = step.answers('2.05', FORMAT.senmlJson, portfolio(...instances), { observe: 1 });
      return { ...observation, ...(await oma.answer(answer)) };
    }

    it('OMA 308 A composite observation follows an instance that is created', async () => {
      const { heard, token } = await observePortfolio(0);
      const body = '[{"bn":"/16/","n":"1/0/0","vs":"p1"}]';
      await oma.order(create('/16/1', { 0: { 0: 'p1' } }), asked('POST /16 format=110', body).answers('2.01'));
      assert.equal(await oma.notify(token, 2, FORMAT.senmlJson, portfolio(0, 1)), 'ACK');
      assert.deepEqual(heard.payloads(), [
        { '/3/0/9': 90, '/16': { 0: { 0: { 0: 'p0' } } } },
        { '/3/0/9': 90, '/16': { 0: { 0: { 0: 'p0' } }, 1: { 0: { 0: 'p1' } } } },
      ]);
    });

    it('OMA 309 A composite observation follows an instance that is deleted', async () => {
      const { heard, token } = await observePortfolio(0, 1);
      await oma.order(remove('/16/1'), asked('DELETE /16/1').answers('2.02'));
      assert.equal(await oma.notify(token, 2, FORMAT.senmlJson, portfolio(0)), 'ACK');
      await oma.order(remove('/16/0'), asked('DELETE /16/0').answers('2.02'));
      assert.equal(await oma.notify(token, 3, FORMAT.senmlJson, portfolio()), 'ACK');
      assert.deepEqual(heard.payloads().slice(1), [
        { '/3/0/9': 90, '/16': { 0: { 0: { 0: 'p0' } } } },
        { '/3/0/9': 90 },
      ]);
    });

    it('OMA 310 Attributes are changed while a composite observation runs', async () => {
      const { heard, token } = await observeComposite({ pmin: 2, pmax: 10 });
      await oma.order(attributes('/3/0/7', { pmin: 1, pmax: 5 }), asked('PUT /3/0/7?pmin=1&pmax=5').answers('2.04'));
      await elapse(5);
      assert.equal(await oma.notify(token, 2, FORMAT.senmlJson, values(3801)), 'ACK');
      assert.equal(heard.values.length, 2);
    });
  });

  describe('by Send', () => {
    const sent = () => oma.harness.eventsOf('sent').map(({ endpoint, payload }) => ({ endpoint, payload }));
    const send = (contentFormat: number, payload: Buffer | string) =>
      oma.codeOf(oma.client.request(CoapCode.POST, { uriPath: ['dp'], contentFormat }, payload));

    beforeEach(async () => {
      oma = await OmaCase.start();
    });

    it('OMA 306 Send as SenML JSON is answered 2.04 and delivered', async () => {
      const payload = '[{"bn":"/3/0/","n":"9","v":95},{"n":"7/0","v":3800},{"bn":"/1/0/1","v":86400}]';
      assert.equal(await send(FORMAT.senmlJson, payload), '2.04');
      const at = oma.harness.clock.now();
      assert.deepEqual(sent(), [
        {
          endpoint: ENDPOINT,
          payload: [
            { path: '/3/0/9', value: 95, at },
            { path: '/3/0/7/0', value: 3800, at },
            { path: '/1/0/1', value: 86_400, at },
          ],
        },
      ]);
    });

    it('OMA 311 Send as SenML CBOR is answered 2.04 and delivered', async () => {
      const payload = bytes('82  A3 21 65 "/3/0/" 00 61 "0" 03 64 "Open"  A2 00 61 "9" 02 18 5F');
      assert.equal(await send(FORMAT.senmlCbor, payload), '2.04');
      assert.deepEqual(
        sent().flatMap((event) => event.payload.map(({ path, value }) => [path, value])),
        [
          ['/3/0/0', 'Open'],
          ['/3/0/9', 95],
        ],
      );
      assert.equal(oma.view().values['/3/0/9']?.reported?.value, 95);
    });

    it('OMA 311 Send of somebody who is not registered is refused', async () => {
      const stranger = oma.harness.device('203.0.113.9:5683');
      const options = { uriPath: ['dp'], contentFormat: FORMAT.senmlJson };
      const response = stranger.request(CoapCode.POST, options, '[{"n":"/3/0/9","v":1}]');
      assert.equal(await oma.codeOf(response), '4.04');
      assert.deepEqual(sent(), []);
    });

    it('OMA 307 Send is muted and allowed again by a write', async () => {
      await oma.order(replace('/1/0/23', true), asked('PUT /1/0/23 format=0', '1').answers('2.04'));
      await oma.order(replace('/1/0/23', false), asked('PUT /1/0/23 format=0', '0').answers('2.04'));
      assert.equal(await send(FORMAT.senmlJson, '[{"n":"/3/0/9","v":94}]'), '2.04');
      assert.equal(sent().length, 1);
    });
  });

  describe('of 1.2 clients', () => {
    beforeEach(async () => {
      oma = await OmaCase.start({ version: '1.2' });
    });

    it('OMA 312 Attributes travel in the Observe request', async () => {
      const { heard } = oma.observe({ attributes: { pmin: 5, pmax: 15 } }, '/3/0/7');
      const step = asked('GET /3/0/7?pmin=5&pmax=15 observe=0');
      const { token } = await oma.answer(step.answers('2.05', FORMAT.tlv, voltage('0E D8'), { observe: 1 }));
      await elapse(15);
      assert.equal(await oma.notify(token, 2, FORMAT.tlv, voltage('0E D9')), 'ACK');
      assert.deepEqual(heard.payloads(), [
        { 0: 3800, 1: 5000 },
        { 0: 3801, 1: 5000 },
      ]);
      assert.equal(oma.client.inbox.length, 0, 'no Write-Attributes beside');
    });

    it('OMA 313 Attributes in the Observe request override those attached, which stay', async () => {
      await oma.order(
        attributes('/3/0/7', { pmin: 30, pmax: 60 }),
        asked('PUT /3/0/7?pmin=30&pmax=60').answers('2.04'),
      );
      const { handle, heard } = oma.observe({ attributes: { pmin: 5, pmax: 15 } }, '/3/0/7');
      const step = asked('GET /3/0/7?pmin=5&pmax=15 observe=0');
      const { token } = await oma.answer(step.answers('2.05', FORMAT.tlv, voltage('0E D8'), { observe: 1 }));
      await elapse(5);
      assert.equal(await oma.notify(token, 2, FORMAT.tlv, voltage('0E D9')), 'ACK');
      assert.equal(heard.values.length, 2);
      const cancelled = (await handle).cancel();
      const end = asked('GET /3/0/7?pmin=5&pmax=15 observe=1').answers('2.05', FORMAT.tlv, voltage('0E D9'));
      await oma.answer(end);
      await cancelled;
    });
  });
});
