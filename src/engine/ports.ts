import { DtlsTransport, type DtlsOptions } from '../dtls';
import type { PeerIdentity } from '../server';
import type { Channel, PeerAddress, Scheme, Transport } from '../transport/transport';
import { TransportOpener, type TransportOpenerOptions } from '../transport/transport-opener';
import { UdpTransport } from '../transport/udp';
import type { EngineOptions } from './engine-options';

const DEFAULT_COAP_PORT = 5683;

/** Where an engine listens. */
export interface EngineAddress extends PeerAddress {
  readonly scheme: Scheme;
}

type PortOptions = Pick<
  EngineOptions,
  'host' | 'coapPort' | 'coapsPort' | 'cipherSuites' | 'instance' | 'transports' | 'dtlsTransports'
>;

export type PortsContext = TransportOpenerOptions & Pick<DtlsOptions, 'credentials' | 'log' | 'refused'>;

/** All that devices reach an engine by: UDP, and DTLS over UDP. */
export class Ports {
  readonly #dtls: readonly DtlsTransport[];
  readonly #transports: readonly Transport[];
  readonly #opener: TransportOpener;

  constructor(options: PortOptions, context: PortsContext) {
    this.#dtls = dtlsTransports(options, context);
    this.#transports = [...(options.transports ?? coapTransports(options)), ...this.#dtls];
    this.#opener = new TransportOpener(context);
  }

  /** Whether devices can come by DTLS. */
  get isSecure(): boolean {
    return this.#dtls.length > 0;
  }

  /** Why the first of the ports that are not open is not. */
  get error(): TransportOpener['error'] {
    return this.#opener.error;
  }

  /** Those that are open. */
  get addresses(): readonly EngineAddress[] {
    return this.#transports.flatMap(({ scheme, localAddress }) =>
      localAddress === undefined ? [] : [{ scheme, host: localAddress.host, port: localAddress.port }],
    );
  }

  /** @throws {TransportError} none of them can be opened. @throws {InvalidArgumentError} one never can be. */
  start(): Promise<void> {
    return this.#opener.start(this.#transports);
  }

  /** No port is tried again; whoever has them closes those that are open. */
  close(): Promise<void> {
    return this.#opener.close();
  }

  /** The way to a peer; `undefined`: no port of this scheme, or no DTLS session with it. */
  channelTo(scheme: Scheme, address: PeerAddress): Channel | undefined {
    for (const transport of this.#transports) {
      const channel = transport.scheme === scheme ? transport.channel(address) : undefined;
      if (channel !== undefined) return channel;
    }
    return undefined;
  }

  /** Ends all DTLS sessions of an identity at once. */
  endSessions(identity: PeerIdentity): void {
    for (const transport of this.#dtls) transport.cutOff(identity);
  }
}

function coapTransports({ host, coapPort = DEFAULT_COAP_PORT }: PortOptions): Transport[] {
  return coapPort === null ? [] : [new UdpTransport({ host, port: coapPort })];
}

function dtlsTransports(options: PortOptions, { clock, credentials, log, refused }: PortsContext): DtlsTransport[] {
  const { host, coapsPort = null, cipherSuites, instance = 0 } = options;
  const own = coapsPort === null ? [] : [new UdpTransport({ host, port: coapsPort })];
  return (options.dtlsTransports ?? own).map(
    (inner) => new DtlsTransport(inner, { clock, credentials, instance, cipherSuites, log, refused }),
  );
}
