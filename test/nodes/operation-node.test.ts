import assert from 'node:assert/strict';
import joinNode from '@node-red/nodes/core/sequence/17-split.js';
import createNode from '../../nodes/lwm2m-create/lwm2m-create';
import deleteNode from '../../nodes/lwm2m-delete/lwm2m-delete';
import discoverNode from '../../nodes/lwm2m-discover/lwm2m-discover';
import executeNode from '../../nodes/lwm2m-execute/lwm2m-execute';
import readNode from '../../nodes/lwm2m-read/lwm2m-read';
import attributesNode from '../../nodes/lwm2m-attributes/lwm2m-attributes';
import writeNode from '../../nodes/lwm2m-write/lwm2m-write';
import { pathOf, ResponseError, TimeoutError, type Operation } from '../../src/index';
import { FakeEngine } from './fake-engine';
import { fakeServer, on, runFlow, type Flow, type FlowNode, type Message } from './flow-harness';

const MODULES = [readNode, writeNode, executeNode, discoverNode, createNode, deleteNode, attributesNode, joinNode];

const ONOFF = pathOf(3311, 0, 5850);
const DIMMER = pathOf(3311, 0, 5851);

describe('a node that makes an operation of a message', () => {
  let engine: FakeEngine;
  let flow: Flow | undefined;

  beforeEach(() => {
    engine = new FakeEngine();
    engine.register('lamp-1', 'lamp-2', 'lamp-3');
  });

  afterEach(async () => {
    await flow?.stop();
    flow = undefined;
  });

  /** A node `op` with both outputs collected, its errors in `caught`, its completions in `completed`. */
  async function start(type: string, properties: Record<string, unknown>, more: FlowNode[] = []): Promise<Flow> {
    flow = await runFlow(
      [fakeServer(engine), ...MODULES],
      [
        { id: 'server', type: 'lwm2m-server' },
        on('op', type, { server: 'server', ...properties }, ['out'], ['summary']),
        on('out', 'helper'),
        on('summary', 'helper'),
        on('catch', 'catch', { scope: ['op'] }, ['caught']),
        on('caught', 'helper'),
        on('complete', 'complete', { scope: ['op'] }, ['completed']),
        on('completed', 'helper'),
        ...more,
      ],
    );
    return flow;
  }

  async function operationOf(type: string, properties: Record<string, unknown>, msg: Message): Promise<Operation> {
    const running = await start(type, properties);
    running.receive('op', msg);
    await running.inbox('completed').next();
    const [order] = engine.orders;
    assert.ok(order);
    return order.operation;
  }

  async function targetOf(properties: Record<string, unknown>, msg: Message): Promise<unknown> {
    const running = await start('lwm2m-read', { path: '/3/0/0', ...properties });
    running.receive('op', msg);
    await running.inbox('completed').next();
    assert.equal(engine.orders.length, 1);
    return engine.orders[0]?.target;
  }

  /** The error of a message that must come to nothing. */
  async function refused(type: string, properties: Record<string, unknown>, msg: Message): Promise<Message> {
    const running = await start(type, properties);
    running.receive('op', msg);
    const caught = await running.inbox('caught').next();
    assert.equal(caught.error?.code, 'INVALID_ARGUMENT');
    assert.deepEqual(engine.orders, []);
    assert.deepEqual(running.inbox('out').all, []);
    assert.deepEqual(running.inbox('summary').all, []);
    assert.deepEqual(running.inbox('completed').all, []);
    return caught;
  }

  describe('its target', () => {
    it('is the endpoint it is set to, whatever the message says', async () => {
      const msg = { target: 'lamp-2', endpoint: 'lamp-3', targetType: 'selector' };
      assert.deepEqual(await targetOf({ target: 'lamp-1', targetType: 'endpoint' }, msg), { endpoint: 'lamp-1' });
    });

    it('is an endpoint when the exported flow names no type', async () => {
      assert.deepEqual(await targetOf({ target: 'lamp-1' }, {}), { endpoint: 'lamp-1' });
    });

    it('may be a named group', async () => {
      assert.deepEqual(await targetOf({ target: 'street', targetType: 'group' }, {}), { group: 'street' });
    });

    it('may be a selector', async () => {
      assert.deepEqual(await targetOf({ target: 'ep=lamp-*', targetType: 'selector' }, {}), { selector: 'ep=lamp-*' });
    });

    it('may be in a property of the message', async () => {
      const msg = { payload: { who: ['lamp-1', 'lamp-2'] } };
      const target = await targetOf({ target: 'payload.who', targetType: 'msg' }, msg);
      assert.deepEqual(target, { endpoints: ['lamp-1', 'lamp-2'] });
    });

    for (const type of ['flow', 'global'] as const) {
      it(`may be in the ${type} context`, async () => {
        const running = await start('lwm2m-read', { path: '/3/0/0', target: 'who', targetType: type });
        running.node('op').context()[type].set('who', 'lamp-2');
        running.receive('op', {});
        await running.inbox('completed').next();
        assert.deepEqual(engine.orders[0]?.target, { endpoint: 'lamp-2' });
      });
    }

    it('may be in an environment variable', async () => {
      process.env.LWM2M_TEST_LAMP = 'lamp-3';
      try {
        assert.deepEqual(await targetOf({ target: 'LWM2M_TEST_LAMP', targetType: 'env' }, {}), { endpoint: 'lamp-3' });
      } finally {
        delete process.env.LWM2M_TEST_LAMP;
      }
    });

    it('may be text in which an environment variable is written out', async () => {
      process.env.LWM2M_TEST_LAMP = 'lamp-3';
      try {
        assert.deepEqual(await targetOf({ target: '${LWM2M_TEST_LAMP}', targetType: 'endpoint' }, {}), {
          endpoint: 'lamp-3',
        });
      } finally {
        delete process.env.LWM2M_TEST_LAMP;
      }
    });

    it('is msg.target when it is left empty', async () => {
      assert.deepEqual(await targetOf({ target: '' }, { target: 'lamp-2', endpoint: 'lamp-3' }), {
        endpoint: 'lamp-2',
      });
    });

    it('is msg.endpoint when there is no msg.target either', async () => {
      assert.deepEqual(await targetOf({}, { endpoint: 'lamp-3' }), { endpoint: 'lamp-3' });
    });

    it('by message may be what msg.targetType says', async () => {
      assert.deepEqual(await targetOf({}, { target: 'ep=lamp-1', targetType: 'selector' }), { selector: 'ep=lamp-1' });
    });

    it('by message may be { group }, { selector } or an array', async () => {
      const running = await start('lwm2m-read', { path: '/3/0/0' });
      for (const target of [{ group: 'street' }, { selector: 'ep=lamp-1' }, ['lamp-1', 'lamp-1']]) {
        running.receive('op', { target });
        await running.inbox('completed').next();
      }
      const targets = engine.orders.map((order) => order.target);
      assert.deepEqual(targets, [{ group: 'street' }, { selector: 'ep=lamp-1' }, { endpoints: ['lamp-1'] }]);
    });

    const unreadable: [string, Record<string, unknown>, Message][] = [
      ['none at all', {}, {}],
      ['a number', {}, { target: 7 }],
      ['an array with something else in it', {}, { target: ['lamp-1', 7] }],
      ['an array with an empty endpoint', {}, { target: [''] }],
      ['an object of another kind', {}, { target: { endpoint: 'lamp-1' } }],
      ['a group and a selector at once', {}, { target: { group: 'a', selector: 'ep=b' } }],
      ['a type that there is not', {}, { target: 'lamp-1', targetType: 'everything' }],
      [
        'an empty selector, though there is msg.endpoint',
        {},
        { target: '', targetType: 'selector', endpoint: 'lamp-1' },
      ],
      ['a property of the message that is not there', { target: 'who', targetType: 'msg' }, { endpoint: 'lamp-1' }],
      ['a context value that is not there', { target: 'nobody', targetType: 'flow' }, { endpoint: 'lamp-1' }],
    ];
    for (const [what, properties, msg] of unreadable) {
      it(`is refused when it is ${what}`, async () => {
        await refused('lwm2m-read', { path: '/3/0/0', ...properties }, msg);
      });
    }
  });

  describe('its path', () => {
    it('is the one it is set to: it never follows a stray msg.path', async () => {
      const operation = await operationOf('lwm2m-read', { path: '/3311/0/5850' }, { target: 'lamp-1', path: '/3/0/0' });
      assert.deepEqual(operation.operation === 'read' && operation.paths, [ONOFF]);
    });

    it('is msg.path when it is left empty', async () => {
      const operation = await operationOf('lwm2m-read', {}, { target: 'lamp-1', path: '/3311/0/5850' });
      assert.deepEqual(operation.operation === 'read' && operation.paths, [ONOFF]);
    });

    const several: [string, unknown, string][] = [
      ['separated by spaces', '/3311/0/5850 /3311/0/5851', 'str'],
      ['separated by commas', '/3311/0/5850,/3311/0/5851', 'str'],
      ['in an array of the message', 'where', 'msg'],
      ['in an array that JSONata makes', '["/3311/0/5850", "/3311/0/" & 5851]', 'jsonata'],
    ];
    for (const [what, path, pathType] of several) {
      it(`may be several, ${what}: a composite read`, async () => {
        const msg = { target: 'lamp-1', where: ['/3311/0/5850', '/3311/0/5851'] };
        const operation = await operationOf('lwm2m-read', { path, pathType }, msg);
        assert.ok(operation.operation === 'read');
        assert.deepEqual(operation.paths, [ONOFF, DIMMER]);
        assert.equal(operation.composite, true);
      });
    }

    it('may be written in names', async () => {
      const operation = await operationOf('lwm2m-read', { path: '/Light Control/0/On\\/Off' }, { target: 'lamp-1' });
      assert.ok(operation.operation === 'read');
      assert.deepEqual(operation.paths, [ONOFF]);
      assert.equal(operation.composite, undefined);
    });

    for (const type of ['flow', 'global'] as const) {
      it(`may be in the ${type} context`, async () => {
        const running = await start('lwm2m-read', { target: 'lamp-1', path: 'where', pathType: type });
        running.node('op').context()[type].set('where', '/3311/0/5850');
        running.receive('op', {});
        await running.inbox('completed').next();
        const operation = engine.orders[0]?.operation;
        assert.deepEqual(operation?.operation === 'read' && operation.paths, [ONOFF]);
      });
    }

    it('may be in an environment variable', async () => {
      process.env.LWM2M_TEST_PATH = '/3311/0/5850';
      try {
        const operation = await operationOf(
          'lwm2m-read',
          { target: 'lamp-1', path: 'LWM2M_TEST_PATH', pathType: 'env' },
          {},
        );
        assert.deepEqual(operation.operation === 'read' && operation.paths, [ONOFF]);
      } finally {
        delete process.env.LWM2M_TEST_PATH;
      }
    });

    const unreadable: [string, Record<string, unknown>, Message][] = [
      ['missing', {}, {}],
      ['no path', { path: '/3311/zero' }, {}],
      ['an object', {}, { path: { objectId: 3 } }],
      ['an empty array', {}, { path: [] }],
      ['a property that is not there, though there is msg.path', { path: 'where', pathType: 'msg' }, { path: '/3' }],
      ['JSONata that is wrong', { path: '$(', pathType: 'jsonata' }, {}],
    ];
    for (const [what, properties, msg] of unreadable) {
      it(`is refused when it is ${what}`, async () => {
        await refused('lwm2m-read', properties, { target: 'lamp-1', ...msg });
      });
    }

    it('is refused when it is several and the operation takes one', async () => {
      await refused('lwm2m-execute', { path: '/3/0/4 /3/0/5' }, { target: 'lamp-1' });
    });
  });

  describe('its other settings', () => {
    it('win over the message when they are set', async () => {
      const msg = { target: 'lamp-1', contentFormat: 'tlv', keys: 'id' };
      const operation = await operationOf('lwm2m-read', { path: '/3', contentFormat: 'json', keys: 'name' }, msg);
      assert.deepEqual(operation, {
        operation: 'read',
        paths: [pathOf(3)],
        composite: undefined,
        contentFormat: 'json',
        keys: 'name',
      });
    });

    it('come by message when they are left empty', async () => {
      const msg = { target: 'lamp-1', payload: 1, contentFormat: 'tlv', keys: 'name', mode: 'update' };
      const operation = await operationOf('lwm2m-write', { path: '/3', contentFormat: '', keys: '', mode: '' }, msg);
      assert.deepEqual(operation, {
        operation: 'write',
        path: pathOf(3),
        value: 1,
        mode: 'update',
        contentFormat: 'tlv',
        keys: 'name',
      });
    });

    it('have defaults', async () => {
      const operation = await operationOf('lwm2m-write', { path: '/3' }, { target: 'lamp-1', payload: 1 });
      assert.ok(operation.operation === 'write');
      assert.equal(operation.mode, 'replace');
    });

    it('may be numbers as text', async () => {
      const operation = await operationOf('lwm2m-discover', { path: '/3', depth: '2' }, { target: 'lamp-1' });
      assert.deepEqual(operation, { operation: 'discover', path: pathOf(3), depth: 2 });
    });

    it('are refused when they are none of those that there are', async () => {
      await refused('lwm2m-read', { path: '/3' }, { target: 'lamp-1', contentFormat: 'xml' });
    });

    it('are refused when they are no number', async () => {
      await refused('lwm2m-discover', { path: '/3' }, { target: 'lamp-1', depth: 'deep' });
    });
  });

  describe('what it writes', () => {
    it('is msg.payload by default', async () => {
      const operation = await operationOf('lwm2m-write', { path: '/3311/0/5850' }, { target: 'lamp-1', payload: true });
      assert.equal(operation.operation === 'write' && operation.value, true);
    });

    const values: [string, string, unknown][] = [
      ['str', '7', '7'],
      ['num', '7.5', 7.5],
      ['bool', 'false', false],
      ['json', '{"5850":true}', { 5850: true }],
      ['bin', '[1,2]', Buffer.from([1, 2])],
      ['jsonata', 'payload * 2', 42],
      ['msg', 'payload', 21],
      ['env', 'LWM2M_TEST_VALUE', 'from the environment'],
    ];
    for (const [valueType, value, expected] of values) {
      it(`may be of the type ${valueType}`, async () => {
        process.env.LWM2M_TEST_VALUE = 'from the environment';
        try {
          const properties = { path: '/3311/0/5850', value, valueType };
          const operation = await operationOf('lwm2m-write', properties, { target: 'lamp-1', payload: 21 });
          assert.deepEqual(operation.operation === 'write' && operation.value, expected);
        } finally {
          delete process.env.LWM2M_TEST_VALUE;
        }
      });
    }

    it('may be an empty text', async () => {
      const properties = { path: '/3/0/14', value: '', valueType: 'str' };
      const operation = await operationOf('lwm2m-write', properties, { target: 'lamp-1', payload: 'x' });
      assert.equal(operation.operation === 'write' && operation.value, '');
    });

    it('may be the time, as a Date', async () => {
      const properties = { path: '/3/0/13', value: '', valueType: 'date' };
      const operation = await operationOf('lwm2m-write', properties, { target: 'lamp-1' });
      assert.ok(operation.operation === 'write' && operation.value instanceof Date);
    });

    it('is a composite when it is an object keyed by paths and there is no path', async () => {
      const payload = { '/3311/0/5850': true, '/3311/0/5851': 50 };
      const operation = await operationOf('lwm2m-write', {}, { target: 'lamp-1', payload });
      assert.ok(operation.operation === 'write-composite');
      assert.deepEqual(operation.values, payload);
    });

    for (const payload of [true, { 5850: true }, [], {}, undefined, Buffer.from('/3')]) {
      it(`is refused without a path when it is ${JSON.stringify(payload)}`, async () => {
        await refused('lwm2m-write', {}, { target: 'lamp-1', payload });
      });
    }

    it('is refused when it is JSON that is wrong', async () => {
      await refused('lwm2m-write', { path: '/3/0/14', value: '{', valueType: 'json' }, { target: 'lamp-1' });
    });
  });

  it('gives its orders in the order of the messages, however long one takes to read', async () => {
    const value = 'payload = 1 ? $sum($map([1..200], function($n) { $n })) : payload';
    const running = await start('lwm2m-write', { target: 'lamp-1', path: '/3311/0/5851', value, valueType: 'jsonata' });
    for (const payload of [1, 2, 3]) running.receive('op', { payload });
    await running.inbox('completed').take(3);
    assert.deepEqual(
      engine.orders.map(({ operation }) => operation.operation === 'write' && operation.value),
      [20100, 2, 3],
    );
  });

  describe('arguments of an execute', () => {
    const cases: [unknown, unknown][] = [
      ["0='a'", "0='a'"],
      [{ 0: 'a' }, { 0: 'a' }],
      [5, '5'],
      [1763833558000, undefined],
      [true, undefined],
      [undefined, undefined],
    ];
    for (const [payload, args] of cases) {
      it(`are ${JSON.stringify(args)} of the payload ${JSON.stringify(payload)}`, async () => {
        const operation = await operationOf('lwm2m-execute', { path: '/3/0/4' }, { target: 'lamp-1', payload });
        assert.deepEqual(operation, { operation: 'execute', path: pathOf(3, 0, 4), args });
      });
    }

    it('may be a text of the node', async () => {
      const properties = { path: '/3/0/4', args: '1', argsType: 'str' };
      const operation = await operationOf('lwm2m-execute', properties, { target: 'lamp-1', payload: '2' });
      assert.deepEqual(operation, { operation: 'execute', path: pathOf(3, 0, 4), args: '1' });
    });
  });

  describe('create, delete and attributes', () => {
    it('creates with the payload', async () => {
      const msg = { target: 'lamp-1', payload: { 5850: true } };
      const operation = await operationOf('lwm2m-create', { path: '/3311' }, msg);
      assert.ok(operation.operation === 'create');
      assert.deepEqual([operation.path, operation.value], [pathOf(3311), { 5850: true }]);
    });

    it('deletes', async () => {
      const operation = await operationOf('lwm2m-delete', { path: '/3311/0' }, { target: 'lamp-1' });
      assert.deepEqual(operation, { operation: 'delete', path: pathOf(3311, 0) });
    });

    it('takes an attribute from the node, else from msg, else from msg.payload; null unsets it', async () => {
      const msg = { target: 'lamp-1', pmin: 99, pmax: '60', payload: { pmax: 99, gt: 5.5, lt: null, con: true } };
      const operation = await operationOf('lwm2m-attributes', { path: '/3303/0/5700', pmin: '10', st: 'null' }, msg);
      assert.ok(operation.operation === 'write-attributes');
      assert.deepEqual(operation.attributes, { pmin: 10, pmax: 60, gt: 5.5, lt: null, st: null, con: 1 });
    });

    it('refuses an attribute that is no number', async () => {
      await refused('lwm2m-attributes', { path: '/3303/0/5700', pmin: 'soon' }, { target: 'lamp-1' });
    });

    it('refuses to write no attribute', async () => {
      await refused('lwm2m-attributes', { path: '/3303/0/5700' }, { target: 'lamp-1' });
    });
  });

  describe('who orders', () => {
    const cases: [string, Message, string | undefined][] = [
      ['nobody in particular', {}, undefined],
      ['msg.user', { user: 'tom', req: { user: 'eve' } }, 'tom'],
      ['an authenticated msg.req.user', { req: { user: { username: 'eve' } }, _client: { user: 'mia' } }, 'eve'],
      ["the dashboard client's user", { _client: { socketId: 'x', user: { userId: '7', name: 'mia' } } }, 'mia'],
    ];
    for (const [what, msg, user] of cases) {
      it(`is ${what}`, async () => {
        const running = await start('lwm2m-read', { target: 'lamp-1', path: '/3' });
        running.receive('op', msg);
        await running.inbox('completed').next();
        assert.equal(engine.orders[0]?.user, user);
      });
    }

    it('is never nobody when msg.user cannot be read', async () => {
      await refused('lwm2m-read', { target: 'lamp-1', path: '/3' }, { user: { id: 7 } });
    });

    it('says by msg.expires how long the order may wait', async () => {
      const running = await start('lwm2m-read', { target: 'lamp-1', path: '/3' });
      running.receive('op', { expires: '5000' });
      await running.inbox('completed').next();
      assert.equal(engine.orders[0]?.expires, 5000);
    });

    it('says by msg.supersede whether the order takes the place of older ones', async () => {
      const running = await start('lwm2m-read', { target: 'lamp-1', path: '/3/0/0' });
      running.receive('op', { supersede: false });
      running.receive('op', {});
      running.receive('op', { supersede: 'no' });
      assert.equal((await running.inbox('caught').next()).error?.code, 'INVALID_ARGUMENT');
      assert.deepEqual(
        engine.orders.map(({ supersede }) => supersede),
        [false, undefined],
      );
    });

    it('is refused an order that may not wait at all', async () => {
      await refused('lwm2m-read', { target: 'lamp-1', path: '/3' }, { expires: 0 });
    });
  });

  describe('an order to one device', () => {
    it('sends the incoming message with what the device answered, and is done once', async () => {
      engine.answer = () => 21.5;
      const running = await start('lwm2m-read', { target: 'lamp-1', path: '/3303/0/5700' });
      const msg = { topic: 'kept', parts: { id: 'outer', index: 0, count: 1 }, _msgid: 'm1' };
      running.receive('op', msg);
      const sent = await running.inbox('out').next();
      await running.inbox('completed').next();
      assert.equal(sent, msg);
      assert.deepEqual(sent, {
        topic: 'kept',
        parts: { id: 'outer', index: 0, count: 1 },
        _msgid: 'm1',
        payload: 21.5,
        endpoint: 'lamp-1',
        path: '',
        lwm2m: { operation: 'read', endpoint: 'lamp-1', path: '', code: '2.05', timestamp: 1, queuedFor: 0 },
      });
      assert.deepEqual(running.inbox('summary').all, []);
      assert.equal(running.inbox('completed').all.length, 1);
      assert.equal(running.inbox('caught').all.length, 0);
    });

    it('that fails is done with the error, its own code, cause and msg.lwm2m.code, and sends nothing', async () => {
      engine.answer = () => {
        throw new ResponseError('4.04', 'no such resource');
      };
      const running = await start('lwm2m-read', { target: 'lamp-1', path: '/3303/0/5700' });
      running.receive('op', { payload: 'kept', lwm2m: { code: '2.05' } });
      const caught = await running.inbox('caught').next();
      assert.equal(caught.error?.code, 'RESPONSE');
      assert.deepEqual(caught.error.cause, { responseCode: '4.04', diagnostic: 'no such resource' });
      assert.deepEqual(caught.lwm2m, { operation: 'read', endpoint: 'lamp-1', path: '/3303/0/5700', code: '4.04' });
      assert.equal(caught.payload, 'kept');
      assert.equal(running.inbox('caught').all.length, 1);
      assert.deepEqual(running.inbox('completed').all, []);
      assert.deepEqual(running.inbox('out').all, []);
      assert.deepEqual(running.inbox('summary').all, []);
    });

    it('that is unknown fails with NOT_REGISTERED and without a stale response code', async () => {
      const running = await start('lwm2m-read', { path: '/3303/0/5700' });
      running.receive('op', { target: 'nobody', lwm2m: { code: '2.05' } });
      const caught = await running.inbox('caught').next();
      assert.equal(caught.error?.code, 'NOT_REGISTERED');
      assert.deepEqual(caught.lwm2m, { operation: 'read', endpoint: 'nobody', path: '/3303/0/5700' });
    });
  });

  describe('an order to many', () => {
    it('sends one message a device with parts, and the summary as it progresses and at the end', async () => {
      engine.answer = (endpoint) => `of ${endpoint}`;
      const running = await start('lwm2m-read', { path: '/3/0/0' });
      const msg = {
        target: ['lamp-1', 'lamp-2', 'lamp-3'],
        topic: 'kept',
        payload: 'in',
        parts: { id: 'outer', index: 0 },
      };
      running.receive('op', msg);
      const sent = await running.inbox('out').take(3);
      await running.inbox('completed').next();
      assert.deepEqual(
        sent.map(({ payload, endpoint, topic }) => ({ payload, endpoint, topic })),
        ['lamp-1', 'lamp-2', 'lamp-3'].map((endpoint) => ({ payload: `of ${endpoint}`, endpoint, topic: 'kept' })),
      );
      const parts = sent.map((message) => message.parts as { id: string });
      const id = parts[0]?.id;
      assert.ok(id);
      assert.deepEqual(
        parts,
        [0, 1, 2].map((index) => ({ id, type: 'array', count: 3, index, parts: { id: 'outer', index: 0 } })),
      );
      const summaries = running.inbox('summary').all;
      const last = summaries.at(-1);
      assert.deepEqual(last, {
        _msgid: last?._msgid,
        target: msg.target,
        topic: 'kept',
        parts: { id: 'outer', index: 0 },
        payload: {
          total: 3,
          succeeded: 3,
          failed: 0,
          queued: 0,
          expired: 0,
          results: ['lamp-1', 'lamp-2', 'lamp-3'].map((endpoint) => ({
            endpoint,
            state: 'succeeded',
            code: '2.05',
            payload: `of ${endpoint}`,
          })),
        },
        complete: true,
      });
      assert.ok(summaries.slice(0, -1).every((summary) => summary.complete === undefined));
      assert.equal(running.inbox('completed').all.length, 1);
    });

    it('is many even with an array of one', async () => {
      const running = await start('lwm2m-read', { path: '/3/0/0' });
      running.receive('op', { target: ['lamp-1'] });
      const sent = await running.inbox('out').next();
      assert.equal((sent.parts as { count: number }).count, 1);
      assert.equal((await running.inbox('summary').next()).complete, true);
    });

    it('succeeds itself when members fail: they are entries of the summary', async () => {
      engine.answer = (endpoint) => {
        if (endpoint === 'lamp-2') throw new TimeoutError('no answer');
        return 1;
      };
      const running = await start('lwm2m-read', { path: '/3/0/0' });
      running.receive('op', { target: ['lamp-1', 'lamp-2', 'nobody'] });
      await running.inbox('completed').next();
      const last = running.inbox('summary').all.at(-1);
      assert.deepEqual(last?.payload, {
        total: 3,
        succeeded: 1,
        failed: 2,
        queued: 0,
        expired: 0,
        results: [
          { endpoint: 'lamp-1', state: 'succeeded', code: '2.05', payload: 1 },
          { endpoint: 'lamp-2', state: 'failed', error: 'TIMEOUT' },
          { endpoint: 'nobody', state: 'failed', error: 'NOT_REGISTERED' },
        ],
      });
      assert.deepEqual(running.inbox('caught').all, []);
    });

    it('to nobody is complete at once', async () => {
      const running = await start('lwm2m-read', { path: '/3/0/0' });
      running.receive('op', { target: { selector: 'ep=nothing-*' } });
      const summary = await running.inbox('summary').next();
      assert.deepEqual(summary.payload, { total: 0, succeeded: 0, failed: 0, queued: 0, expired: 0, results: [] });
      assert.equal(summary.complete, true);
      await running.inbox('completed').next();
      assert.deepEqual(running.inbox('out').all, []);
    });

    it('with an unreadable selector is an error', async () => {
      await refused('lwm2m-read', { path: '/3/0/0' }, { target: { selector: 'whatever' } });
    });

    describe('and the core join node', () => {
      async function joined(target: string[]): Promise<Message> {
        const running = await start('lwm2m-read', { path: '/3/0/0' }, [
          on('join', 'join', { mode: 'auto' }, ['joined']),
          on('joined', 'helper'),
        ]);
        running.node('op').updateWires([['join'], []] as never);
        running.receive('op', { target });
        return running.inbox('joined').next();
      }

      it('puts the values together in the order the devices were named', async () => {
        engine.answer = async (endpoint) => {
          if (endpoint === 'lamp-3') await new Promise((resolve) => setImmediate(resolve));
          return endpoint;
        };
        assert.deepEqual((await joined(['lamp-3', 'lamp-1', 'lamp-2'])).payload, ['lamp-3', 'lamp-1', 'lamp-2']);
      });

      it('does not wait for members that cannot answer', async () => {
        engine.answer = async (endpoint) => {
          await new Promise((resolve) => setImmediate(resolve));
          return endpoint;
        };
        assert.deepEqual((await joined(['lamp-1', 'nobody', 'lamp-2'])).payload, ['lamp-1', 'lamp-2']);
      });

      it('does not end early when the message in says complete', async () => {
        const running = await start('lwm2m-read', { path: '/3/0/0' });
        running.receive('op', { target: ['lamp-1'], complete: true });
        assert.equal((await running.inbox('out').next()).complete, undefined);
      });
    });
  });

  describe('msg.reset', () => {
    it('cancels everything under way and is done itself, sending nothing', async () => {
      engine.answer = () => new Promise(() => undefined);
      const running = await start('lwm2m-read', { path: '/3/0/0' });
      running.receive('op', { target: 'lamp-1' });
      running.receive('op', { target: ['lamp-1', 'lamp-2'] });
      while (engine.orders.length < 2) await new Promise((resolve) => setImmediate(resolve));
      running.receive('op', { reset: true, topic: 'the reset' });
      const caught = await running.inbox('caught').next();
      assert.equal(caught.error?.code, 'CANCELLED');
      const summary = (await running.inbox('summary').take(2)).at(-1);
      assert.deepEqual(
        (summary?.payload as { results: { error: string }[] }).results.map(({ error }) => error),
        ['CANCELLED', 'CANCELLED'],
      );
      const completed = await running.inbox('completed').take(2);
      assert.ok(completed.some(({ topic }) => topic === 'the reset'));
      assert.equal(engine.orders.length, 2);
      assert.deepEqual(running.inbox('out').all, []);
    });
  });

  describe('a deploy', () => {
    const nodes = (properties: Record<string, unknown> = {}): FlowNode[] => [
      { id: 'server', type: 'lwm2m-server' },
      on('op', 'lwm2m-read', { server: 'server', path: '/3/0/0', ...properties }, ['out'], ['summary']),
      on('out', 'helper'),
      on('summary', 'helper'),
      on('catch', 'catch', { scope: null }, ['caught']),
      on('caught', 'helper'),
    ];

    it('leaves an order under way, whose result the new node sends', async () => {
      let answer: (value: unknown) => void = () => undefined;
      engine.answer = () => new Promise((resolve) => (answer = resolve));
      flow = await runFlow([fakeServer(engine), ...MODULES], nodes());
      flow.receive('op', { target: 'lamp-1' });
      while (engine.orders.length < 1) await new Promise((resolve) => setImmediate(resolve));
      await flow.deploy(nodes());
      answer('late');
      assert.equal((await flow.inbox('out').next()).payload, 'late');
    });

    it('lets the new node cancel what the old one began, with its error in the new Catch node', async () => {
      engine.answer = () => new Promise(() => undefined);
      flow = await runFlow([fakeServer(engine), ...MODULES], nodes());
      flow.receive('op', { target: 'lamp-1' });
      while (engine.orders.length < 1) await new Promise((resolve) => setImmediate(resolve));
      await flow.deploy(nodes({ name: 'changed' }), 'nodes');
      flow.receive('op', { reset: true });
      assert.equal((await flow.inbox('caught').next()).error?.code, 'CANCELLED');
    });

    it('that removes the node cancels its orders', async () => {
      engine.answer = () => new Promise(() => undefined);
      flow = await runFlow([fakeServer(engine), ...MODULES], nodes());
      flow.receive('op', { target: 'lamp-1' });
      while (engine.orders.length < 1) await new Promise((resolve) => setImmediate(resolve));
      await flow.deploy(nodes().filter(({ id }) => id !== 'op'));
      assert.equal(engine.orders[0]?.signal?.aborted, true);
    });

    it('that disables the node cancels its orders', async () => {
      engine.answer = () => new Promise(() => undefined);
      flow = await runFlow([fakeServer(engine), ...MODULES], nodes());
      flow.receive('op', { target: 'lamp-1' });
      while (engine.orders.length < 1) await new Promise((resolve) => setImmediate(resolve));
      await flow.deploy(nodes({ d: true }));
      assert.equal(engine.orders[0]?.signal?.aborted, true);
    });
  });

  describe('its status', () => {
    it('says that there is no server, and so does its error', async () => {
      const running = await start('lwm2m-read', { server: 'gone', target: 'lamp-1', path: '/3' });
      assert.deepEqual(running.statuses('op').at(-1), { fill: 'red', shape: 'ring', text: 'status.noServer' });
      running.receive('op', {});
      assert.equal((await running.inbox('caught').next()).error?.code, 'INVALID_ARGUMENT');
    });

    it('says whether the device it is set to is registered', async () => {
      const running = await start('lwm2m-read', { target: 'lamp-1', path: '/3' });
      assert.deepEqual(running.statuses('op').at(-1), { fill: 'green', shape: 'dot', text: 'status.online' });
    });

    it('says that the device is gone', async () => {
      const running = await start('lwm2m-read', { target: 'lamp-1', path: '/3' });
      engine.connectivity.delete('lamp-1');
      engine.emit('device', { topic: 'expired', endpoint: 'lamp-1', payload: {} });
      await until(() => running.statuses('op').at(-1)?.text === 'status.offline');
      assert.equal(running.statuses('op').at(-1)?.fill, 'grey');
    });

    it('shows the value with its age', async () => {
      engine.answer = () => 21.5;
      const running = await start('lwm2m-read', { target: 'lamp-1', path: '/3' });
      running.receive('op', {});
      await until(() => running.statuses('op').at(-1)?.text === '21.5 · status.age.now');
      assert.equal(running.statuses('op').at(-1)?.fill, 'green');
    });

    it('shows the code of an error', async () => {
      engine.answer = () => {
        throw new ResponseError('4.05');
      };
      const running = await start('lwm2m-read', { target: 'lamp-1', path: '/3' });
      running.receive('op', {});
      await until(() => running.statuses('op').at(-1)?.text === '4.05 · status.age.now');
      assert.equal(running.statuses('op').at(-1)?.fill, 'red');
    });
  });
});

/** Waits, turn by turn, for what the mocha timeout bounds. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
