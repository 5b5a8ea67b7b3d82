import assert from 'node:assert/strict';
import { on, type FlowNode } from '../nodes/flow-harness';
import { freePort, Stage } from './support/stage';

const EVENTS = [on('events', 'lwm2m-events', { server: 'server' }, ['heard']), on('heard', 'helper')];

describe('contract: lwm2m-server', () => {
  let stage: Stage;

  afterEach(() => stage.close());

  it('starts at once though simulated devices of the flow before still say good-bye', async () => {
    const coapPort = await freePort();
    const simulator = on('lamps', 'lwm2m-simulator', { serverUri: `coap://127.0.0.1:${coapPort}`, count: 2 }, []);
    stage = await Stage.open([...EVENTS, simulator], { coapPort });
    await stage.flow.inbox('heard').take(2);
    await stage.close();
    const began = performance.now();
    stage = await Stage.open(EVENTS, { coapPort });
    await stage.device('raw-1');
    assert.ok(performance.now() - began < 1000);
  });

  it('answers on the port of its own alone, and frees that of a server that is taken out', async () => {
    const [one, two] = [await freePort(), await freePort()];
    const other: FlowNode = { id: 'other', type: 'lwm2m-server', coapPort: String(two), store: 'memory' };
    const heard = [on('events', 'lwm2m-events', { server: 'other' }, ['heard']), on('heard', 'helper')];
    stage = await Stage.open([other, ...heard], { coapPort: one });
    const device = await stage.device('raw-1', {}, two);
    assert.equal((await stage.next('heard')).endpoint, 'raw-1');
    await stage.flow.deploy([Stage.server({ coapPort: one }), on('heard', 'helper')]);
    await stage.flow.deploy([{ ...other, id: 'third' }, ...heard.map((node) => ({ ...node, server: 'third' }))]);
    assert.equal((await device.register()).code, '2.01');
    assert.equal((await stage.next('heard')).topic, 'registered');
  });

  it('without a port does nothing, and the nodes say that nobody is registered', async () => {
    stage = await Stage.open(Stage.operation('lwm2m-read', { target: 'raw-1', path: '/3/0/0' }), { coapPort: '' });
    stage.send({});
    assert.equal((await stage.next('caught')).error?.code, 'NOT_REGISTERED');
  });

  it('that is missing is said by each node that needs it', async () => {
    for (const type of ['lwm2m-read', 'lwm2m-observe', 'lwm2m-devices']) {
      stage = await Stage.open(Stage.operation(type, { server: undefined, target: 'raw-1', path: '/3/0/0' }));
      stage.send({});
      assert.equal((await stage.next('caught')).error?.code, 'INVALID_ARGUMENT');
      await stage.close();
    }
    stage = await Stage.open([]);
  });

  it('is found by simulated devices without security, however that is said', async () => {
    const coapPort = await freePort();
    const serverUri = `coap://localhost:${coapPort}`;
    stage = await Stage.open(
      [
        ...EVENTS,
        on('a', 'lwm2m-simulator', { serverUri, endpointPrefix: 'a-', security: 'nosec', count: '2' }, []),
        on('b', 'lwm2m-simulator', { serverUri, endpointPrefix: 'b-', security: 'none' }, []),
      ],
      { coapPort },
    );
    const heard = await stage.flow.inbox('heard').take(3);
    assert.deepEqual(heard.map(({ endpoint }) => endpoint).sort(), ['a-1', 'a-2', 'b-1']);
  });
});
