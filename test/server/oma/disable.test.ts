import assert from 'node:assert/strict';
import type { SuspendOptions, SuspensionResult } from '../../../src';
import { CoapCode } from '../../../src/coap';
import { asked, ENDPOINT, FORMAT, OmaCase, read } from './support';

describe('OMA cases of Disable, by suspending the client for a time', () => {
  let oma: OmaCase;

  afterEach(async () => {
    await oma.close();
  });

  const elapse = (seconds: number): Promise<void> => oma.harness.clock.advance(seconds * 1000);

  /** What the client is asked when it is suspended for so many seconds. */
  const steps = (seconds: number) => [
    asked('PUT /1/0/5 format=0', String(seconds)).answers('2.04'),
    asked('PUT /1/0/6 format=0', '1').answers('2.04'),
    asked('POST /1/0/4').answers('2.04'),
  ];

  /** The operator suspends the client, which answers all it is asked. */
  async function suspend(options: SuspendOptions): Promise<SuspensionResult | undefined> {
    const { finished } = oma.harness.engine.suspend({ endpoint: ENDPOINT }, options);
    for (const step of steps(options.duration)) await oma.answer(step, finished);
    return (await finished).results[0];
  }

  async function register(): Promise<{ code: number; maxAge: number | undefined }> {
    const { code, options } = await oma.client.register({ endpoint: ENDPOINT, links: '</1/0>,</3/0>' });
    await oma.harness.clock.settle();
    return { code, maxAge: options.maxAge };
  }

  it('OMA 103 Disable with its timeout; the client de-registers and comes back when it is over', async () => {
    oma = await OmaCase.start();
    const result = await suspend({ duration: 120 });
    assert.deepEqual([result?.state, result?.mode], ['suspended', 'device']);
    assert.equal(await oma.codeOf(oma.client.deregister()), '2.02');
    assert.equal(await oma.update(), '4.04', 'its registration is gone');
    assert.equal(oma.view().connectivity, 'suspended');
    await elapse(120);
    assert.equal((await register()).code, CoapCode.Created);
    assert.deepEqual(oma.harness.topics(), [
      'registered',
      'suspended',
      'deregistered',
      'rejected',
      'registered',
      'resumed',
    ]);
  });

  it('OMA 108 A queue-mode client that is awake is disabled like others; one that sleeps is not called', async () => {
    oma = await OmaCase.start({ query: ['b=U', 'Q'] });
    assert.equal((await suspend({ duration: 60 }))?.mode, 'device');
    assert.equal(await oma.codeOf(oma.client.deregister()), '2.02');
    await elapse(60);
    assert.equal((await register()).code, CoapCode.Created);
    await oma.close();
    oma = await OmaCase.start({ query: ['b=U', 'Q'] });
    await elapse(95);
    const { results } = await oma.harness.engine.suspend({ endpoint: ENDPOINT }, { duration: 60 }).finished;
    assert.deepEqual([results[0]?.mode, results[0]?.reason], ['server', 'asleep']);
    assert.equal(oma.client.inbox.length, 0);
  });

  it('OMA 109 A read ordered while the client is disabled waits for its registration, which is answered first', async () => {
    oma = await OmaCase.start();
    await suspend({ duration: 300 });
    assert.equal(await oma.codeOf(oma.client.deregister()), '2.02');
    const ordered = oma.harness.engine.perform(ENDPOINT, read('/3/0/0'));
    await elapse(300);
    assert.equal(oma.client.inbox.length, 0);
    const heard = oma.client.peer.received.length;
    const registering = register();
    await oma.answer(asked('GET /3/0/0').answers('2.05', FORMAT.text, 'Open Mobile Alliance'), ordered);
    assert.equal((await registering).code, CoapCode.Created);
    const codes = oma.client.peer.received.slice(heard).map((datagram) => datagram[1]);
    assert.deepEqual(codes, [CoapCode.Created, CoapCode.GET]);
    const { payload, queuedFor } = await ordered;
    assert.deepEqual([payload, queuedFor], ['Open Mobile Alliance', 300_000]);
  });

  for (const [words, duration] of [
    ['five minutes', 300],
    ['two hours', 7200],
  ] as const) {
    it(`OMA 555 Disable for ${words}: who comes before is told how long to wait, and observed again after`, async () => {
      oma = await OmaCase.start();
      const { heard } = oma.observe({}, '/3/0/9');
      const observed = (level: string) =>
        asked('GET /3/0/9 observe=0').answers('2.05', FORMAT.text, level, { observe: 1 });
      await oma.answer(observed('90'));
      await suspend({ duration });
      assert.equal(await oma.codeOf(oma.client.deregister()), '2.02');
      await elapse(duration - 60);
      assert.deepEqual(await register(), { code: CoapCode.ServiceUnavailable, maxAge: 60 });
      assert.equal(oma.harness.eventsOf('rejected').at(-1)?.payload.reason, 'suspended');
      await elapse(60);
      const registering = register();
      await oma.answer(observed('80'));
      assert.equal((await registering).code, CoapCode.Created);
      assert.deepEqual(heard.payloads(), [90, 80]);
      assert.equal(oma.harness.engine.suspensions()[0]?.state, 'returned');
    });
  }
});
