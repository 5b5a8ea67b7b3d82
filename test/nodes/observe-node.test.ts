import assert from 'node:assert/strict';
import observeNode from '../../nodes/lwm2m-observe/lwm2m-observe';
import {
  formatPath,
  parsePath,
  StoreError,
  TimeoutError,
  type ObservationPolicy,
  type ObservedValue,
} from '../../src/index';
import { FakeEngine } from './fake-engine';
import { fakeServer, on, runFlow, type Flow, type Message } from './flow-harness';

const VALUE: ObservedValue = {
  operation: 'observe',
  endpoint: 'lamp-1',
  path: '/3311/0/5850',
  payload: true,
  code: '2.05',
  contentFormat: 'text',
  timestamp: 5,
  queuedFor: 0,
};

const GONE: ObservationPolicy = { target: { endpoint: 'lamp-1' }, paths: [parsePath('/3/0/0')] };

describe('a node that observes', () => {
  let engine: FakeEngine;
  let flow: Flow | undefined;

  beforeEach(() => {
    engine = new FakeEngine();
    engine.register('lamp-1', 'lamp-2');
  });

  afterEach(async () => {
    await flow?.stop();
    flow = undefined;
  });

  async function start(properties: Record<string, unknown>): Promise<Flow> {
    flow = await runFlow(
      [fakeServer(engine), observeNode],
      [
        { id: 'server', type: 'lwm2m-server' },
        on('observe', 'lwm2m-observe', { server: 'server', ...properties }, ['out']),
        on('out', 'helper'),
        on('catch', 'catch', { scope: ['observe'] }, ['caught']),
        on('caught', 'helper'),
        on('complete', 'complete', { scope: ['observe'] }, ['completed']),
        on('completed', 'helper'),
      ],
    );
    await new Promise((resolve) => setImmediate(resolve));
    return flow;
  }

  function policies(): ObservationPolicy[] {
    return [...engine.policies.values()].map(({ policy }) => policy);
  }

  async function say(running: Flow, msg: Message): Promise<void> {
    running.receive('observe', msg);
    await running.inbox('completed').next();
  }

  it('declares the policy of its settings without any input', async () => {
    await start({
      target: 'ep=lamp-*',
      targetType: 'selector',
      path: '/3311/0/5850 /3311/0/5851',
      pmin: '5',
      pmax: '',
      gt: 20,
      contentFormat: 'senml-cbor',
      keys: 'name',
    });
    assert.deepEqual(
      policies().map((policy) => ({ ...policy, paths: policy.paths.map(formatPath) })),
      [
        {
          target: { selector: 'ep=lamp-*' },
          paths: ['/3311/0/5850', '/3311/0/5851'],
          attributes: { pmin: 5, gt: 20 },
          contentFormat: 'senml-cbor',
          keys: 'name',
        },
      ],
    );
  });

  it('takes attributes from the node, else from msg, else from msg.payload', async () => {
    const running = await start({ target: 'lamp-1', path: '/3303/0/5700', pmin: '5' });
    await say(running, { pmin: 6, pmax: '60', payload: { pmax: 61, st: 0.5, lt: null } });
    assert.deepEqual(policies()[0]?.attributes, { pmin: 5, pmax: 60, st: 0.5, lt: null });
    assert.equal(engine.policies.size, 1);
  });

  it('waits for a message when its target or path is left empty or comes by message', async () => {
    for (const properties of [
      { target: '', path: '/3/0/0' },
      { target: 'lamp-1', path: '' },
      { target: 'who', targetType: 'msg', path: '/3/0/0' },
      { target: 'not-set-yet', targetType: 'flow', path: '/3/0/0' },
    ]) {
      const running = await start(properties);
      assert.deepEqual(policies(), []);
      assert.deepEqual(running.inbox('caught').all, []);
      await running.stop();
      flow = undefined;
    }
  });

  it('keeps as many policies as messages make of different targets and paths', async () => {
    const running = await start({});
    await say(running, { target: 'lamp-1', path: '/3/0/0' });
    await say(running, { target: 'lamp-2', path: '/3/0/0' });
    await say(running, { target: 'lamp-2', path: '/3/0/1' });
    await say(running, { target: 'lamp-2', path: '/3/0/1', pmin: 3 });
    assert.equal(engine.policies.size, 3);
    await say(running, { action: 'cancel', target: 'lamp-2' });
    assert.deepEqual(
      policies().map(({ target }) => target),
      [{ endpoint: 'lamp-1' }],
    );
    await say(running, { action: 'cancel' });
    assert.equal(engine.policies.size, 0);
  });

  it('ends all by msg.reset', async () => {
    const running = await start({ target: 'lamp-1', path: '/3/0/0' });
    assert.equal(engine.policies.size, 1);
    await say(running, { reset: true });
    assert.equal(engine.policies.size, 0);
  });

  it('is not disturbed by cancelling what is not observed', async () => {
    const running = await start({});
    await say(running, { action: 'cancel', target: 'lamp-1', path: '/3/0/0' });
    assert.deepEqual(engine.cancelled, []);
  });

  const refusedMessages: Message[] = [
    { target: 'lamp-1' },
    { path: '/3/0/0' },
    { target: 'lamp-1', path: '/3/0/0', pmin: 'often' },
    { target: 'lamp-1', path: '/3/0/0', action: 'look' },
    { target: { selector: 'nonsense' }, path: '/3/0/0' },
  ];
  for (const msg of refusedMessages) {
    it(`refuses ${JSON.stringify(msg)}`, async () => {
      const running = await start({});
      running.receive('observe', msg);
      assert.equal((await running.inbox('caught').next()).error?.code, 'INVALID_ARGUMENT');
      assert.equal(engine.policies.size, 0);
    });
  }

  it('sends one message a value, in order', async () => {
    const running = await start({ target: 'lamp-1', path: '/3311/0/5850' });
    const [{ listener } = { listener: undefined }] = engine.policies.values();
    listener?.value({ ...VALUE, first: true });
    listener?.value({ ...VALUE, payload: false, timestamp: 6 });
    const [first, second] = await running.inbox('out').take(2);
    assert.deepEqual(first, {
      _msgid: first?._msgid,
      payload: true,
      endpoint: 'lamp-1',
      path: '/3311/0/5850',
      lwm2m: {
        operation: 'observe',
        endpoint: 'lamp-1',
        path: '/3311/0/5850',
        code: '2.05',
        contentFormat: 'text',
        timestamp: 5,
        queuedFor: 0,
        first: true,
      },
    });
    assert.deepEqual([second?.payload, (second?.lwm2m as { timestamp: number }).timestamp], [false, 6]);
  });

  it('follows its settings when they change', async () => {
    const nodes = (path: string): Parameters<Flow['deploy']>[0] => [
      { id: 'server', type: 'lwm2m-server' },
      on('observe', 'lwm2m-observe', { server: 'server', target: 'lamp-1', path }, []),
    ];
    flow = await runFlow([fakeServer(engine), observeNode], nodes('/3/0/0'));
    await flow.deploy(nodes('/3/0/1'), 'nodes');
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(
      policies().map(({ paths }) => paths.map(formatPath)),
      [['/3/0/1']],
    );
    assert.equal(engine.cancelled.length, 1);
  });

  describe('and the store', () => {
    it('is done only when the store has the policy', async () => {
      const running = await start({});
      engine.storeError = new StoreError('the disk is full');
      running.receive('observe', { target: 'lamp-1', path: '/3/0/0' });
      assert.equal((await running.inbox('caught').next()).error?.code, 'STORE');
      assert.deepEqual([policies(), running.inbox('completed').all], [[], []]);
      engine.storeError = undefined;
      await say(running, { target: 'lamp-1', path: '/3/0/0' });
      engine.storeError = new StoreError('the disk is full');
      running.receive('observe', { action: 'cancel' });
      assert.equal((await running.inbox('caught').next()).error?.code, 'STORE');
      assert.equal(engine.policies.size, 1);
    });

    it('remembers who ordered it', async () => {
      const running = await start({});
      await say(running, { target: 'lamp-1', path: '/3/0/0', user: 'ann' });
      assert.deepEqual(
        [...engine.records.values()].map(({ owner, user }) => [owner, user]),
        [['observe', 'ann']],
      );
    });

    /** The engine of the next process: it has what the store had. */
    async function restart(properties: Record<string, unknown>): Promise<Flow> {
      await flow?.stop();
      const { records } = engine;
      engine = new FakeEngine();
      engine.register('lamp-1', 'lamp-2');
      for (const [id, record] of records) engine.records.set(id, record);
      return await start(properties);
    }

    const settings = { target: 'lamp-1', path: '/3311/0/5850' };
    const observed = (): string[] => policies().map(({ paths }) => paths.map(formatPath).join());

    it('takes up what messages observed before a restart', async () => {
      await say(await start({}), { target: 'lamp-2', path: '/3/0/0', pmin: 5 });
      await restart({});
      assert.deepEqual(policies()[0]?.attributes, { pmin: 5 });
      const [{ listener } = { listener: undefined }] = engine.policies.values();
      listener?.value(VALUE);
      assert.equal((await flow?.inbox('out').next())?.payload, true);
    });

    it('leaves after a restart what a message cancelled, while the settings stay the same', async () => {
      const running = await start(settings);
      await say(running, { action: 'cancel' });
      await restart(settings);
      assert.deepEqual(observed(), []);
      await restart({ ...settings, path: '/3311/0/5851' });
      assert.deepEqual([observed(), engine.records.size], [['/3311/0/5851'], 1]);
    });

    it('observes again after a restart when a message has said so after the one that cancelled', async () => {
      const running = await start(settings);
      await say(running, { action: 'cancel' });
      await say(running, { action: 'observe', pmin: 7 });
      await restart(settings);
      assert.deepEqual([observed(), policies()[0]?.attributes], [['/3311/0/5850'], { pmin: 7 }]);
    });

    it('follows settings that changed while nothing ran', async () => {
      await start(settings);
      await restart({ ...settings, path: '/3311/0/5851' });
      assert.deepEqual(observed(), ['/3311/0/5851']);
      await restart({});
      assert.deepEqual([observed(), engine.records.size], [[], 0]);
    });

    it('ends the policies of a node that was removed while nothing ran, and no others', async () => {
      await start(settings);
      engine.records.set('gone /3/0/0', { id: 'gone /3/0/0', policy: GONE, owner: 'gone' });
      engine.records.set('program', { id: 'program', policy: GONE });
      await restart(settings);
      assert.deepEqual([...engine.records.values()].map(({ owner }) => owner).sort(), ['observe', undefined]);
    });
  });

  it('shows how many devices of many are observed while some fail', async () => {
    const running = await start({ target: 'ep=lamp-*', targetType: 'selector', path: '/3311/0/5850' });
    const [{ listener } = { listener: undefined }] = engine.policies.values();
    engine.policyStatus = { devices: 10, observing: 8, waiting: 0, failed: 2 };
    listener?.failed({ endpoint: 'lamp-9', path: '/3311/0/5850', error: new TimeoutError('no answer') });
    await running.whenStatus('observe', ({ text }) => text === 'status.observed');
    assert.equal(running.statuses('observe').at(-1)?.fill, 'yellow');
    assert.equal((await running.inbox('caught').next()).error?.code, 'TIMEOUT');
    engine.policyStatus = { devices: 10, observing: 10, waiting: 0, failed: 0 };
    listener?.value(VALUE);
    await running.whenStatus('observe', ({ text }) => text?.startsWith('true') === true);
  });
});
