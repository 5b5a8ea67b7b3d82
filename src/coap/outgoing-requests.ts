import { TransportError } from '../errors';
import { fetchRest, isPartial, sendInBlocks, wantsBlocks } from './blockwise-client';
import type { SendOne } from './blockwise-client';
import { describe } from './channel-state';
import type { ChannelState } from './channel-state';
import { isSuccess } from './codes';
import { cancelledBy } from './exchange';
import type { Exchange, ExchangeOwner, ExchangePurpose, Exchanges } from './exchange';
import { MessageType, NO_BYTES } from './message';
import type { CoapMessage } from './message';
import type { Observation } from './observation';
import { Observations, toResponse } from './observations';
import type { StackContext } from './stack-context';
import type { CoapObservation, CoapRequest, CoapResponse, Observer } from './types';

interface ExchangeOptions {
  readonly signal?: AbortSignal;
  readonly purpose?: ExchangePurpose;
  /** It is for a further block of a body under way. */
  readonly continues?: boolean;
}

/** The client's side: requests with whole bodies both ways, and the observations that they begin. */
export class OutgoingRequests {
  readonly observations: Observations;
  readonly #context: StackContext;
  readonly #exchanges: Exchanges;

  constructor(context: StackContext, exchanges: Exchanges) {
    this.#context = context;
    this.#exchanges = exchanges;
    this.observations = new Observations(context, {
      fetchRest: (state, request, first) => this.#fetchRest(state, request, this.#newToken(), first),
      cancel: async (state, request, token) => {
        try {
          const last = await this.#exchange(state, request, token, { purpose: 'cancel-observation' });
          // Nobody wants the value, but there are clients that answer all else with 5.03 until it was fetched.
          if (isPartial(last)) await this.#fetchRest(state, request, this.#newToken(), last);
        } finally {
          exchanges.release(token);
        }
      },
    });
  }

  /** Sends a request and waits for its response. Most are one message each way, and take one promise. */
  request(state: ChannelState, request: CoapRequest, signal?: AbortSignal): Promise<CoapResponse> {
    const token = this.#newToken();
    state.requesting += 1;
    if (this.#isLong(request)) return this.#requestInBlocks(state, request, token, signal);
    return new Promise((resolve, reject) => {
      const finished = (message: CoapMessage): void => {
        if (isPartial(message) || wantsBlocks(message, request)) {
          resolve(this.#requestInBlocks(state, request, token, signal, message));
          return;
        }
        this.#exchanges.release(token);
        state.requesting -= 1;
        resolve(toResponse(message));
      };
      const failed = (error: Error): void => {
        state.requesting -= 1;
        this.#context.settled(state);
        reject(error);
      };
      this.#submit(state, request, token, { signal }, finished, failed);
    });
  }

  /** @param first the response to the request as a whole, which turned out to need blocks. */
  async #requestInBlocks(
    state: ChannelState,
    request: CoapRequest,
    token: Buffer,
    signal: AbortSignal | undefined,
    first?: CoapMessage,
  ): Promise<CoapResponse> {
    try {
      const response = await this.#sendBody(state, request, token, signal, first);
      if (!isPartial(response)) return toResponse(response);
      return await this.#fetchRest(state, request, token, response, signal);
    } finally {
      this.#exchanges.release(token);
      state.requesting -= 1;
      this.#context.settled(state);
    }
  }

  async observe(
    state: ChannelState,
    request: CoapRequest,
    observer: Observer,
    signal?: AbortSignal,
  ): Promise<{ response: CoapResponse; observation?: CoapObservation }> {
    const token = this.#newToken();
    // It is there before the request is sent: a notification may come right behind the response.
    const observation = this.observations.add(state, token, request, observer, false);
    let held: Observation | undefined;
    state.requesting += 1;
    try {
      const asking = { ...request, options: { ...request.options, observe: 0 } };
      const message = await this.#sendBody(state, asking, token, signal);
      const { observe } = message.options;
      const holds = observe !== undefined && isSuccess(message.code);
      if (holds) observation.isFresh(observe, this.#context.clock.monotonic());
      const response = isPartial(message)
        ? await this.#fetchRest(observation.state, request, this.#newToken(), message, signal)
        : toResponse(message);
      if (!holds) return { response };
      held = observation;
      observation.answered();
      return { response, observation };
    } finally {
      if (held === undefined) observation.forget();
      this.#exchanges.release(token);
      state.requesting -= 1;
      this.#context.settled(state);
    }
  }

  /** 8 random bytes: not to be guessed, and not to be met twice (RFC 7252 s5.3.1). */
  #newToken(): Buffer {
    const token = Buffer.allocUnsafe(8);
    token.writeUInt32BE(this.#context.random.uint32(), 0);
    token.writeUInt32BE(this.#context.random.uint32(), 4);
    return token;
  }

  async #fetchRest(
    state: ChannelState,
    request: CoapRequest,
    token: Buffer,
    first: CoapMessage,
    signal?: AbortSignal,
  ): Promise<CoapResponse> {
    const send: SendOne = (next, nextToken) => this.#exchange(state, next, nextToken, { signal, continues: true });
    try {
      return await fetchRest(send, request, token, first, this.#context.limits);
    } finally {
      this.#exchanges.release(token);
    }
  }

  #isLong({ payload }: CoapRequest): boolean {
    return payload !== undefined && payload.length > this.#context.limits.blockSize;
  }

  /**
   * Sends a request, in blocks when it is long or when the peer asks for blocks.
   * @param first the response to it, if it was sent as a whole already.
   */
  async #sendBody(
    state: ChannelState,
    request: CoapRequest,
    token: Buffer,
    signal?: AbortSignal,
    first?: CoapMessage,
  ): Promise<CoapMessage> {
    const largest = this.#context.limits.blockSize;
    if (this.#isLong(request)) return await this.#upload(state, request, token, largest, signal);
    const response = first ?? (await this.#exchange(state, request, token, { signal }));
    if (!wantsBlocks(response, request)) return response;
    const size = Math.min(largest, 1 << ((response.options.block1?.szx ?? 0) + 4));
    return await this.#upload(state, request, token, size, signal);
  }

  /** One body at a time for each channel: blocks of two for the same resource could not be told apart. */
  async #upload(
    state: ChannelState,
    request: CoapRequest,
    token: Buffer,
    largest: number,
    signal?: AbortSignal,
  ): Promise<CoapMessage> {
    const before = state.upload;
    const upload = (async () => {
      await before;
      return await sendInBlocks(this.#uploader(state, signal), request, token, largest);
    })();
    // Whoever comes next waits for the end, good or bad; the caller hears which.
    const done = upload.then(
      () => undefined,
      () => undefined,
    );
    state.upload = done;
    try {
      return await upload;
    } finally {
      if (state.upload === done) state.upload = undefined;
    }
  }

  /** For the blocks of an upload: the first waits its turn, and the others follow it. */
  #uploader(state: ChannelState, signal?: AbortSignal): SendOne {
    return (request, token) => {
      const continues = (request.options.block1?.num ?? 0) > 0;
      return this.#exchange(state, request, token, { signal, continues });
    };
  }

  /** One message and its response. */
  #exchange(state: ChannelState, request: CoapRequest, token: Buffer, options: ExchangeOptions): Promise<CoapMessage> {
    return new Promise((resolve, reject) => this.#submit(state, request, token, options, resolve, reject));
  }

  /** Sends one message; one of the two is called once, at the latest when the message is given up. */
  #submit(
    state: ChannelState,
    request: CoapRequest,
    token: Buffer,
    { signal, purpose = 'request', continues }: ExchangeOptions,
    finished: (message: CoapMessage) => void,
    failed: (error: Error) => void,
  ): void {
    if (signal?.aborted === true) {
      failed(cancelledBy(signal));
      return;
    }
    const type = request.confirmable === false ? MessageType.NON : MessageType.CON;
    const { code, options, payload = NO_BYTES } = request;
    const message: CoapMessage = { type, code, messageId: 0, token, options, payload };
    let stopListening: (() => void) | undefined = undefined;
    const owner: ExchangeOwner = {
      finished: (response) => {
        stopListening?.();
        if (response === undefined) failed(new TransportError(`${describe(state.channel)} sent no response`));
        else finished(response);
      },
      failed: (error) => {
        stopListening?.();
        failed(error);
      },
    };
    let exchange: Exchange;
    try {
      exchange = this.#exchanges.submit(state, message, purpose, owner, continues);
    } catch (error) {
      failed(error as Error);
      return;
    }
    if (signal === undefined) return;
    const abort = () => this.#exchanges.fail(exchange, cancelledBy(signal));
    stopListening = () => signal.removeEventListener('abort', abort);
    signal.addEventListener('abort', abort, { once: true });
  }
}
