import assert from 'node:assert/strict';
import accessNode from '../../nodes/lwm2m-access/lwm2m-access';
import auditNode from '../../nodes/lwm2m-audit/lwm2m-audit';
import executeNode from '../../nodes/lwm2m-execute/lwm2m-execute';
import grantNode from '../../nodes/lwm2m-grant/lwm2m-grant';
import provisionNode from '../../nodes/lwm2m-provision/lwm2m-provision';
import serverNode from '../../nodes/lwm2m-server/lwm2m-server';
import { on, runFlow, type Flow, type FlowNode, type Message } from './flow-harness';

const ACCESS = {
  id: 'access',
  type: 'lwm2m-access',
  roles: [
    { name: 'boss', operations: ['*'], target: '*' },
    { name: 'driver', operations: ['read', 'execute', 'grant'], target: 'ep=car-1' },
  ],
  users: [
    { name: 'ada', roles: ['boss'] },
    { name: 'peter', roles: ['driver'] },
  ],
  default: 'deny',
};

/** A server without a port: rights are all it is about. */
const SERVER = { id: 'server', type: 'lwm2m-server', coapPort: '', coapsPort: '', store: 'memory', access: 'access' };

const WEEKEND = { user: 'tom', target: 'car-1', operations: ['execute'], paths: ['/3/0/4'], pauses: ['peter'] };

describe('lwm2m-access, lwm2m-grant and lwm2m-audit', () => {
  let flow: Flow | undefined;

  afterEach(async () => {
    await flow?.stop();
    flow = undefined;
  });

  const nodes = (access: object = ACCESS, server: object = SERVER): FlowNode[] => {
    const busy = ['grant', 'revoke', 'list', 'any', 'audit', 'csv', 'stop', 'record'];
    return [
      access as FlowNode,
      server as FlowNode,
      ...['grant', 'revoke', 'list'].map((action) => on(action, 'lwm2m-grant', { server: 'server', action }, ['out'])),
      on('any', 'lwm2m-grant', { server: 'server', action: 'msg' }, ['out']),
      on('audit', 'lwm2m-audit', { server: 'server' }, ['out']),
      on('csv', 'lwm2m-audit', { server: 'server', format: 'csv', limit: '2' }, ['out']),
      on('stop', 'lwm2m-execute', { server: 'server', target: 'car-1', path: '/3/0/4', args: '', argsType: 'str' }, [
        'out',
      ]),
      on('record', 'lwm2m-provision', { server: 'server', action: 'put' }, ['out']),
      on('out', 'helper'),
      on('catch', 'catch', { scope: busy }, ['caught']),
      on('caught', 'helper'),
    ];
  };

  async function start(access?: object, server?: object): Promise<Flow> {
    const modules = [serverNode, accessNode, grantNode, auditNode, executeNode, provisionNode];
    flow = await runFlow(modules, nodes(access, server));
    return flow;
  }

  async function answer(running: Flow, node: string, msg: Message): Promise<Message> {
    running.receive(node, msg);
    return running.inbox('out').next();
  }

  const errorOf = async (
    running: Flow,
    node: string,
    msg: object,
  ): Promise<[string | undefined, string | undefined]> => {
    running.receive(node, msg as Message);
    const { error } = await running.inbox('caught').next();
    return [error?.code, error?.message.replace(/^\w+: /, '')];
  };

  it('deny who has no right, and say what was missing', async () => {
    const running = await start();
    assert.deepEqual(await errorOf(running, 'stop', { user: 'tom' }), [
      'ACCESS_DENIED',
      'tom may not execute /3/0/4 on car-1: needs a role or grant with execute',
    ]);
    assert.match((await errorOf(running, 'stop', {}))[1] ?? '', /nobody was named/);
    // Allowed: only that the car is not there.
    assert.equal((await errorOf(running, 'stop', { user: 'peter' }))[0], 'NOT_REGISTERED');
    assert.equal(
      (await errorOf(running, 'record', { user: 'peter', payload: { endpoint: 'car-1' } }))[0],
      'ACCESS_DENIED',
    );
  });

  it('take the users as the editor saves them', async () => {
    const { users: members, ...rest } = ACCESS;
    const running = await start({ ...rest, members });
    assert.equal((await errorOf(running, 'stop', { user: 'peter' }))[0], 'NOT_REGISTERED');
    assert.equal((await errorOf(running, 'stop', { user: 'tom' }))[0], 'ACCESS_DENIED');
  });

  it('take the user from an HTTP request and from the client of a dashboard', async () => {
    const running = await start();
    for (const who of [
      { req: { user: { username: 'peter' } } },
      { req: { user: 'peter' } },
      { _client: { user: { username: 'peter', email: 'p@example.com' }, socketId: 's' } },
      { _client: { user: { userId: 'peter' } } },
    ]) {
      assert.equal((await errorOf(running, 'stop', who))[0], 'NOT_REGISTERED', JSON.stringify(who));
    }
    const spoofed = { user: 'tom', _client: { user: { username: 'peter' } } };
    assert.equal((await errorOf(running, 'stop', spoofed))[0], 'ACCESS_DENIED', 'what the flow says wins');
  });

  it('grant, list and revoke; the rights that rest come back', async () => {
    const running = await start();
    const { payload } = await answer(running, 'grant', { user: 'peter', payload: { ...WEEKEND } });
    const granted = payload as { id: string; state: string; grantedBy: string; from: string };
    assert.deepEqual([granted.state, granted.grantedBy], ['active', 'peter']);
    assert.match(granted.from, /^\d{4}-\d\d-\d\dT.*Z$/);
    assert.equal((await errorOf(running, 'stop', { user: 'tom' }))[0], 'NOT_REGISTERED');
    assert.match((await errorOf(running, 'stop', { user: 'peter' }))[1] ?? '', /the rights of peter rest until/);
    assert.deepEqual((await answer(running, 'list', {})).payload, [granted]);
    assert.equal((await errorOf(running, 'revoke', { user: 'ann', payload: { id: granted.id } }))[0], 'ACCESS_DENIED');
    const revoked = await answer(running, 'any', { user: 'peter', action: 'revoke', payload: granted });
    assert.deepEqual(
      (revoked.payload as { id: string }[]).map(({ id }) => id),
      [granted.id],
    );
    assert.equal((await errorOf(running, 'stop', { user: 'peter' }))[0], 'NOT_REGISTERED');
    assert.deepEqual(
      (await answer(running, 'revoke', { user: 'ada', payload: { user: 'tom', target: 'car-1' } })).payload,
      [],
    );
  });

  it('refuse grants that cannot be, and actions there are not', async () => {
    const running = await start();
    assert.equal((await errorOf(running, 'grant', { user: 'ada', payload: 'tom' }))[0], 'INVALID_ARGUMENT');
    assert.match(
      (await errorOf(running, 'grant', { user: 'ada', payload: { ...WEEKEND, until: 'Sunday' } }))[1] ?? '',
      /until/,
    );
    assert.equal((await errorOf(running, 'any', { payload: {} }))[0], 'INVALID_ARGUMENT');
    assert.equal((await errorOf(running, 'revoke', { payload: 7 }))[0], 'INVALID_ARGUMENT');
    assert.equal(
      (await errorOf(running, 'grant', { user: 'peter', payload: { ...WEEKEND, operations: ['write'] } }))[0],
      'ACCESS_DENIED',
    );
  });

  it('take no guard of a message for less than it says, and no question for more than its user may ask', async () => {
    const running = await start();
    const peter = { user: 'peter' };
    assert.deepEqual(await errorOf(running, 'stop', { ...peter, secondPerson: 'yes' }), [
      'INVALID_ARGUMENT',
      "msg.secondPerson must be true or false, not 'yes'",
    ]);
    await answer(running, 'grant', { payload: { ...WEEKEND, pauses: [] }, user: 'peter' });
    const conditions = [{ path: '/6/0/0', test: '>', value: 48 }];
    const [code, text] = await errorOf(running, 'stop', { user: 'tom', conditions });
    assert.deepEqual([code, text?.split(':')[0]], ['ACCESS_DENIED', 'tom may not read /6/0/0 on car-1']);
    assert.equal((await errorOf(running, 'stop', { ...peter, conditions }))[0], 'NOT_REGISTERED');
  });

  it('show who ordered what, as objects and as CSV', async () => {
    const running = await start();
    await errorOf(running, 'stop', { user: 'tom' });
    await errorOf(running, 'stop', { user: '=cmd()' });
    const { payload } = await answer(running, 'audit', { payload: { outcome: 'denied' }, user: 'ada' });
    const entries = payload as { user: string; at: string; operation: string; endpoint: string; paths: string[] }[];
    assert.deepEqual(
      entries.map(({ user, operation, endpoint, paths }) => [user, operation, endpoint, paths]),
      [
        ['=cmd()', 'execute', 'car-1', ['/3/0/4']],
        ['tom', 'execute', 'car-1', ['/3/0/4']],
      ],
    );
    assert.ok(Math.abs(Date.parse(entries[0]?.at ?? '') - Date.now()) < 60_000);
    const one = await answer(running, 'audit', { payload: { user: 'tom', limit: 1 } });
    assert.equal((one.payload as unknown[]).length, 1);
    const csv = String((await answer(running, 'csv', { payload: Date.now() })).payload).split('\r\n');
    assert.equal(csv[0], 'number,at,user,operation,endpoint,paths,outcome,code,error,run');
    assert.match(csv[1] ?? '', /^2,[^,]+Z,'=cmd\(\),execute,car-1,\/3\/0\/4,denied,,ACCESS_DENIED,[0-9a-f-]{36}$/);
    assert.equal((await errorOf(running, 'audit', { payload: { outcome: 'maybe' } }))[0], 'INVALID_ARGUMENT');
  });

  it('change rights by a deploy, without another engine', async () => {
    const running = await start();
    await answer(running, 'grant', { user: 'ada', payload: { ...WEEKEND, pauses: [] } });
    await running.deploy(nodes({ ...ACCESS, users: [] }), 'nodes');
    assert.equal((await errorOf(running, 'stop', { user: 'peter' }))[0], 'ACCESS_DENIED');
    // The grants are of the engine, which lives; but who gave this one has no rights any more.
    assert.match((await errorOf(running, 'stop', { user: 'tom' }))[1] ?? '', /ada, who granted it, may not either/);
    await running.deploy(nodes(ACCESS), 'nodes');
    assert.equal((await errorOf(running, 'stop', { user: 'tom' }))[0], 'NOT_REGISTERED');
    await running.deploy(nodes(ACCESS, { ...SERVER, access: '' }), 'nodes');
    assert.equal((await errorOf(running, 'stop', {}))[0], 'NOT_REGISTERED', 'without an access node nobody is asked');
  });

  it('let nobody do anything when the settings are wrong, or their node is not there', async () => {
    const running = await start({ ...ACCESS, users: [{ name: 'ada', roles: ['bos'] }] });
    assert.match(running.errors('access').join(), /nobody may do anything: the user 'ada' has the role 'bos'/);
    assert.equal((await errorOf(running, 'stop', { user: 'ada' }))[0], 'ACCESS_DENIED');
    await running.deploy(nodes(ACCESS, { ...SERVER, access: 'gone' }));
    assert.match(running.errors('server').join(), /access node of this server is not deployed/);
    assert.equal((await errorOf(running, 'stop', { user: 'ada' }))[0], 'ACCESS_DENIED');
  });
});
