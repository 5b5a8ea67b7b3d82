import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { isIP, isIPv4, SocketAddress } from 'node:net';
import { TransportError } from '../errors';
import type { Channel, PeerAddress, Transport, TransportListener } from './transport';

export interface UdpTransportOptions {
  /** The address to listen on; `::` (default) is IPv4 and IPv6 at once, or IPv4 alone on a machine without IPv6. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** How many peers are kept at once; datagrams of more are dropped. Default 1,000,000. */
  readonly maxChannels?: number;
  /** The socket's receive buffer in bytes, so that a burst is not lost while Node is busy. Default 4 MiB. */
  readonly receiveBufferSize?: number;
}

export interface UdpStatistics {
  /** Datagrams that the system refused to send. */
  sendErrors: number;
  /** Datagrams dropped because there were too many peers. */
  refusedPeers: number;
  /** Datagrams dropped because nobody can be answered at the address they claim to come from. */
  badSources: number;
}

const ANY_IPV6 = '::';
const ANY_IPV4 = '0.0.0.0';
const MAPPED = '::ffff:';

/** Errors of `bind` that say that the machine has no IPv6. */
const NO_IPV6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT', 'EINVAL']);

/** CoAP's plain transport (RFC 7252 s3): one socket for requests in both directions. */
export class UdpTransport implements Transport {
  readonly scheme = 'coap';
  readonly statistics: UdpStatistics = { sendErrors: 0, refusedPeers: 0, badSources: 0 };
  readonly #host: string;
  readonly #port: number;
  readonly #maxChannels: number;
  readonly #receiveBufferSize: number;
  /** By host as the socket writes it; most hosts have one channel, and a map costs more than a channel. */
  readonly #channels = new Map<string, UdpChannel | Map<number, UdpChannel>>();
  #count = 0;
  #socket: Socket | undefined;
  #listener: TransportListener | undefined;
  #localAddress: PeerAddress | undefined;
  /** Whether IPv4 peers appear as IPv6 addresses on the socket. */
  #mapsIPv4 = false;

  constructor(options: UdpTransportOptions) {
    this.#host = options.host ?? ANY_IPV6;
    this.#port = options.port;
    this.#maxChannels = options.maxChannels ?? 1_000_000;
    this.#receiveBufferSize = options.receiveBufferSize ?? 4 * 1024 * 1024;
  }

  get localAddress(): PeerAddress | undefined {
    return this.#localAddress;
  }

  /** How many channels there are. */
  get channels(): number {
    return this.#count;
  }

  async open(listener: TransportListener): Promise<void> {
    if (this.#socket !== undefined) throw new TransportError('this transport is open already');
    const socket = await this.#bindSocket();
    const { address, port } = socket.address();
    this.#socket = socket;
    this.#listener = listener;
    this.#localAddress = { host: address, port };
    this.#mapsIPv4 = address.includes(':');
    socket.on('message', (datagram, from) => this.#received(datagram, from));
    socket.on('error', (error) => listener.failed(new TransportError(`UDP port ${port}: ${error.message}`)));
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    const listener = this.#listener;
    if (socket === undefined || listener === undefined) return;
    this.#socket = undefined;
    this.#listener = undefined;
    this.#localAddress = undefined;
    await new Promise<void>((resolve) => socket.close(resolve));
    const channels = [...this.#all()];
    this.#channels.clear();
    this.#count = 0;
    for (const channel of channels) listener.closed(channel);
  }

  channel(address: PeerAddress): UdpChannel | undefined {
    const host = this.#socketHost(address.host);
    if (host === undefined) return undefined;
    return this.#find(host, address.port) ?? this.#add(host, address.port);
  }

  release(channel: Channel): void {
    if (!(channel instanceof UdpChannel)) return;
    const { socketHost } = channel;
    const held = this.#channels.get(socketHost);
    if (held === channel) {
      this.#channels.delete(socketHost);
      this.#count -= 1;
    } else if (held instanceof Map && held.get(channel.address.port) === channel) {
      held.delete(channel.address.port);
      this.#count -= 1;
      if (held.size === 0) this.#channels.delete(socketHost);
    }
  }

  /** Sends to a host as the socket writes it. */
  sendTo(socketHost: string, port: number, datagram: Buffer): void {
    this.#socket?.send(datagram, port, socketHost, this.#sent);
  }

  /** One function for all sends. */
  readonly #sent = (error: Error | null): void => {
    if (error !== null) this.statistics.sendErrors += 1;
  };

  #received(datagram: Buffer, from: RemoteInfo): void {
    const channel = this.#find(from.address, from.port) ?? this.#newPeer(from);
    if (channel !== undefined) this.#listener?.received(channel, datagram);
  }

  #newPeer({ address, port }: RemoteInfo): UdpChannel | undefined {
    if (port === 0 || !isUnicast(plainHost(address))) {
      this.statistics.badSources += 1;
      return undefined;
    }
    const channel = this.#add(address, port);
    if (channel === undefined) this.statistics.refusedPeers += 1;
    return channel;
  }

  #find(socketHost: string, port: number): UdpChannel | undefined {
    const held = this.#channels.get(socketHost);
    if (held === undefined) return undefined;
    if (held instanceof Map) return held.get(port);
    return held.address.port === port ? held : undefined;
  }

  #add(socketHost: string, port: number): UdpChannel | undefined {
    if (this.#count >= this.#maxChannels) return undefined;
    const channel = new UdpChannel(this, socketHost, { host: plainHost(socketHost), port });
    const held = this.#channels.get(socketHost);
    if (held === undefined) this.#channels.set(socketHost, channel);
    else if (held instanceof Map) held.set(port, channel);
    else {
      this.#channels.set(
        socketHost,
        new Map([
          [held.address.port, held],
          [port, channel],
        ]),
      );
    }
    this.#count += 1;
    return channel;
  }

  *#all(): Iterable<UdpChannel> {
    for (const held of this.#channels.values()) {
      if (held instanceof Map) yield* held.values();
      else yield held;
    }
  }

  /** A peer's host as this socket writes it; `undefined` when it is no address that the socket can reach. */
  #socketHost(host: string): string | undefined {
    const family = isIP(host);
    if (family === 4) return this.#mapsIPv4 ? MAPPED + host : host;
    if (family === 0 || !this.#mapsIPv4) return undefined;
    const [address = '', zone] = host.split('%');
    const normal = new SocketAddress({ address, family: 'ipv6' }).address;
    return zone === undefined ? normal : `${normal}%${zone}`;
  }

  async #bindSocket(): Promise<Socket> {
    try {
      return await this.#bind(this.#host);
    } catch (error) {
      if (this.#host === ANY_IPV6 && NO_IPV6.has(codeOf(error))) return await this.#bind(ANY_IPV4).catch(this.#explain);
      return this.#explain(error);
    }
  }

  #bind(host: string): Promise<Socket> {
    const type = isIPv4(host) ? 'udp4' : 'udp6';
    const family = isIPv4(host) ? 4 : 6;
    const socket = createSocket({
      type,
      recvBufferSize: this.#receiveBufferSize,
      // Peers are address literals: looking them up in place saves a turn of the event loop for each datagram.
      lookup: (hostname, _options, callback) => callback(null, hostname, family),
    });
    return new Promise((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close();
        reject(error);
      });
      socket.bind({ port: this.#port, address: host }, () => {
        socket.removeAllListeners('error');
        resolve(socket);
      });
    });
  }

  readonly #explain = (error: unknown): never => {
    const where = `UDP port ${this.#port}`;
    const texts: Record<string, string> = {
      EADDRINUSE: `${where} is already in use: another program, perhaps another LwM2M or CoAP server, listens on it`,
      EADDRNOTAVAIL: `${where} cannot be opened: ${this.#host} is not an address of this machine`,
      ENOTFOUND: `${where} cannot be opened: ${this.#host} is not an IP address`,
      EINVAL: `${where} cannot be opened: ${this.#host} is not an IP address of this machine`,
      EACCES: `${where} cannot be opened: this user may not listen on it`,
    };
    const reason = error instanceof Error ? error.message : String(error);
    throw new TransportError(texts[codeOf(error)] ?? `${where} cannot be opened: ${reason}`, { cause: error });
  };
}

/** One peer of a socket. */
class UdpChannel implements Channel {
  context: unknown = undefined;

  constructor(
    readonly transport: UdpTransport,
    /** The host as the socket writes it, such as `::ffff:192.0.2.1`. */
    readonly socketHost: string,
    readonly address: PeerAddress,
  ) {}

  get scheme(): 'coap' {
    return 'coap';
  }

  get identity(): { readonly mode: 'nosec' } {
    return NOSEC;
  }

  get isOpen(): boolean {
    return true;
  }

  send(datagram: Buffer): void {
    this.transport.sendTo(this.socketHost, this.address.port, datagram);
  }
}

const NOSEC = { mode: 'nosec' } as const;

/** IPv4 peers of a dual-stack socket as plain IPv4. */
function plainHost(socketHost: string): string {
  return socketHost.startsWith(MAPPED) && socketHost.includes('.') ? socketHost.slice(MAPPED.length) : socketHost;
}

/** Answering a forged multicast, broadcast or unspecified source would hit many, or nobody. */
function isUnicast(host: string): boolean {
  if (host.includes(':')) return !/^ff/i.test(host) && host !== ANY_IPV6;
  const first = Number(host.slice(0, host.indexOf('.')));
  return first > 0 && first < 224;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
