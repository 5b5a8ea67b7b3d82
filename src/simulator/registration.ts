import { CancelledError, ResponseError, type Lwm2mError, TimeoutError, TransportError } from '../errors';
import type { Clock, Timer } from '../util/clock';
import type { OutgoingRequest, ServerResponse } from './coap-messages';
import type { CoapPort } from './coap-port';
import type { Modem } from './modem';

/** Times of a device's conversation with its server. */
export interface RegistrationTiming {
  /** ms to wait for an answer: as long as a confirmable message is repeated (RFC 7252 s4.8.2, without jitter). */
  readonly requestTimeout: number;
  /** ms before the first repetition of a failed Register; each further one waits twice as long. */
  readonly firstRetry: number;
  /** ms that the wait never exceeds. */
  readonly lastRetry: number;
}

export const DEFAULT_TIMING: RegistrationTiming = { requestTimeout: 31_000, firstRetry: 2_000, lastRetry: 60_000 };

export interface RegistrationContext {
  readonly clock: Clock;
  readonly random: () => number;
  readonly timing: RegistrationTiming;
  readonly port: CoapPort;
  readonly modem: Modem;
  /** s between two updates; without it as many as the lifetime asks for. */
  readonly updateInterval?: number;
  /** Uri-Query of a Register. */
  registerQuery(): string[];
  /** s; 0 is for ever. */
  lifetime(): number;
  links(): Buffer;
  /** Something is to be said: a device that sleeps wakes. */
  wake(): void;
  /** Nothing of the old registration holds any more: observations are void. */
  onVoid(): void;
  onRegistered(location: string): void;
  onUpdated(): void;
  onDeregistered(): void;
  onFailed(error: Lwm2mError): void;
  /** A fault of our own, after which the device does nothing more. */
  onFault(error: unknown): void;
}

interface Absence {
  /** On the monotonic clock, once it has begun. */
  until?: number;
  readonly duration: number;
  readonly deregister: boolean;
}

/** The most that a timer can wait. */
const LONGEST_SLEEP = 2 ** 31 - 1;

const LINK_FORMAT = 40;

/**
 * Keeps a device registered (LwM2M Core 1.1 s6.2): registers, updates before the lifetime ends, registers anew when the
 * server has forgotten it, retries with growing waits when the server is gone. One loop decides what is next;
 * everything else only sets what it looks at and wakes it.
 */
export class Registration {
  readonly #context: RegistrationContext;
  #location: readonly string[] | undefined;
  #updateAt = Infinity;
  #retryAt = 0;
  #failures = 0;
  #lifetimeTold = 0;
  #linksChanged = false;
  #absence: Absence | undefined;
  #stopping = false;
  #exchange = new AbortController();
  #sleeper: { timer: Timer | undefined; wake: () => void } | undefined;
  #loop: Promise<void> | undefined;

  constructor(context: RegistrationContext) {
    this.#context = context;
  }

  get registered(): boolean {
    return this.#location !== undefined;
  }

  start(): void {
    this.#loop ??= this.#run().catch((error: unknown) => this.#context.onFault(error));
  }

  /** De-registers and ends. @param timeout ms that the server has to answer */
  async stop(timeout: number): Promise<void> {
    this.#stopping = true;
    this.#interrupt();
    await this.#loop;
    if (this.#location && !this.#context.modem.isSilent('vanished')) await this.#deregister(timeout);
  }

  /** Sends an Update now: the server has asked for one. */
  update(): void {
    this.#updateAt = 0;
    this.#wake();
  }

  /** An object instance came or went: the next Update tells, and is sent now. */
  linksChanged(): void {
    this.#linksChanged = true;
    this.update();
  }

  /** Leaves for `duration` ms and registers again after it. */
  leave(duration: number, deregister: boolean): void {
    this.#absence = { duration, deregister };
    this.#wake();
  }

  /** Neither hears nor says anything, until `comeBack`. */
  vanish(): void {
    this.#context.modem.silence('vanished');
    this.#interrupt();
  }

  /** Is there again, and tells the server so. @param anew when the session is lost that the registration was made over */
  comeBack(anew: boolean): void {
    if (anew) this.#location = undefined;
    this.#context.modem.end('vanished');
    this.#retryAt = 0;
    this.update();
  }

  /** The server has ended the session that the registration was made over: a new one is made with a new registration. */
  sessionLost(error: TransportError): void {
    this.#location = undefined;
    this.#backOff();
    this.#context.onFailed(error);
    this.#interrupt();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) await this.#step();
  }

  #step(): Promise<void> {
    const now = this.#context.clock.monotonic();
    if (this.#context.modem.isSilent('vanished')) return this.#sleep(LONGEST_SLEEP);
    if (this.#absence) return this.#beAbsent(this.#absence, now);
    if (now < this.#retryAt) return this.#sleep(this.#retryAt - now);
    if (!this.#location) return this.#register();
    if (now >= this.#updateAt) return this.#update(this.#location);
    return this.#sleep(this.#updateAt - now);
  }

  async #register(): Promise<void> {
    this.#context.onVoid();
    this.#linksChanged = false;
    this.#lifetimeTold = this.#context.lifetime();
    const response = await this.#send({
      method: 'POST',
      path: ['rd'],
      query: this.#context.registerQuery(),
      contentFormat: LINK_FORMAT,
      payload: this.#context.links(),
    });
    if (response === undefined) return;
    if (response.code !== '2.01' || response.locationPath.length === 0) return this.#refused(response);
    this.#failures = 0;
    this.#location = response.locationPath;
    this.#planUpdate(this.#context.clock.monotonic());
    this.#context.onRegistered(`/${response.locationPath.join('/')}`);
  }

  async #update(location: readonly string[]): Promise<void> {
    const lifetime = this.#context.lifetime();
    const links = this.#linksChanged ? this.#context.links() : undefined;
    this.#linksChanged = false;
    const response = await this.#send({
      method: 'POST',
      path: location,
      query: lifetime === this.#lifetimeTold ? [] : [`lt=${lifetime}`],
      ...(links && { contentFormat: LINK_FORMAT, payload: links }),
    });
    if (links && response?.code !== '2.04') this.#linksChanged = true;
    if (response === undefined) return;
    if (response.code === '2.04') {
      this.#failures = 0;
      this.#lifetimeTold = lifetime;
      this.#planUpdate(this.#context.clock.monotonic());
      return this.#context.onUpdated();
    }
    // Told to wait, the registration stands; else it is gone (4.04) or not ours, and a new one is made at once.
    if (response.code === '5.03') return this.#refused(response);
    this.#location = undefined;
  }

  async #beAbsent(absence: Absence, now: number): Promise<void> {
    if (absence.until === undefined) {
      if (this.#location && absence.deregister) await this.#deregister(this.#context.timing.requestTimeout);
      this.#location = undefined;
      this.#context.onVoid();
      this.#context.modem.silence('absent');
      this.#context.port.reset();
      absence.until = this.#context.clock.monotonic() + absence.duration;
    } else if (now < absence.until) {
      await this.#sleep(absence.until - now);
    } else {
      this.#absence = undefined;
      this.#retryAt = 0;
      this.#context.modem.end('absent');
    }
  }

  async #deregister(timeout: number): Promise<void> {
    const location = this.#location ?? [];
    this.#location = undefined;
    this.#context.wake();
    this.#exchange = new AbortController();
    try {
      const request = { method: 'DELETE', path: location } as const;
      const response = await this.#context.port.request(request, timeout, this.#exchange.signal);
      if (response.code === '2.02') this.#context.onDeregistered();
      else this.#context.onFailed(responseError(response));
    } catch (error) {
      this.#context.onFailed(communicationError(error));
    }
  }

  /** The answer, or undefined when there was none: then the next try is planned already. */
  async #send(request: OutgoingRequest): Promise<ServerResponse | undefined> {
    this.#exchange = new AbortController();
    this.#context.wake();
    try {
      return await this.#context.port.request(request, this.#context.timing.requestTimeout, this.#exchange.signal);
    } catch (error) {
      const reason = communicationError(error);
      if (reason instanceof CancelledError) return undefined;
      // A server that does not answer has most likely lost the registration too (LwM2M Core 1.1 s6.2.2), and with DTLS
      // the session: one that was restarted takes no notice of records that it has no keys for.
      this.#location = undefined;
      this.#context.port.reset();
      this.#backOff();
      this.#context.onFailed(reason);
      return undefined;
    }
  }

  #refused(response: ServerResponse): void {
    const { clock, random } = this.#context;
    if (response.code === '5.03' && response.maxAge !== undefined) {
      // Spread a little, so that all who were put off do not come back at once.
      this.#retryAt = clock.monotonic() + response.maxAge * 1000 * (1 + 0.1 * random());
    } else {
      this.#backOff();
    }
    this.#context.onFailed(responseError(response));
  }

  /** Waits twice as long each time, from half of it to all of it, so that a fleet does not retry in step. */
  #backOff(): void {
    const { clock, random, timing } = this.#context;
    const wait = Math.min(timing.lastRetry, timing.firstRetry * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    this.#retryAt = clock.monotonic() + wait * (0.5 + 0.5 * random());
  }

  /**
   * Between 75 and 90% of the lifetime, so that a fleet that registered together does not update together; or, a little
   * scattered too, when the device's own interval is shorter.
   */
  #planUpdate(now: number): void {
    const { updateInterval = Infinity, random } = this.#context;
    const lifetime = this.#context.lifetime();
    const chance = random();
    const needed = lifetime === 0 ? Infinity : lifetime * (0.75 + 0.15 * chance);
    this.#updateAt = now + 1000 * Math.min(needed, updateInterval * (0.9 + 0.1 * chance));
    // What changed while the request was on its way is told by the next.
    if (this.#linksChanged || lifetime !== this.#lifetimeTold) this.#updateAt = now;
  }

  #sleep(duration: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleeper = undefined;
        resolve();
      };
      this.#sleeper = { timer: this.#context.clock.setTimer(wake, Math.min(duration, LONGEST_SLEEP)), wake };
    });
  }

  #wake(): void {
    this.#sleeper?.timer?.cancel();
    this.#sleeper?.wake();
  }

  #interrupt(): void {
    this.#exchange.abort();
    this.#wake();
  }
}

function responseError(response: ServerResponse): ResponseError {
  const diagnostic = response.payload.toString('utf8');
  const text = `the server answered ${response.code}${diagnostic === '' ? '' : ` (${diagnostic})`}`;
  return new ResponseError(response.code, diagnostic, text);
}

/** The port's errors are all of these; anything else is a fault of ours. */
function communicationError(error: unknown): CancelledError | TimeoutError | TransportError {
  if (error instanceof CancelledError || error instanceof TimeoutError || error instanceof TransportError) return error;
  throw error;
}
