import { CoapCode, type HandlerResponse, type IncomingRequest } from '../coap';
import { CodecError, StoreError } from '../errors';
import type { Channel } from '../transport/transport';
import type { Clock } from '../util/clock';
import { changedRegistration } from './changed-registration';
import { CutOffs } from './cut-offs';
import type { LifetimeBounds } from './lifetime-bounds';
import type { Profiles } from './profiles';
import type { RegisteredClient } from './registered-client';
import { mergeRegisteredObjects, type RegisteredObjects, type RegisteredObjectsCache } from './registered-objects';
import type { Lwm2mVersion, Registration } from './registration';
import { RegistrationEffects, type RegistrationEffectsContext } from './registration-effects';
import { RegistrationGuard, type RegistrationGuardContext } from './registration-guard';
import { newRegistrationId } from './registration-id';
import { parseRegistrationParameters, versionOf, type RegistrationParameters } from './registration-parameters';
import type { Awaitable, RegistrationStore } from './store';

const DEFAULT_LIFETIME = 86_400;
const MAX_ENDPOINT_LENGTH = 255;
/** How often a change is tried again when another writer was faster. */
const MAX_TRIES = 4;
/**
 * For a device whose right to register changed while it registered, or whose registration many change at once: the store
 * is well. Max-Age is what it is told to wait, s.
 */
const COME_AGAIN: HandlerResponse = { code: CoapCode.ServiceUnavailable, options: { maxAge: 5 } };

export interface RegistrationsContext extends RegistrationGuardContext, RegistrationEffectsContext {
  readonly owner: string;
  readonly clock: Clock;
  readonly store: RegistrationStore;
  readonly lifetimes: LifetimeBounds;
  readonly profiles: Profiles;
  readonly objectLists: RegisteredObjectsCache;
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
  private readonly guard: RegistrationGuard;
  private readonly effects: RegistrationEffects;

  constructor(private readonly context: RegistrationsContext) {
    this.guard = new RegistrationGuard(context);
    this.effects = new RegistrationEffects(context);
  }

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
      return this.guard.refuseVersion(channel, endpoint, 'this server speaks LwM2M 1.0, 1.1 and 1.2');
    }
    const objects = this.objectsOf(request.payload, parameters.profileId);
    if (objects === undefined) {
      return this.guard.refuseVersion(channel, endpoint, 'unknown profile: register with all objects');
    }
    if ('problem' in objects) return badRequest(objects.problem);

    const client = this.context.clients.get(endpoint);
    const full = client === undefined ? this.guard.refuseNewcomer(channel, endpoint) : undefined;
    if (full !== undefined) return full;
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
      if (current === undefined) return this.guard.refuseUnknown(channel, 'deregister');
      const refused = this.guard.refuseSender(request, current, 'deregister');
      if (refused !== undefined) return refused;
      if (await this.context.store.remove(current.endpoint, current.revision)) {
        this.effects.deregistered(current, channel);
        return { code: CoapCode.Deleted };
      }
    }
    return COME_AGAIN;
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
        this.effects.ended(endpoint);
        return current;
      }
    }
    throw new StoreError(`the registration of ${endpoint} changes too fast`);
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
    const refused = this.guard.refuseApplicant(channel, endpoint, current);
    if (refused !== undefined) return refused;
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
    if (tries === MAX_TRIES) return COME_AGAIN;
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

  private created(registration: Registration, channel: Channel, client: RegisteredClient | undefined): HandlerResponse {
    this.effects.created(registration, channel, client);
    return { code: CoapCode.Created, options: { locationPath: ['rd', registration.id] } };
  }

  /** Stores what an Update changes, or that the lifetime begins anew. */
  private change(
    current: Registration | undefined,
    request: IncomingRequest,
    tries: number,
  ): Awaitable<HandlerResponse> {
    const { channel, options, payload } = request;
    if (current === undefined) return this.guard.refuseUnknown(channel, 'update');
    const refused =
      this.guard.refuseSender(request, current, 'update') ?? this.guard.putOff(channel, current.endpoint, 'update');
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
    this.effects.updated(next, current, channel);
    return { code: CoapCode.Changed };
  }

  private async changeStored(
    stored: Awaitable<boolean>,
    { next, current, request, tries, cutOffsBefore }: Change,
  ): Promise<HandlerResponse> {
    if (await stored) {
      if (!this.mayStay(next, request.channel, cutOffsBefore)) return this.withdraw(next);
      this.effects.updated(next, current, request.channel);
      return { code: CoapCode.Changed };
    }
    if (tries === MAX_TRIES) return COME_AGAIN;
    return this.update(current.id, request, tries + 1);
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
    if (await this.context.store.remove(endpoint, revision)) this.effects.ended(endpoint);
    return COME_AGAIN;
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
}

function badRequest(problem: string): HandlerResponse {
  return { code: CoapCode.BadRequest, payload: Buffer.from(problem) };
}
