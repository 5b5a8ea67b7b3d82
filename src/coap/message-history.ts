import type { ChannelState } from './channel-state';
import type { MessageType } from './message';
import { exchangeLifetime } from './parameters';
import type { StackContext } from './stack-context';

/** What a message was answered with: a whole datagram, or an empty message of this type. */
export type Reply = Buffer | MessageType.ACK | MessageType.RST;

/** One message of a peer that may come again. A link of two lists: all messages, and those of its channel. */
export class RememberedMessage {
  /** To be sent again when the message is; `undefined` while there is none, or when none is to be sent. */
  reply: Reply | undefined = undefined;
  previous: RememberedMessage | undefined = undefined;
  next: RememberedMessage | undefined = undefined;
  older: RememberedMessage | undefined = undefined;
  newer: RememberedMessage | undefined = undefined;

  constructor(
    readonly state: ChannelState,
    /** {@link OWN_IDS}: no message, but the time our own message ids to this peer are held. */
    readonly messageId: number,
    /** In ticks of the history. */
    public expires: number,
  ) {}
}

const OWN_IDS = -1;

/** The expiry of a message that is remembered no more, though a slow handler may still hold it. */
const FORGOTTEN = -1;

/** Times are kept in whole ticks of this many ms, which V8 stores without a number object. */
const TICK = 100;

/** How often, at most, what has expired is looked for, ms. */
const SWEEP_INTERVAL = 1_000;

/** With fewer messages than this a channel is searched link by link. */
const INDEX_FROM = 8;

/**
 * What was heard within EXCHANGE_LIFETIME, so that a message that comes twice is acted on once (RFC 7252 s4.5).
 * Messages expire in the order they came, so one list over all channels finds them without looking at any other.
 */
export class MessageHistory {
  readonly #context: StackContext;
  readonly #lifetimeTicks: number;
  #first: RememberedMessage | undefined;
  #last: RememberedMessage | undefined;
  #size = 0;
  #bytes = 0;
  #sweeping = false;

  constructor(context: StackContext) {
    this.#context = context;
    this.#lifetimeTicks = Math.ceil(exchangeLifetime(context.parameters) / TICK);
  }

  /** How many messages are remembered. */
  get size(): number {
    return this.#size;
  }

  /** The message of this id if it was heard before, within its lifetime. */
  find(state: ChannelState, messageId: number): RememberedMessage | undefined {
    const message = state.index === undefined ? searchLinks(state, messageId) : state.index.get(messageId);
    if (message === undefined) return undefined;
    if (message.expires > this.#now()) return message;
    this.#forget(message);
    return undefined;
  }

  /** Remembers a message that `find` did not find. */
  add(state: ChannelState, messageId: number): RememberedMessage {
    const { limits, statistics } = this.#context;
    if (state.remembered >= limits.rememberedMessages && state.oldest !== undefined) {
      statistics.forgottenEarly += 1;
      this.#forget(state.oldest);
    }
    const message = new RememberedMessage(state, messageId, this.#now() + this.#lifetimeTicks);
    this.#append(message);
    linkToChannel(state, message);
    if (this.#size > limits.rememberedMessagesTotal) this.#forgetFirst();
    return message;
  }

  /** Keeps the reply for duplicates, in place of the one before. */
  setReply(message: RememberedMessage, reply: Reply): void {
    if (message.expires === FORGOTTEN) return;
    this.#bytes += replyLength(reply) - replyLength(message.reply);
    message.reply = reply;
    while (this.#bytes > this.#context.limits.rememberedBytesTotal && this.#first !== message) this.#forgetFirst();
  }

  /** Keeps the channel's state, and with it the sequence of our message ids, for the lifetime of the id just used. */
  holdIds(state: ChannelState): void {
    const expires = this.#now() + this.#lifetimeTicks;
    if (state.idsHeld === undefined) state.idsHeld = new RememberedMessage(state, OWN_IDS, expires);
    else this.#unlink(state.idsHeld);
    state.idsHeld.expires = expires;
    this.#append(state.idsHeld);
  }

  /** Forgets all of a channel that is gone. */
  forgetChannel(state: ChannelState): void {
    while (state.oldest !== undefined) this.#forget(state.oldest);
    if (state.idsHeld !== undefined) this.#forget(state.idsHeld);
  }

  #now(): number {
    return Math.floor(this.#context.clock.monotonic() / TICK);
  }

  #append(message: RememberedMessage): void {
    message.previous = this.#last;
    if (this.#last === undefined) this.#first = message;
    else this.#last.next = message;
    this.#last = message;
    this.#size += 1;
    if (!this.#sweeping) this.#scheduleSweep();
  }

  #unlink(message: RememberedMessage): void {
    if (message.previous === undefined) this.#first = message.next;
    else message.previous.next = message.next;
    if (message.next === undefined) this.#last = message.previous;
    else message.next.previous = message.previous;
    message.previous = undefined;
    message.next = undefined;
    this.#size -= 1;
  }

  #forgetFirst(): void {
    if (this.#first === undefined) return;
    this.#context.statistics.forgottenEarly += 1;
    const { state } = this.#first;
    this.#forget(this.#first);
    this.#context.settled(state);
  }

  #forget(message: RememberedMessage): void {
    this.#unlink(message);
    message.expires = FORGOTTEN;
    if (message.messageId === OWN_IDS) {
      message.state.idsHeld = undefined;
      return;
    }
    this.#bytes -= replyLength(message.reply);
    unlinkFromChannel(message.state, message);
  }

  #scheduleSweep(): void {
    if (this.#first === undefined) return;
    this.#sweeping = true;
    const wait = (this.#first.expires - this.#now()) * TICK;
    this.#context.wheel.schedule(Math.max(wait, SWEEP_INTERVAL), () => this.#sweep());
  }

  #sweep(): void {
    const now = this.#now();
    while (this.#first !== undefined && this.#first.expires <= now) {
      const { state } = this.#first;
      this.#forget(this.#first);
      this.#context.settled(state);
    }
    this.#sweeping = false;
    this.#scheduleSweep();
  }
}

function replyLength(reply: Reply | undefined): number {
  return typeof reply === 'object' ? reply.length : 0;
}

function searchLinks(state: ChannelState, messageId: number): RememberedMessage | undefined {
  let message = state.newest;
  while (message !== undefined && message.messageId !== messageId) message = message.older;
  return message;
}

function linkToChannel(state: ChannelState, message: RememberedMessage): void {
  message.older = state.newest;
  if (state.newest === undefined) state.oldest = message;
  else state.newest.newer = message;
  state.newest = message;
  state.remembered += 1;
  if (state.index !== undefined) state.index.set(message.messageId, message);
  else if (state.remembered >= INDEX_FROM) state.index = indexOf(state);
}

function indexOf(state: ChannelState): Map<number, RememberedMessage> {
  const index = new Map<number, RememberedMessage>();
  for (let message = state.oldest; message !== undefined; message = message.newer)
    index.set(message.messageId, message);
  return index;
}

function unlinkFromChannel(state: ChannelState, message: RememberedMessage): void {
  if (message.older === undefined) state.oldest = message.newer;
  else message.older.newer = message.newer;
  if (message.newer === undefined) state.newest = message.older;
  else message.newer.older = message.older;
  message.older = undefined;
  message.newer = undefined;
  state.remembered -= 1;
  state.index?.delete(message.messageId);
  if (state.remembered === 0) state.index = undefined;
}
