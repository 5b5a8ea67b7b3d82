import type { Clock } from '../util/clock';
import type { Log } from '../util/log';
import type { RandomSource } from '../util/random';
import type { TimerWheel } from '../util/timer-wheel';
import type { ChannelState } from './channel-state';
import type { CoapLimits, TransmissionParameters } from './parameters';
import type { CoapStatistics } from './statistics';

/** What the parts of a stack share. */
export interface StackContext {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly random: RandomSource;
  readonly log: Log;
  readonly parameters: TransmissionParameters;
  readonly limits: CoapLimits;
  readonly statistics: CoapStatistics;
  /** Something of this channel ended: when that was the last of it, its state goes. */
  settled(state: ChannelState): void;
}

/** Sends a datagram to a channel's peer, unless the channel is gone. */
export function transmit(context: StackContext, state: ChannelState, datagram: Buffer): void {
  if (state.closed) return;
  context.statistics.datagramsSent += 1;
  state.channel.send(datagram);
}
