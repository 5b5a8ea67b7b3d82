import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import provisionNode from '../../nodes/lwm2m-provision/lwm2m-provision';
import serverNode from '../../nodes/lwm2m-server/lwm2m-server';
import type { JoinView } from '../../src';
import { on, runFlow, type Flow, type Message } from './flow-harness';

/** A server without a port: records are all it is about. */
const SERVER = { id: 'server', type: 'lwm2m-server', coapPort: '', coapsPort: '', store: 'memory' };

const KEY = '0f1e2d3c4b5a69788796a5b4c3d2e1f0';
const PSK = { mode: 'psk', identity: 'lamp-1', key: KEY };
const SHOWN = { mode: 'psk', identity: 'lamp-1' };

/** Of nodes that are not named after their action. */
const SETTINGS: Readonly<Record<string, object>> = { none: { action: '' }, csv: { action: 'list', format: 'csv' } };

/** What a record has that nobody has said anything about. */
const NEW = { labels: {}, groups: [], priority: 'normal' };

describe('lwm2m-provision', () => {
  let flow: Flow | undefined;

  afterEach(async () => {
    await flow?.stop();
    flow = undefined;
  });

  /** One node an action, all wired to the same. */
  async function start(): Promise<Flow> {
    const actions = ['put', 'get', 'list', 'remove', 'msg', 'none', 'csv'];
    flow = await runFlow(
      [serverNode, provisionNode],
      [
        SERVER,
        ...actions.map((id) =>
          on(id, 'lwm2m-provision', { server: 'server', ...(SETTINGS[id] ?? { action: id }) }, ['out']),
        ),
        on('out', 'helper'),
        on('catch', 'catch', { scope: actions }, ['caught']),
        on('caught', 'helper'),
        on('complete', 'complete', { scope: actions }, ['completed']),
        on('completed', 'helper'),
      ],
    );
    return flow;
  }

  async function answer(running: Flow, node: string, msg: Message): Promise<unknown> {
    running.receive(node, msg);
    return (await running.inbox('out').next()).payload;
  }

  it('puts a record, and answers it without the key', async () => {
    const running = await start();
    const record = { endpoint: 'lamp-1', security: PSK, labels: { site: 'north' }, groups: ['main'], priority: 'high' };
    running.receive('put', { payload: record, topic: 'kept' });
    const sent = await running.inbox('out').next();
    assert.deepEqual(sent.payload, { ...record, security: SHOWN });
    assert.deepEqual([sent.endpoint, sent.topic], ['lamp-1', 'kept']);
    assert.equal(record.security.key, KEY, 'what came in is not touched');
    await running.inbox('completed').next();
  });

  it('takes the key out of the HTTP request that brought it', async () => {
    const running = await start();
    for (const [body, left] of [
      [{ endpoint: 'lamp-1', security: PSK }, { endpoint: 'lamp-1' }],
      [JSON.stringify({ endpoint: 'lamp-1', security: PSK }), null],
    ]) {
      const req = { method: 'POST', body };
      running.receive('put', { payload: { endpoint: 'lamp-1', security: PSK }, req });
      assert.deepEqual((await running.inbox('out').next())['req'], { method: 'POST', body: left });
    }
  });

  it('takes keys as hex text and Buffer, public keys as PEM and base64, and names of certificates', async () => {
    const running = await start();
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const base64 = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const put = (security: object): Promise<unknown> =>
      answer(running, 'put', { payload: { endpoint: 'lamp-1', security } });
    const expected = (security: object): object => ({ endpoint: 'lamp-1', security, ...NEW });
    assert.deepEqual(await put({ ...PSK, key: Buffer.from(KEY, 'hex') }), expected(SHOWN));
    for (const written of [pem, base64]) {
      assert.deepEqual(await put({ mode: 'rpk', publicKey: written }), expected({ mode: 'rpk', publicKey: base64 }));
    }
    for (const security of [{ mode: 'x509', name: 'lamp-1.example.com' }, { mode: 'nosec' }]) {
      assert.deepEqual(await put(security), expected(security));
    }
  });

  it('changes only what a record names', async () => {
    const running = await start();
    await answer(running, 'put', { payload: { endpoint: 'lamp-1', security: PSK, labels: { site: 'north' } } });
    const changed = await answer(running, 'put', { payload: { endpoint: 'lamp-1', groups: ['main'] } });
    assert.deepEqual(changed, {
      endpoint: 'lamp-1',
      security: SHOWN,
      labels: { site: 'north' },
      groups: ['main'],
      priority: 'normal',
    });
  });

  it('puts an array of records, answers in its order, and lists them sorted', async () => {
    const running = await start();
    const endpoints = ['lamp-2', 'lamp-1', 'lamp-3'];
    const payload = endpoints.map((endpoint) => ({ endpoint, security: { ...PSK, identity: endpoint } }));
    const put = (await answer(running, 'put', { payload })) as { endpoint: string }[];
    assert.deepEqual(
      put.map(({ endpoint }) => endpoint),
      endpoints,
    );
    const list = (await answer(running, 'list', { payload: 'whatever' })) as { endpoint: string }[];
    assert.deepEqual(
      list.map(({ endpoint }) => endpoint),
      ['lamp-1', 'lamp-2', 'lamp-3'],
    );
    assert.deepEqual(await answer(running, 'put', { payload: [] }), []);
  });

  it('lists the records of a target', async () => {
    const running = await start();
    await answer(running, 'put', {
      payload: [
        { endpoint: 'lamp-1', groups: ['main'] },
        { endpoint: 'lamp-2', labels: { site: 'north' } },
        { endpoint: 'meter-1' },
      ],
    });
    for (const [target, endpoints] of [
      [{ group: 'main' }, ['lamp-1']],
      [{ selector: 'label:site=north' }, ['lamp-2']],
      [{ selector: 'ep=lamp-*' }, ['lamp-1', 'lamp-2']],
      ['meter-1', ['meter-1']],
      [undefined, ['lamp-1', 'lamp-2', 'meter-1']],
    ] as const) {
      const list = (await answer(running, 'list', { target })) as { endpoint: string }[];
      assert.deepEqual(
        list.map(({ endpoint }) => endpoint),
        endpoints,
      );
    }
  });

  it('gets a record by payload, target or endpoint, and null when there is none', async () => {
    const running = await start();
    const record = { endpoint: 'lamp-1', security: SHOWN, ...NEW };
    await answer(running, 'put', { payload: { endpoint: 'lamp-1', security: PSK } });
    for (const msg of [
      { payload: 'lamp-1' },
      { payload: { endpoint: 'lamp-1' }, endpoint: 'of-the-node-before' },
      { payload: 1700000000000, target: 'lamp-1' },
      { payload: 'some text', endpoint: 'lamp-1' },
    ]) {
      assert.deepEqual(await answer(running, 'get', msg), record, JSON.stringify(msg));
    }
    assert.equal(await answer(running, 'get', { payload: 'nobody' }), null);
    assert.deepEqual(await answer(running, 'get', { payload: ['lamp-1', { endpoint: 'nobody' }] }), [record, null]);
    assert.deepEqual(await answer(running, 'get', { target: { selector: 'ep=lamp-*' } }), [record]);
  });

  it('removes records, and says whether there were any', async () => {
    const running = await start();
    await answer(running, 'put', { payload: [{ endpoint: 'lamp-1' }, { endpoint: 'lamp-2' }] });
    assert.deepEqual(await answer(running, 'remove', { payload: 'lamp-1' }), { endpoint: 'lamp-1', removed: true });
    assert.deepEqual(await answer(running, 'remove', { payload: 'lamp-1' }), { endpoint: 'lamp-1', removed: false });
    assert.equal(await answer(running, 'get', { payload: 'lamp-1' }), null);
    assert.deepEqual(await answer(running, 'remove', { target: ['lamp-1', 'lamp-2'] }), [
      { endpoint: 'lamp-1', removed: false },
      { endpoint: 'lamp-2', removed: true },
    ]);
  });

  it('does what msg.action says when it is set to, and puts when it is set to nothing and told nothing', async () => {
    const running = await start();
    await answer(running, 'none', { payload: { endpoint: 'lamp-1' } });
    assert.deepEqual(await answer(running, 'none', { payload: 'lamp-1', action: 'remove' }), {
      endpoint: 'lamp-1',
      removed: true,
    });
    await answer(running, 'msg', { payload: { endpoint: 'lamp-2' }, action: 'put' });
    const list = await answer(running, 'list', { action: 'remove', payload: 'lamp-2' });
    assert.equal((list as unknown[]).length, 1, 'what the node is set to wins');
  });

  it('puts records of CSV, text or a file, and answers them as records without keys', async () => {
    const running = await start();
    const text = `endpoint;mode;identity;key;label:site;groups\r\nlamp-1;psk;lamp-1;${KEY};north;"main all"\r\n`;
    const record = { endpoint: 'lamp-1', security: SHOWN, labels: { site: 'north' }, groups: ['main', 'all'] };
    for (const payload of [text, Buffer.from(`\uFEFF${text}`)]) {
      assert.deepEqual(await answer(running, 'put', { payload }), [{ ...record, priority: 'normal' }]);
    }
  });

  it('answers CSV when the node or the message wants it', async () => {
    const running = await start();
    await answer(running, 'put', { payload: [{ endpoint: 'lamp-1', security: PSK }, { endpoint: 'lamp-2' }] });
    const head = 'endpoint,mode,identity,publicKey,name,groups,priority,owner\r\n';
    const rows = ['lamp-1,psk,lamp-1,,,,normal,\r\n', 'lamp-2,,,,,,normal,\r\n'];
    assert.equal(await answer(running, 'list', { format: 'csv' }), head + rows.join(''));
    assert.equal(await answer(running, 'get', { format: 'csv', payload: 'lamp-1' }), `${head}${rows[0]}`);
    assert.equal(await answer(running, 'get', { format: 'csv', payload: ['nobody', 'lamp-2'] }), `${head}${rows[1]}`);
    assert.equal(await answer(running, 'csv', {}), head + rows.join(''));
    const again = await answer(running, 'put', { payload: await answer(running, 'csv', {}), format: 'utf8' });
    assert.deepEqual((again as unknown[])[0], { endpoint: 'lamp-1', security: SHOWN, ...NEW });
  });

  it('makes groups by a rule, lists all groups, and takes the rule away', async () => {
    const running = await start();
    await answer(running, 'put', {
      payload: [
        { endpoint: 'lamp-1', labels: { floor: '3' } },
        { endpoint: 'lamp-2', groups: ['main'] },
      ],
    });
    const group = { group: 'floor-3', selector: 'label:floor=3' };
    assert.deepEqual(await answer(running, 'msg', { action: 'group', payload: group }), { ...group, devices: 1 });
    const list = await answer(running, 'list', { target: { group: 'floor-3' } });
    assert.deepEqual(list, [{ endpoint: 'lamp-1', ...NEW, labels: { floor: '3' } }]);
    assert.deepEqual(await answer(running, 'msg', { action: 'groups' }), [
      { ...group, devices: 1 },
      { group: 'main', devices: 1 },
    ]);
    for (const [payload, removed] of [
      ['floor-3', true],
      [{ group: 'floor-3' }, false],
    ] as const) {
      const gone = await answer(running, 'msg', { action: 'ungroup', payload });
      assert.deepEqual(gone, { group: 'floor-3', removed });
    }
    assert.deepEqual(await answer(running, 'list', { target: { group: 'floor-3' } }), []);
  });

  it('lets newcomers join for a time', async () => {
    const running = await start();
    const before = Date.now();
    const window = (await answer(running, 'msg', { action: 'join', duration: 60, payload: before })) as JoinView;
    assert.deepEqual({ ...window, until: 0 }, { open: true, until: 0, limit: 1000, joined: [] });
    assert.ok(window.until >= before + 60_000 && window.until <= Date.now() + 60_000);
    const second = await answer(running, 'msg', {
      action: 'join',
      payload: { duration: 5, limit: 2, groups: ['new'] },
    });
    assert.equal((second as JoinView).limit, 2);
    assert.equal(((await answer(running, 'msg', { action: 'join', duration: 0 })) as JoinView).open, false);
    assert.deepEqual(await answer(running, 'msg', { action: 'pending' }), []);
  });

  const wrong: [what: string, node: string, msg: Message, says: RegExp][] = [
    ['no record', 'put', { payload: 'lamp-1' }, /device record/],
    ['no endpoint', 'put', { payload: { security: PSK } }, /endpoint/],
    ['a key that is no hex', 'put', { payload: { endpoint: 'a', security: { ...PSK, key: `${KEY}xy` } } }, /key/],
    ['a key at the wrong place', 'put', { payload: { endpoint: 'a', key: KEY } }, /'key'/],
    ['a key in place of its record', 'put', { payload: { endpoint: 'a', security: KEY } }, /security/],
    ['JSON that nobody has read', 'put', { payload: JSON.stringify({ endpoint: 'a', security: PSK }) }, /record/],
    ['a wrong one of many', 'put', { payload: [{ endpoint: 'a', security: PSK }, { endpoint: '' }] }, /record 2/],
    ['a wrong line of CSV', 'put', { payload: `endpoint,mode,key\na,nosec,${KEY}` }, /line 2: .*'key'/],
    ['CSV without a head', 'put', { payload: `lamp-1,psk,lamp-1,${KEY}` }, /line 1 must name the columns/],
    ['a file that is not UTF-8', 'put', { payload: Buffer.from('endpoint\nStra\xdfe', 'latin1') }, /UTF-8/],
    ['a format that there is not', 'list', { format: 'xml' }, /msg\.format must be one of csv/],
    ['a group without a name', 'msg', { action: 'group', payload: { selector: 'ep=*' } }, /must be a group/],
    ['a group without a selector', 'msg', { action: 'group', payload: { group: 'g' } }, /has no selector/],
    ['a device in place of a group', 'msg', { action: 'ungroup', payload: { endpoint: 'a', group: 'g' } }, /group/],
    ['who is not pending', 'msg', { action: 'accept', payload: { endpoint: 'a', security: PSK } }, /pending/],
    ['many who are not pending', 'msg', { action: 'accept', payload: ['a'] }, /pending/],
    ['a window of no length', 'msg', { action: 'join', duration: -1 }, /duration/],
    ['a window for what cannot be', 'msg', { action: 'join', payload: { endpoint: 'a', key: KEY } }, /'key'/],
    ['no device', 'get', { payload: 17 }, /no device/],
    ['an empty selector', 'list', { target: '', targetType: 'selector' }, /selector/],
    ['an array of what is no device', 'remove', { payload: [17] }, /endpoints/],
    ['no action', 'msg', { payload: { endpoint: 'a', security: PSK } }, /msg\.action/],
    ['an action that there is not', 'msg', { payload: { endpoint: 'a', security: PSK }, action: 'toString' }, /action/],
  ];
  for (const [what, node, msg, says] of wrong) {
    it(`refuses ${what}, and shows no key to anybody`, async () => {
      const running = await start();
      running.receive(node, msg);
      const caught = await running.inbox('caught').next();
      assert.equal(caught.error?.code, 'INVALID_ARGUMENT');
      assert.match(caught.error?.message ?? '', says);
      assert.ok(!everything(caught).includes(KEY), everything(caught));
      assert.ok(!everything(running.statuses(node)).includes(KEY));
      assert.deepEqual(running.inbox('out').all, []);
    });
  }

  it('leaves of a payload that was refused the names of the devices', async () => {
    const running = await start();
    running.receive('put', { payload: [{ endpoint: 'lamp-1', security: PSK }, { endpoint: 'lamp-2', key: KEY }, KEY] });
    const caught = await running.inbox('caught').next();
    assert.deepEqual(caught.payload, [{ endpoint: 'lamp-1' }, { endpoint: 'lamp-2' }, null]);
    assert.deepEqual(caught.lwm2m, { operation: 'provision' });
  });

  it('gives no two devices the same identity', async () => {
    const running = await start();
    await answer(running, 'put', { payload: { endpoint: 'lamp-1', security: PSK } });
    running.receive('put', { payload: { endpoint: 'lamp-2', security: PSK } });
    const caught = await running.inbox('caught').next();
    assert.match(caught.error?.message ?? '', /lamp-1/);
    assert.equal(await answer(running, 'get', { payload: 'lamp-2' }), null);
  });

  it('needs a server', async () => {
    flow = await runFlow(
      [serverNode, provisionNode],
      [
        on('put', 'lwm2m-provision', { server: '', action: 'put' }, []),
        on('catch', 'catch', { scope: ['put'] }, ['caught']),
        on('caught', 'helper'),
      ],
    );
    flow.receive('put', { payload: { endpoint: 'lamp-1', security: PSK } });
    const caught = await flow.inbox('caught').next();
    assert.equal(caught.error?.code, 'INVALID_ARGUMENT');
    assert.ok(!everything(caught).includes(KEY));
  });
});

/** All that a debug node could show of it. */
function everything(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    member instanceof Error ? { ...member, message: member.message, stack: member.stack } : member,
  );
}
