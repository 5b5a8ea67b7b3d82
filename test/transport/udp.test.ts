import assert from 'node:assert/strict';
import dgram, { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { TransportError } from '../../src/errors';
import type { Channel, TransportListener } from '../../src/transport/transport';
import { UdpTransport } from '../../src/transport/udp';

interface Heard {
  channel: Channel;
  text: string;
}

/** A listener that keeps what it hears and hands it out one by one. */
class KeepingListener implements TransportListener {
  readonly gone: Channel[] = [];
  readonly #heard: Heard[] = [];
  readonly #waiting: ((heard: Heard) => void)[] = [];

  received(channel: Channel, datagram: Buffer): void {
    const heard = { channel, text: datagram.toString() };
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#heard.push(heard);
    else waiting(heard);
  }

  closed(channel: Channel): void {
    this.gone.push(channel);
  }

  failed(error: TransportError): void {
    throw error;
  }

  next(): Promise<Heard> {
    const heard = this.#heard.shift();
    return heard === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(heard);
  }
}

const hasIPv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

describe('UdpTransport', () => {
  let transport: UdpTransport;
  let listener: KeepingListener;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    transport = new UdpTransport({ port: 0 });
    listener = new KeepingListener();
    await transport.open(listener);
  });

  afterEach(async () => {
    await transport.close();
    for (const socket of sockets.splice(0)) socket.close();
  });

  async function peer(type: 'udp4' | 'udp6' = 'udp4'): Promise<Socket> {
    const socket = createSocket(type);
    sockets.push(socket);
    socket.bind(0, type === 'udp4' ? '127.0.0.1' : '::1');
    await once(socket, 'listening');
    return socket;
  }

  const port = () => transport.localAddress?.port ?? 0;

  it('hears an IPv4 peer under its plain IPv4 address, and answers from the same port', async () => {
    const socket = await peer();
    socket.send('hello', port(), '127.0.0.1');
    const { channel, text } = await listener.next();
    assert.equal(text, 'hello');
    assert.deepEqual(channel.address, { host: '127.0.0.1', port: socket.address().port });
    assert.deepEqual([channel.scheme, channel.identity], ['coap', { mode: 'nosec' }]);
    const answer = once(socket, 'message') as Promise<[Buffer, { port: number }]>;
    channel.send(Buffer.from('well met'));
    const [datagram, from] = await answer;
    assert.deepEqual([datagram.toString(), from.port], ['well met', port()]);
  });

  it('hears IPv6 peers on the same port', async function () {
    if (!hasIPv6) this.skip();
    const socket = await peer('udp6');
    socket.send('hello', port(), '::1');
    const { channel } = await listener.next();
    assert.deepEqual(channel.address, { host: '::1', port: socket.address().port });
    const answer = once(socket, 'message');
    channel.send(Buffer.from('six'));
    assert.equal(String((await answer)[0]), 'six');
    assert.equal(transport.channel({ host: '0:0:0:0:0:0:0:1', port: socket.address().port }), channel);
  });

  it('gives the same channel for the same peer, whoever speaks first, until it is released', async () => {
    const [one, two] = [await peer(), await peer()];
    const address = { host: '127.0.0.1', port: one.address().port };
    const ours = transport.channel(address);
    assert.ok(ours !== undefined);
    ours.send(Buffer.from('first'));
    await once(one, 'message');
    one.send('a', port(), '127.0.0.1');
    assert.equal((await listener.next()).channel, ours);
    two.send('b', port(), '127.0.0.1');
    const other = (await listener.next()).channel;
    assert.notEqual(other, ours);
    assert.equal(transport.channels, 2);

    transport.release(ours);
    transport.release(ours);
    assert.equal(transport.channels, 1);
    assert.equal(transport.channel(other.address), other);
    const answer = once(one, 'message');
    ours.send(Buffer.from('still sends'));
    assert.equal(String((await answer)[0]), 'still sends');
    one.send('c', port(), '127.0.0.1');
    assert.notEqual((await listener.next()).channel, ours);
    transport.release(other);
    transport.release(transport.channel(address) as Channel);
    assert.equal(transport.channels, 0);
  });

  it('has no channel to what is no address', () => {
    assert.equal(transport.channel({ host: 'lamp.example', port: 5683 }), undefined);
    assert.equal(transport.channel({ host: '', port: 5683 }), undefined);
  });

  it('keeps so many peers and no more', async () => {
    await transport.close();
    transport = new UdpTransport({ port: 0, maxChannels: 2 });
    await transport.open(listener);
    const [one, two, three] = [await peer(), await peer(), await peer()];
    one.send('1', port(), '127.0.0.1');
    await listener.next();
    two.send('2', port(), '127.0.0.1');
    const { channel } = await listener.next();
    three.send('3', port(), '127.0.0.1');
    one.send('4', port(), '127.0.0.1');
    assert.equal((await listener.next()).text, '4', 'those that are here go on');
    assert.equal(transport.statistics.refusedPeers, 1);
    assert.equal(transport.channel({ host: '192.0.2.9', port: 1 }), undefined);
    transport.release(channel);
    three.send('5', port(), '127.0.0.1');
    assert.equal((await listener.next()).text, '5');
  });

  it('counts what cannot be sent, and goes on', async () => {
    const socket = await peer();
    const channel = transport.channel({ host: '127.0.0.1', port: socket.address().port });
    channel?.send(Buffer.alloc(70_000));
    const answer = once(socket, 'message');
    channel?.send(Buffer.from('fits'));
    assert.equal(String((await answer)[0]), 'fits');
    assert.equal(transport.statistics.sendErrors, 1);
  });

  it('says which port is taken, and can be opened again when it is free', async () => {
    const second = new UdpTransport({ port: port() });
    await assert.rejects(second.open(listener), (error) => {
      assert.ok(error instanceof TransportError);
      assert.match(error.message, new RegExp(`^UDP port ${port()} is already in use`));
      return true;
    });
    await transport.close();
    await second.open(listener);
    await second.close();
  });

  it('says when the address is not of this machine, or none', async () => {
    for (const [host, text] of [
      ['192.0.2.77', /cannot be opened: 192\.0\.2\.77 is not an address of this machine$/],
      ['nowhere', /cannot be opened: nowhere is not an IP address/],
    ] as const) {
      await assert.rejects(new UdpTransport({ port: 0, host }).open(listener), { code: 'TRANSPORT', message: text });
    }
  });

  it('listens on IPv4 alone on a machine without IPv6', async () => {
    const original = dgram.createSocket;
    const withoutIPv6 = (options: dgram.SocketOptions) => {
      const socket = original(options);
      if (options.type === 'udp6') {
        socket.bind = () => {
          const error = Object.assign(new Error('bind EAFNOSUPPORT ::'), { code: 'EAFNOSUPPORT' });
          process.nextTick(() => socket.emit('error', error));
          return socket;
        };
      }
      return socket;
    };
    const four = new UdpTransport({ port: 0 });
    dgram.createSocket = withoutIPv6 as typeof dgram.createSocket;
    try {
      await four.open(listener);
    } finally {
      dgram.createSocket = original;
    }
    assert.equal(four.localAddress?.host, '0.0.0.0');
    const socket = await peer();
    socket.send('four', four.localAddress?.port ?? 0, '127.0.0.1');
    assert.equal((await listener.next()).channel.address.host, '127.0.0.1');
    await four.close();
  });

  it('listens on IPv4 alone when told so', async () => {
    const four = new UdpTransport({ port: 0, host: '127.0.0.1' });
    await four.open(listener);
    const socket = await peer();
    socket.send('four', four.localAddress?.port ?? 0, '127.0.0.1');
    const { channel } = await listener.next();
    assert.equal(channel.address.host, '127.0.0.1');
    assert.equal(four.channel({ host: '::1', port: 1 }), undefined);
    await four.close();
  });

  it('says of all channels that they are closed when it closes; sending then is like losing', async () => {
    const socket = await peer();
    socket.send('hello', port(), '127.0.0.1');
    const { channel } = await listener.next();
    await transport.close();
    assert.deepEqual(listener.gone, [channel]);
    assert.equal(transport.localAddress, undefined);
    channel.send(Buffer.from('nobody'));
    await transport.close();
  });
});
