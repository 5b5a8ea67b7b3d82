import { isDeepStrictEqual } from 'node:util';
import { formatPath, pathContains, pathLevel, type Path, type ResourceValue } from '../model';
import type { Clock, Timer } from '../util/clock';
import type { Reply } from './coap-messages';
import type { DeviceObjects } from './device-objects';
import type { AttributeValues } from './notification-attributes';
import type { NotificationStream } from './notification-stream';
import type { TimedValue } from './outbox';
import { refusalOf } from './write-operation';

/** What observations need of their device. */
export interface ObservationContext {
  readonly clock: Clock;
  readonly objects: DeviceObjects;
  /** The attributes that hold for a path, the defaults of the Server object included. */
  attributesOf(path: Path): AttributeValues;
  /** Whether notifications can leave; `after-update`: once the registration was updated. */
  reach(): 'open' | 'after-update' | 'closed';
  update(): void;
  /** Whether what cannot be said now is kept (/1/x/6, Notification Storing When Disabled or Offline). */
  isStoring(): boolean;
  /** Told what cannot be said now. */
  store(values: readonly TimedValue[]): void;
  onFault(error: unknown): void;
}

export interface ObservationRequest {
  readonly paths: readonly Path[];
  /** Of the request itself (LwM2M Core 1.2 s6.4.1); they win over those attached to the path. */
  readonly attributes: AttributeValues;
  /** The answer as it is now. @throws {Refusal} */
  respond(): Reply;
  /** What the answer says. @throws {Refusal} */
  values(): readonly ResourceValue[];
}

/**
 * The observations of one registration (LwM2M Core 1.1 s6.4), each known by its token; and those of the registration before
 * that the server has not made anew yet, which go on recording.
 */
export class Observations {
  readonly #context: ObservationContext;
  readonly #observations = new Map<string, Observation>();
  /** By their paths. */
  readonly #detached = new Map<string, Observation>();

  constructor(context: ObservationContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#observations.size;
  }

  /** Begins one; one of the same token is replaced (RFC 7641 s4.1). */
  add(request: ObservationRequest, stream: NotificationStream): void {
    this.remove(stream.token);
    this.#detached.get(pathsKey(request))?.end();
    const observation = new Observation(this.#context, request, stream, () => this.#observations.delete(stream.token));
    this.#observations.set(stream.token, observation);
  }

  /** The registration ends. Where notifications are stored, what was observed is recorded until it is observed anew. */
  detach(): void {
    if (!this.#context.isStoring()) return this.clear();
    for (const [token, observation] of [...this.#observations]) {
      const key = pathsKey(observation.request);
      this.#observations.delete(token);
      this.#detached.get(key)?.end();
      observation.detach(() => this.#detached.delete(key));
      this.#detached.set(key, observation);
    }
  }

  /** What the server has not observed anew it has lost interest in. */
  forgetDetached(): void {
    for (const observation of [...this.#detached.values()]) observation.end();
  }

  remove(token: string): void {
    this.#observations.get(token)?.end();
  }

  /** A value changed, or an object instance came or went. */
  changed(kind: 'value' | 'instances', path: Path): void {
    for (const observation of this.#observations.values()) observation.changed(kind, path);
    for (const observation of this.#detached.values()) observation.changed(kind, path);
  }

  /** Attributes were written: the periods count anew. */
  attributesChanged(): void {
    for (const observation of this.#observations.values()) observation.armMaximum();
  }

  /** The server can be reached again: what was on its way was lost, and is said anew. */
  resume(): void {
    for (const observation of this.#observations.values()) observation.resume();
  }

  /** The device is awake: says what is due. */
  flush(): void {
    for (const observation of this.#observations.values()) observation.flush();
  }

  clear(): void {
    for (const observation of [...this.#observations.values()]) observation.end();
    this.forgetDetached();
  }
}

function pathsKey({ paths }: ObservationRequest): string {
  return paths.map(formatPath).sort().join(' ');
}

class Observation {
  readonly request: ObservationRequest;
  readonly #context: ObservationContext;
  /** Undefined when its registration has ended. */
  #stream: NotificationStream | undefined;
  #gone: () => void;
  /** Values last notified, of targets that have conditions to hold against them. */
  readonly #notified = new Map<Path, number | boolean>();
  #notifiedAt: number;
  /** What the notification says that is on its way. */
  #onItsWay: readonly TimedValue[] = [];
  #hasStored = false;
  #due = false;
  #queued = false;
  #over = false;
  #minimum: Timer | undefined;
  #maximum: Timer | undefined;

  constructor(context: ObservationContext, request: ObservationRequest, stream: NotificationStream, gone: () => void) {
    this.#context = context;
    this.request = request;
    this.#stream = stream;
    this.#gone = gone;
    this.#notifiedAt = context.clock.monotonic();
    stream.onEnd = () => this.end();
    stream.onIdle = () => this.flush();
    stream.onLost = () => this.#repeat();
    this.#remember();
    this.armMaximum();
  }

  resume(): void {
    this.#stream?.lost();
    // What was stored is history; the observer wants to know what is now.
    this.#due ||= this.#hasStored;
    this.#hasStored = false;
    this.flush();
  }

  /** Goes on without a stream. */
  detach(gone: () => void): void {
    this.#gone = gone;
    if (this.#stream?.busy) this.#context.store(this.#onItsWay);
    this.#stream?.forget();
    this.#stream = undefined;
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#minimum?.cancel();
    this.#maximum?.cancel();
    this.#stream?.forget();
    this.#gone();
  }

  changed(kind: 'value' | 'instances', path: Path): void {
    const touched = this.request.paths.filter((target) => pathContains(target, path) || pathContains(path, target));
    if (touched.length === 0) return;
    if (kind === 'value' && !touched.some((target) => this.#isNews(target))) return;
    this.#due = true;
    this.#queue();
  }

  armMaximum(): void {
    this.#maximum?.cancel();
    const { pmin = 0, pmax = 0 } = this.#periods();
    // A maximum below the minimum is ignored (LwM2M Core 1.1 s7.3.2).
    if (pmax === 0 || pmax < pmin) return;
    const passed = this.#context.clock.monotonic() - this.#notifiedAt;
    const onExpiry = () => {
      this.#due = true;
      this.flush();
    };
    this.#maximum = this.#context.clock.setTimer(onExpiry, Math.max(0, pmax * 1000 - passed));
  }

  /** Several values that change together make one notification, and the answer to what changed them goes first. */
  #queue(): void {
    if (this.#queued) return;
    this.#queued = true;
    queueMicrotask(() => {
      this.#queued = false;
      this.flush();
    });
  }

  flush(): void {
    if (this.#over || !this.#due || this.#stream?.busy) return;
    const { pmin = 0 } = this.#periods();
    const wait = this.#notifiedAt + pmin * 1000 - this.#context.clock.monotonic();
    if (wait <= 0) return this.#say();
    this.#minimum ??= this.#context.clock.setTimer(() => {
      this.#minimum = undefined;
      this.flush();
    }, wait);
  }

  /** The value of now takes the place of the one that was lost (RFC 7641 s4.5.2), which is kept where that is wanted. */
  #repeat(): void {
    if (this.#context.isStoring() && this.#isPast()) this.#context.store(this.#onItsWay);
    this.#due = true;
    this.flush();
  }

  /** Says what is due, or stores it. */
  #say(): void {
    const reach = this.#context.reach();
    const stream = this.#stream;
    if (stream && reach === 'open') this.#conclude(() => stream.notify(this.request.respond()));
    else if (stream && reach === 'after-update') this.#context.update();
    else if (this.#context.isStoring()) this.#conclude(() => this.#store());
    // Else it stays due, and is said when there is somebody to say it to.
  }

  #store(): void {
    this.#hasStored = true;
    this.#context.store(this.#onItsWay);
  }

  #conclude(say: () => void): void {
    this.#due = false;
    this.#notifiedAt = this.#context.clock.monotonic();
    try {
      this.#onItsWay = this.#timed();
      say();
    } catch (error) {
      const refusal = refusalOf(error);
      if (!refusal) this.#context.onFault(error);
      this.#stream?.fail(refusal?.code ?? '5.00');
      return this.end();
    }
    this.#remember();
    this.armMaximum();
  }

  /** Whether what was on its way is no longer so: else what is said now says it too. */
  #isPast(): boolean {
    return this.#onItsWay.some(({ path, value }) => {
      const now = this.#context.objects.valueAt(path);
      return !isDeepStrictEqual(value, now);
    });
  }

  #timed(): TimedValue[] {
    const timestamp = this.#context.clock.now();
    return this.request.values().map((value) => ({ ...value, timestamp }));
  }

  /** Of several paths the shortest maximum and the longest minimum hold. */
  #periods(): { pmin?: number; pmax?: number } {
    const all = this.request.paths.map((path) => this.#attributes(path));
    const maxima = all.map(({ pmax = 0 }) => pmax).filter((pmax) => pmax > 0);
    return { pmin: Math.max(0, ...all.map(({ pmin = 0 }) => pmin)), pmax: maxima.length ? Math.min(...maxima) : 0 };
  }

  #attributes(path: Path): AttributeValues {
    return { ...this.#context.attributesOf(path), ...this.request.attributes };
  }

  /** Whether a changed value is to be told, by the conditions gt, lt, st and edge (LwM2M Core 1.2 s5.1.2). */
  #isNews(target: Path): boolean {
    const { gt, lt, st, edge } = this.#attributes(target);
    const before = this.#notified.get(target);
    const now = this.#plainValue(target);
    if (typeof now === 'boolean' && edge !== undefined) return now === (edge === 1) && before !== now;
    if (typeof now !== 'number' || typeof before !== 'number') return true;
    if (gt === undefined && lt === undefined && st === undefined) return true;
    const crossed = (limit: number | undefined) => limit !== undefined && before > limit !== now > limit;
    const fell = lt !== undefined && before < lt !== now < lt;
    return crossed(gt) || fell || (st !== undefined && Math.abs(now - before) >= st);
  }

  #remember(): void {
    for (const path of this.request.paths) {
      const value = this.#plainValue(path);
      if (value === undefined) this.#notified.delete(path);
      else this.#notified.set(path, value);
    }
  }

  #plainValue(path: Path): number | boolean | undefined {
    const level = pathLevel(path);
    if (level !== 'resource' && level !== 'resource-instance') return undefined;
    const value = this.#context.objects.valueAt(path);
    return typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
  }
}
