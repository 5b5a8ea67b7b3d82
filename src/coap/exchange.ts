import { CancelledError, TimeoutError, TransportError } from '../errors';
import type { Lwm2mError } from '../errors';
import type { WheelTimer } from '../util/timer-wheel';
import { randomFraction } from '../util/random';
import { describe } from './channel-state';
import type { ChannelState } from './channel-state';
import { encodeMessage, MessageType } from './message';
import type { CoapMessage } from './message';
import type { MessageHistory } from './message-history';
import { MessageIds } from './message-ids';
import { exchangeLifetime, maxTransmitWait } from './parameters';
import { transmit } from './stack-context';
import type { StackContext } from './stack-context';

/** What an exchange of ours is for. */
export type ExchangePurpose =
  /** A request, over with its response. */
  | 'request'
  /** A GET with Observe=1: a late notification with the same token is not its response. */
  | 'cancel-observation'
  /** A separate response, over with its acknowledgement. */
  | 'response';

/** Told of the end of an exchange, once, by one of the two. */
export interface ExchangeOwner {
  /** The response; for a separate response the acknowledgement came, and there is no message. */
  finished(message: CoapMessage | undefined): void;
  failed(error: Lwm2mError): void;
}

/** One message of ours, from the queue to its end. Every exchange ends: answered, reset, cancelled or given up. */
export class Exchange {
  messageId = -1;
  retransmissions = 0;
  /** The present wait for an acknowledgement, ms. */
  timeout = 0;
  firstSentAt = 0;
  acknowledged = false;
  over = false;
  timer: WheelTimer | undefined = undefined;

  constructor(
    /** A request that waits may move to another channel. */
    public state: ChannelState,
    /** The encoded message; its id is filled in when it is sent. */
    readonly datagram: Buffer,
    readonly token: Buffer,
    readonly confirmable: boolean,
    readonly purpose: ExchangePurpose,
    readonly owner: ExchangeOwner,
  ) {}
}

/** How long to wait before an exchange that found no free message id tries again, ms. */
const MESSAGE_ID_WAIT = 1_000;

/** All messages of ours that await something: NSTART, message ids, retransmission (RFC 7252 s4.2, s4.4, s4.7, s4.8). */
export class Exchanges {
  readonly #context: StackContext;
  readonly #history: MessageHistory;
  readonly #maxTransmitWait: number;
  readonly #exchangeLifetime: number;

  constructor(context: StackContext, history: MessageHistory) {
    this.#context = context;
    this.#history = history;
    this.#maxTransmitWait = maxTransmitWait(context.parameters);
    this.#exchangeLifetime = exchangeLifetime(context.parameters);
  }

  /**
   * Sends a request, or queues it behind those under way.
   * @throws {CodecError} it cannot be encoded
   * @throws {TransportError} the queue is full or the channel gone
   */
  submit(
    state: ChannelState,
    message: Omit<CoapMessage, 'messageId'>,
    purpose: ExchangePurpose,
    owner: ExchangeOwner,
  ): Exchange {
    if (state.closed) throw new TransportError(`the channel to ${describe(state.channel)} is gone`);
    const { limits } = this.#context;
    if (state.queue !== undefined && state.queue.length >= limits.queuedRequests) {
      throw new TransportError(`${state.queue.length} requests wait already for ${describe(state.channel)}`);
    }
    const datagram = encodeMessage({ ...message, messageId: 0 });
    const confirmable = message.type === MessageType.CON;
    const exchange = new Exchange(state, datagram, message.token, confirmable, purpose, owner);
    state.queue ??= [];
    state.queue.push(exchange);
    this.#pump(state);
    return exchange;
  }

  /**
   * Sends a separate response at once: it answers what the peer asked and does not wait behind what we ask (NSTART is
   * a bound for clients). It is retransmitted until acknowledged.
   */
  respond(state: ChannelState, message: Omit<CoapMessage, 'messageId'>, owner: ExchangeOwner): void {
    const messageId = this.nextMessageId(state);
    if (messageId === undefined || state.closed) {
      owner.failed(new TransportError(`the response to ${describe(state.channel)} could not be sent`));
      return;
    }
    const datagram = encodeMessage({ ...message, messageId });
    const exchange = new Exchange(state, datagram, message.token, true, 'response', owner);
    this.#start(exchange, messageId);
  }

  /** A message id for a message to this peer; `undefined` when all were used within EXCHANGE_LIFETIME. */
  nextMessageId(state: ChannelState): number | undefined {
    state.ids ??= new MessageIds(this.#context.random.uint32(), this.#exchangeLifetime);
    const messageId = state.ids.next(this.#context.clock.monotonic());
    if (messageId !== undefined) this.#history.holdIds(state);
    return messageId;
  }

  findByMessageId(state: ChannelState, messageId: number): Exchange | undefined {
    if (state.exchanges === undefined) return undefined;
    for (const exchange of state.exchanges) if (exchange.messageId === messageId) return exchange;
    return undefined;
  }

  /** The open request with this token. */
  findByToken(state: ChannelState, token: Buffer): Exchange | undefined {
    if (state.exchanges === undefined) return undefined;
    for (const exchange of state.exchanges) {
      if (exchange.purpose !== 'response' && sameToken(exchange.token, token)) return exchange;
    }
    return undefined;
  }

  /** An empty acknowledgement came: a request's response is to follow, within a deadline. */
  acknowledged(exchange: Exchange): void {
    if (exchange.acknowledged || !exchange.confirmable) return;
    if (exchange.purpose === 'response') {
      this.finish(exchange, undefined);
      return;
    }
    exchange.acknowledged = true;
    exchange.state.outstanding -= 1;
    exchange.timer?.cancel();
    this.#awaitResponse(exchange);
    this.#pump(exchange.state);
  }

  /** Its response came, or the acknowledgement of a separate response. */
  finish(exchange: Exchange, message: CoapMessage | undefined): void {
    if (!this.#end(exchange)) return;
    exchange.owner.finished(message);
    this.#context.settled(exchange.state);
  }

  /** It is over without a response; a response that still comes belongs to nothing. */
  fail(exchange: Exchange, error: Lwm2mError): void {
    if (!this.#end(exchange)) return;
    exchange.owner.failed(error);
    this.#context.settled(exchange.state);
  }

  /** Everything under way on a channel fails. */
  failAll(state: ChannelState, reason: () => Lwm2mError): void {
    const all = [...(state.exchanges ?? []), ...(state.queue ?? [])];
    state.queue = undefined;
    for (const exchange of all) this.fail(exchange, reason());
  }

  /** Requests that were not sent yet go to another channel; they keep their order, behind those that wait there. */
  moveQueue(from: ChannelState, to: ChannelState): void {
    const queue = from.queue ?? [];
    from.queue = undefined;
    to.queue ??= [];
    for (const exchange of queue) {
      exchange.state = to;
      to.queue.push(exchange);
    }
    this.#pump(to);
  }

  /** Takes it off its lists; false when it was over before. */
  #end(exchange: Exchange): boolean {
    if (exchange.over) return false;
    exchange.over = true;
    exchange.timer?.cancel();
    const { state } = exchange;
    if (exchange.messageId < 0) {
      remove(state.queue, exchange);
      return true;
    }
    remove(state.exchanges, exchange);
    if (exchange.purpose !== 'response' && !exchange.acknowledged) state.outstanding -= 1;
    this.#pump(state);
    return true;
  }

  /** Sends what waits, as far as NSTART allows. */
  #pump(state: ChannelState): void {
    const { parameters, limits } = this.#context;
    while (state.queue !== undefined && state.queue.length > 0 && !state.closed) {
      if (state.outstanding >= parameters.nstart) return;
      if (state.exchanges !== undefined && state.exchanges.length >= limits.openRequests) return;
      const messageId = this.nextMessageId(state);
      if (messageId === undefined) {
        this.#pumpLater(state);
        return;
      }
      const exchange = state.queue.shift();
      if (exchange === undefined) return;
      state.outstanding += 1;
      this.#context.statistics.requestsSent += 1;
      this.#start(exchange, messageId);
    }
  }

  #pumpLater(state: ChannelState): void {
    if (state.waitsForIds) return;
    state.waitsForIds = true;
    this.#context.wheel.schedule(MESSAGE_ID_WAIT, () => {
      state.waitsForIds = false;
      this.#pump(state);
    });
  }

  #start(exchange: Exchange, messageId: number): void {
    const { parameters, random, clock } = this.#context;
    exchange.messageId = messageId;
    exchange.datagram.writeUInt16BE(messageId, 2);
    exchange.firstSentAt = clock.monotonic();
    exchange.state.exchanges ??= [];
    exchange.state.exchanges.push(exchange);
    if (exchange.confirmable) {
      exchange.timeout = parameters.ackTimeout * (1 + randomFraction(random) * (parameters.ackRandomFactor - 1));
      this.#awaitAcknowledgement(exchange, exchange.timeout);
    } else {
      this.#awaitResponse(exchange);
    }
    transmit(this.#context, exchange.state, exchange.datagram);
  }

  #awaitAcknowledgement(exchange: Exchange, delay: number): void {
    exchange.timer = this.#context.wheel.schedule(delay, () => this.#acknowledgementMissed(exchange));
  }

  /** Again with twice the wait, or after the last time the rest of MAX_TRANSMIT_WAIT (RFC 7252 s4.2, s4.8.2). */
  #acknowledgementMissed(exchange: Exchange): void {
    if (exchange.retransmissions < this.#context.parameters.maxRetransmit) {
      exchange.retransmissions += 1;
      exchange.timeout *= 2;
      this.#context.statistics.retransmissions += 1;
      const last = exchange.retransmissions === this.#context.parameters.maxRetransmit;
      const elapsed = this.#context.clock.monotonic() - exchange.firstSentAt;
      this.#awaitAcknowledgement(exchange, last ? this.#maxTransmitWait - elapsed : exchange.timeout);
      transmit(this.#context, exchange.state, exchange.datagram);
      return;
    }
    this.#giveUp(exchange, `${describe(exchange.state.channel)} did not acknowledge`);
  }

  #awaitResponse(exchange: Exchange): void {
    exchange.timer = this.#context.wheel.schedule(this.#context.parameters.responseTimeout, () =>
      this.#giveUp(exchange, `${describe(exchange.state.channel)} did not respond`),
    );
  }

  #giveUp(exchange: Exchange, reason: string): void {
    this.#context.statistics.timeouts += 1;
    const seconds = Math.round((this.#context.clock.monotonic() - exchange.firstSentAt) / 1000);
    this.fail(exchange, new TimeoutError(`${reason} within ${seconds} s`));
  }
}

/** The error of a request that its caller gave up. */
export function cancelledBy(signal: AbortSignal): CancelledError {
  return new CancelledError('the request was cancelled', { cause: signal.reason });
}

export function sameToken(one: Buffer, other: Buffer): boolean {
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index += 1) if (one[index] !== other[index]) return false;
  return true;
}

function remove(list: Exchange[] | undefined, exchange: Exchange): void {
  const index = list?.indexOf(exchange) ?? -1;
  if (index >= 0) list?.splice(index, 1);
}
