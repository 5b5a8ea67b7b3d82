import { EventEmitter } from 'node:events';
import { CancelledError, type Lwm2mError } from '../errors';
import { formatPath, ObjectDefinitions, type Path, type ResourceValue, type Value } from '../model';
import { systemClock, type Clock, type Timer } from '../util/clock';
import { anyEvent } from './any-event';
import type { Behaviour } from './behaviour';
import type { IncomingRequest, Reply } from './coap-messages';
import { CoapPort } from './coap-port';
import { controlOf, controlsOf } from './controls';
import type { Carrier } from './datagram-link';
import type { DeviceVersion } from './device-formats';
import {
  bindingOf,
  checkOptions,
  CORE_OBJECTS,
  type SimulatedDeviceEvents,
  type SimulatedDeviceOptions,
} from './device-options';
import { DeviceObjects } from './device-objects';
import { DtlsCarrier } from './dtls-carrier';
import { NotificationAttributes } from './notification-attributes';
import { registrationLinks } from './object-links';
import { Observations } from './observations';
import { Presence } from './presence';
import { credentialsFor, type PskCredentials } from './psk-security';
import { seededRandom, seedOf } from './random';
import { readValues } from './read-operation';
import { DEFAULT_TIMING, Registration, type RegistrationTiming } from './registration';
import { Reporting } from './reporting';
import { answer } from './request-router';
import { ServerSettings } from './server-settings';
import { parseServerUri, resolveServer, type ServerUri } from './server-address';
import { openUdpCarrier } from './udp-carrier';

const DEFAULT_LIFETIME = 60;
const DEFAULT_REBOOT_TIME = 5_000;
const DEFAULT_AWAKE_TIME = 93;

/** ms that the server has after a registration to observe anew what it has observed before. */
const TIME_TO_OBSERVE = 60_000;

/** ms that a server has to answer a De-register of a device that is being closed. */
const GOODBYE_TIMEOUT = 2_000;

let builtIn: ObjectDefinitions | undefined;

/**
 * A LwM2M client that lives in this process: it registers over its own UDP port or DTLS session, keeps the registration up, answers
 * every operation of the server and lives by its behaviours.
 */
export class SimulatedDevice extends EventEmitter<SimulatedDeviceEvents> {
  readonly endpoint: string;
  readonly version: DeviceVersion;
  readonly objects: DeviceObjects;
  readonly #server: ServerUri;
  readonly #credentials: PskCredentials | undefined;
  readonly #clock: Clock;
  readonly #timing: RegistrationTiming;
  readonly #random: () => number;
  readonly #behaviours: readonly Behaviour[];
  readonly #attributes = new NotificationAttributes();
  readonly #settings: ServerSettings;
  readonly #observations: Observations;
  readonly #reporting: Reporting;
  readonly #rebootTime: number;
  readonly #options: SimulatedDeviceOptions;
  #presence: Presence | undefined;
  #timeToObserve: Timer | undefined;
  /** Whether the server has not heard it yet since it vanished. */
  #returned = false;
  #port: CoapPort | undefined;
  #registration: Registration | undefined;
  #closed = false;

  /** @throws {InvalidArgumentError} an option that cannot be. */
  constructor(options: SimulatedDeviceOptions) {
    super();
    const { lifetime = DEFAULT_LIFETIME, version = '1.1' } = options;
    checkOptions(options);
    this.#options = options;
    this.endpoint = options.endpoint;
    this.version = version;
    this.#server = parseServerUri(options.serverUri);
    this.#credentials = credentialsFor(this.#server.scheme, options.endpoint, options.security);
    this.#clock = options.clock ?? systemClock;
    this.#timing = { ...DEFAULT_TIMING, ...options.timing };
    this.#rebootTime = options.rebootTime ?? DEFAULT_REBOOT_TIME;
    const seed = seedOf(options.endpoint, options.seed);
    this.#random = seededRandom(seed);
    builtIn ??= ObjectDefinitions.builtIn();
    this.objects = new DeviceObjects(options.definitions ?? builtIn, CORE_OBJECTS[version]);
    this.#settings = new ServerSettings(this.objects, DEFAULT_LIFETIME);
    this.#observations = new Observations({
      clock: this.#clock,
      objects: this.objects,
      attributesOf: (path) => this.#settings.attributesOf(path, this.#attributes),
      reach: () => this.#presence?.reach ?? 'closed',
      update: () => this.#registration?.update(),
      isStoring: () => this.#settings.isStoring,
      store: (values) => this.#reporting.record(values),
      onFault: (error) => this.#fault(error),
    });
    this.#reporting = new Reporting({
      endpoint: this.endpoint,
      version,
      objects: this.objects,
      timeout: this.#timing.requestTimeout,
      port: () => this.#port,
      registered: () => this.registered,
      isOpen: () => this.#presence?.reach === 'open',
      announce: () => this.#announce(),
      onFailed: (error) => this.#failed(error),
      onFault: (error) => this.#fault(error),
    });
    this.#behaviours = options.behaviours.map((create) =>
      create({
        endpoint: this.endpoint,
        version,
        objects: this.objects,
        clock: this.#clock,
        seed,
        lifetime,
        queueMode: options.queueMode ?? false,
        updateInterval: options.updateInterval ?? lifetime,
        actions: {
          reboot: () => this.#reboot(),
          disable: (seconds) => this.#disable(seconds),
          update: () => this.#registration?.update(),
          record: (values) => this.#reporting.record(values),
        },
      }),
    );
    this.objects.onChange((kind, path) => {
      if (kind === 'instances') this.#registration?.linksChanged();
      this.#observations.changed(kind, path);
    });
  }

  get registered(): boolean {
    return this.#registration?.registered ?? false;
  }

  /** How many values are recorded and have not arrived at the server yet. */
  get recorded(): number {
    return this.#reporting.waiting;
  }

  /** Whether it sleeps. */
  get asleep(): boolean {
    return this.#presence?.modem.isSilent('asleep') ?? false;
  }

  /** The number of observations that the server holds. */
  get observations(): number {
    return this.#observations.size;
  }

  /**
   * Opens the port and begins to register; `registered` or `failed` tells how it went, and a failed one is tried again.
   * @throws {TransportError} no port, or the server's name has no address.
   */
  async start(): Promise<void> {
    if (this.#port) return;
    const carrier = await this.#openCarrier();
    if (this.#closed) return carrier.close();
    this.#port = new CoapPort({
      carrier,
      clock: this.#clock,
      handler: (request) => this.#answer(request),
      onFault: (error) => this.#fault(error),
      onLost: (error) => this.#registration?.sessionLost(error),
      onTraffic: () => this.#presence?.traffic(),
    });
    this.#presence = this.#createPresence(this.#port);
    this.#registration = this.#createRegistration(this.#port, this.#presence);
    this.#presence.begin(this.#registration);
    this.#registration.start();
  }

  /** What it has and does at this moment, by path: what a server that may read everything would read. */
  state(): Record<string, Value> {
    this.advance();
    return Object.fromEntries(readValues(this.objects, {}).map(({ path, value }) => [formatPath(path), value]));
  }

  /** What may happen to it from outside, by name. */
  get controls(): readonly string[] {
    return controlsOf(this.#behaviours);
  }

  /** Lets one of `controls` happen. @throws {InvalidArgumentError} this kind of device has no such thing. */
  control(name: string): void {
    const act = controlOf(this.endpoint, this.#behaviours, name);
    this.advance();
    act();
  }

  /** Lets time pass for the behaviours. */
  advance(): void {
    const now = this.#clock.now();
    for (const behaviour of this.#behaviours) behaviour.advance?.(now);
    // A device in queue mode says what it has when it wakes, and does not stay awake for it.
    if (!this.#options.queueMode) this.#reporting.deliver();
  }

  /**
   * Stops to hear and answer, without a word to the server: its modem has no network.
   * @param seconds after which it is back by itself, from another address; default: it waits for `comeBack`
   */
  vanish(seconds?: number): void {
    this.#presence?.vanish(seconds);
  }

  /**
   * Is there again, and updates the registration or makes a new one.
   * @param elsewhere whether it has another address than before; then a DTLS session has ended
   */
  comeBack(elsewhere = false): void {
    this.#presence?.comeBack(elsewhere);
  }

  /**
   * Sends values to the server of the device's own accord (Send, LwM2M Core 1.1 s6.4.4).
   * @param paths of what is to be sent, such as `/3311/0/5850`; or values with their times
   * @throws {NotRegisteredError} {ResponseError} the server refused {TimeoutError} {TransportError}
   * @throws {InvalidArgumentError} a path that is not there, a 1.0 device, or Send is muted by /1/0/23.
   */
  async send(
    what: readonly string[] | readonly ResourceValue[],
    format: 'senml-cbor' | 'senml-json' = 'senml-cbor',
  ): Promise<void> {
    this.advance();
    await this.#reporting.send(what, format);
  }

  /** De-registers and closes the port. @param timeout ms that the server has to answer */
  async close(timeout = GOODBYE_TIMEOUT): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timeToObserve?.cancel();
    await this.#registration?.stop(timeout);
    this.#presence?.close();
    this.#observations.clear();
    await this.#port?.close();
    this.emit('closed');
  }

  async #openCarrier(): Promise<Carrier> {
    const peer = await resolveServer(this.#server);
    return this.#credentials ? new DtlsCarrier(peer, this.#credentials, this.#clock) : openUdpCarrier(peer);
  }

  #createPresence(port: CoapPort): Presence {
    const { queueMode = false, awakeTime = DEFAULT_AWAKE_TIME, vanishing } = this.#options;
    return new Presence({
      clock: this.#clock,
      random: this.#random,
      port,
      ...(queueMode && { awakeTime: awakeTime * 1000 }),
      vanishing,
      onEvent: (event) => {
        if (event === 'returned') this.#returned = true;
        this.emit(event);
      },
    });
  }

  #createRegistration(port: CoapPort, presence: Presence): Registration {
    return new Registration({
      clock: this.#clock,
      random: this.#random,
      timing: this.#timing,
      port,
      modem: presence.modem,
      updateInterval: this.#options.updateInterval,
      registerQuery: () => [
        `ep=${this.endpoint}`,
        `lt=${this.#settings.lifetime}`,
        `lwm2m=${this.version}`,
        ...bindingOf(this.version, this.#options.queueMode ?? false),
      ],
      wake: () => presence.wake(),
      lifetime: () => this.#settings.lifetime,
      links: () => registrationLinks(this.objects, this.version),
      onVoid: () => this.#void(),
      onRegistered: (location) => this.#registered(location),
      onUpdated: () => this.#updated(),
      onDeregistered: () => this.emit('deregistered'),
      onFault: (error) => this.#fault(error),
      onFailed: (error) => this.#failed(error),
    });
  }

  /** What was observed is recorded until it is observed anew. */
  #void(): void {
    this.#timeToObserve?.cancel();
    this.#observations.detach();
  }

  #registered(location: string): void {
    this.#timeToObserve = this.#clock.setTimer(() => this.#observations.forgetDetached(), TIME_TO_OBSERVE);
    this.#presence?.announced();
    this.emit('registered', location);
    this.#reporting.resume();
  }

  #updated(): void {
    this.#presence?.announced();
    this.emit('updated');
    if (this.#returned) this.#observations.resume();
    else this.#observations.flush();
    this.#returned = false;
    this.#reporting.resume();
  }

  async #announce(): Promise<void> {
    if (this.#presence?.reach !== 'after-update') return;
    const answered = anyEvent(this, ['updated', 'registered', 'failed', 'closed']);
    this.#registration?.update();
    await answered;
  }

  /** What was observed is forgotten; what was recorded is not. */
  #reboot(): void {
    this.#observations.clear();
    this.#registration?.leave(this.#rebootTime, false);
  }

  #disable(seconds: number): void {
    this.#registration?.leave(seconds * 1000, true);
    this.emit('disabled', seconds);
  }

  #answer(request: IncomingRequest): Reply {
    this.advance();
    return answer(
      {
        version: this.version,
        objects: this.objects,
        attributes: this.#attributes,
        observations: this.#observations,
        onWritten: (paths) => this.#written(paths),
        onExecuted: (path, args) => this.emit('executed', formatPath(path), args),
      },
      request,
    );
  }

  #written(paths: readonly Path[]): void {
    this.advance();
    for (const path of paths) this.emit('written', formatPath(path), this.objects.resource(path).value);
  }

  #failed(error: Lwm2mError): void {
    if (!(error instanceof CancelledError)) this.emit('failed', error);
  }

  #fault(error: unknown): void {
    this.emit('fault', error instanceof Error ? error : new Error(String(error)));
  }
}
