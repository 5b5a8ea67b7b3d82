import assert from 'node:assert/strict';
import { on, type FlowNode, type Message } from '../nodes/flow-harness';
import { FORMAT } from './support/raw-device';
import { Stage } from './support/stage';

interface Summary {
  total: number;
  succeeded: number;
  failed: number;
  results: { endpoint: string; state: string; code?: string; error?: string; payload?: unknown }[];
}

describe('contract: messages of the operation nodes', () => {
  let stage: Stage;

  afterEach(() => stage.close());

  /** The last summary of an order to many. */
  async function summary(): Promise<Message> {
    for (;;) {
      const msg = await stage.next('summary');
      if (msg.complete === true) return msg;
    }
  }

  const passOn: [string, string, string, string][] = [
    ['lwm2m-write', 'PUT', '/3311/0/5850', '2.04'],
    ['lwm2m-execute', 'POST', '/3/0/4', '2.04'],
    ['lwm2m-delete', 'DELETE', '/3303/1', '2.02'],
    ['lwm2m-attributes', 'PUT', '/3303/0/5700', '2.04'],
  ];
  for (const [type, method, path, code] of passOn) {
    it(`${type} has no value to answer and passes the payload on, to one and to many`, async () => {
      stage = await Stage.open(Stage.operation(type, { path, pmin: '1' }));
      const device = await stage.device('raw-1');
      device.answers.set(`${method} ${path}`, { code });
      for (const target of ['raw-1', ['raw-1']]) {
        stage.send({ target, payload: true });
        const msg = await stage.next('out');
        assert.equal(msg.payload, true);
        assert.equal((msg.lwm2m as { code: string }).code, code);
      }
    });
  }

  it('lwm2m-create without a Location-Path has no path to tell', async () => {
    stage = await Stage.open(Stage.operation('lwm2m-create', { path: '/3303' }));
    const device = await stage.device('raw-1');
    device.answers.set('POST /3303', { code: '2.01' });
    stage.send({ target: 'raw-1', payload: { sensorUnits: 'Cel' } });
    const msg = await stage.next('out');
    assert.equal(msg.payload, undefined);
    assert.equal((msg.lwm2m as { code: string }).code, '2.01');
  });

  it('a composite write may be keyed by names without a slash before them', async () => {
    stage = await Stage.open(Stage.operation('lwm2m-write'));
    const device = await stage.device('raw-1', { version: '1.0' });
    device.answers.set('PUT /3311/0/5851', { code: '2.04' });
    stage.send({ target: 'raw-1', payload: { 'lightControl/0/dimmer': '40' } });
    const { lwm2m } = (await stage.next('out')) as { lwm2m: { fallback: boolean } };
    assert.equal(lwm2m.fallback, true);
    assert.equal((await device.next()).payload.toString(), '40');
  });

  it('an object that is not keyed by paths is no composite write', async () => {
    stage = await Stage.open(Stage.operation('lwm2m-write'));
    await stage.device('raw-1');
    stage.send({ target: 'raw-1', payload: { '5851': 40 } });
    assert.equal((await stage.next('caught')).error?.code, 'INVALID_ARGUMENT');
  });

  it('go through a join in the order of the members, without those that are unknown', async () => {
    const nodes = Stage.operation('lwm2m-read', { path: '/3303/0/5700' }).map((node): FlowNode =>
      node.id === 'op' ? { ...node, wires: [['join'], ['summary']] } : node,
    );
    stage = await Stage.open([...nodes, on('join', 'join', { mode: 'auto' }, ['out'])]);
    for (const [endpoint, payload] of [
      ['raw-1', '1'],
      ['raw-2', '2'],
    ] as const) {
      const device = await stage.device(endpoint);
      device.answers.set('GET /3303/0/5700', { code: '2.05', contentFormat: FORMAT.text, payload });
    }
    stage.send({ target: ['raw-2', 'nobody', 'raw-1'], topic: 'kept' });
    const joined = await stage.next('out');
    assert.deepEqual([joined.payload, joined.topic], [[2, 1], 'kept']);
    const { payload } = (await summary()) as { payload: Summary };
    assert.deepEqual([payload.total, payload.succeeded, payload.failed], [3, 2, 1]);
    assert.deepEqual(payload.results, [
      { endpoint: 'raw-2', state: 'succeeded', code: '2.05', payload: 2 },
      { endpoint: 'nobody', state: 'failed', error: 'NOT_REGISTERED' },
      { endpoint: 'raw-1', state: 'succeeded', code: '2.05', payload: 1 },
    ]);
    await stage.next('completed');
    assert.equal(stage.flow.inbox('completed').all.length, 1);
  });

  it('to nobody end at once, with a summary of none and done', async () => {
    stage = await Stage.open(Stage.operation('lwm2m-read', { path: '/3/0/0' }));
    for (const target of [{ selector: 'ep=none-*' }, { group: 'nobody' }, []]) {
      stage.send({ target, keep: 1 });
      const msg = await summary();
      assert.deepEqual(msg.payload, { total: 0, succeeded: 0, failed: 0, queued: 0, expired: 0, results: [] });
      assert.equal(msg.keep, 1);
      await stage.next('completed');
    }
    assert.deepEqual(stage.flow.inbox('out').all, []);
  });

  it('carry the error of one device to Catch, and the next message starts afresh', async () => {
    stage = await Stage.open(Stage.operation('lwm2m-read', { path: '/3303/0/5700' }));
    const device = await stage.device('raw-1');
    device.answers.set('GET /3303/0/5700', { code: '4.03', payload: 'not now' });
    stage.send({ target: 'raw-1', payload: 'kept' });
    const caught = await stage.next('caught');
    assert.equal(caught.error?.code, 'RESPONSE');
    assert.deepEqual(caught.error.cause, { responseCode: '4.03', diagnostic: 'not now' });
    assert.deepEqual(
      [caught.payload, caught.endpoint, (caught.lwm2m as { code: string }).code],
      ['kept', 'raw-1', '4.03'],
    );
    device.answers.set('GET /3303/0/5700', { code: '2.05', contentFormat: FORMAT.text, payload: '7' });
    stage.send({ target: 'raw-1' });
    assert.equal((await stage.next('out')).payload, 7);
    await stage.next('completed');
    assert.equal(stage.flow.inbox('completed').all.length, 1);
  });

  it('read an instance with a multiple resource, a time and an opaque value', async () => {
    stage = await Stage.open(Stage.operation('lwm2m-read'));
    const device = await stage.device('raw-1', { objects: '</1/0>,</3/0>,</5/0>' });
    const records = [
      { bn: '/3/0/', n: '7/0', v: 3300 },
      { n: '7/1', v: 5000 },
      { n: '13', v: 1700000000 },
    ];
    device.answers.set('GET /3/0', {
      code: '2.05',
      contentFormat: FORMAT.senmlJson,
      payload: JSON.stringify(records),
    });
    device.answers.set('GET /5/0/0', { code: '2.05', contentFormat: FORMAT.opaque, payload: Buffer.from([1, 2]) });
    device.answers.set('GET /3/0/21', { code: '2.05', contentFormat: FORMAT.text, payload: '9007199254740993' });
    const expected: [string, unknown][] = [
      ['/3/0', { 7: { 0: 3300, 1: 5000 }, 13: new Date(1700000000000) }],
      ['/5/0/0', Buffer.from([1, 2])],
      ['/3/0/21', 9007199254740993n],
    ];
    for (const [path, payload] of expected) {
      stage.send({ target: 'raw-1', path });
      assert.deepEqual((await stage.next('out')).payload, payload);
    }
  });

  it('read composites one by one where a 1.1 device answers 4.05, but never write them so', async () => {
    stage = await Stage.open([
      ...Stage.operation('lwm2m-read', { path: '/3303/0/5700,/3/0/9' }),
      on('write', 'lwm2m-write', { server: 'server', target: 'raw-1' }, ['out'], []),
    ]);
    const device = await stage.device('raw-1');
    device.answers.set('FETCH /', { code: '4.05' });
    device.answers.set('iPATCH /', { code: '4.05' });
    device.answers.set('GET /3303/0/5700', { code: '2.05', contentFormat: FORMAT.text, payload: '21.5' });
    device.answers.set('GET /3/0/9', { code: '2.05', contentFormat: FORMAT.text, payload: '80' });
    stage.send({ target: 'raw-1' });
    const msg = await stage.next('out');
    assert.deepEqual(msg.payload, { '/3303/0/5700': 21.5, '/3/0/9': 80 });
    assert.equal((msg.lwm2m as { fallback: boolean }).fallback, true);
    device.heard.length = 0;
    stage.send({ payload: { '/3311/0/5850': true, '/3311/0/5851': 1 } }, 'write');
    const caught = await stage.next('caught');
    assert.deepEqual([caught.error?.code, (caught.lwm2m as { code: string }).code], ['RESPONSE', '4.05']);
    assert.deepEqual(
      device.heard.map(({ text }) => text),
      ['iPATCH /'],
    );
  });
});
