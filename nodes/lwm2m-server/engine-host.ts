import type { NodeAPI } from 'node-red';
import { Engine, Lwm2mError, SqliteStore, TransportError } from '../../src/index';
import type { AccessSettings, Concern, Log, ServerCredentialsOptions, ServerEvent } from '../../src/index';
import { flowStateOf, type FlowState } from '../shared/flow-state';
import { DeviceEvents } from './device-events';
import { KeptThings } from './kept-things';
import { OrderOwners } from './order-owners';
import { PolicyOwners } from './policy-owners';
import { formerServerKeyIn, removeServerKeyFrom, serverKeyIn } from './server-key';
import type { ServerSettings } from './server-settings';

/** `takenPort`: another program listens on it. */
export type ServerState =
  | { readonly state: 'starting' | 'running' | 'closed' }
  | { readonly state: 'failed'; readonly error: Error; readonly takenPort?: number };

/** First and longest wait before a failed start is tried again, ms. */
const FIRST_RETRY = 1_000;
const LONGEST_RETRY = 30_000;

/** Where the host says what people should know: the config node of the moment. */
export interface HostVoice {
  log(text: string): void;
  warn(text: string): void;
  error(text: string): void;
  debug(text: string): void;
}

/**
 * An engine and what must stay with it while the config node that owns it is closed and made again by a deploy.
 * Starts it, tries again with growing patience when that fails, and tells those who use it how it is.
 */
export class EngineHost {
  readonly devices: DeviceEvents;
  /** What nodes leave here for the node that follows them under the same id. */
  readonly kept: KeptThings;
  readonly policyOwners: PolicyOwners;
  readonly orderOwners: OrderOwners;
  readonly flows: FlowState;
  readonly #settings: ServerSettings;
  readonly #credentials: ServerCredentialsOptions;
  #access: AccessSettings | undefined;
  #engine: Engine;
  #state: ServerState = { state: 'starting' };
  #voice: HostVoice;
  #watchers = new Set<(state: ServerState) => void>();
  readonly #firstAttempt: Promise<void>;
  /** The attempt to start of the moment, or the last one. */
  #attempt: Promise<void>;
  #retry: NodeJS.Timeout | undefined;
  #started = false;
  /** What was said to be in trouble, and how; also by an engine that did not start. */
  readonly #troubles = new Map<Concern, string>();
  #closed: Promise<void> | undefined;

  /**
   * @param before what must be done first: another engine may still hold the port.
   * @throws {InvalidArgumentError} credentials that are none.
   */
  constructor(RED: NodeAPI, voice: HostVoice, settings: ServerSettings, before: Promise<unknown>) {
    this.#voice = voice;
    this.#settings = settings;
    this.#credentials = credentialsOf(settings, voice);
    this.flows = flowStateOf(RED);
    this.devices = new DeviceEvents(this.flows, (text) => this.#voice.warn(text));
    this.kept = new KeptThings(this.flows);
    this.#engine = this.#makeEngine();
    this.policyOwners = new PolicyOwners({
      flows: this.flows,
      engine: () => this.#engine,
      whenServing: (task) => this.whenServing(task),
      warn: (text) => this.#voice.warn(text),
    });
    this.orderOwners = new OrderOwners({
      flows: this.flows,
      engine: () => this.#engine,
      whenServing: (task) => this.whenServing(task),
    });
    this.whenServing(() => this.#keyIsStored());
    this.#firstAttempt = before.then(() => this.#start(FIRST_RETRY));
    this.#attempt = this.#firstAttempt;
  }

  /** The engine. It is another one after a failed start; once it has started it stays. */
  get engine(): Engine {
    return this.#engine;
  }

  get state(): ServerState {
    return this.#state;
  }

  /** A config node takes the running engine over. */
  adopt(voice: HostVoice): void {
    this.#voice = voice;
  }

  /** Sets who may do what from now on; `undefined`: everybody everything. A deploy of other rights disturbs nothing else. */
  setAccess(access: AccessSettings | undefined): void {
    this.#access = access;
    this.#engine.setAccess(access);
  }

  /** Where the settings say that it listens for DTLS; `undefined` when that is off. */
  get coapsAddress(): { readonly host: string; readonly port: number } | undefined {
    const { host = '::', coapsPort } = this.#settings.engine;
    return typeof coapsPort === 'number' ? { host, port: coapsPort } : undefined;
  }

  /** Calls the watcher now and whenever the state changes. Returns what ends it. */
  watch(watcher: (state: ServerState) => void): () => void {
    this.#watchers.add(watcher);
    watcher(this.#state);
    return () => this.#watchers.delete(watcher);
  }

  /** Runs the task now, or as soon as the engine has taken up what its store holds. Returns what takes it back. */
  whenServing(task: () => void): () => void {
    const isServing = (): boolean => this.#started && !this.#isClosed() && this.#engine.isServing;
    if (isServing()) {
      task();
      return () => undefined;
    }
    const watcher = (): void => {
      if (!isServing()) return;
      this.#watchers.delete(watcher);
      task();
    };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /**
   * The engine, once it runs.
   * @throws {TransportError} the engine could not be started, as yet.
   */
  async ready(): Promise<Engine> {
    await this.#firstAttempt;
    if (this.#started && !this.#isClosed()) return this.#engine;
    const cause = this.#state.state === 'failed' ? this.#state.error : undefined;
    throw new TransportError(`the server is not running${cause === undefined ? '' : `: ${cause.message}`}`, { cause });
  }

  /** Nothing that was known is lost when the process ends now. */
  async flush(): Promise<void> {
    if (!this.#started || this.#isClosed()) return;
    try {
      await this.#engine.flush();
    } catch (error) {
      this.#voice.error(`the last values of devices could not be stored: ${String(error)}`);
    }
  }

  /** Closes sockets and store. The promise is resolved when the port is free. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #makeEngine(): Engine {
    const { engine: options, store: kind, directory } = this.#settings;
    const log = this.#log();
    const store = kind === 'sqlite' ? new SqliteStore({ directory, log }) : undefined;
    const engine = new Engine({ ...options, credentials: this.#credentials, access: this.#access, store, log });
    engine.on('device', (event) => this.devices.receive(event));
    engine.on('condition', (event) => this.#conditionChanged(event));
    engine.on('trouble', (error) => this.#trouble(error));
    return engine;
  }

  async #start(retryAfter: number): Promise<void> {
    if (this.#isClosed()) return;
    try {
      await this.#engine.start();
      if (this.#isClosed()) return;
      this.#started = true;
      for (const { scheme, host, port } of this.#engine.addresses) {
        this.#voice.log(`listening on ${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`);
      }
      const { trouble } = this.#engine;
      if (!(trouble instanceof TransportError)) this.#portIsWell();
      this.#trouble(trouble);
    } catch (error) {
      this.#failed(error instanceof Error ? error : new Error(String(error)), retryAfter);
    }
  }

  #failed(error: Error, retryAfter: number): void {
    if (this.#isClosed()) return;
    this.#complain(error, `${error.message}; trying again until it works`);
    const code = error instanceof Lwm2mError ? error.code : 'TRANSPORT';
    const { message } = error;
    this.#conditionChanged({ topic: 'trouble', payload: { about: 'port', code, message, since: Date.now() } });
    this.#retry = setTimeout(() => {
      this.#engine = this.#makeEngine();
      this.#attempt = this.#start(Math.min(retryAfter * 2, LONGEST_RETRY));
    }, retryAfter);
  }

  /** A socket or the store of a running engine is in trouble, or well again. */
  #trouble(error: Error | undefined): void {
    if (!this.#started || this.#isClosed()) return;
    if (error === undefined) this.#setState({ state: 'running' });
    else this.#complain(error, error.message);
  }

  /** An engine that cannot start is made anew; what the one before has said is not said again. */
  #conditionChanged(event: ServerEvent): void {
    const { about, message } = event.payload;
    if (event.topic === 'recovered') this.#troubles.delete(about);
    else if (this.#troubles.get(about) === message) return;
    else this.#troubles.set(about, message);
    this.devices.receive(event);
  }

  /** Engines before this one may have said otherwise. */
  #portIsWell(): void {
    if (!this.#troubles.has('port')) return;
    const condition = {
      about: 'port',
      code: 'TRANSPORT',
      message: 'the port is well again',
      since: Date.now(),
    } as const;
    this.#conditionChanged({ topic: 'recovered', payload: condition });
  }

  /** The store keeps the server's key: the file that kept it before is not needed any more. */
  #keyIsStored(): void {
    const { formerPrivateKey } = this.#credentials;
    if (formerPrivateKey === undefined) return;
    try {
      const { directory } = this.#settings;
      if (!removeServerKeyFrom(directory, formerPrivateKey, this.#engine.serverPublicKey)) return;
      this.#voice.log("the server's key is in the store now, and no longer in a file");
    } catch (error) {
      this.#voice.warn(`the file of the server's key can be removed by hand: ${String(error)}`);
    }
  }

  /** Says it once, however often it is tried. */
  #complain(error: Error, text: string): void {
    const known = this.#state.state === 'failed' && this.#state.error.message === error.message;
    if (!known) this.#voice.error(text);
    this.#setState({ state: 'failed', error, takenPort: takenPortOf(error) });
  }

  async #close(): Promise<void> {
    clearTimeout(this.#retry);
    this.devices.close();
    this.kept.engineCloses();
    this.policyOwners.close();
    this.orderOwners.close();
    this.#setState({ state: 'closed' });
    await this.#attempt;
    try {
      await this.#engine.close();
    } catch (error) {
      this.#voice.error(`the engine could not be closed cleanly: ${String(error)}`);
    }
  }

  #isClosed(): boolean {
    return this.#closed !== undefined;
  }

  #setState(state: ServerState): void {
    this.#state = state;
    for (const watcher of [...this.#watchers]) watcher(state);
  }

  #log(): Log {
    return {
      debug: (text) => this.#voice.debug(text),
      info: (text) => this.#voice.log(text),
      warn: (text) => this.#voice.warn(text),
      error: (text) => this.#voice.error(text),
    };
  }
}

/** Without DTLS nobody is to be convinced; with it a server that was given no key has one of its own. */
function credentialsOf(settings: ServerSettings, voice: HostVoice): ServerCredentialsOptions {
  const { engine, store, credentials, directory } = settings;
  if (engine.coapsPort === null || credentials.privateKey !== undefined) return credentials;
  const warn = (text: string): void => voice.warn(text);
  if (store === 'sqlite') return { ...credentials, formerPrivateKey: formerServerKeyIn(directory, warn) };
  return { ...credentials, privateKey: serverKeyIn(directory, warn) };
}

/** The port that another program listens on, if that is what the error says. */
function takenPortOf({ cause }: Error): number | undefined {
  const isTaken = isRecord(cause) && cause.code === 'EADDRINUSE' && typeof cause.port === 'number';
  return isTaken ? (cause.port as number) : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
