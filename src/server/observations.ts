import { isSuccess, type CoapResponse, type Observer } from '../coap';
import { CancelledError, Lwm2mError, ResponseError, StoreError, TransportError } from '../errors';
import { formatPath, parsePath, ROOT, type Path } from '../model';
import { describeError, escapeForLog, type Log } from '../util/log';
import { attributeQueries, isEmpty, type Attributes } from './attributes';
import { readContent, type ReceivedContent } from './content';
import { deliverObserved, keepNewest } from './deliver-observed';
import { Exchange, responseError, type OperationContext } from './exchange';
import { requestObservation, singleObserveRequest, writeSharedAttributes } from './observe-request';
import { compositeRequest } from './operations/fetch-composite';
import { readComposite, readSingle } from './operations/read';
import { observesCompositesSingly, rememberNoCompositeObserve } from './refusals';
import type { RegisteredClient } from './registered-client';
import {
  observationKey,
  SharedObservation,
  type ObservationSpec,
  type ObservationSubscriber,
} from './shared-observation';
import type { ObservationStore, StoredObservation } from './store';

/** A subscriber's hold on the observations that serve it. */
export interface Subscription {
  /** How many observations on the device serve it: one, or one a path where the device has no composites. */
  readonly observations: number;
  /** The subscriber goes; an observation that nobody wants any more is cancelled on the device. */
  cancel(): Promise<void>;
}

/** The information reporting interface (LwM2M Core 1.2 s6.4): Observe, Observe-Composite, Notify and their end. */
export class Observations {
  private closed = false;

  constructor(
    private readonly context: OperationContext,
    private readonly store: ObservationStore,
    private readonly log: Log,
  ) {}

  /**
   * Observes paths of a device for a subscriber, who hears the current value first. An observation that runs already is
   * shared. Rejects with the errors of a read; then nothing is observed.
   */
  async observe(exchange: Exchange, spec: ObservationSpec, subscriber: ObservationSubscriber): Promise<Subscription> {
    const { client } = exchange;
    if (spec.paths.length > 1 && observesCompositesSingly(client))
      return this.observeSingly(exchange, spec, subscriber);
    try {
      return this.subscription(client, [await this.join(exchange, spec, subscriber)], subscriber);
    } catch (error) {
      if (spec.paths.length > 1 && error instanceof ResponseError && error.responseCode === '4.05') {
        rememberNoCompositeObserve(client);
        return this.observeSingly(exchange, spec, subscriber);
      }
      throw error;
    }
  }

  /**
   * After a restart: a subscriber takes up what the device observes since before it, and hears what has come since. Nothing
   * is sent. @returns `undefined`: the device does not observe all of it.
   */
  adopt(
    client: RegisteredClient,
    { paths }: ObservationSpec,
    subscriber: ObservationSubscriber,
  ): Subscription | undefined {
    const together = restored(client, paths);
    const adopted = together === undefined ? paths.flatMap((path) => restored(client, [path]) ?? []) : [together];
    // Where the device has no composites it is one observation a path; it need not have granted each.
    const isWhole = together !== undefined || adopted.length === paths.length || observesCompositesSingly(client);
    if (adopted.length === 0 || !isWhole) return undefined;
    for (const shared of adopted) {
      shared.subscribers.add(subscriber);
      const { unheard } = shared;
      shared.unheard = undefined;
      for (const content of unheard ?? []) subscriber.value(content);
    }
    return this.subscription(client, adopted, subscriber);
  }

  /** The ends of the device's observations of before the restart that nobody has taken up. */
  *unclaimed(client: RegisteredClient): Iterable<() => Promise<void>> {
    for (const shared of client.observations?.values() ?? []) {
      if (!shared.restored || shared.subscribers.size > 0) continue;
      yield async () => {
        if (shared.subscribers.size === 0) await this.cancel(client, shared);
      };
    }
  }

  /** The device's registration is over or was replaced, and its observations with it (LwM2M Core 1.2 s6.2.1). */
  endAll(client: RegisteredClient): void {
    const { observations } = client;
    if (observations === undefined) return;
    client.observations = undefined;
    for (const shared of observations.values()) shared.coap?.forget();
    this.keep(async () => this.store.removeOf(client.endpoint));
  }

  /** From now on the end of an observation is the end of this process, and nothing to be remembered. */
  close(): void {
    this.closed = true;
  }

  /** After a restart: notifications of these observations, which are of the client's registration, are accepted again. */
  restore(client: RegisteredClient, observations: readonly StoredObservation[]): void {
    for (const { token, paths, contentFormat, attributes } of observations) {
      const spec: ObservationSpec = { paths: paths.map(parsePath), contentFormat, attributes };
      const shared = new SharedObservation(observationKey(spec.paths), spec);
      shared.restored = true;
      shared.waitingToken = token;
      (client.observations ??= new Map()).set(shared.key, shared);
    }
    if (client.channel !== undefined) this.resume(client);
  }

  /** The device is back at a channel: what waited for it goes on there (its notifications are accepted again). */
  resume(client: RegisteredClient): void {
    for (const shared of client.observations?.values() ?? []) {
      const token = shared.waitingToken;
      if (token === undefined) continue;
      try {
        this.acceptAgain(client, shared, token);
        shared.waitingToken = undefined;
      } catch (error) {
        if (!(error instanceof Lwm2mError)) throw error;
        this.ended(client, shared, error);
      }
    }
  }

  private acceptAgain(client: RegisteredClient, shared: SharedObservation, token: Buffer): void {
    const exchange = new Exchange(this.context, client);
    const { spec } = shared;
    const request =
      spec.paths.length > 1
        ? compositeRequest(exchange, spec.paths, spec.contentFormat ?? 'senml-cbor')
        : singleObserveRequest(exchange, spec, spec.attributes);
    const observer = this.observer(client, shared);
    shared.coap = this.context.stack.restoreObservation(exchange.channel(), token, request, observer);
  }

  private async observeSingly(
    exchange: Exchange,
    spec: ObservationSpec,
    subscriber: ObservationSubscriber,
  ): Promise<Subscription> {
    const joined: SharedObservation[] = [];
    let refusal: ResponseError | undefined;
    for (const path of spec.paths) {
      try {
        joined.push(await this.join(exchange, { ...spec, paths: [path] }, subscriber));
      } catch (error) {
        if (!(error instanceof ResponseError)) throw error;
        if (refusal !== undefined || joined.length > 0) subscriber.failed(formatPath(path), error);
        refusal ??= error;
      }
    }
    if (joined.length === 0 && refusal !== undefined) throw refusal;
    return this.subscription(exchange.client, joined, subscriber);
  }

  private subscription(
    client: RegisteredClient,
    joined: readonly SharedObservation[],
    subscriber: ObservationSubscriber,
  ): Subscription {
    return {
      observations: joined.length,
      cancel: async () => {
        for (const shared of joined) {
          shared.subscribers.delete(subscriber);
          if (shared.subscribers.size === 0) await this.cancel(client, shared);
        }
      },
    };
  }

  private async join(
    exchange: Exchange,
    spec: ObservationSpec,
    subscriber: ObservationSubscriber,
  ): Promise<SharedObservation> {
    const { client } = exchange;
    const key = observationKey(spec.paths);
    const running = client.observations?.get(key);
    if (running !== undefined) {
      await running.established;
      await this.joinRunning(exchange, running, spec, subscriber);
      return running;
    }
    const shared = new SharedObservation(key, spec);
    (client.observations ??= new Map()).set(key, shared);
    shared.subscribers.add(subscriber);
    shared.established = this.establish(exchange, shared);
    try {
      await shared.established;
    } catch (error) {
      if (client.observations?.get(key) === shared) client.observations.delete(key);
      throw error;
    }
    return shared;
  }

  /** A later subscriber's first value is a fresh one. */
  private async joinRunning(
    exchange: Exchange,
    shared: SharedObservation,
    spec: ObservationSpec,
    subscriber: ObservationSubscriber,
  ): Promise<void> {
    shared.subscribers.add(subscriber);
    try {
      if (!isEmpty(spec.attributes) && !sameAttributes(spec.attributes, shared.spec.attributes)) {
        await writeSharedAttributes(exchange, shared, spec.attributes);
      }
      const content =
        spec.paths.length === 1 && spec.paths[0] !== undefined
          ? await readSingle(exchange, spec.paths[0], spec.contentFormat)
          : await readComposite(exchange, spec.paths, spec.contentFormat);
      deliverObserved(shared, content, true, this.context.clock.now(), [subscriber]);
    } catch (error) {
      shared.subscribers.delete(subscriber);
      throw error;
    }
  }

  private async establish(exchange: Exchange, shared: SharedObservation): Promise<void> {
    const { client } = exchange;
    const registrationId = client.registration.id;
    const { response, observation } = await requestObservation(exchange, shared, this.observer(client, shared));
    this.heard(client);
    if (!isSuccess(response.code)) throw responseError(response);
    if (client.observations?.get(shared.key) !== shared || client.registration.id !== registrationId) {
      observation?.forget();
      throw new CancelledError(`${client.endpoint} registered anew meanwhile`);
    }
    if (observation === undefined) {
      this.received(client, shared, response, true);
      throw new ResponseError('2.05', '', `${client.endpoint} answered ${shared.path} but does not observe it`);
    }
    shared.coap = observation;
    shared.early = [];
    const { paths, contentFormat, attributes } = shared.spec;
    try {
      await this.store.put({
        endpoint: client.endpoint,
        registrationId,
        token: observation.token,
        paths: paths.map(formatPath),
        composite: paths.length > 1,
        contentFormat,
        attributes,
      });
    } catch (error) {
      // What would not outlive a restart is not observed: the device learns it by the RST to its next notification.
      observation.forget();
      throw error;
    }
    const { early } = shared;
    shared.early = undefined;
    this.received(client, shared, response, true);
    for (const notification of early) this.received(client, shared, notification, false);
  }

  private observer(client: RegisteredClient, shared: SharedObservation): Observer {
    return {
      notified: (response) => {
        this.context.notified(client);
        if (shared.early === undefined) this.received(client, shared, response, false);
        else keepNewest(shared.early, response);
      },
      ended: (reason) => this.ended(client, shared, reason),
    };
  }

  private received(client: RegisteredClient, shared: SharedObservation, response: CoapResponse, first: boolean): void {
    const { paths } = shared.spec;
    const now = this.context.clock.now();
    const composite = paths.length > 1;
    let content: ReceivedContent;
    try {
      content = readContent(client.model, composite ? ROOT : (paths[0] ?? ROOT), response, now, paths);
    } catch (error) {
      if (!(error instanceof Lwm2mError)) throw error;
      if (shared.saidUnreadable) return;
      shared.saidUnreadable = true;
      for (const subscriber of shared.subscribers) subscriber.failed(shared.path, error);
      return;
    }
    this.context.listener.reported(client, content.values, now);
    deliverObserved(shared, content, first, now);
  }

  private ended(client: RegisteredClient, shared: SharedObservation, reason: CoapResponse | Lwm2mError): void {
    if (this.closed || client.observations?.get(shared.key) !== shared) return;
    if (reason instanceof TransportError && client.registration.scheme === 'coaps' && shared.coap !== undefined) {
      // The session is over, the registration is not, and observations belong to it (LwM2M Core 1.2 s6.4).
      shared.waitingToken = shared.coap.token;
      return;
    }
    client.observations.delete(shared.key);
    this.forgetStored(client, shared);
    const error = reason instanceof Lwm2mError ? reason : endError(reason, shared.path);
    for (const subscriber of shared.subscribers) subscriber.ended(shared.path, error);
  }

  private async cancel(client: RegisteredClient, shared: SharedObservation): Promise<void> {
    if (client.observations?.get(shared.key) !== shared) return;
    client.observations.delete(shared.key);
    this.forgetStored(client, shared);
    try {
      // A sleeping device learns it by the RST to its next notification.
      await shared.coap?.cancel(this.context.clients.isAwake(client) ? 'get' : 'reset');
    } catch (error) {
      if (!(error instanceof Lwm2mError)) throw error;
      this.log.debug(
        `${escapeForLog(client.endpoint)} did not confirm the end of observing ${shared.path}: ${error.message}`,
      );
    }
  }

  private forgetStored(client: RegisteredClient, { coap, waitingToken }: SharedObservation): void {
    const token = coap?.token ?? waitingToken;
    if (token !== undefined) this.keep(async () => this.store.remove(client.endpoint, token));
  }

  private heard(client: RegisteredClient): void {
    if (this.context.clients.heard(client)) this.context.listener.awake(client);
  }

  /** Changes the store where nobody can wait for it; what stays behind is swept by its registration id at the next start. */
  private keep(change: () => Promise<unknown>): void {
    change().catch((error: unknown) => {
      const why = error instanceof StoreError ? error.message : describeError(error);
      this.log.warn(`an observation that ended is still in the store: ${why}`);
    });
  }
}

/** What the device observes of these paths since before the restart. */
function restored(client: RegisteredClient, paths: readonly Path[]): SharedObservation | undefined {
  const shared = client.observations?.get(observationKey(paths));
  return shared?.restored === true ? shared : undefined;
}

function sameAttributes(one: Attributes | undefined, other: Attributes | undefined): boolean {
  return attributeQueries(one ?? {}).join() === attributeQueries(other ?? {}).join();
}

function endError(response: CoapResponse, path: string): Lwm2mError {
  if (!isSuccess(response.code)) return responseError(response);
  return new ResponseError('2.05', '', `the device ended the observation of ${path}`);
}
