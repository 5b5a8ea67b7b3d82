import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { EngineHost } from '../../nodes/lwm2m-server/engine-host';
import serverNode from '../../nodes/lwm2m-server/lwm2m-server';
import writeNode from '../../nodes/lwm2m-write/lwm2m-write';
import type { ServerNode } from '../../nodes/shared/server-node';
import { CoapCode, decodeMessage, encodeMessage, MessageType, type CoapMessage } from '../../src/coap';
import { on, runFlow, type Flow, type FlowNode } from './flow-harness';

/** A device with queue mode that is heard when the test says so, and answers what it is asked. */
class Meter {
  readonly asked: string[] = [];
  readonly #socket: Socket = createSocket('udp4');
  #location: string[] = [];
  #messageId = 0;
  #answered: (message: CoapMessage) => void = () => undefined;

  static async at(port: number): Promise<Meter> {
    const meter = new Meter();
    meter.#socket.bind(0, '127.0.0.1');
    await once(meter.#socket, 'listening');
    meter.#socket.on('message', (datagram, from) => meter.#received(decodeMessage(datagram), from.port));
    const uriQuery = ['ep=meter-1', 'lt=86400', 'lwm2m=1.1', 'b=U', 'Q'];
    const { options } = await meter.#say(port, { uriPath: ['rd'], contentFormat: 40, uriQuery }, '</3/0>');
    meter.#location = [...(options.locationPath ?? [])];
    return meter;
  }

  async wake(port: number): Promise<void> {
    assert.equal((await this.#say(port, { uriPath: this.#location }, '')).code, CoapCode.Changed);
  }

  close(): void {
    this.#socket.close();
  }

  #say(port: number, options: CoapMessage['options'], payload: string): Promise<CoapMessage> {
    this.#messageId += 1;
    const message = {
      type: MessageType.CON,
      code: CoapCode.POST,
      messageId: this.#messageId,
      token: Buffer.from([this.#messageId]),
      options,
      payload: Buffer.from(payload),
    };
    this.#socket.send(encodeMessage(message), port, '127.0.0.1');
    return new Promise((resolve) => (this.#answered = resolve));
  }

  #received(message: CoapMessage, port: number): void {
    if (message.code >= 0x40) {
      this.#answered(message);
      return;
    }
    this.asked.push(`/${(message.options.uriPath ?? []).join('/')} ${message.payload.toString()}`);
    const { messageId, token } = message;
    const answer = { type: MessageType.ACK, code: CoapCode.Changed, messageId, token };
    this.#socket.send(encodeMessage({ ...answer, options: {}, payload: Buffer.alloc(0) }), port, '127.0.0.1');
  }
}

describe('an order that waits', function () {
  this.timeout(20_000);
  let home: string;
  let flow: Flow;
  let meter: Meter;

  const server = (properties: Record<string, unknown> = {}): FlowNode => ({
    id: 'server',
    type: 'lwm2m-server',
    host: '127.0.0.1',
    coapPort: '0',
    coapsPort: '',
    storePath: home,
    ...properties,
  });

  const nodes = (properties: Record<string, unknown> = {}): FlowNode[] => [
    server(),
    on('op', 'lwm2m-write', { server: 'server', path: '/3/0/15', ...properties }, ['out'], ['summary']),
    on('out', 'helper'),
    on('summary', 'helper'),
    on('catch', 'catch', { scope: null }, ['caught']),
    on('caught', 'helper'),
  ];

  function hostOf(): EngineHost {
    const { host } = flow.node('server') as ServerNode;
    assert.ok(host);
    return host;
  }

  async function run(flowNodes: FlowNode[]): Promise<number> {
    flow = await runFlow([serverNode, writeNode], flowNodes);
    return serving();
  }

  /** @returns the port. */
  async function serving(): Promise<number> {
    const { engine } = await new Promise<EngineHost>((resolve) => {
      const host = hostOf();
      host.whenServing(() => resolve(host));
    });
    return engine.addresses[0]?.port ?? 0;
  }

  const waiting = (): number | undefined => hostOf().engine.devices()[0]?.waiting;

  async function isWaiting(count: number): Promise<void> {
    while (waiting() !== count) await new Promise((resolve) => setImmediate(resolve));
  }

  const isShownWaiting = (): Promise<void> => flow.whenStatus('op', ({ text }) => text === 'status.waiting');

  beforeEach(async () => {
    home = mkdtempSync(path.join(tmpdir(), 'lwm2m-'));
    meter = await Meter.at(await run([server()]));
    await flow.stop();
    // After a restart a device with queue mode is asleep until it is heard.
    await run(nodes());
  });

  afterEach(async () => {
    meter.close();
    await flow.stop();
    rmSync(home, { recursive: true, force: true });
  });

  const msg = { topic: 'zone', payload: 'UTC', req: { socket: 1 }, list: [1, { a: null }] };

  it('goes out after a restart; its node sends what the device answers, with the message it came with', async () => {
    flow.receive('op', { ...msg, target: 'meter-1', user: 'Ann' });
    await isShownWaiting();
    await flow.stop();
    const port = await run(nodes());
    await isShownWaiting();
    await meter.wake(port);
    const out = await flow.inbox('out').next();
    assert.deepEqual(meter.asked, ['/3/0/15 UTC']);
    const { topic, list, endpoint, lwm2m } = out as Record<string, unknown>;
    assert.deepEqual([topic, list, endpoint], ['zone', [1, { a: null }], 'meter-1']);
    assert.deepEqual(
      [(lwm2m as { code: string }).code, (lwm2m as { queuedFor: number }).queuedFor > 0],
      ['2.04', true],
    );
    assert.equal(Object.hasOwn(out, 'req'), false);
    assert.equal(Object.hasOwn(out, 'payload'), false);
    assert.equal(waiting(), 0);
  });

  it('to many sends its message and its summary after a restart', async () => {
    flow.receive('op', { ...msg, target: ['meter-1'] });
    await isShownWaiting();
    await flow.stop();
    await meter.wake(await run(nodes()));
    const out = await flow.inbox('out').next();
    assert.deepEqual([(out as { parts?: { count?: number } }).parts?.count, out.topic], [1, 'zone']);
    const summary = (await flow.inbox('summary').next()) as { complete?: boolean; payload?: { succeeded: number } };
    assert.deepEqual([summary.complete, summary.payload?.succeeded], [true, 1]);
  });

  it('is cancelled by msg.reset after a restart', async () => {
    flow.receive('op', { ...msg, target: 'meter-1' });
    await isShownWaiting();
    await flow.stop();
    const port = await run(nodes());
    await isShownWaiting();
    flow.receive('op', { reset: true });
    const caught = await flow.inbox('caught').next();
    assert.deepEqual([caught.error?.code, caught.topic], ['CANCELLED', 'zone']);
    await meter.wake(port);
    assert.deepEqual([meter.asked, waiting()], [[], 0]);
  });

  it('is cancelled when its node is gone after the restart', async () => {
    flow.receive('op', { ...msg, target: 'meter-1' });
    await isShownWaiting();
    assert.equal(waiting(), 1);
    await flow.stop();
    const port = await run([server()]);
    await isWaiting(0);
    await meter.wake(port);
    assert.deepEqual(meter.asked, []);
  });

  it('outlives a change of the settings of its server', async () => {
    flow.receive('op', { ...msg, target: 'meter-1' });
    await isShownWaiting();
    await flow.deploy([server({ awakeTime: 20 }), ...nodes().slice(1)]);
    const port = await serving();
    await meter.wake(port);
    assert.equal((await flow.inbox('out').next()).topic, 'zone');
    assert.deepEqual(flow.inbox('caught').all, []);
  });

  it('of a message that cannot be kept goes on with its id and topic', async () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    flow.receive('op', { ...msg, circle, target: 'meter-1' });
    await isShownWaiting();
    await flow.stop();
    await meter.wake(await run(nodes()));
    const out = await flow.inbox('out').next();
    assert.deepEqual([out.topic, 'list' in out, typeof out._msgid], ['zone', false, 'string']);
  });

  it('is replaced by a newer one, unless that says msg.supersede = false', async () => {
    flow.receive('op', { ...msg, topic: 'first', target: 'meter-1' });
    await isShownWaiting();
    flow.receive('op', { ...msg, topic: 'second', payload: 'CET', target: 'meter-1' });
    const caught = await flow.inbox('caught').next();
    assert.deepEqual([caught.topic, caught.error?.code], ['first', 'CANCELLED']);
    flow.receive('op', { ...msg, topic: 'third', payload: 'EET', target: 'meter-1', supersede: false });
    await isWaiting(2);
    await meter.wake(hostOf().engine.addresses[0]?.port ?? 0);
    assert.deepEqual(
      (await flow.inbox('out').take(2)).map(({ topic }) => topic),
      ['second', 'third'],
    );
    assert.deepEqual(meter.asked, ['/3/0/15 CET', '/3/0/15 EET']);
  });
});
