import { TimeoutError, type TransportError } from '../errors';
import type { Clock } from '../util/clock';
import type { Carrier } from './datagram-link';
import { DtlsSession, wrongKeyText } from './dtls-session';
import type { PskCredentials } from './psk-security';
import type { PeerAddress } from './server-address';

/** ms that the tries of a handshake may take, each from a new port, because the library repeats nothing by itself. */
const HANDSHAKE_TIMEOUTS = [1_000, 2_000, 4_000, 8_000];

const NO_ADDRESS: PeerAddress = { host: '0.0.0.0', port: 0 };

/** Carries datagrams to the server in DTLS sessions, one after another. What is sent while there is none is lost. */
export class DtlsCarrier implements Carrier {
  readonly family: 'udp4' | 'udp6';
  readonly hasSession = true;
  onDatagram: (datagram: Buffer) => void = () => undefined;
  onLost: (error: TransportError) => void = () => undefined;
  #session: DtlsSession | undefined;
  #connecting: Promise<void> | undefined;
  readonly #closing = new AbortController();

  constructor(
    readonly peer: PeerAddress & { family: 4 | 6 },
    private readonly credentials: PskCredentials,
    private readonly clock: Clock,
  ) {
    this.family = peer.family === 6 ? 'udp6' : 'udp4';
  }

  get localAddress(): PeerAddress {
    return this.#session?.localAddress ?? NO_ADDRESS;
  }

  /** Those who come while a session is being made wait for the same one. */
  async connect(signal?: AbortSignal): Promise<void> {
    if (this.#session) return;
    this.#connecting ??= this.#connect(signal).finally(() => (this.#connecting = undefined));
    await this.#connecting;
  }

  reset(): void {
    this.#session?.drop();
    this.#session = undefined;
  }

  leave(): void {
    this.reset();
  }

  send(datagram: Buffer, sent: (error: Error | null) => void): void {
    if (this.#session) this.#session.send(datagram, sent);
    else sent(null);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const session = this.#session;
    this.#session = undefined;
    await session?.close();
  }

  async #connect(signal?: AbortSignal): Promise<void> {
    const either = AbortSignal.any(signal ? [signal, this.#closing.signal] : [this.#closing.signal]);
    this.#session = await this.#shakeHands(either);
  }

  async #shakeHands(signal: AbortSignal): Promise<DtlsSession> {
    for (const timeout of HANDSHAKE_TIMEOUTS) {
      try {
        return await DtlsSession.open({
          peer: this.peer,
          credentials: this.credentials,
          clock: this.clock,
          timeout,
          signal,
          onDatagram: (datagram) => this.onDatagram(datagram),
          onEnd: (error) => {
            this.#session = undefined;
            this.onLost(error);
          },
        });
      } catch (error) {
        if (!(error instanceof TimeoutError)) throw error;
      }
    }
    throw new TimeoutError(
      `no DTLS session: nobody answers at port ${this.peer.port}, or ${wrongKeyText(this.credentials)}`,
    );
  }
}
