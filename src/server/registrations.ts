import { CoapCode, type HandlerResponse, type IncomingRequest } from '../coap';
import { CodecError, StoreError } from '../errors';
import type { Channel } from '../transport/transport';
import type { Clock } from '../util/clock';
import { isSameIdentity, type Admission } from './admission';
import type { AfterResponse } from './after-response';
import { changedRegistration, isSameAddress } from './changed-registration';
import { CutOffs } from './cut-offs';
import type { Echo } from './echo';
import type { Gate } from './gate';
import type { LifetimeBounds } from './lifetime-bounds';
import type { Profiles } from './profiles';
import type { RegisteredClients } from './registered-clients';
import type { RegisteredClient } from './registered-client';
import { mergeRegisteredObjects, type RegisteredObjects, type RegisteredObjectsCache } from './registered-objects';
import type { Lwm2mVersion, Registration } from './registration';
import { newRegistrationId } from './registration-id';
import { parseRegistrationParameters, versionOf, type RegistrationParameters } from './registration-parameters';
import type { Rejection, RejectionReason } from './rejection';
import type { Rejections } from './rejections';
import type { ServerListener } from './server-listener';
import type { Awaitable, RegistrationStore } from './store';

const DEFAULT_LIFETIME = 86_400;
const MAX_ENDPOINT_LENGTH = 255;
/** How often a change is tried again when another writer was faster. */
const MAX_TRIES = 4;
/** What a device is told to wait when there are too many, s. */
const OVERLOAD_RETRY = 60;
/** What a device is told to wait whose right to register changed while it registered, s. */
const WITHDRAWN_RETRY = 5;

export interface RegistrationsContext {
  readonly owner: string;
  /** How many devices may be registered here at once. */
  readonly maxRegistrations: number;
  readonly clock: Clock;
  readonly store: RegistrationStore;
  readonly clients: RegisteredClients;
  readonly admission: Admission;
  readonly gate: Gate;
  readonly echo: Echo;
  readonly lifetimes: LifetimeBounds;
  readonly profiles: Profiles;
  readonly objectLists: RegisteredObjectsCache;
  readonly rejections: Rejections;
  readonly afterResponse: AfterResponse;
  readonly listener: ServerListener;
  /** A registration ended or was replaced: what hung on it is over. */
  readonly ended: (client: RegisteredClient) => void;
  /** A device's registration is in force, and it is awake; its answer is on its way. */
  reached(client: RegisteredClient): void;
  /** The device is at another channel than before. */
  moved(client: RegisteredClient, from: Channel | undefined): void;
  /** After `listener.registered` and `listener.updated`. */
  registered(client: RegisteredClient, previous: Registration | undefined): void;
  /** After `listener.deregistered`: the device is not to be reached any more. */
  gone(client: RegisteredClient): void;
}

/** What a device asks to be registered as. */
interface Application {
  readonly endpoint: string;
  readonly version: Lwm2mVersion;
  readonly parameters: RegistrationParameters;
  readonly objects: RegisteredObjects;
  readonly channel: Channel;
}

/** An Update while the store writes it. */
interface Change {
  readonly next: Registration;
  readonly current: Registration;
  readonly request: IncomingRequest;
  readonly tries: number;
  /** How many registrations had been cut off when it began. */
  readonly cutOffsBefore: number;
}

/**
 * The registration interface (LwM2M Core 1.2 s6.2): Register, Update, De-register. Each tries once, and without a promise
 * when the store answers at once; only when the store takes its time, or another writer was faster, does it go on
 * asynchronously.
 */
export class Registrations {
  private readonly cutOffs = new CutOffs();

  constructor(private readonly context: RegistrationsContext) {}

  /** POST /rd (LwM2M Core 1.2 s6.2.1). */
  register(request: IncomingRequest): Awaitable<HandlerResponse> {
    const { channel } = request;
    const parameters = parseRegistrationParameters(request.options.uriQuery ?? []);
    if ('problem' in parameters) return badRequest(parameters.problem);
    const version = versionOf(parameters.version);
    // From 1.1 on a device may leave its name to its credential.
    const endpoint = parameters.endpoint ?? this.endpointOf(version, channel);
    if (endpoint === undefined) return badRequest('ep is missing');
    if (endpoint.length > MAX_ENDPOINT_LENGTH) return badRequest('ep is too long');
    if (version === undefined) {
      this.reject(channel, endpoint, 'register', 'version');
      return { code: CoapCode.PreconditionFailed, payload: Buffer.from('this server speaks LwM2M 1.0, 1.1 and 1.2') };
    }
    const objects = this.objectsOf(request.payload, parameters.profileId);
    if (objects === undefined) {
      this.reject(channel, endpoint, 'register', 'version');
      return { code: CoapCode.PreconditionFailed, payload: Buffer.from('unknown profile: register with all objects') };
    }
    if ('problem' in objects) return badRequest(objects.problem);

    const client = this.context.clients.get(endpoint);
    if (client === undefined && this.context.clients.size >= this.context.maxRegistrations) {
      this.reject(channel, endpoint, 'register', 'overload');
      return { code: CoapCode.ServiceUnavailable, options: { maxAge: OVERLOAD_RETRY } };
    }
    // One text for all registrations of an endpoint: the next lookup finds it without comparing letters.
    const application = { endpoint: client?.endpoint ?? endpoint, version, parameters, objects, channel };
    // What this process remembers is a good guess of what the store holds; compare-and-set tells when it is not.
    return this.replace(client?.registration, application, 1, client);
  }

  /** POST /rd/<id> (LwM2M Core 1.2 s6.2.2): the device sends only what changed. */
  update(id: string, request: IncomingRequest, tries = 1): Awaitable<HandlerResponse> {
    const current = this.context.store.byId(id);
    return current instanceof Promise
      ? current.then((found) => this.change(found, request, tries))
      : this.change(current, request, tries);
  }

  /** DELETE /rd/<id> (LwM2M Core 1.2 s6.2.3). */
  async deregister(id: string, request: IncomingRequest): Promise<HandlerResponse> {
    const { channel } = request;
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      const current = await this.context.store.byId(id);
      if (current === undefined) return this.unknown(channel, 'deregister');
      const refused = this.refuseSender(request, current, 'deregister');
      if (refused !== undefined) return refused;
      if (await this.context.store.remove(current.endpoint, current.revision)) {
        this.deregistered(current, channel);
        return { code: CoapCode.Deleted };
      }
    }
    throw changesTooFast();
  }

  /**
   * Ends the registration of an endpoint without a word of the device.
   * @returns the registration, if there was one.
   */
  async cutOff(endpoint: string): Promise<Registration | undefined> {
    this.cutOffs.add(endpoint);
    return this.end(endpoint, () => true);
  }

  /** Ends the registration of an endpoint if whoever made it may not act as the endpoint any more. */
  async recheck(endpoint: string): Promise<Registration | undefined> {
    this.cutOffs.rulesChanged();
    const { admission } = this.context;
    return this.end(endpoint, (made) => admission.refusal(endpoint, made, made.identity) !== undefined);
  }

  private async end(endpoint: string, isDue: (made: Registration) => boolean): Promise<Registration | undefined> {
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      const current = await this.context.store.byEndpoint(endpoint);
      if (current === undefined || !isDue(current)) return undefined;
      if (await this.context.store.remove(endpoint, current.revision)) {
        this.ended(endpoint);
        return current;
      }
    }
    throw changesTooFast();
  }

  /**
   * Puts a new registration in the place of the current one, if any.
   * @param client of the endpoint now, if any.
   */
  private replace(
    current: Registration | undefined,
    application: Application,
    tries: number,
    client: RegisteredClient | undefined,
  ): Awaitable<HandlerResponse> {
    const { endpoint, channel } = application;
    const refusal = this.context.admission.refusal(endpoint, channel, current?.identity);
    if (refusal !== undefined) return this.forbid(channel, endpoint, 'register', refusal);
    const putOff = this.putOff(channel, endpoint, 'register');
    if (putOff !== undefined) return putOff;
    const registration = this.registrationOf(application, current);
    const { count } = this.cutOffs;
    const stored = this.context.store.put(registration, current?.revision ?? 0);
    return stored === true
      ? this.created(registration, channel, client)
      : this.replaced(stored, registration, application, tries, count);
  }

  private async replaced(
    stored: Awaitable<boolean>,
    registration: Registration,
    application: Application,
    tries: number,
    cutOffsBefore: number,
  ): Promise<HandlerResponse> {
    const { store, clients } = this.context;
    const { endpoint, channel } = application;
    if (await stored) {
      if (!this.mayStay(registration, channel, cutOffsBefore)) return this.withdraw(registration);
      return this.created(registration, channel, clients.get(endpoint));
    }
    if (tries === MAX_TRIES) throw changesTooFast();
    const current = await store.byEndpoint(endpoint);
    return this.replace(current, application, tries + 1, clients.get(endpoint));
  }

  private registrationOf(
    { endpoint, version, parameters, objects, channel }: Application,
    current: Registration | undefined,
  ): Registration {
    const requested = parameters.lifetime ?? DEFAULT_LIFETIME;
    return {
      id: newRegistrationId(),
      endpoint,
      revision: (current?.revision ?? 0) + 1,
      owner: this.context.owner,
      version,
      binding: parameters.binding ?? 'U',
      queueMode: parameters.queueMode ?? false,
      lifetime: this.context.lifetimes.effective(requested),
      lifetimeRequested: requested,
      smsNumber: parameters.smsNumber,
      profileId: parameters.profileId,
      objects,
      scheme: channel.scheme,
      address: channel.address,
      identity: channel.identity,
      registeredAt: this.context.clock.now(),
    };
  }

  /** @param client that had a registration before. */
  private created(registration: Registration, channel: Channel, client: RegisteredClient | undefined): HandlerResponse {
    const { clients, ended } = this.context;
    // Whatever the device knew of observations went with its old registration.
    this.registered(
      client === undefined ? clients.add(registration, channel) : clients.change(client, registration, channel, ended),
    );
    return { code: CoapCode.Created, options: { locationPath: ['rd', registration.id] } };
  }

  /** Stores what an Update changes, or that the lifetime begins anew. */
  private change(
    current: Registration | undefined,
    request: IncomingRequest,
    tries: number,
  ): Awaitable<HandlerResponse> {
    const { channel, options, payload } = request;
    if (current === undefined) return this.unknown(channel, 'update');
    const refused = this.refuseSender(request, current, 'update') ?? this.putOff(channel, current.endpoint, 'update');
    if (refused !== undefined) return refused;
    const parameters = parseRegistrationParameters(options.uriQuery ?? []);
    if ('problem' in parameters) return badRequest(parameters.problem);
    const objects = payload.length === 0 ? current.objects : this.objectsOf(payload, undefined);
    if (objects === undefined || 'problem' in objects) return badRequest(objects?.problem ?? 'no object list');

    const { store, owner, lifetimes } = this.context;
    const next = changedRegistration(current, { parameters, objects, channel, owner, lifetimes });
    const { count } = this.cutOffs;
    const stored =
      next === current ? store.renew(current.endpoint, current.revision) : store.put(next, current.revision);
    if (stored !== true) return this.changeStored(stored, { next, current, request, tries, cutOffsBefore: count });
    this.updated(next, current, channel);
    return { code: CoapCode.Changed };
  }

  private async changeStored(
    stored: Awaitable<boolean>,
    { next, current, request, tries, cutOffsBefore }: Change,
  ): Promise<HandlerResponse> {
    if (await stored) {
      if (!this.mayStay(next, request.channel, cutOffsBefore)) return this.withdraw(next);
      this.updated(next, current, request.channel);
      return { code: CoapCode.Changed };
    }
    if (tries === MAX_TRIES) throw changesTooFast();
    return this.update(current.id, request, tries + 1);
  }

  private registered(client: RegisteredClient): void {
    const { clients, afterResponse, listener } = this.context;
    const { registration } = client;
    const woke = clients.heard(client);
    afterResponse.defer(() => {
      listener.registered(client, registration);
      if (woke) listener.awake(client);
      this.context.registered(client, undefined);
      this.context.reached(client);
    });
  }

  private updated(registration: Registration, previous: Registration, channel: Channel): void {
    const { clients, afterResponse, listener } = this.context;
    const before = clients.get(registration.endpoint)?.channel;
    const client = clients.set(registration, channel);
    if (before !== channel) this.context.moved(client, before);
    const woke = clients.heard(client);
    afterResponse.defer(() => {
      listener.updated(client, registration);
      if (woke) listener.awake(client);
      if (registration !== previous) this.context.registered(client, previous);
      this.context.reached(client);
    });
  }

  private deregistered(registration: Registration, channel: Channel): void {
    const { clients } = this.context;
    clients.heard(clients.get(registration.endpoint) ?? clients.set(registration, channel));
    this.ended(registration.endpoint);
  }

  /** The registration is out of the store. One that was never said to be there, or elsewhere, is not said to be gone. */
  private ended(endpoint: string): void {
    const { clients, afterResponse, listener } = this.context;
    const client = clients.get(endpoint);
    if (client === undefined) return;
    clients.delete(client);
    this.context.ended(client);
    afterResponse.defer(() => {
      listener.deregistered(client);
      this.context.gone(client);
    });
  }

  /** From 1.1 on a device may leave its name to its credential (LwM2M Core 1.2 s6.2.1). */
  private endpointOf(version: string | undefined, { identity }: Channel): string | undefined {
    return version === '1.0' ? undefined : this.context.admission.endpointOf(identity);
  }

  /** Who may register can change while the store writes. */
  private mayStay({ endpoint }: Registration, channel: Channel, cutOffsBefore: number): boolean {
    if (this.cutOffs.count === cutOffsBefore) return true;
    const { admission } = this.context;
    const refusal = admission.refusal(endpoint, channel, channel.identity);
    return refusal === undefined && !this.cutOffs.wasAfter(cutOffsBefore, endpoint);
  }

  /** Takes back what was written too late. When the device comes again it hears how things are now. */
  private async withdraw({ endpoint, revision }: Registration): Promise<HandlerResponse> {
    if (await this.context.store.remove(endpoint, revision)) this.ended(endpoint);
    return { code: CoapCode.ServiceUnavailable, options: { maxAge: WITHDRAWN_RETRY } };
  }

  /**
   * Whether the sender of a request is the device that made the registration. A sender without a proved identity at
   * another address must first prove that it receives there (RFC 9175).
   */
  private refuseSender(
    { channel, options }: IncomingRequest,
    current: Registration,
    operation: Rejection['operation'],
  ): HandlerResponse | undefined {
    const { admission, echo } = this.context;
    if (!isSameIdentity(channel.identity, current.identity)) {
      return this.forbid(channel, current.endpoint, operation, 'identity');
    }
    const refusal = admission.refusal(current.endpoint, channel, current.identity);
    if (refusal !== undefined) return this.forbid(channel, current.endpoint, operation, refusal);
    if (channel.identity.mode !== 'nosec' || isSameAddress(channel, current)) return undefined;
    if (echo.isFresh(options.echo, channel.address)) return undefined;
    return { code: CoapCode.Unauthorized, options: { echo: echo.challenge(channel.address) } };
  }

  /** Who may act as the endpoint but is not let in now is told when to come again. */
  private putOff(channel: Channel, endpoint: string, operation: 'register' | 'update'): HandlerResponse | undefined {
    const refusal = this.context.gate.refusal(endpoint, operation);
    if (refusal === undefined) return undefined;
    this.reject(channel, endpoint, operation, refusal.reason);
    return { code: CoapCode.ServiceUnavailable, options: { maxAge: refusal.maxAge } };
  }

  private objectsOf(
    payload: Buffer,
    profileId: string | undefined,
  ): RegisteredObjects | { problem: string } | undefined {
    try {
      const objects = this.context.objectLists.parse(payload);
      if (profileId === undefined) return objects;
      const profile = this.context.profiles.objectsOf(profileId);
      return profile === undefined || payload.length === 0 ? profile : mergeRegisteredObjects(profile, objects);
    } catch (error) {
      if (error instanceof CodecError) return { problem: error.message };
      throw error;
    }
  }

  private unknown(channel: Channel, operation: Rejection['operation']): HandlerResponse {
    this.reject(channel, this.context.clients.at(channel)?.endpoint ?? '', operation, 'unknown');
    return { code: CoapCode.NotFound };
  }

  private forbid(
    channel: Channel,
    endpoint: string,
    operation: Rejection['operation'],
    reason: RejectionReason,
  ): HandlerResponse {
    this.reject(channel, endpoint, operation, reason);
    return { code: CoapCode.Forbidden };
  }

  private reject(channel: Channel, endpoint: string, operation: Rejection['operation'], reason: RejectionReason): void {
    this.context.rejections.say(channel, endpoint, operation, reason);
  }
}

function changesTooFast(): StoreError {
  return new StoreError('the registration changes too fast');
}

function badRequest(problem: string): HandlerResponse {
  return { code: CoapCode.BadRequest, payload: Buffer.from(problem) };
}
