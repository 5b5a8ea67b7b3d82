import type { Channel } from '../transport/transport';
import type { Exchange } from './exchange';
import type { MessageIds } from './message-ids';
import type { RememberedMessage } from './message-history';
import type { Observation } from './observation';
import type { Transfer } from './transfers';

/**
 * All that the stack holds for one peer, hung on the channel's context. Most devices are quiet most of the time, so
 * nothing is allocated before it is needed, and the state of a channel that holds nothing is dropped.
 */
export class ChannelState {
  readonly channel: Channel;

  /** Messages heard from the peer, linked from old to new; with an index by message id once they are many. */
  oldest: RememberedMessage | undefined = undefined;
  newest: RememberedMessage | undefined = undefined;
  remembered = 0;
  index: Map<number, RememberedMessage> | undefined = undefined;

  /** Our message ids to this peer, and what keeps them from being forgotten too early. */
  ids: MessageIds | undefined = undefined;
  idsHeld: RememberedMessage | undefined = undefined;
  waitsForIds = false;

  /** What was sent and is not over yet; and of these, how many count for NSTART. */
  exchanges: Exchange[] | undefined = undefined;
  outstanding = 0;
  queue: Exchange[] | undefined = undefined;

  /** Requests of ours from the caller's side: each may take several exchanges. */
  requesting = 0;
  /** The end of the block-wise upload under way, if any. */
  upload: Promise<void> | undefined = undefined;

  observations: Map<string, Observation> | undefined = undefined;
  /** Requests of the peer that are with the handler. */
  handling = 0;
  transfers: Map<string, Transfer> | undefined = undefined;
  /** The channel is gone: nothing more is sent or expected. */
  closed = false;

  constructor(channel: Channel) {
    this.channel = channel;
  }

  get isIdle(): boolean {
    return (
      this.remembered === 0 &&
      this.idsHeld === undefined &&
      this.handling === 0 &&
      this.requesting === 0 &&
      isEmpty(this.exchanges) &&
      isEmpty(this.queue) &&
      (this.observations === undefined || this.observations.size === 0) &&
      (this.transfers === undefined || this.transfers.size === 0)
    );
  }
}

function isEmpty(list: readonly unknown[] | undefined): boolean {
  return list === undefined || list.length === 0;
}

/** The peer in words, for logs and errors. */
export function describe(channel: Channel): string {
  const { host, port } = channel.address;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
