import { EventEmitter } from 'node:events';
import { contentFormatId } from '../content';
import { CancelledError, InvalidArgumentError, NotRegisteredError, ResponseError, type Lwm2mError } from '../errors';
import { formatPath, ObjectDefinitions, parsePath, type Path, type ResourceValue, type Value } from '../model';
import { systemClock, type Clock } from '../util/clock';
import type { Behaviour, BehaviourFactory } from './behaviour';
import { SERVER } from './behaviours/server-object';
import type { IncomingRequest, Reply } from './coap-messages';
import { CoapPort } from './coap-port';
import type { Carrier } from './datagram-link';
import { encodeContent } from './device-content';
import type { DeviceVersion } from './device-formats';
import { DeviceObjects, type ResourceInstances } from './device-objects';
import { DtlsCarrier } from './dtls-carrier';
import { NotificationAttributes, type AttributeValues } from './notification-attributes';
import { registrationLinks } from './object-links';
import { Observations } from './observations';
import { credentialsOf, type PskCredentials, type PskSecurity } from './psk-security';
import { seededRandom, seedOf } from './random';
import { readValues } from './read-operation';
import { DEFAULT_TIMING, Registration, type RegistrationTiming } from './registration';
import { answer } from './request-router';
import { parseServerUri, resolveServer, type ServerUri } from './server-address';
import { openUdpCarrier } from './udp-carrier';

export interface SimulatedDeviceOptions {
  readonly endpoint: string;
  /** `coap://host[:port]` or `coaps://host[:port]` */
  readonly serverUri: string;
  /** For `coaps://`. */
  readonly security?: PskSecurity;
  /** What the device is made of, the Server object first. */
  readonly behaviours: readonly BehaviourFactory[];
  /** s; default 60. */
  readonly lifetime?: number;
  /** Default 1.1. */
  readonly version?: DeviceVersion;
  readonly clock?: Clock;
  /** The same seed and name make the same life. */
  readonly seed?: number;
  /** ms that a reboot takes; default 5,000. */
  readonly rebootTime?: number;
  readonly timing?: Partial<RegistrationTiming>;
  /** Default: the built-in ones. */
  readonly definitions?: ObjectDefinitions;
}

export interface SimulatedDeviceEvents {
  registered: [location: string];
  updated: [];
  deregistered: [];
  /** A request to the server failed; the device goes on trying. */
  failed: [error: Lwm2mError];
  written: [path: string, value: Value | ResourceInstances];
  executed: [path: string, args: string];
  /** A fault of the simulation itself. */
  fault: [error: Error];
  /** The port is closed; nothing follows. */
  closed: [];
}

/** Objects whose version follows that of LwM2M. */
const CORE_OBJECTS: Readonly<Record<DeviceVersion, ReadonlyMap<number, string>>> = {
  '1.0': new Map([
    [1, '1.0'],
    [3, '1.0'],
  ]),
  '1.1': new Map([
    [1, '1.1'],
    [3, '1.1'],
  ]),
  '1.2': new Map([
    [1, '1.2'],
    [3, '1.2'],
  ]),
};

const DEFAULT_LIFETIME = 60;
const DEFAULT_REBOOT_TIME = 5_000;

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
  readonly #observations: Observations;
  readonly #rebootTime: number;
  #port: CoapPort | undefined;
  #registration: Registration | undefined;
  #closed = false;

  /** @throws {InvalidArgumentError} an option that cannot be. */
  constructor(options: SimulatedDeviceOptions) {
    super();
    const { lifetime = DEFAULT_LIFETIME, version = '1.1' } = options;
    if (options.endpoint === '') throw new InvalidArgumentError('a device needs a name');
    if (!Number.isInteger(lifetime) || lifetime < 0)
      throw new InvalidArgumentError('the lifetime is a number of seconds');
    this.endpoint = options.endpoint;
    this.version = version;
    this.#server = parseServerUri(options.serverUri);
    this.#credentials = options.security && credentialsOf(options.endpoint, options.security);
    const isSecure = this.#server.scheme === 'coaps';
    if (isSecure && !this.#credentials) throw new InvalidArgumentError('coaps:// needs a key');
    if (!isSecure && this.#credentials) throw new InvalidArgumentError('a key needs a server at coaps://');
    this.#clock = options.clock ?? systemClock;
    this.#timing = { ...DEFAULT_TIMING, ...options.timing };
    this.#rebootTime = options.rebootTime ?? DEFAULT_REBOOT_TIME;
    const seed = seedOf(options.endpoint, options.seed);
    this.#random = seededRandom(seed);
    builtIn ??= ObjectDefinitions.builtIn();
    this.objects = new DeviceObjects(options.definitions ?? builtIn, CORE_OBJECTS[version]);
    this.#observations = new Observations({
      clock: this.#clock,
      objects: this.objects,
      attributesOf: (path) => this.#attributesOf(path),
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
        actions: {
          reboot: () => this.#registration?.leave(this.#rebootTime, false),
          disable: (seconds) => this.#registration?.leave(seconds * 1000, true),
          update: () => this.#registration?.update(),
        },
      }),
    );
    this.objects.onChange((kind, path) => {
      if (kind === 'instances') this.#registration?.linksChanged();
      if (this.#observations.size > 0) this.#observations.changed(kind, path);
    });
  }

  get registered(): boolean {
    return this.#registration?.registered ?? false;
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
    });
    this.#registration = this.#createRegistration(this.#port);
    this.#registration.start();
  }

  /** Lets time pass for the behaviours. */
  advance(): void {
    const now = this.#clock.now();
    for (const behaviour of this.#behaviours) behaviour.advance?.(now);
  }

  /** Stops to hear and answer, without a word to the server. */
  vanish(): void {
    this.#registration?.vanish();
  }

  /** Is there again, and updates the registration or makes a new one. */
  comeBack(): void {
    this.#registration?.comeBack();
    this.#observations.resume();
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
    if (this.version === '1.0') throw new InvalidArgumentError('LwM2M 1.0 has no Send');
    if (!this.#port || !this.registered) throw new NotRegisteredError(this.endpoint);
    if (this.objects.find(SERVER.object, SERVER.instance, SERVER.muteSend)?.value === true) {
      throw new InvalidArgumentError(`the server has muted Send of ${this.endpoint} (/1/0/${SERVER.muteSend})`);
    }
    this.advance();
    const contentFormat = contentFormatId(format);
    const values = what.flatMap((each) =>
      typeof each === 'string' ? readValues(this.objects, parsePath(each)) : [each],
    );
    const payload = encodeContent(contentFormat, {}, values, this.objects.types);
    const request = { method: 'POST', path: ['dp'], contentFormat, payload } as const;
    const response = await this.#port.request(request, this.#timing.requestTimeout);
    if (!response.code.startsWith('2.')) throw new ResponseError(response.code, response.payload.toString('utf8'));
  }

  /** De-registers and closes the port. @param timeout ms that the server has to answer */
  async close(timeout = GOODBYE_TIMEOUT): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#registration?.stop(timeout);
    this.#observations.clear();
    await this.#port?.close();
    this.emit('closed');
  }

  async #openCarrier(): Promise<Carrier> {
    const peer = await resolveServer(this.#server);
    return this.#credentials ? new DtlsCarrier(peer, this.#credentials, this.#clock) : openUdpCarrier(peer);
  }

  #createRegistration(port: CoapPort): Registration {
    return new Registration({
      clock: this.#clock,
      random: this.#random,
      timing: this.#timing,
      port,
      registerQuery: () => [`ep=${this.endpoint}`, `lt=${this.#lifetime()}`, `lwm2m=${this.version}`, 'b=U'],
      lifetime: () => this.#lifetime(),
      links: () => registrationLinks(this.objects, this.version),
      onVoid: () => this.#observations.clear(),
      onRegistered: (location) => this.emit('registered', location),
      onUpdated: () => this.emit('updated'),
      onDeregistered: () => this.emit('deregistered'),
      onFault: (error) => this.#fault(error),
      onFailed: (error) => {
        if (!(error instanceof CancelledError)) this.emit('failed', error);
      },
    });
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

  #lifetime(): number {
    return this.objects.find(SERVER.object, SERVER.instance, SERVER.lifetime)?.number ?? DEFAULT_LIFETIME;
  }

  /** The Server object's default periods hold where nothing else does (LwM2M Core 1.1 s7.3.2). */
  #attributesOf(path: Path): AttributeValues {
    const pmin = this.objects.find(SERVER.object, SERVER.instance, SERVER.pmin)?.number ?? 0;
    const pmax = this.objects.find(SERVER.object, SERVER.instance, SERVER.pmax)?.number ?? 0;
    return { pmin, pmax, ...this.#attributes.effective(path) };
  }

  #fault(error: unknown): void {
    this.emit('fault', error instanceof Error ? error : new Error(String(error)));
  }
}
