import { CoapCode, type HandlerResponse, type IncomingRequest } from '../coap';
import { CodecError, StoreError } from '../errors';
import type { Channel } from '../transport/transport';
import type { Clock } from '../util/clock';
import { isSameIdentity, type Admission } from './admission';
import type { AfterResponse } from './after-response';
import { changedRegistration, isSameAddress } from './changed-registration';
import { CutOffs } from './cut-offs';
import type { Echo } from './echo';
import type { LifetimeBounds } from './lifetime-bounds';
import type { Profiles } from './profiles';
import type { RegisteredClients } from './registered-clients';
import type { RegisteredClient } from './registered-client';
import { mergeRegisteredObjects, type RegisteredObjects, type RegisteredObjectsCache } from './registered-objects';
import type { Registration } from './registration';
import { newRegistrationId } from './registration-id';
import { parseRegistrationParameters, versionOf } from './registration-parameters';
import type { Rejection, RejectionReason } from './rejection';
import type { Rejections } from './rejections';
import type { ServerListener } from './server-listener';
import type { RegistrationStore } from './store';

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

/** The registration interface (LwM2M Core 1.2 s6.2): Register, Update, De-register. */
export class Registrations {
  private readonly cutOffs = new CutOffs();

  constructor(private readonly context: RegistrationsContext) {}

  /** POST /rd (LwM2M Core 1.2 s6.2.1). */
  async register(request: IncomingRequest): Promise<HandlerResponse> {
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

    // What this process remembers is a good guess of what the store holds; compare-and-set tells when it is not.
    let current = this.context.clients.get(endpoint)?.registration;
    if (current === undefined && this.context.clients.size >= this.context.maxRegistrations) {
      this.reject(channel, endpoint, 'register', 'overload');
      return { code: CoapCode.ServiceUnavailable, options: { maxAge: OVERLOAD_RETRY } };
    }
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const refusal = this.context.admission.refusal(endpoint, channel, current?.identity);
      if (refusal !== undefined) return this.forbid(channel, endpoint, 'register', refusal);
      const requested = parameters.lifetime ?? DEFAULT_LIFETIME;
      const registration: Registration = {
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
      const { count } = this.cutOffs;
      if (await this.context.store.put(registration, current?.revision ?? 0)) {
        if (!this.mayStay(registration, channel, count)) return this.withdraw(registration);
        this.registered(registration, channel);
        return { code: CoapCode.Created, options: { locationPath: ['rd', registration.id] } };
      }
      current = await this.context.store.byEndpoint(endpoint);
    }
    throw new StoreError('the registration changes too fast');
  }

  /** POST /rd/<id> (LwM2M Core 1.2 s6.2.2): the device sends only what changed. */
  async update(id: string, request: IncomingRequest): Promise<HandlerResponse> {
    const { channel } = request;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const current = await this.context.store.byId(id);
      if (current === undefined) return this.unknown(channel, 'update');
      const refused = this.refuseSender(request, current, 'update');
      if (refused !== undefined) return refused;
      const parameters = parseRegistrationParameters(request.options.uriQuery ?? []);
      if ('problem' in parameters) return badRequest(parameters.problem);
      const objects = request.payload.length === 0 ? current.objects : this.objectsOf(request.payload, undefined);
      if (objects === undefined || 'problem' in objects) return badRequest(objects?.problem ?? 'no object list');

      const { owner, lifetimes } = this.context;
      const next = changedRegistration(current, { parameters, objects, channel, owner, lifetimes });
      const { count } = this.cutOffs;
      const stored =
        next === current
          ? await this.context.store.renew(current.endpoint, current.revision)
          : await this.context.store.put(next, current.revision);
      if (stored) {
        if (!this.mayStay(next, channel, count)) return this.withdraw(next);
        this.updated(next, current, channel);
        return { code: CoapCode.Changed };
      }
    }
    throw new StoreError('the registration changes too fast');
  }

  /** DELETE /rd/<id> (LwM2M Core 1.2 s6.2.3). */
  async deregister(id: string, request: IncomingRequest): Promise<HandlerResponse> {
    const { channel } = request;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const current = await this.context.store.byId(id);
      if (current === undefined) return this.unknown(channel, 'deregister');
      const refused = this.refuseSender(request, current, 'deregister');
      if (refused !== undefined) return refused;
      if (await this.context.store.remove(current.endpoint, current.revision)) {
        this.deregistered(current, channel);
        return { code: CoapCode.Deleted };
      }
    }
    throw new StoreError('the registration changes too fast');
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
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const current = await this.context.store.byEndpoint(endpoint);
      if (current === undefined || !isDue(current)) return undefined;
      if (await this.context.store.remove(endpoint, current.revision)) {
        this.ended(endpoint);
        return current;
      }
    }
    throw new StoreError('the registration changes too fast');
  }

  private registered(registration: Registration, channel: Channel): void {
    const { clients, afterResponse, listener } = this.context;
    // Whatever the device knew of observations went with its old registration.
    const client = clients.set(registration, channel, this.context.ended);
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

function badRequest(problem: string): HandlerResponse {
  return { code: CoapCode.BadRequest, payload: Buffer.from(problem) };
}
