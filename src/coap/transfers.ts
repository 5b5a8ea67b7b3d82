import type { WheelTimer } from '../util/timer-wheel';
import type { ChannelState } from './channel-state';
import type { StackContext } from './stack-context';

/** A body that a peer sends or fetches in blocks, between two of its requests. */
export interface Transfer {
  /** The bytes that it holds. */
  readonly held: number;
}

interface Timed extends Transfer {
  timer?: WheelTimer;
}

/** Counted for each transfer besides its bytes, so that many small ones reach the bound too. */
const OVERHEAD = 512;

/**
 * The block-wise transfers that peers have begun: bounded for one channel and in total, each dropped when it pauses too
 * long. What is kept must not change its size; `take` it first.
 */
export class Transfers {
  readonly #context: StackContext;
  #bytes = 0;

  constructor(context: StackContext) {
    this.#context = context;
  }

  /** The bytes counted for all transfers now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Removes a transfer and hands it over. */
  take(state: ChannelState, key: string): Transfer | undefined {
    const transfer = state.transfers?.get(key);
    if (transfer === undefined) return undefined;
    this.#release(transfer);
    state.transfers?.delete(key);
    return transfer;
  }

  /** Keeps a transfer and starts its idle time anew; false when there is no room for it. */
  keep(state: ChannelState, key: string, transfer: Transfer): boolean {
    const { limits, wheel } = this.#context;
    const before = this.take(state, key);
    state.transfers ??= new Map();
    const bytes = transfer.held + OVERHEAD;
    if (state.closed || state.transfers.size >= limits.transfers || this.#bytes + bytes > limits.transferBytesTotal) {
      if (before !== undefined) this.#context.settled(state);
      return false;
    }
    const timed: Timed = transfer;
    state.transfers.set(key, timed);
    this.#bytes += bytes;
    timed.timer = wheel.schedule(limits.transferIdle, () => {
      this.take(state, key);
      this.#context.settled(state);
    });
    return true;
  }

  /** Drops all transfers of a channel that is gone. */
  dropAll(state: ChannelState): void {
    for (const key of [...(state.transfers?.keys() ?? [])]) this.take(state, key);
  }

  #release(transfer: Timed): void {
    transfer.timer?.cancel();
    this.#bytes -= transfer.held + OVERHEAD;
  }
}
