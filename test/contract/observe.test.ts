import assert from 'node:assert/strict';
import { on, type FlowNode } from '../nodes/flow-harness';
import { FORMAT, type RawDevice, type Reply } from './support/raw-device';
import { OPTION } from './support/wire';
import { Stage } from './support/stage';

const observe = (properties: Record<string, unknown>): FlowNode[] => [
  ...Stage.operation('lwm2m-observe', properties),
  on('events', 'lwm2m-events', { server: 'server' }, ['heard']),
  on('heard', 'helper'),
];

const details = (lwm2m: unknown) => lwm2m as { first?: true; timestamp: number; code: string };

describe('contract: lwm2m-observe', () => {
  let stage: Stage;

  afterEach(() => stage.close());

  /** A device that lets `/3303/0/5700` be observed. */
  async function thermometer(endpoint: string): Promise<RawDevice> {
    const device = await stage.stranger(endpoint);
    device.answers.set('GET /3303/0/5700', ({ observe: wish }): Reply => {
      return { code: '2.05', contentFormat: FORMAT.text, payload: '20', observe: wish === 0 ? 1 : undefined };
    });
    await device.register();
    return device;
  }

  it('makes of a batch of n timed values n messages in their order', async () => {
    stage = await Stage.open(observe({ target: 'has:/3303', targetType: 'selector', path: '/3303/0/5700' }));
    const device = await thermometer('raw-1');
    const first = await stage.next('out');
    assert.deepEqual([first.payload, details(first.lwm2m).first], [20, true]);
    const observation = await device.next('GET /3303/0/5700');
    const records = [
      { bn: '/3303/0/5700', bt: 1700000000, t: 3, v: 23 },
      { t: 1, v: 21 },
      { t: 2, v: 22 },
    ];
    device.notify(observation, {
      code: '2.05',
      observe: 2,
      contentFormat: FORMAT.senmlJson,
      payload: JSON.stringify(records),
    });
    const batch = await stage.flow.inbox('out').take(3);
    assert.deepEqual(
      batch.map(({ payload, lwm2m }) => [payload, details(lwm2m).timestamp, details(lwm2m).first]),
      [
        [21, 1700000001000, undefined],
        [22, 1700000002000, undefined],
        [23, 1700000003000, undefined],
      ],
    );
  });

  it('follows a device that proves its new address, with the same observation', async () => {
    stage = await Stage.open(observe({ target: 'raw-1', path: '/3303/0/5700' }));
    const device = await thermometer('raw-1');
    await stage.next('out');
    const observation = await device.next('GET /3303/0/5700');
    await device.move();
    const challenged = await device.update();
    assert.equal(challenged.code, '4.01');
    const echo = challenged.options.find(({ number }) => number === OPTION.echo)?.value;
    assert.equal((await device.update([], echo)).code, '2.04');
    device.notify(observation, { code: '2.05', observe: 2, contentFormat: FORMAT.text, payload: '25' });
    assert.equal((await stage.next('out')).payload, 25);
    assert.deepEqual(device.heard, []);
  });

  it('says an error that ends an observation once, and tries again at the next update', async () => {
    stage = await Stage.open(observe({ target: 'raw-1', path: '/3303/0/5700' }));
    const device = await thermometer('raw-1');
    await stage.next('out');
    device.notify(await device.next('GET /3303/0/5700'), { code: '4.04', payload: 'taken out' });
    const caught = await stage.next('caught');
    assert.deepEqual([caught.endpoint, caught.path, caught.error?.code], ['raw-1', '/3303/0/5700', 'RESPONSE']);
    assert.equal(details(caught.lwm2m).code, '4.04');
    await device.update();
    assert.equal(details((await stage.next('out')).lwm2m).first, true);
    assert.equal(stage.flow.inbox('caught').all.length, 1);
  });

  it('asks a device that it names for an object that it did not register, and says what it answers', async () => {
    stage = await Stage.open(observe({ target: 'raw-1', path: '/3301/0/5700' }));
    await stage.device('raw-1');
    const caught = await stage.next('caught');
    assert.deepEqual([caught.endpoint, caught.path, details(caught.lwm2m).code], ['raw-1', '/3301/0/5700', '4.04']);
  });

  it('leaves devices of a selector alone that have not the object', async () => {
    stage = await Stage.open(observe({ target: 'ep=*', targetType: 'selector', path: '/3303/0/5700' }));
    const other = await stage.device('raw-0', { objects: '</1/0>,</3/0>' });
    await thermometer('raw-1');
    assert.equal((await stage.next('out')).endpoint, 'raw-1');
    assert.deepEqual(other.heard, []);
    assert.deepEqual(stage.flow.inbox('caught').all, []);
  });

  it('takes attributes from the message and its payload, null unsetting one', async () => {
    stage = await Stage.open(observe({ pmax: '60' }));
    const device = await thermometer('raw-1');
    device.answers.set('PUT /3303/0/5700', { code: '2.04' });
    stage.send({ target: 'raw-1', path: '/3303/0/5700', pmin: '5', pmax: 1, payload: { gt: null, lt: 3 } });
    await stage.next('out');
    assert.equal((await device.next()).text, 'PUT /3303/0/5700?pmin=5&pmax=60&gt&lt=3');
    await stage.next('completed');
  });
});
