import { networkOf } from './network-of';

/** Counts something that peers can cause, in total and per network, and says when it is enough. */
export class Admission {
  readonly #total: number;
  readonly #perNetwork: number;
  readonly #networks = new Map<string, number>();
  #count = 0;

  constructor(total: number, perNetwork: number) {
    this.#total = total;
    this.#perNetwork = perNetwork;
  }

  get count(): number {
    return this.#count;
  }

  /** The networks that are counted now: none of them with nothing. */
  get networks(): number {
    return this.#networks.size;
  }

  /** @param host an IP address. */
  hasRoom(host: string): boolean {
    return !this.isFull && this.networkHasRoom(host);
  }

  /** The total is reached. */
  get isFull(): boolean {
    return this.#count >= this.#total;
  }

  /** Whether the network of an address has not used up its part. */
  networkHasRoom(host: string): boolean {
    return (this.#networks.get(networkOf(host)) ?? 0) < this.#perNetwork;
  }

  /** Counts one more, room or not. */
  take(host: string): void {
    const network = networkOf(host);
    this.#count += 1;
    this.#networks.set(network, (this.#networks.get(network) ?? 0) + 1);
  }

  /** Undoes one `take` of the same network. */
  release(host: string): void {
    const network = networkOf(host);
    const left = (this.#networks.get(network) ?? 0) - 1;
    if (left < 0) throw new Error(`nothing is counted for ${network}`);
    this.#count -= 1;
    if (left === 0) this.#networks.delete(network);
    else this.#networks.set(network, left);
  }
}
