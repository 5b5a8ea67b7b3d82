import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { CoapCode, decodeMessage, encodeEmptyMessage, encodeMessage, MessageType } from '../../src/coap';
import type { CoapMessage, CoapOptions } from '../../src/coap';
import { TimeoutError, TransportError } from '../../src/errors';
import { CoapPort } from '../../src/simulator/coap-port';
import type { IncomingRequest, Reply } from '../../src/simulator/coap-messages';
import type { NotificationStream } from '../../src/simulator/notification-stream';
import { openUdpCarrier } from '../../src/simulator/udp-carrier';
import { SimulatedClock } from '../support/simulated-clock';

/** The server's end as bare datagrams. */
class RawServer {
  readonly #socket: Socket = createSocket('udp4');
  #device = 0;
  readonly #inbox: CoapMessage[] = [];

  get port(): number {
    return this.#socket.address().port;
  }

  async open(): Promise<void> {
    this.#socket.on('message', (datagram, { port }) => {
      this.#device = port;
      this.#inbox.push(decodeMessage(datagram));
      this.#socket.emit('kept');
    });
    this.#socket.bind(0, '127.0.0.1');
    await once(this.#socket, 'listening');
  }

  get device(): number {
    return this.#device;
  }

  set device(port: number) {
    this.#device = port;
  }

  get waiting(): number {
    return this.#inbox.length;
  }

  send(message: Partial<CoapMessage> | Buffer): void {
    const bytes = Buffer.isBuffer(message) ? message : encodeMessage({ ...REQUEST, ...message });
    this.#socket.send(bytes, this.#device, '127.0.0.1');
  }

  async receive(): Promise<CoapMessage> {
    for (;;) {
      const message = this.#inbox.shift();
      if (message) return message;
      await once(this.#socket, 'kept');
    }
  }

  close(): void {
    this.#socket.close();
  }
}

const REQUEST: CoapMessage = {
  type: MessageType.CON,
  code: CoapCode.GET,
  messageId: 1,
  token: Buffer.of(1),
  options: { uriPath: ['3', '0'] },
  payload: Buffer.alloc(0),
};

describe('The CoAP port of a simulated device', () => {
  let server: RawServer;
  let port: CoapPort;
  let clock: SimulatedClock;
  let handled: IncomingRequest[];
  let reply: (request: IncomingRequest) => Reply;
  const faults: unknown[] = [];

  beforeEach(async () => {
    server = new RawServer();
    clock = new SimulatedClock();
    handled = [];
    reply = () => ({ code: '2.05', contentFormat: 0, payload: Buffer.from('hello') });
    faults.length = 0;
    await server.open();
    await openPort();
  });

  afterEach(async () => {
    await port.close();
    server.close();
  });

  const openPort = async () => {
    const carrier = await openUdpCarrier({ host: '127.0.0.1', port: server.port, family: 4 });
    server.device = carrier.localAddress.port;
    port = new CoapPort({
      carrier,
      clock,
      handler: (request) => {
        handled.push(request);
        return reply(request);
      },
      onLost: assert.fail,
      onFault: (fault) => faults.push(fault),
    });
  };

  /** What was sent before has been dealt with. */
  const roundTrip = async (messageId: number) => {
    server.send({ messageId, token: Buffer.of(0xee), options: { uriPath: ['sync'] } });
    let message = await server.receive();
    while (message.token[0] !== 0xee) message = await server.receive();
  };

  it('answers in the acknowledgement', async () => {
    server.send({ options: { uriPath: ['3', '0', '0'], uriQuery: ['a', 'b=c'], accept: 11542 } });
    const answer = await server.receive();
    assert.equal(answer.type, MessageType.ACK);
    assert.equal(answer.messageId, 1);
    assert.equal(answer.payload.toString(), 'hello');
    const [request] = handled;
    assert.deepEqual(request?.path, ['3', '0', '0']);
    assert.deepEqual(request?.query, ['a', 'b=c']);
    assert.equal(request?.accept, 11542);
  });

  it('runs a request once and answers its duplicate the same', async () => {
    server.send({ code: CoapCode.POST });
    const first = await server.receive();
    server.send({ code: CoapCode.POST });
    assert.deepEqual(await server.receive(), first);
    assert.equal(handled.length, 1);
  });

  it('answers a ping with a reset and nothing else, and tells the device nothing', async () => {
    server.send(encodeEmptyMessage(MessageType.CON, 77));
    const pong = await server.receive();
    assert.equal(pong.type, MessageType.RST);
    assert.equal(pong.messageId, 77);
    server.send(encodeEmptyMessage(MessageType.RST, 78));
    server.send(encodeEmptyMessage(MessageType.ACK, 79));
    await roundTrip(80);
    assert.deepEqual(
      handled.map(({ path }) => path),
      [['sync']],
    );
    assert.equal(server.waiting, 0);
  });

  it('survives what is no CoAP, and says nothing to it', async () => {
    for (const bytes of [
      '',
      '00',
      'ff',
      '40',
      '4f010001',
      '410100',
      '4001000190',
      '4401000101020304ff',
      '60000001ff',
    ]) {
      server.send(Buffer.from(bytes, 'hex'));
    }
    await roundTrip(90);
    assert.equal(server.waiting, 0);
    assert.deepEqual(faults, []);
  });

  it('hears nobody but its server', async () => {
    const stranger = new RawServer();
    await stranger.open();
    stranger.device = server.device;
    stranger.send({ code: CoapCode.POST });
    await roundTrip(91);
    assert.deepEqual(
      handled.map(({ path }) => path),
      [['sync']],
    );
    stranger.close();
  });

  it('answers 4.02 to a critical option that it does not know, 5.00 when the device is at fault', async () => {
    // GET with option 65001 of one byte.
    server.send(Buffer.from('41010005aae1fcdc01', 'hex'));
    const unknown = await server.receive();
    assert.equal(unknown.code, CoapCode.BadOption);
    reply = () => {
      throw new Error('broken');
    };
    server.send({ messageId: 6 });
    assert.equal((await server.receive()).code, CoapCode.InternalServerError);
    assert.match(String(faults[0]), /broken/);
  });

  describe('with an answer of several blocks', () => {
    const long = Buffer.from(Array.from({ length: 2_500 }, (_, index) => index % 251));

    const fetchAll = async (options: CoapOptions, szx: number, newToken: boolean) => {
      const blocks: Buffer[] = [];
      const tags = new Set<string>();
      for (let num = 0; ; num += 1) {
        const token = Buffer.of(newToken ? num + 10 : 9);
        server.send({ messageId: 100 + num, token, options: { ...options, block2: { num, more: false, szx } } });
        const answer = await server.receive();
        assert.equal(answer.options.contentFormat, 110);
        tags.add(answer.options.eTag?.[0]?.toString('hex') ?? 'none');
        blocks.push(answer.payload);
        assert.equal(answer.options.block2?.num, num);
        if (!answer.options.block2?.more) break;
      }
      assert.equal(tags.size, 1);
      return Buffer.concat(blocks);
    };

    it('cuts it in the size that is asked for, also of 16 bytes, with one token or many', async () => {
      reply = () => ({ code: '2.05', contentFormat: 110, payload: long });
      for (const szx of [0, 2, 6]) {
        assert.ok((await fetchAll({ uriPath: ['3'] }, szx, false)).equals(long), `exponent ${szx}`);
        // The same ids again would be duplicates.
        await port.close();
        await openPort();
      }
      assert.ok((await fetchAll({ uriPath: ['3'] }, 5, true)).equals(long));
    });

    it('cuts all blocks from one state, although the value changes meanwhile', async () => {
      let count = 0;
      reply = () => {
        count += 1;
        return { code: '2.05', contentFormat: 110, payload: Buffer.alloc(1_500, count) };
      };
      assert.ok((await fetchAll({ uriPath: ['3'] }, 4, true)).equals(Buffer.alloc(1_500, 1)));
      assert.equal(count, 1);
    });

    it('offers blocks by itself, and says when there is none of that number', async () => {
      reply = () => ({ code: '2.05', contentFormat: 110, payload: long });
      server.send({ messageId: 30 });
      const first = await server.receive();
      assert.deepEqual(first.options.block2, { num: 0, more: true, szx: 6 });
      assert.equal(first.payload.length, 1024);
      server.send({ messageId: 31, options: { uriPath: ['4'], block2: { num: 9, more: false, szx: 6 } } });
      assert.equal((await server.receive()).code, CoapCode.BadOption);
    });
  });

  describe('that is observed', () => {
    let stream: NotificationStream;
    let ended: number;

    const observe = async (type = MessageType.CON) => {
      ended = 0;
      reply = ({ observe: asked }) => ({
        code: '2.05',
        contentFormat: 0,
        payload: Buffer.from('first'),
        ...(asked === 0 && {
          observed: (given: NotificationStream) => {
            stream = given;
            stream.onEnd = () => (ended += 1);
          },
        }),
      });
      server.send({ type, options: { uriPath: ['3'], observe: 0 } });
      const first = await server.receive();
      assert.notEqual(first.options.observe, undefined);
      return first;
    };

    const notify = async (payload: Buffer | string) => {
      stream.notify({ code: '2.05', contentFormat: 0, payload: Buffer.from(payload) });
      return server.receive();
    };

    for (const type of [MessageType.CON, MessageType.NON] as const) {
      it(`notifies by confirmable messages of growing number (asked by ${MessageType[type]})`, async () => {
        const first = await observe(type);
        let last = first.options.observe ?? 0;
        for (let count = 0; count < 3; count += 1) {
          const notification = await notify(`value ${count}`);
          assert.equal(notification.type, MessageType.CON);
          assert.deepEqual(notification.token, first.token);
          assert.ok((notification.options.observe ?? 0) > last);
          last = notification.options.observe ?? 0;
          assert.equal(stream.busy, true);
          const idle = new Promise<void>((resolve) => (stream.onIdle = resolve));
          server.send(encodeEmptyMessage(MessageType.ACK, notification.messageId));
          await idle;
          assert.equal(stream.busy, false);
        }
      });
    }

    it('ends when a notification is reset', async () => {
      await observe();
      const { messageId } = await notify('again');
      server.send(encodeEmptyMessage(MessageType.RST, messageId));
      await roundTrip(200);
      assert.equal(ended, 1);
      stream.notify({ code: '2.05', payload: Buffer.from('too late') });
      await roundTrip(201);
      assert.equal(server.waiting, 0);
    });

    it('notifies the first block of a long value and serves the rest of the same state', async () => {
      await observe();
      const long = Buffer.alloc(1_800, 'x');
      const notification = await notify(long);
      assert.deepEqual(notification.options.block2, { num: 0, more: true, szx: 6 });
      server.send({ messageId: 50, options: { uriPath: ['3'], block2: { num: 1, more: false, szx: 6 } } });
      const rest = await server.receive();
      assert.deepEqual(rest.options.eTag, notification.options.eTag);
      assert.ok(Buffer.concat([notification.payload, rest.payload]).equals(long));
      server.send(encodeEmptyMessage(MessageType.ACK, notification.messageId));
      const short = await notify('short');
      assert.equal(short.options.block2, undefined);
    });

    it('never gives two messages the same id, whatever their part', async () => {
      await observe();
      const ids = new Set<number>();
      for (let count = 0; count < 50; count += 1) {
        ids.add((await notify(`value ${count}`)).messageId);
        const answered = port.request({ method: 'POST', path: ['rd'] }, 1_000);
        const { messageId, token } = await server.receive();
        ids.add(messageId);
        server.send({ type: MessageType.ACK, code: CoapCode.Changed, messageId, token, options: {} });
        await answered;
      }
      assert.equal(ids.size, 100);
    });
  });

  describe('as a client', () => {
    it('gives up when its time is over, also after an empty acknowledgement', async () => {
      const request = assert.rejects(port.request({ method: 'POST', path: ['rd'] }, 30_000), TimeoutError);
      const { messageId } = await server.receive();
      server.send(encodeEmptyMessage(MessageType.ACK, messageId));
      await roundTrip(300);
      await clock.advance(30_000);
      await request;
    });

    it('fails at once when the server resets the request', async () => {
      const request = assert.rejects(port.request({ method: 'POST', path: ['rd'] }, 30_000), TransportError);
      server.send(encodeEmptyMessage(MessageType.RST, (await server.receive()).messageId));
      await request;
    });

    it('understands a separate response, all segments of a location, Max-Age', async () => {
      const request = port.request({ method: 'POST', path: ['rd'], query: ['ep=a&b'] }, 30_000);
      const { messageId, token, options } = await server.receive();
      assert.deepEqual(options.uriQuery, ['ep=a&b']);
      server.send(encodeEmptyMessage(MessageType.ACK, messageId));
      const located = { locationPath: ['rd', 'x', 'y'], maxAge: 90 };
      server.send({ code: CoapCode.Created, messageId: 4711, token, options: located });
      const answer = await request;
      assert.deepEqual(answer.locationPath, ['rd', 'x', 'y']);
      assert.equal(answer.maxAge, 90);
      assert.equal(answer.code, '2.01');
      const acknowledgement = await server.receive();
      assert.equal(acknowledgement.type, MessageType.ACK);
      assert.equal(acknowledgement.messageId, 4711);
    });
  });
});
