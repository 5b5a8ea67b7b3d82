import assert from 'node:assert/strict';
import eventsNode from '../../nodes/lwm2m-events/lwm2m-events';
import devicesNode from '../../nodes/lwm2m-devices/lwm2m-devices';
import { FakeEngine } from './fake-engine';
import { fakeServer, on, runFlow, type Flow, type Message } from './flow-harness';

describe('a node that hears or lists devices', () => {
  let engine: FakeEngine;
  let flow: Flow | undefined;

  beforeEach(() => {
    engine = new FakeEngine();
    engine.register('lamp-1', 'lamp-2', 'park-1');
  });

  afterEach(async () => {
    await flow?.stop();
    flow = undefined;
  });

  async function start(type: string, properties: Record<string, unknown>): Promise<Flow> {
    flow = await runFlow(
      [fakeServer(engine), eventsNode, devicesNode],
      [
        { id: 'server', type: 'lwm2m-server' },
        on('node', type, { server: 'server', ...properties }, ['out']),
        on('out', 'helper'),
        on('catch', 'catch', { scope: ['node'] }, ['caught']),
        on('caught', 'helper'),
      ],
    );
    return flow;
  }

  function happen(topic: string, endpoint: string): void {
    engine.emit('device', { topic, endpoint, payload: { endpoint } });
  }

  it('hears all events of all devices when nothing is set', async () => {
    const running = await start('lwm2m-events', {});
    happen('registered', 'lamp-1');
    happen('updated', 'park-1');
    const heard = await running.inbox('out').take(2);
    assert.deepEqual(
      heard.map(({ topic, endpoint, payload }) => ({ topic, endpoint, payload })),
      [
        { topic: 'registered', endpoint: 'lamp-1', payload: { endpoint: 'lamp-1' } },
        { topic: 'updated', endpoint: 'park-1', payload: { endpoint: 'park-1' } },
      ],
    );
  });

  const TROUBLE = { about: 'store', code: 'STORE', message: 'the disk is full', since: 1 };

  it('hears how the server itself is when it has no target, by topics too', async () => {
    const running = await start('lwm2m-events', {
      target: '',
      targetType: 'selector',
      topics: ['trouble', 'recovered'],
    });
    happen('registered', 'lamp-1');
    for (const topic of ['trouble', 'recovered']) engine.emit('condition', { topic, payload: TROUBLE });
    const heard = await running.inbox('out').take(2);
    assert.deepEqual(
      heard.map(({ topic, payload }) => ({ topic, payload })),
      [
        { topic: 'trouble', payload: TROUBLE },
        { topic: 'recovered', payload: TROUBLE },
      ],
    );
    for (const message of heard) assert.equal('endpoint' in message, false);
  });

  it('hears nothing of the server itself when no topics are chosen', async () => {
    const running = await start('lwm2m-events', {});
    engine.emit('condition', { topic: 'trouble', payload: TROUBLE });
    happen('updated', 'lamp-1');
    assert.equal((await running.inbox('out').next()).topic, 'updated');
    assert.equal(running.inbox('out').all.length, 1);
  });

  it('hears nothing of the server itself when it is set to some devices', async () => {
    const running = await start('lwm2m-events', {
      target: 'lamp-1',
      targetType: 'endpoint',
      topics: ['trouble', 'updated'],
    });
    engine.emit('condition', { topic: 'trouble', payload: TROUBLE });
    happen('updated', 'lamp-1');
    assert.equal((await running.inbox('out').next()).topic, 'updated');
    assert.equal(running.inbox('out').all.length, 1);
  });

  it('hears those of a target that a context holds, as it is at each event', async () => {
    const running = await start('lwm2m-events', { target: 'who', targetType: 'flow' });
    const context = running.node('node').context().flow;
    context.set('who', 'lamp-1');
    happen('updated', 'lamp-1');
    happen('updated', 'lamp-2');
    await running.inbox('out').next();
    context.set('who', { selector: 'ep=park-*' });
    happen('updated', 'lamp-1');
    happen('updated', 'park-1');
    assert.equal((await running.inbox('out').next()).endpoint, 'park-1');
    assert.equal(running.inbox('out').all.length, 2);
  });

  it('hears nothing for an unreadable selector, and says so once', async () => {
    const running = await start('lwm2m-events', { target: 'lamps', targetType: 'selector' });
    happen('updated', 'lamp-1');
    happen('updated', 'lamp-2');
    assert.equal((await running.inbox('caught').next()).error?.code, 'INVALID_ARGUMENT');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(running.inbox('caught').all.length, 1);
    assert.deepEqual(running.inbox('out').all, []);
  });

  it('keeps what happens during a deploy for afterwards, in order', async () => {
    const running = await start('lwm2m-events', {});
    const nodes = [
      { id: 'server', type: 'lwm2m-server' },
      on('node', 'lwm2m-events', { server: 'server', name: 'changed' }, ['out']),
      on('out', 'helper', { name: 'changed' }),
    ];
    running.whenStopping(() => {
      happen('registered', 'lamp-1');
      happen('updated', 'lamp-1');
    });
    await running.deploy(nodes, 'nodes');
    const heard = await running.inbox('out').take(2);
    assert.deepEqual(
      heard.map(({ topic }) => topic),
      ['registered', 'updated'],
    );
  });

  it('lists all devices when no target is set, in the incoming message', async () => {
    const running = await start('lwm2m-devices', {});
    running.receive('node', { topic: 'kept' });
    const listed = await running.inbox('out').next();
    assert.equal(listed.topic, 'kept');
    assert.equal((listed.payload as unknown[]).length, 3);
    assert.deepEqual(engine.listed.at(-1), { target: undefined, paths: undefined });
  });

  it('lists those of a target and only the paths that are set', async () => {
    const running = await start('lwm2m-devices', {
      target: 'ep=lamp-*',
      targetType: 'selector',
      paths: ['/3311/0/5850', '/Device/0'],
    });
    running.receive('node', { target: 'park-1' });
    const listed = await running.inbox('out').next();
    assert.deepEqual(
      (listed.payload as { endpoint: string }[]).map(({ endpoint }) => endpoint),
      ['lamp-1', 'lamp-2'],
    );
    assert.deepEqual(
      engine.listed.at(-1)?.paths?.map(({ objectId }) => objectId),
      [3311, 3],
    );
  });

  it('takes target and paths from the message when they are left empty', async () => {
    const running = await start('lwm2m-devices', { target: '', paths: [] });
    running.receive('node', { target: 'park-1', paths: '/3' });
    assert.equal(((await running.inbox('out').next()).payload as unknown[]).length, 1);
    assert.equal(engine.listed.at(-1)?.paths?.length, 1);
  });

  it('lists one page when the message asks for it, and says how many there are in all', async () => {
    const running = await start('lwm2m-devices', {});
    running.receive('node', { limit: 1, offset: '1' });
    const page = await running.inbox('out').next();
    assert.deepEqual(
      (page.payload as { endpoint: string }[]).map(({ endpoint }) => endpoint),
      ['lamp-2'],
    );
    assert.equal(page['total'], 3);
    running.receive('node', {});
    assert.ok(!('total' in (await running.inbox('out').next())));
    running.receive('node', { limit: 'all' });
    assert.equal((await running.inbox('caught').next()).error?.code, 'INVALID_ARGUMENT');
  });

  it('lists for a user what he may read, which no message changes', async () => {
    engine.denied = new Set(['tom read lamp-1']);
    const endpoints = async (running: Flow, msg: Message): Promise<string[]> => {
      running.receive('node', msg);
      return ((await running.inbox('out').next()).payload as { endpoint: string }[]).map(({ endpoint }) => endpoint);
    };
    const careful = await start('lwm2m-devices', { readable: true });
    assert.deepEqual(await endpoints(careful, { user: 'tom', readable: false }), ['lamp-2', 'park-1']);
    assert.equal((await endpoints(careful, { user: 'ann' })).length, 3);
    await careful.stop();
    const all = await start('lwm2m-devices', {});
    assert.equal((await endpoints(all, { user: 'tom', readable: true })).length, 3);
  });

  it('refuses an empty selector instead of listing all', async () => {
    const running = await start('lwm2m-devices', {});
    running.receive('node', { target: '', targetType: 'selector' });
    assert.equal((await running.inbox('caught').next()).error?.code, 'INVALID_ARGUMENT');
    running.receive('node', { target: { selector: '' } });
    assert.equal((await running.inbox('caught').next()).error?.code, 'INVALID_ARGUMENT');
    assert.deepEqual(running.inbox('out').all, []);
  });
});
