import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { PeerAddress } from '../transport/transport';
import type { Clock } from '../util/clock';

const MAC_LENGTH = 12;
const WINDOW = 60_000;

/**
 * Echo values that prove a peer receives at the address it sends from (RFC 9175 s2). A value is the time it was made
 * and a MAC over that time and the address, so nothing is kept for peers that only claim to be somewhere.
 */
export class Echo {
  readonly #clock: Clock;
  readonly #key = randomBytes(32);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The Echo option for a peer at `address`. */
  challenge(address: PeerAddress): Buffer {
    const time = Buffer.alloc(4);
    time.writeUInt32BE(this.#seconds());
    return Buffer.concat([time, this.#mac(time, address)]);
  }

  /** Whether the value was made for this address within the last minute. */
  isFresh(value: Buffer | undefined, address: PeerAddress): boolean {
    if (value === undefined || value.length !== 4 + MAC_LENGTH) return false;
    const age = this.#seconds() - value.readUInt32BE(0);
    if (age < 0 || age * 1000 > WINDOW) return false;
    return timingSafeEqual(value.subarray(4), this.#mac(value.subarray(0, 4), address));
  }

  #mac(time: Buffer, address: PeerAddress): Buffer {
    const mac = createHmac('sha256', this.#key).update(time).update(`${address.host} ${address.port}`).digest();
    return mac.subarray(0, MAC_LENGTH);
  }

  #seconds(): number {
    return Math.floor(this.#clock.monotonic() / 1000) >>> 0;
  }
}
