import { TransportError } from '../errors';
import { fetchRest, isPartial, sendInBlocks, wantsBlocks } from './blockwise-client';
import type { SendOne } from './blockwise-client';
import { describe } from './channel-state';
import type { ChannelState } from './channel-state';
import { isSuccess } from './codes';
import { cancelledBy } from './exchange';
import type { Exchange, ExchangePurpose, Exchanges } from './exchange';
import { MessageType, NO_BYTES } from './message';
import type { CoapMessage } from './message';
import type { Observation } from './observation';
import { Observations, toResponse } from './observations';
import type { StackContext } from './stack-context';
import type { CoapObservation, CoapRequest, CoapResponse, Observer } from './types';

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
        await this.#exchange(state, request, token, undefined, 'cancel-observation');
      },
    });
  }

  async request(state: ChannelState, request: CoapRequest, signal?: AbortSignal): Promise<CoapResponse> {
    state.requesting += 1;
    try {
      const token = this.#newToken();
      const response = await this.#sendBody(state, request, token, signal);
      if (!isPartial(response)) return toResponse(response);
      return await this.#fetchRest(state, request, token, response, signal);
    } finally {
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
    return await fetchRest(this.#sender(state, signal), request, token, first, this.#context.limits);
  }

  /** Sends a request, in blocks when it is long or when the peer asks for blocks. */
  async #sendBody(
    state: ChannelState,
    request: CoapRequest,
    token: Buffer,
    signal?: AbortSignal,
  ): Promise<CoapMessage> {
    const largest = this.#context.limits.blockSize;
    if ((request.payload?.length ?? 0) > largest) return await this.#upload(state, request, token, largest, signal);
    const response = await this.#exchange(state, request, token, signal);
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
      return await sendInBlocks(this.#sender(state, signal), request, token, largest);
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

  #sender(state: ChannelState, signal?: AbortSignal): SendOne {
    return (request, token) => this.#exchange(state, request, token, signal);
  }

  /** One message and its response. */
  #exchange(
    state: ChannelState,
    request: CoapRequest,
    token: Buffer,
    signal?: AbortSignal,
    purpose: ExchangePurpose = 'request',
  ): Promise<CoapMessage> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(cancelledBy(signal));
        return;
      }
      let exchange: Exchange | undefined = undefined;
      const abort = () => {
        if (exchange !== undefined && signal !== undefined) this.#exchanges.fail(exchange, cancelledBy(signal));
      };
      const type = request.confirmable === false ? MessageType.NON : MessageType.CON;
      const { code, options, payload = NO_BYTES } = request;
      exchange = this.#exchanges.submit(state, { type, code, token, options, payload }, purpose, {
        finished: (message) => {
          signal?.removeEventListener('abort', abort);
          if (message === undefined) reject(new TransportError(`${describe(state.channel)} sent no response`));
          else resolve(message);
        },
        failed: (error) => {
          signal?.removeEventListener('abort', abort);
          reject(error);
        },
      });
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}
