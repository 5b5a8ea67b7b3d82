import { codeName, CoapCode } from './codes';
import { BlockwiseReceiver, failure } from './blockwise-receiver';
import { BlockwiseSender } from './blockwise-sender';
import { describe } from './channel-state';
import type { ChannelState } from './channel-state';
import type { Exchanges } from './exchange';
import { encodeEmptyMessage, encodeMessage, MessageType, NO_BYTES } from './message';
import type { CoapMessage } from './message';
import type { MessageHistory, RememberedMessage } from './message-history';
import type { CoapOptions } from './options';
import { SMALL_PAYLOAD, smallResponse } from './small-response';
import { transmit } from './stack-context';
import type { StackContext } from './stack-context';
import type { Transfers } from './transfers';
import type { AddressDoubt, HandlerResponse, IncomingRequest, RequestHandler } from './types';
import { describeError, escapeForLog } from '../util/log';
import type { WheelTimer } from '../util/timer-wheel';

/** What an overloaded server asks its peer to wait, s. */
const RETRY_AFTER = 10;

/** A request of a peer until its response is out. */
interface Open {
  readonly state: ChannelState;
  readonly message: CoapMessage;
  readonly remembered: RememberedMessage;
  /** Options as the response must follow them: those of the first block where there were several. */
  options: CoapOptions;
  /** Whether an empty acknowledgement has gone ahead. */
  acknowledged: boolean;
  timer: WheelTimer | undefined;
}

/** The server's side: answers each request of a peer once (RFC 7252 s4.2, s4.5, s5.2). */
export class IncomingRequests {
  readonly #context: StackContext;
  readonly #history: MessageHistory;
  readonly #exchanges: Exchanges;
  readonly #handler: RequestHandler;
  readonly #doubt: AddressDoubt | undefined;
  readonly #receiver: BlockwiseReceiver;
  readonly #sender: BlockwiseSender;
  #handling = 0;

  constructor(
    context: StackContext,
    history: MessageHistory,
    exchanges: Exchanges,
    transfers: Transfers,
    handler: RequestHandler,
    doubt: AddressDoubt | undefined,
  ) {
    this.#context = context;
    this.#history = history;
    this.#exchanges = exchanges;
    this.#handler = handler;
    this.#doubt = doubt;
    this.#receiver = new BlockwiseReceiver(transfers, context.limits);
    this.#sender = new BlockwiseSender(transfers, context.limits);
  }

  /** Takes a request that was not heard before. */
  receive(state: ChannelState, message: CoapMessage): void {
    const { options } = message;
    const remembered = this.#history.add(state, message.messageId);
    // RFC 7252 s5.4.1: a NON request with an unknown critical option is rejected, here in silence.
    if (options.unknownCritical !== undefined && message.type === MessageType.NON) return;
    const open: Open = { state, message, remembered, options, acknowledged: false, timer: undefined };
    const early = refusal(options) ?? this.#laterBlock(open);
    if (early !== undefined) {
      this.#respond(open, early);
      return;
    }
    if (options.block1 === undefined) {
      this.#handle(open, message.payload);
      return;
    }
    const received = this.#receiver.receive(state, message, options.block1);
    if (received.complete) {
      open.options = received.options;
      this.#handle(open, received.payload);
    } else {
      this.#respond(open, received.response);
    }
  }

  /** A block after the first of a response given before. */
  #laterBlock({ state, message, options }: Open): HandlerResponse | undefined {
    const asked = options.block2;
    if (asked === undefined) return undefined;
    if (asked.szx === 7) return failure(CoapCode.BadRequest, 'block size exponent 7 is reserved');
    if (asked.num === 0 || options.block1 !== undefined) return undefined;
    const next = this.#sender.next(state, { code: message.code, options }, asked);
    if (next !== undefined) return next;
    // Reading twice does no harm; anything else would be done twice.
    const mayRepeat = message.code === CoapCode.GET || message.code === CoapCode.FETCH;
    return mayRepeat ? undefined : failure(CoapCode.RequestEntityIncomplete, 'the blocks before it are not here');
  }

  #handle(open: Open, payload: Buffer): void {
    const { state, message, options } = open;
    const { statistics, limits } = this.#context;
    if (state.handling >= limits.handledRequests || this.#handling >= limits.handledRequestsTotal) {
      statistics.overloaded += 1;
      this.#respond(open, failure(CoapCode.ServiceUnavailable, 'too many requests', { maxAge: RETRY_AFTER }));
      return;
    }
    statistics.requestsReceived += 1;
    const confirmable = message.type === MessageType.CON;
    const request: IncomingRequest = { channel: state.channel, code: message.code, options, payload, confirmable };
    let result: HandlerResponse | Promise<HandlerResponse>;
    try {
      result = this.#handler(request);
    } catch (error) {
      this.#failed(open, error);
      return;
    }
    if (result instanceof Promise) this.#await(open, result);
    else this.#answer(open, result);
  }

  #await(open: Open, result: Promise<HandlerResponse>): void {
    const { wheel, parameters } = this.#context;
    this.#handling += 1;
    open.state.handling += 1;
    if (open.message.type === MessageType.CON) {
      open.timer = wheel.schedule(parameters.separateResponseDelay, () => this.#acknowledge(open));
    }
    result.then(
      (response) => {
        this.#ended(open);
        this.#answer(open, response);
      },
      (error: unknown) => {
        this.#ended(open);
        this.#failed(open, error);
      },
    );
  }

  #ended({ state, timer }: Open): void {
    timer?.cancel();
    this.#handling -= 1;
    state.handling -= 1;
  }

  /** The handler answered; a large body goes in blocks, and the last block of the request is acknowledged. */
  #answer(open: Open, response: HandlerResponse): void {
    try {
      const { options } = open;
      const request = { code: open.message.code, options };
      const block = this.#sender.first(open.state, request, this.#bounded(open, response));
      const { block1 } = options;
      this.#respond(open, block1 === undefined ? block : { ...block, options: { ...block.options, block1 } });
    } catch (error) {
      // A response that no message can carry is the handler's fault like an exception.
      this.#failed(open, error);
    }
    this.#context.settled(open.state);
  }

  #failed(open: Open, error: unknown): void {
    this.#context.statistics.handlerErrors += 1;
    const { code, options } = open.message;
    const path = escapeForLog((options.uriPath ?? []).join('/'));
    const what = `${codeName(code)} /${path} of ${describe(open.state.channel)}`;
    this.#context.log.error(`${what} failed: ${describeError(error)}`);
    this.#respond(open, { code: CoapCode.InternalServerError });
    this.#context.settled(open.state);
  }

  /** The handler takes its time: tell the peer that the request is here (RFC 7252 s5.2.2). */
  #acknowledge(open: Open): void {
    open.acknowledged = true;
    this.#history.setReply(open.remembered, MessageType.ACK);
    transmit(this.#context, open.state, encodeEmptyMessage(MessageType.ACK, open.message.messageId));
  }

  /** The response, or a small one when it would be a large one to somebody who may not have asked. */
  #bounded({ state, message }: Open, response: HandlerResponse): HandlerResponse {
    const { payload } = response;
    if (this.#doubt === undefined || payload === undefined || payload.length <= SMALL_PAYLOAD) return response;
    const echo = this.#doubt(state.channel, message.options.echo);
    return echo === undefined ? response : smallResponse(response, echo);
  }

  #respond(open: Open, response: HandlerResponse): void {
    const { state, message } = open;
    if (state.closed) return;
    const confirmable = message.type === MessageType.CON;
    if (isUnwanted(response.code, message.options.noResponse)) {
      if (confirmable && !open.acknowledged) this.#acknowledge(open);
      return;
    }
    const { token } = message;
    const { code, options = {}, payload = NO_BYTES } = this.#bounded(open, response);
    if (open.acknowledged) {
      this.#exchanges.respond(state, { type: MessageType.CON, code, token, options, payload }, SEPARATE_RESPONSE);
      return;
    }
    const type = confirmable ? MessageType.ACK : MessageType.NON;
    const messageId = confirmable ? message.messageId : this.#exchanges.nextMessageId(state);
    if (messageId === undefined) return;
    const datagram = encodeMessage({ type, code, messageId, token, options, payload });
    // A duplicate of a NON request is ignored in silence (RFC 7252 s4.3).
    if (confirmable) this.#history.setReply(open.remembered, datagram);
    transmit(this.#context, state, datagram);
  }
}

/** Nobody waits for the end of a separate response; losing it is counted among the timeouts. */
const SEPARATE_RESPONSE = { finished() {}, failed() {} };

/** Why a request is refused before anyone looks at it. */
function refusal(options: CoapOptions): HandlerResponse | undefined {
  if (options.unknownCritical !== undefined) {
    return failure(CoapCode.BadOption, `unknown critical option ${options.unknownCritical.join(', ')}`);
  }
  if (options.proxyUri !== undefined || options.proxyScheme !== undefined) {
    return failure(CoapCode.ProxyingNotSupported, 'this is no proxy');
  }
  return undefined;
}

/** RFC 7967 s2.1: the second bit of No-Response stands for class 2, the fourth for 4, the fifth for 5. */
function isUnwanted(code: number, noResponse: number | undefined): boolean {
  // A transfer in blocks cannot go on without its 2.31.
  return noResponse !== undefined && code !== CoapCode.Continue && (noResponse & (1 << ((code >> 5) - 1))) !== 0;
}
