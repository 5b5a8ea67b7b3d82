import assert from 'node:assert/strict';
import eventsNode from '../../nodes/lwm2m-events/lwm2m-events';
import serverNode from '../../nodes/lwm2m-server/lwm2m-server';
import simulatorNode from '../../nodes/lwm2m-simulator/lwm2m-simulator';
import { on, runFlow, type Flow, type Message } from './flow-harness';
import { freeUdpPort } from '../support/free-udp-port';

describe('the simulator node', () => {
  let flow: Flow | undefined;

  afterEach(async () => {
    await flow?.stop();
    flow = undefined;
  });

  async function start(properties: object): Promise<Flow> {
    const port = await freeUdpPort();
    flow = await runFlow(
      [serverNode, eventsNode, simulatorNode],
      [
        { id: 'server', type: 'lwm2m-server', host: '127.0.0.1', coapPort: port, coapsPort: '', store: 'memory' },
        on('events', 'lwm2m-events', { server: 'server' }, ['heard']),
        on('heard', 'helper'),
        on('simulator', 'lwm2m-simulator', { count: 1, serverUri: `coap://127.0.0.1:${port}`, ...properties }, [
          'told',
        ]),
        on('told', 'helper'),
        on('catch', 'catch', { scope: ['simulator'] }, ['caught']),
        on('caught', 'helper'),
      ],
    );
    return flow;
  }

  /** What the simulator says next of that topic. */
  async function told(running: Flow, topic: string): Promise<Message> {
    for (;;) {
      const message = await running.inbox('told').next();
      if (message.topic === topic) return message;
    }
  }

  it('has meters that sleep, and wakes them as it is set', async () => {
    const running = await start({ kind: 'meter', endpointPrefix: 'meter-', awakeTime: '0.05', updateInterval: '1' });
    assert.deepEqual((await told(running, 'asleep')).payload, {});
    assert.equal((await told(running, 'awake')).endpoint, 'meter-1');
    const { topic, payload } = await running.inbox('heard').next();
    assert.equal(topic, 'registered');
    assert.equal((payload as { queueMode: boolean }).queueMode, true);
  });

  it('has devices that do not sleep where the box is not ticked', async () => {
    const running = await start({ kind: 'meter', endpointPrefix: 'meter-', queueMode: false });
    const { payload } = await running.inbox('heard').next();
    assert.equal((payload as { queueMode: boolean }).queueMode, false);
  });

  it('lets a modem vanish for a time by message, and return elsewhere', async () => {
    const running = await start({ kind: 'car', endpointPrefix: 'car-' });
    const registered = await running.inbox('heard').next();
    running.receive('simulator', { action: 'vanish', duration: 0.05 });
    await told(running, 'vanished');
    await told(running, 'returned');
    const updated = await running.inbox('heard').next();
    assert.equal(updated.topic, 'updated');
    const portOf = ({ payload }: Message) => (payload as { address: { port: number } }).address.port;
    assert.notEqual(portOf(updated), portOf(registered));
  });

  it('tells what its devices have, by path', async () => {
    const running = await start({ count: 2 });
    await told(running, 'registered');
    await told(running, 'registered');
    running.receive('simulator', { action: 'state', endpoint: 'lamp-2', extra: 'kept' });
    const one = await told(running, 'state');
    assert.equal(one.endpoint, 'lamp-2');
    assert.equal((one as Message & { extra: string }).extra, 'kept');
    const values = one.payload as Record<string, unknown>;
    assert.deepEqual([values['/3311/0/5850'], values['/3311/0/5851']], [false, 100]);
    running.receive('simulator', { action: 'state' });
    assert.equal((await told(running, 'state')).endpoint, 'lamp-1');
    assert.equal((await told(running, 'state')).endpoint, 'lamp-2');
  });

  it('does to its devices what is of their kind, and says what there is', async () => {
    const running = await start({ kind: 'car', endpointPrefix: 'car-' });
    await told(running, 'registered');
    // The first of the two is no error.
    running.receive('simulator', { payload: { action: 'alarm', endpoint: 'car-1' } });
    running.receive('simulator', { action: 'openWindow' });
    const { error } = await running.inbox('caught').next();
    assert.equal(error?.code, 'INVALID_ARGUMENT');
    assert.match(error.message, /vanish, return, comeBack, start, stop, state, park, drive, alarm/);
  });

  for (const properties of [
    { vanishEvery: 10 },
    { vanishEvery: 10, vanishFor: 20 },
    { awakeTime: 0 },
    { updateInterval: -1 },
  ]) {
    it(`says that ${JSON.stringify(properties)} is wrong`, async () => {
      const running = await start(properties);
      assert.equal(running.statuses('simulator').at(-1)?.text, 'status.error.INVALID_ARGUMENT');
    });
  }
});
