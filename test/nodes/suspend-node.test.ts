import assert from 'node:assert/strict';
import suspendNode from '../../nodes/lwm2m-suspend/lwm2m-suspend';
import {
  InvalidArgumentError,
  StoreError,
  type Lwm2mError,
  type ResumeOptions,
  type SuspendOptions,
  type SuspensionRun,
  type SuspensionSummary,
  type SuspensionView,
  type Target,
} from '../../src/index';
import { summarize, type SuspensionResult } from '../../src/fleet/suspension';
import { FakeEngine } from './fake-engine';
import { fakeServer, on, runFlow, type Flow, type Message } from './flow-harness';

/** A run that ends when the test says so. */
class FakeRun implements SuspensionRun {
  readonly failures = new Map<string, Lwm2mError>();
  readonly finished: Promise<SuspensionSummary>;
  cancelled = false;
  #progress: ((summary: SuspensionSummary) => void) | undefined;
  #finish: (summary: SuspensionSummary) => void = () => undefined;

  constructor(
    readonly members: readonly string[],
    signal: AbortSignal | undefined,
  ) {
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    signal?.addEventListener('abort', () => this.cancel());
  }

  onProgress(listener: (summary: SuspensionSummary) => void): void {
    this.#progress = listener;
  }

  progress(results: SuspensionResult[]): void {
    this.#progress?.(summarize(results));
  }

  finish(results: SuspensionResult[]): void {
    this.#finish(summarize(results));
  }

  cancel(): void {
    this.cancelled = true;
    this.finish(this.members.map((endpoint) => ({ endpoint, state: 'failed', error: 'CANCELLED' })));
  }
}

class SuspendingEngine extends FakeEngine {
  readonly asked: { action: string; target: Target | undefined; options?: SuspendOptions | ResumeOptions }[] = [];
  readonly runs: FakeRun[] = [];
  views: SuspensionView[] = [];
  /** Called when a run begins. */
  begun: (run: FakeRun) => void = () => undefined;

  suspend(target: Target, options: SuspendOptions): SuspensionRun {
    return this.#begin('suspend', target, options);
  }

  resume(target: Target, options: ResumeOptions): SuspensionRun {
    return this.#begin('resume', target, options);
  }

  suspensions(target?: Target): SuspensionView[] {
    this.asked.push({ action: 'suspensions', target });
    return this.views;
  }

  #begin(action: string, target: Target, options: SuspendOptions | ResumeOptions): SuspensionRun {
    const { signal, ...others } = options;
    this.asked.push({ action, target, options: others });
    const run = new FakeRun(this.membersOf(target), signal);
    this.runs.push(run);
    setImmediate(() => this.begun(run));
    return run;
  }
}

const UNTIL = Date.now() + 4 * 60_000;
const AWAY: SuspensionResult = { endpoint: 'lamp-1', state: 'suspended', mode: 'device', until: UNTIL };

describe('lwm2m-suspend', () => {
  let engine: SuspendingEngine;
  let flow: Flow | undefined;

  beforeEach(() => {
    engine = new SuspendingEngine();
    engine.register('lamp-1', 'lamp-2');
    engine.begun = (run) => run.finish(run.members.map((endpoint) => ({ ...AWAY, endpoint })));
  });

  afterEach(async () => {
    await flow?.stop();
    flow = undefined;
  });

  const nodes = (properties: Record<string, unknown>) => [
    { id: 'server', type: 'lwm2m-server', name: '' },
    on('node', 'lwm2m-suspend', { server: 'server', ...properties }, ['out'], ['progress']),
    on('out', 'helper'),
    on('progress', 'helper'),
    on('catch', 'catch', { scope: ['node'] }, ['caught']),
    on('caught', 'helper'),
    on('complete', 'complete', { scope: ['node'] }, ['completed']),
    on('completed', 'helper'),
  ];

  async function start(properties: Record<string, unknown> = {}): Promise<Flow> {
    flow = await runFlow([fakeServer(engine), suspendNode], nodes(properties));
    return flow;
  }

  /** What the engine is asked when a node with these settings gets this message. */
  async function asked(properties: Record<string, unknown>, msg: Message): Promise<unknown> {
    const running = await start(properties);
    running.receive('node', msg);
    await running.inbox('out').next();
    const [first] = engine.asked;
    return first;
  }

  async function complaint(properties: Record<string, unknown>, msg: Message): Promise<Message['error']> {
    const running = await start(properties);
    running.receive('node', msg);
    return (await running.inbox('caught').next()).error;
  }

  it('suspends its target for the duration it is set to, and answers with the summary', async () => {
    const running = await start({ target: 'ep=lamp-*', targetType: 'selector', duration: '300', stagger: '60' });
    running.receive('node', { payload: 'x', topic: 'kept', user: 'ben' });
    const { payload, topic, complete } = (await running.inbox('out').next()) as Message & { complete?: boolean };
    assert.deepEqual(payload, summarize(['lamp-1', 'lamp-2'].map((endpoint) => ({ ...AWAY, endpoint }))));
    assert.deepEqual([topic, complete], ['kept', true]);
    assert.deepEqual(engine.asked[0], {
      action: 'suspend',
      target: { selector: 'ep=lamp-*' },
      options: { duration: 300, stagger: 60, user: 'ben' },
    });
    await running.inbox('completed').next();
  });

  const suspended = (options: object, target: Target = { endpoint: 'lamp-1' }): object => ({
    action: 'suspend',
    target,
    options: { stagger: undefined, user: undefined, ...options },
  });

  for (const [words, properties, msg, expected] of [
    [
      'all from the message',
      {},
      { target: 'lamp-1', duration: 60, stagger: 5 },
      suspended({ duration: 60, stagger: 5 }),
    ],
    [
      'the action too',
      { action: 'msg' },
      { action: 'suspend', endpoint: 'lamp-1', duration: '60' },
      suspended({ duration: 60 }),
    ],
    ['a group', { duration: 60 }, { target: { group: 'north' } }, suspended({ duration: 60 }, { group: 'north' })],
    [
      'what the node has set first',
      { target: 'lamp-1', duration: 60 },
      { target: 'lamp-2', duration: 1 },
      suspended({ duration: 60 }),
    ],
    [
      'a duration from a property',
      { duration: 'a.b', durationType: 'msg' },
      { target: 'lamp-1', a: { b: 7 } },
      suspended({ duration: 7 }),
    ],
    [
      'a duration by JSONata',
      { duration: 'n * 60', durationType: 'jsonata' },
      { target: 'lamp-1', n: 2 },
      suspended({ duration: 120 }),
    ],
    [
      'a duration left empty, of any type',
      { duration: '', durationType: 'msg' },
      { target: 'lamp-1', duration: 9 },
      suspended({ duration: 9 }),
    ],
    [
      'to resume',
      { action: 'resume' },
      { target: ['lamp-1', 'lamp-2'] },
      { action: 'resume', target: { endpoints: ['lamp-1', 'lamp-2'] }, options: { user: undefined } },
    ],
  ] as [string, Record<string, unknown>, Message, unknown][]) {
    it(`takes ${words}`, async () => assert.deepEqual(await asked(properties, msg), expected));
  }

  it('answers who is away, of a target or of all', async () => {
    engine.views = [{ endpoint: 'lamp-1', since: 1, until: 2, mode: 'server', state: 'overdue' }];
    const running = await start({ action: 'status' });
    for (const msg of [{ target: { group: 'north' } }, {}]) {
      running.receive('node', msg);
      assert.deepEqual((await running.inbox('out').next()).payload, engine.views);
    }
    assert.deepEqual(
      engine.asked.filter((_, index) => index === 0).map(({ target }) => target),
      [{ group: 'north' }],
    );
    assert.ok(engine.asked.some(({ target }) => target === undefined));
  });

  for (const [words, properties, msg, text] of [
    ['no target', { duration: 60 }, {}, /no target/],
    ['no duration', { target: 'lamp-1' }, {}, /no duration/],
    ['a duration that is none', { target: 'lamp-1', duration: 'soon' }, {}, /duration must be a number, not 'soon'/],
    [
      'a property that is no duration',
      { target: 'lamp-1', duration: 'x', durationType: 'msg' },
      { x: {} },
      /msg 'x' must be a number/,
    ],
    ['a stagger that is none', { target: 'lamp-1', duration: 60 }, { stagger: 'wide' }, /stagger must be a number/],
    [
      'no such action',
      { target: 'lamp-1', action: 'msg' },
      { action: 'sleep' },
      /msg.action must be one of suspend, resume, status/,
    ],
    ['no action at all', { target: 'lamp-1', action: 'msg' }, {}, /msg.action must be one of/],
  ] as [string, Record<string, unknown>, Message, RegExp][]) {
    it(`refuses ${words}`, async () => {
      const error = await complaint(properties, msg);
      assert.equal(error?.code, 'INVALID_ARGUMENT');
      assert.match(error?.message ?? '', text);
      assert.equal(engine.runs.length, 0);
    });
  }

  it('says what the engine refuses', async () => {
    engine.suspend = () => {
      throw new InvalidArgumentError('the duration must be above 0');
    };
    assert.equal((await complaint({ target: 'lamp-1', duration: 60 }, {}))?.code, 'INVALID_ARGUMENT');
  });

  it('fails when the one device it is about does, and says of which it was', async () => {
    engine.begun = (run) => {
      run.failures.set('lamp-1', new StoreError('the disk is full'));
      run.finish([{ endpoint: 'lamp-1', state: 'failed', error: 'STORE' }]);
    };
    const running = await start({ target: 'lamp-1', duration: 60 });
    running.receive('node', {});
    const { error, endpoint } = (await running.inbox('caught').next()) as Message & { endpoint?: string };
    assert.deepEqual([error?.code, endpoint], ['STORE', 'lamp-1']);
    assert.equal(running.inbox('out').all.length, 0);
  });

  it('succeeds when members of many fail: the summary says so', async () => {
    engine.begun = (run) => {
      run.failures.set('lamp-2', new StoreError('the disk is full'));
      run.finish([AWAY, { endpoint: 'lamp-2', state: 'failed', error: 'STORE' }]);
    };
    const running = await start({ target: 'ep=lamp-*', targetType: 'selector', duration: 60 });
    running.receive('node', {});
    const { failed, suspended: away } = (await running.inbox('out').next()).payload as SuspensionSummary;
    assert.deepEqual([failed, away], [1, 1]);
  });

  it('tells on its second output how far it is, on copies, and last that it is complete', async () => {
    const waiting: SuspensionResult = { endpoint: 'lamp-2', state: 'waiting' };
    engine.begun = (run) => {
      run.progress([AWAY, waiting]);
      run.finish([AWAY, { ...AWAY, endpoint: 'lamp-2' }]);
    };
    const running = await start({ target: 'ep=lamp-*', targetType: 'selector', duration: 60 });
    running.receive('node', { topic: 'kept', complete: 'of before' });
    const [first, last] = (await running.inbox('progress').take(2)) as (Message & { complete?: unknown })[];
    const answer = await running.inbox('out').next();
    assert.deepEqual(first?.payload, summarize([AWAY, waiting]));
    assert.deepEqual([first?.['topic'], first?.complete, last?.complete], ['kept', undefined, true]);
    assert.deepEqual(last?.payload, answer.payload);
    assert.notEqual(last, answer);
  });

  it('cancels what is under way on reset', async () => {
    engine.begun = () => undefined;
    const running = await start({ target: 'lamp-1', duration: 60 });
    running.receive('node', {});
    await running.whenStatus('node', ({ text }) => text === 'status.sending');
    running.receive('node', { reset: true });
    await running.inbox('completed').take(2);
    assert.deepEqual(
      engine.runs.map(({ cancelled }) => cancelled),
      [true],
    );
  });

  it('goes on through a deploy, and answers by the new node', async () => {
    engine.begun = () => undefined;
    const properties = { target: 'ep=lamp-*', targetType: 'selector', duration: 60 };
    const running = await start(properties);
    running.receive('node', {});
    await running.whenStatus('node', ({ text }) => text === 'status.sending');
    await running.deploy(nodes({ ...properties, name: 'another' }));
    assert.equal(engine.runs[0]?.cancelled, false);
    engine.runs[0]?.finish([AWAY]);
    assert.deepEqual((await running.inbox('out').next()).payload, summarize([AWAY]));
  });

  it('is cancelled when its node is removed', async () => {
    engine.begun = () => undefined;
    const running = await start({ target: 'lamp-1', duration: 60 });
    running.receive('node', {});
    await running.whenStatus('node', ({ text }) => text === 'status.sending');
    await running.deploy(nodes({}).filter(({ id }) => id !== 'node'));
    await engine.runs[0]?.finished;
    assert.equal(engine.runs[0]?.cancelled, true);
  });

  it('shows how many are away and when the first may be back, and when all are', async () => {
    const view = { since: 1, mode: 'device', state: 'suspended' } as const;
    // Of now: this file was read long before this test runs.
    const until = Date.now() + 4 * 60_000 - 5_000;
    engine.views = [
      { ...view, endpoint: 'lamp-1', until },
      { ...view, endpoint: 'lamp-2', until: until + 60_000 },
    ];
    const running = await start({ target: 'ep=lamp-*', targetType: 'selector', duration: 240 });
    running.receive('node', {});
    await running.whenStatus('node', ({ text }) => text === 'status.away · status.age.minutes');
    engine.views = engine.views.map((one) => ({ ...one, state: 'returned' }));
    const payload = { endpoint: 'lamp-1' };
    engine.emit('device', { topic: 'resumed', endpoint: 'lamp-1', payload });
    await running.whenStatus('node', ({ text, fill }) => text === 'status.allBack' && fill === 'green');
  });

  it('says so without a server', async () => {
    flow = await runFlow(
      [suspendNode],
      nodes({ server: '' }).filter(({ id }) => id !== 'server'),
    );
    flow.receive('node', { target: 'lamp-1', duration: 60 });
    assert.match((await flow.inbox('caught').next()).error?.message ?? '', /no server/);
  });
});
