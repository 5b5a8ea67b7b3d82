import { CancelledError, TransportError } from '../errors';
import type { Lwm2mError } from '../errors';
import type { Channel, Transport } from '../transport/transport';
import type { Clock } from '../util/clock';
import { describeError, rateLimited, silentLog } from '../util/log';
import type { Log } from '../util/log';
import { secureRandom } from '../util/random';
import type { RandomSource } from '../util/random';
import { TimerWheel } from '../util/timer-wheel';
import { ChannelState, describe } from './channel-state';
import { isRequestCode } from './codes';
import { Exchanges } from './exchange';
import type { Exchange } from './exchange';
import { IncomingRequests } from './incoming-requests';
import { decodeMessage, encodeEmptyMessage, MessageFormatError, MessageType } from './message';
import type { CoapMessage } from './message';
import { MessageHistory } from './message-history';
import type { RememberedMessage } from './message-history';
import { OutgoingRequests } from './outgoing-requests';
import { DEFAULT_LIMITS, DEFAULT_PARAMETERS } from './parameters';
import type { CoapLimits, TransmissionParameters } from './parameters';
import { transmit } from './stack-context';
import type { StackContext } from './stack-context';
import { newStatistics } from './statistics';
import type { CoapStatistics } from './statistics';
import { Transfers } from './transfers';
import type {
  AddressDoubt,
  CoapObservation,
  CoapRequest,
  CoapResponse,
  Observer,
  RequestHandler,
  RequestOptions,
} from './types';

export interface CoapStackOptions {
  readonly clock: Clock;
  /** Answers the requests of peers. */
  readonly handler: RequestHandler;
  /** Whose large answers have to wait for proof of the address; by default all are believed. */
  readonly doubt?: AddressDoubt;
  /** Observations are still to be restored: until then nobody is told that his notification is not known. */
  readonly isRestoring?: () => boolean;
  readonly log?: Log;
  readonly random?: RandomSource;
  readonly parameters?: Partial<TransmissionParameters>;
  readonly limits?: Partial<CoapLimits>;
}

/** The most lines a minute that the network can make us log. */
const LOG_LINES = 60;

/** A CoAP endpoint, server and client at once, over one or several transports. */
export class CoapStack {
  readonly #context: StackContext;
  readonly #history: MessageHistory;
  readonly #exchanges: Exchanges;
  readonly #transfers: Transfers;
  readonly #incoming: IncomingRequests;
  readonly #outgoing: OutgoingRequests;
  readonly #transports = new Set<Transport>();
  /** Channels with state, so that `close` finds them. */
  readonly #states = new Set<ChannelState>();
  readonly #isRestoring: () => boolean;
  #closed = false;

  constructor(options: CoapStackOptions) {
    this.#isRestoring = options.isRestoring ?? (() => false);
    this.#context = {
      clock: options.clock,
      wheel: new TimerWheel(options.clock),
      random: options.random ?? secureRandom,
      log: rateLimited(options.log ?? silentLog, options.clock, LOG_LINES),
      parameters: { ...DEFAULT_PARAMETERS, ...options.parameters },
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      statistics: newStatistics(),
      settled: (state) => this.#settled(state),
    };
    this.#history = new MessageHistory(this.#context);
    this.#exchanges = new Exchanges(this.#context, this.#history);
    this.#transfers = new Transfers(this.#context);
    this.#incoming = new IncomingRequests(
      this.#context,
      this.#history,
      this.#exchanges,
      this.#transfers,
      options.handler,
      options.doubt,
    );
    this.#outgoing = new OutgoingRequests(this.#context, this.#exchanges);
  }

  /** What was counted so far. */
  get statistics(): Readonly<CoapStatistics> {
    return this.#context.statistics;
  }

  /** How many channels hold state now. */
  get channels(): number {
    return this.#states.size;
  }

  /** The bytes counted for block-wise transfers of peers now. */
  get transferBytes(): number {
    return this.#transfers.bytes;
  }

  /**
   * Listens on a transport; may be called for several.
   * @throws {TransportError} the transport cannot be opened
   */
  async open(transport: Transport): Promise<void> {
    await transport.open({
      received: (channel, datagram) => this.#received(channel, datagram),
      closed: (channel) => this.#channelClosed(channel),
      failed: (error) => this.#context.log.error(`the network is in trouble: ${error.message}`),
    });
    this.#transports.add(transport);
  }

  /** Closes its transports. All open requests fail with CancelledError, all observations end with it. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const state of [...this.#states]) this.#drop(state, () => new CancelledError('the CoAP stack was closed'));
    this.#context.wheel.close();
    await Promise.all([...this.#transports].map((transport) => transport.close()));
    this.#transports.clear();
  }

  /**
   * Sends a request and waits for its response, with whole bodies both ways (RFC 7252 s5.2, RFC 7959).
   * A 4.xx or 5.xx is a response, not an error.
   * @throws {TimeoutError} no acknowledgement within MAX_TRANSMIT_WAIT, or no response after it
   * @throws {CancelledError} the signal was aborted or the stack closed
   * @throws {TransportError} the peer reset the request, its queue is full, or the channel is gone
   * @throws {CodecError} the request cannot be encoded, or the blocks of the response do not fit together
   */
  request(channel: Channel, request: CoapRequest, options: RequestOptions = {}): Promise<CoapResponse> {
    if (this.#closed) return Promise.reject(new CancelledError('the CoAP stack was closed'));
    return this.#outgoing.request(this.#stateOf(channel), request, options.signal);
  }

  /**
   * Sends a GET or FETCH with Observe=0 (RFC 7641 s3.1). There is no observation when the device answers an error or
   * does not observe.
   * @throws as `request`, and TransportError when the channel has all the observations that it may have
   */
  async observe(
    channel: Channel,
    request: CoapRequest,
    observer: Observer,
    options: RequestOptions = {},
  ): Promise<{ response: CoapResponse; observation?: CoapObservation }> {
    if (this.#closed) throw new CancelledError('the CoAP stack was closed');
    return await this.#outgoing.observe(this.#stateOf(channel), request, observer, options.signal);
  }

  /**
   * After a restart: accepts notifications with the token of an observation that was begun before. Nothing is sent.
   * @throws {TransportError} the channel has all the observations that it may have
   */
  restoreObservation(channel: Channel, token: Buffer, request: CoapRequest, observer: Observer): CoapObservation {
    if (this.#closed) throw new CancelledError('the CoAP stack was closed');
    // A copy: the token may be a view of something large.
    return this.#outgoing.observations.add(this.#stateOf(channel), Buffer.from(token), request, observer, true);
  }

  /**
   * A device's address has changed: its observations go on at the other channel, and the requests that wait for it are
   * sent there. A request under way stays and ends where it is: sent again it might be done twice.
   */
  moveChannel(from: Channel, to: Channel): void {
    if (this.#closed) return;
    const source = this.#stateOf(from);
    const target = this.#stateOf(to);
    if (source === target) return;
    this.#outgoing.observations.move(source, target);
    this.#exchanges.moveQueue(source, target);
    this.#settled(source);
    this.#settled(target);
  }

  /** The state of a channel. One that was released is found again by its address. */
  #stateOf(channel: Channel): ChannelState {
    if (channel.context instanceof ChannelState) return channel.context;
    // A DTLS session stays the same channel; at its address there may be somebody else by now.
    const current = channel.scheme === 'coaps' ? channel : (channel.transport.channel(channel.address) ?? channel);
    if (current.context instanceof ChannelState) return current.context;
    const state = new ChannelState(current);
    current.context = state;
    this.#states.add(state);
    return state;
  }

  /** Nothing that the network brings may stop the engine, so this is where an unforeseen error ends. */
  #received(channel: Channel, datagram: Buffer): void {
    if (this.#closed) return;
    this.#context.statistics.datagramsReceived += 1;
    try {
      this.#dispatch(channel, datagram);
    } catch (error) {
      this.#context.log.error(`a datagram of ${describe(channel)} could not be handled: ${describeError(error)}`);
    }
    // Nothing is kept for one who only said something that needs no memory.
    if (channel.context === undefined) channel.transport.release(channel);
  }

  #dispatch(channel: Channel, datagram: Buffer): void {
    let message: CoapMessage;
    try {
      message = decodeMessage(datagram);
    } catch (error) {
      if (!(error instanceof MessageFormatError)) throw error;
      this.#malformed(channel, error);
      return;
    }
    if (message.code === 0) this.#receiveEmpty(channel, message);
    else if (isRequestCode(message.code)) this.#receiveRequest(channel, message);
    else this.#receiveResponse(channel, message);
  }

  /** RFC 7252 s4.2, s4.3: a CON is rejected with RST, anything else ignored; so is another version (s3). */
  #malformed(channel: Channel, { type, messageId }: MessageFormatError): void {
    this.#context.statistics.malformed += 1;
    if (type === MessageType.CON && messageId !== undefined) this.#reset(channel, messageId);
  }

  /** An empty message: a ping, an acknowledgement or a reset. */
  #receiveEmpty(channel: Channel, { type, messageId }: CoapMessage): void {
    if (type === MessageType.CON) this.#reset(channel, messageId);
    if (type === MessageType.CON || type === MessageType.NON) return;
    const { statistics } = this.#context;
    const state = channel.context instanceof ChannelState ? channel.context : undefined;
    const exchange = state && this.#exchanges.findByMessageId(state, messageId);
    if (exchange === undefined) {
      statistics.unmatched += 1;
    } else if (type === MessageType.ACK) {
      this.#exchanges.acknowledged(exchange);
    } else {
      statistics.resetsReceived += 1;
      this.#exchanges.fail(
        exchange,
        new TransportError(`${describe(channel)} reset the request: it has no context for it`),
      );
    }
  }

  #receiveRequest(channel: Channel, message: CoapMessage): void {
    const state = this.#stateOf(channel);
    const heard = this.#history.find(state, message.messageId);
    if (heard === undefined) this.#incoming.receive(state, message);
    else this.#repeat(state, heard);
  }

  /** A message came again: the same reply goes out again, if there was one. */
  #repeat(state: ChannelState, { reply, messageId }: RememberedMessage): void {
    this.#context.statistics.duplicates += 1;
    if (reply === undefined) return;
    transmit(this.#context, state, typeof reply === 'object' ? reply : encodeEmptyMessage(reply, messageId));
  }

  /**
   * A response counts only from the channel that its request went to: an acknowledgement by message id and token, a
   * separate response or notification by its token (RFC 7252 s5.3.2).
   */
  #receiveResponse(channel: Channel, message: CoapMessage): void {
    const state = channel.context instanceof ChannelState ? channel.context : undefined;
    if (state === undefined) {
      this.#unknownResponse(channel, message);
      return;
    }
    const byToken = this.#exchanges.findByToken(state, message.token);
    if (message.type === MessageType.ACK) {
      if (byToken !== undefined && byToken.messageId === message.messageId) this.#finish(byToken, message);
      else this.#context.statistics.unmatched += 1;
      return;
    }
    const confirmable = message.type === MessageType.CON;
    const heard = confirmable ? this.#history.find(state, message.messageId) : undefined;
    if (heard !== undefined) {
      this.#repeat(state, heard);
      return;
    }
    const observation = this.#outgoing.observations.find(state, message.token);
    if (byToken === undefined && observation === undefined) {
      this.#unknownResponse(channel, message);
      return;
    }
    const acceptable = message.options.unknownCritical === undefined;
    if (confirmable) this.#settleResponse(state, message.messageId, acceptable ? MessageType.ACK : MessageType.RST);
    if (byToken !== undefined) this.#finish(byToken, message);
    else if (acceptable && observation !== undefined) this.#outgoing.observations.receive(observation, message);
  }

  /** Remembers a CON response and acknowledges it, or rejects it with RST. */
  #settleResponse(state: ChannelState, messageId: number, reply: MessageType.ACK | MessageType.RST): void {
    this.#history.setReply(this.#history.add(state, messageId), reply);
    if (reply === MessageType.RST) this.#context.statistics.resetsSent += 1;
    transmit(this.#context, state, encodeEmptyMessage(reply, messageId));
  }

  #finish(exchange: Exchange, message: CoapMessage): void {
    const { unknownCritical, observe } = message.options;
    if (unknownCritical !== undefined) {
      const peer = describe(exchange.state.channel);
      const error = new TransportError(
        `${peer} answered with the unknown critical option ${unknownCritical.join(', ')}`,
      );
      this.#exchanges.fail(exchange, error);
      return;
    }
    // A notification that was under way when we asked for the end of them is not the answer.
    const late = exchange.purpose === 'cancel-observation' && observe !== undefined;
    if (late && message.type !== MessageType.ACK) this.#context.statistics.staleNotifications += 1;
    else this.#exchanges.finish(exchange, message);
  }

  /**
   * A response to nothing of ours. RST tells the peer, and ends an observation that we know nothing of (RFC 7641 s3.2);
   * a late NON response is let be.
   */
  #unknownResponse(channel: Channel, message: CoapMessage): void {
    this.#context.statistics.unmatched += 1;
    const isNotification = message.options.observe !== undefined;
    // A notification that has to be acknowledged comes again.
    if (isNotification && this.#isRestoring()) return;
    if (message.type === MessageType.CON || (message.type === MessageType.NON && isNotification)) {
      this.#reset(channel, message.messageId);
    }
  }

  #reset(channel: Channel, messageId: number): void {
    this.#context.statistics.resetsSent += 1;
    this.#context.statistics.datagramsSent += 1;
    channel.send(encodeEmptyMessage(MessageType.RST, messageId));
  }

  #channelClosed(channel: Channel): void {
    if (!(channel.context instanceof ChannelState)) return;
    this.#drop(channel.context, () => new TransportError(`the channel to ${describe(channel)} is gone`));
  }

  /** Ends all that a channel has under way. */
  #drop(state: ChannelState, reason: () => Lwm2mError): void {
    state.closed = true;
    this.#states.delete(state);
    state.channel.context = undefined;
    this.#exchanges.failAll(state, reason);
    this.#outgoing.observations.endAll(state, reason);
    this.#transfers.dropAll(state);
    this.#history.forgetChannel(state);
  }

  /** Drops the state of a channel that holds nothing more, and lets its transport have the channel back. */
  #settled(state: ChannelState): void {
    if (state.closed || !state.isIdle) return;
    state.closed = true;
    this.#states.delete(state);
    state.channel.context = undefined;
    state.channel.transport.release(state.channel);
  }
}
