import type { Channel } from '../transport/transport';
import type { DtlsStatistics } from './dtls-statistics';
import type { FlightMessage } from './handshake-context';
import { encodeHandshakeFragment, HANDSHAKE_HEADER_LENGTH } from './messages/handshake-fragment';
import type { RecordWriter } from './record/record-writer';
import type { Clock } from '../util/clock';
import type { TimerWheel, WheelTimer } from '../util/timer-wheel';

export interface TransmitterOptions {
  readonly writer: RecordWriter;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly inner: Channel;
  readonly statistics: DtlsStatistics;
  /** The longest datagram, in bytes. */
  readonly mtu: number;
  /** The longest plaintext of a record. */
  readonly maxPlaintextLength: number;
  /** First and longest wait for an answer, ms. */
  readonly retransmission: number;
  readonly maxRetransmission: number;
}

/** Small enough for any path (RFC 6347 s4.1.1.1): used when larger datagrams seem not to get through. */
const CAREFUL_MTU = 548;
const REPEATS_BEFORE_CAREFUL = 2;
const MAX_PEER_REPEATS = 16;
/** A connection id may be as long as a small datagram: then it is better to send longer ones than none. */
const MIN_FRAGMENT_LENGTH = 32;

/**
 * Sends one flight, and again with doubled waits until the peer's next flight is there (RFC 6347 s4.2.4), in as few datagrams
 * as fit.
 */
export class FlightTransmitter {
  readonly #options: TransmitterOptions;
  #flight: readonly FlightMessage[] = [];
  #timer: WheelTimer | undefined;
  #wait: number;
  #repeats = 0;
  #peerRepeats = 0;
  #sentAt = 0;

  constructor(options: TransmitterOptions) {
    this.#options = options;
    this.#wait = options.retransmission;
  }

  /** Sends a flight that the peer is to answer. */
  start(flight: readonly FlightMessage[]): void {
    this.startLast(flight);
    this.#schedule();
  }

  /** Sends the last flight of a handshake: it is repeated only when the peer repeats its own. */
  startLast(flight: readonly FlightMessage[]): void {
    this.stop();
    this.#flight = flight;
    this.#repeats = 0;
    this.#peerRepeats = 0;
    this.#wait = this.#options.retransmission;
    this.#send();
  }

  /**
   * The peer repeated its flight, so it seems not to have ours. Soon after a sending this is taken for a copy that the
   * network made.
   */
  peerRepeated(): void {
    if (this.#flight.length === 0 || this.#peerRepeats >= MAX_PEER_REPEATS) return;
    if (this.#options.clock.monotonic() - this.#sentAt < this.#options.retransmission / 4) return;
    this.#peerRepeats += 1;
    this.#repeat();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#flight = [];
  }

  #schedule(): void {
    this.#timer = this.#options.wheel.schedule(this.#wait, () => {
      this.#wait = Math.min(this.#wait * 2, this.#options.maxRetransmission);
      this.#schedule();
      this.#repeat();
    });
  }

  #repeat(): void {
    this.#repeats += 1;
    this.#options.statistics.flightsRepeated += 1;
    this.#send();
  }

  #send(): void {
    this.#sentAt = this.#options.clock.monotonic();
    const mtu = this.#repeats > REPEATS_BEFORE_CAREFUL ? Math.min(CAREFUL_MTU, this.#options.mtu) : this.#options.mtu;
    let datagram: Buffer[] = [];
    let length = 0;
    for (const record of this.#records(mtu)) {
      if (length + record.length > mtu && length > 0) {
        this.#options.inner.send(Buffer.concat(datagram, length));
        datagram = [];
        length = 0;
      }
      datagram.push(record);
      length += record.length;
    }
    this.#options.inner.send(Buffer.concat(datagram, length));
  }

  *#records(mtu: number): Generator<Buffer> {
    const { writer, maxPlaintextLength } = this.#options;
    for (const { epoch, contentType, handshake, body } of this.#flight) {
      if (handshake === undefined) {
        yield writer.write(epoch, contentType, body);
        continue;
      }
      const fitting = Math.min(mtu - writer.overhead(epoch), maxPlaintextLength) - HANDSHAKE_HEADER_LENGTH;
      const room = Math.max(fitting, MIN_FRAGMENT_LENGTH);
      let fragmentOffset = 0;
      do {
        const fragment = body.subarray(fragmentOffset, fragmentOffset + room);
        const piece = { ...handshake, length: body.length, fragmentOffset, fragment };
        yield writer.write(epoch, contentType, encodeHandshakeFragment(piece));
        fragmentOffset += fragment.length;
      } while (fragmentOffset < body.length);
    }
  }
}
