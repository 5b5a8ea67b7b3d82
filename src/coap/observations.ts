import { Lwm2mError, TransportError } from '../errors';
import { describeError } from '../util/log';
import { isPartial } from './blockwise-client';
import { describe } from './channel-state';
import type { ChannelState } from './channel-state';
import { formatCode, isSuccess } from './codes';
import type { CoapMessage } from './message';
import { Observation } from './observation';
import type { ObservationHolder } from './observation';
import type { StackContext } from './stack-context';
import type { CoapRequest, CoapResponse, Observer } from './types';

/** How the observations reach their devices. */
export interface ObservationRequests {
  /** Fetches the further blocks of a notification. */
  fetchRest(state: ChannelState, request: CoapRequest, first: CoapMessage): Promise<CoapResponse>;
  /** Sends the GET with Observe=1 of this token and waits for its response. */
  cancel(state: ChannelState, request: CoapRequest, token: Buffer): Promise<void>;
}

/** The observations of all channels, found by the token of a notification. */
export class Observations implements ObservationHolder {
  readonly #context: StackContext;
  readonly #requests: ObservationRequests;

  constructor(context: StackContext, requests: ObservationRequests) {
    this.#context = context;
    this.#requests = requests;
  }

  /** @throws {TransportError} the channel has all the observations that it may have, or is gone */
  add(state: ChannelState, token: Buffer, request: CoapRequest, observer: Observer, holds: boolean): Observation {
    if (state.closed) throw new TransportError(`the channel to ${describe(state.channel)} is gone`);
    const limit = this.#context.limits.observations;
    if (state.observations !== undefined && state.observations.size >= limit) {
      throw new TransportError(`${describe(state.channel)} has ${limit} observations already`);
    }
    const observation = new Observation(this, state, token, request, observer, holds);
    this.#list(state).set(tokenKey(token), observation);
    return observation;
  }

  find(state: ChannelState, token: Buffer): Observation | undefined {
    return state.observations?.get(tokenKey(token));
  }

  drop(observation: Observation): void {
    const { state, token } = observation;
    if (state.observations?.get(tokenKey(token)) === observation) state.observations.delete(tokenKey(token));
    this.#context.settled(state);
  }

  async cancelByGet(observation: Observation): Promise<void> {
    const { state, request, token } = observation;
    await this.#requests.cancel(state, { ...request, options: { ...request.options, observe: 1 } }, token);
  }

  observerFailed(observation: Observation, error: unknown): void {
    this.#context.log.error(`an observer of ${describe(observation.channel)} failed: ${describeError(error)}`);
  }

  /** Takes a notification (RFC 7641 s3.2); a body of several blocks is fetched before the observer hears of it. */
  receive(observation: Observation, message: CoapMessage): void {
    const { statistics, clock } = this.#context;
    statistics.notifications += 1;
    const { observe } = message.options;
    const response = toResponse(message);
    if (!isSuccess(message.code)) {
      observation.end(response);
    } else if (observe === undefined) {
      // The device has ended it, and this is the last state it tells of (RFC 7641 s4.2).
      if (!isPartial(message)) observation.notify(response);
      observation.end(response);
    } else if (observation.isFresh(observe, clock.monotonic())) {
      this.#deliver(observation, message);
    } else {
      statistics.staleNotifications += 1;
    }
  }

  /** All observations of one channel go on at another. */
  move(from: ChannelState, to: ChannelState): void {
    for (const observation of from.observations?.values() ?? []) {
      observation.state = to;
      this.#list(to).set(tokenKey(observation.token), observation);
    }
    from.observations = undefined;
  }

  /** All observations of a channel end. */
  endAll(state: ChannelState, reason: () => Lwm2mError): void {
    for (const observation of [...(state.observations?.values() ?? [])]) observation.end(reason());
  }

  #list(state: ChannelState): Map<string, Observation> {
    state.observations ??= new Map();
    return state.observations;
  }

  #deliver(observation: Observation, message: CoapMessage): void {
    if (isPartial(message)) void this.#fetch(observation, message);
    else observation.notify(toResponse(message));
  }

  async #fetch(observation: Observation, first: CoapMessage): Promise<void> {
    const { generation } = observation;
    try {
      const whole = await this.#requests.fetchRest(observation.state, observation.request, first);
      if (observation.generation !== generation || observation.isOver) return;
      if (isSuccess(whole.code)) observation.notify(whole);
      else this.#lost(observation, `the device answered ${formatCode(whole.code)}`);
    } catch (error) {
      if (!(error instanceof Lwm2mError)) throw error;
      this.#lost(observation, error.message);
    }
  }

  #lost(observation: Observation, reason: string): void {
    const from = describe(observation.channel);
    this.#context.log.warn(`a notification of ${from} was lost: its further blocks did not come: ${reason}`);
  }
}

/** A token as a key; bytes are characters. */
function tokenKey(token: Buffer): string {
  return token.toString('latin1');
}

/** What of a message is the response to a request. */
export function toResponse({ code, options, payload }: CoapMessage): CoapResponse {
  return { code, options, payload };
}
