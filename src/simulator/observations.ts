import { pathContains, pathLevel, type Path } from '../model';
import type { Clock, Timer } from '../util/clock';
import type { Reply } from './coap-messages';
import { isInstances, type DeviceObjects } from './device-objects';
import type { AttributeValues } from './notification-attributes';
import type { NotificationStream } from './notification-stream';
import { refusalOf } from './write-operation';

/** What observations need of their device. */
export interface ObservationContext {
  readonly clock: Clock;
  readonly objects: DeviceObjects;
  /** The attributes that hold for a path, the defaults of the Server object included. */
  attributesOf(path: Path): AttributeValues;
  onFault(error: unknown): void;
}

export interface ObservationRequest {
  readonly paths: readonly Path[];
  /** Of the request itself (LwM2M Core 1.2 s6.4.1); they win over those attached to the path. */
  readonly attributes: AttributeValues;
  /** The answer as it is now. @throws {Refusal} */
  respond(): Reply;
}

/** The observations of one registration (LwM2M Core 1.1 s6.4), each known by its token. */
export class Observations {
  readonly #context: ObservationContext;
  readonly #observations = new Map<string, Observation>();

  constructor(context: ObservationContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#observations.size;
  }

  /** Begins one; one of the same token is replaced (RFC 7641 s4.1). */
  add(request: ObservationRequest, stream: NotificationStream): void {
    this.remove(stream.token);
    const observation = new Observation(this.#context, request, stream, () => this.#observations.delete(stream.token));
    this.#observations.set(stream.token, observation);
  }

  remove(token: string): void {
    this.#observations.get(token)?.end();
  }

  /** A value changed, or an object instance came or went. */
  changed(kind: 'value' | 'instances', path: Path): void {
    for (const observation of this.#observations.values()) observation.changed(kind, path);
  }

  /** Attributes were written: the periods count anew. */
  attributesChanged(): void {
    for (const observation of this.#observations.values()) observation.armMaximum();
  }

  /** The server can be reached again: what was on its way was lost, and is said anew. */
  resume(): void {
    for (const observation of this.#observations.values()) observation.resume();
  }

  clear(): void {
    for (const observation of [...this.#observations.values()]) observation.end();
  }
}

class Observation {
  readonly #context: ObservationContext;
  readonly #request: ObservationRequest;
  readonly #stream: NotificationStream;
  readonly #gone: () => void;
  /** Values last notified, of targets that have conditions to hold against them. */
  readonly #notified = new Map<Path, number | boolean>();
  #notifiedAt: number;
  #due = false;
  #queued = false;
  #over = false;
  #minimum: Timer | undefined;
  #maximum: Timer | undefined;

  constructor(context: ObservationContext, request: ObservationRequest, stream: NotificationStream, gone: () => void) {
    this.#context = context;
    this.#request = request;
    this.#stream = stream;
    this.#gone = gone;
    this.#notifiedAt = context.clock.monotonic();
    stream.onEnd = () => this.end();
    stream.onIdle = () => this.#flush();
    stream.onLost = () => this.#repeat();
    this.#remember();
    this.armMaximum();
  }

  resume(): void {
    this.#stream.lost();
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#minimum?.cancel();
    this.#maximum?.cancel();
    this.#stream.forget();
    this.#gone();
  }

  changed(kind: 'value' | 'instances', path: Path): void {
    const touched = this.#request.paths.filter((target) => pathContains(target, path) || pathContains(path, target));
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
      this.#flush();
    };
    this.#maximum = this.#context.clock.setTimer(onExpiry, Math.max(0, pmax * 1000 - passed));
  }

  /** Several values that change together make one notification, and the answer to what changed them goes first. */
  #queue(): void {
    if (this.#queued) return;
    this.#queued = true;
    queueMicrotask(() => {
      this.#queued = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#over || !this.#due || this.#stream.busy) return;
    const { pmin = 0 } = this.#periods();
    const wait = this.#notifiedAt + pmin * 1000 - this.#context.clock.monotonic();
    if (wait <= 0) return this.#notify();
    this.#minimum ??= this.#context.clock.setTimer(() => {
      this.#minimum = undefined;
      this.#flush();
    }, wait);
  }

  /** The value of now takes the place of the one that was lost (RFC 7641 s4.5.2). */
  #repeat(): void {
    this.#due = true;
    this.#flush();
  }

  #notify(): void {
    this.#due = false;
    this.#notifiedAt = this.#context.clock.monotonic();
    try {
      this.#stream.notify(this.#request.respond());
    } catch (error) {
      const refusal = refusalOf(error);
      if (!refusal) this.#context.onFault(error);
      this.#stream.fail(refusal?.code ?? '5.00');
      return this.end();
    }
    this.#remember();
    this.armMaximum();
  }

  /** Of several paths the shortest maximum and the longest minimum hold. */
  #periods(): { pmin?: number; pmax?: number } {
    const all = this.#request.paths.map((path) => this.#attributes(path));
    const maxima = all.map(({ pmax = 0 }) => pmax).filter((pmax) => pmax > 0);
    return { pmin: Math.max(0, ...all.map(({ pmin = 0 }) => pmin)), pmax: maxima.length ? Math.min(...maxima) : 0 };
  }

  #attributes(path: Path): AttributeValues {
    return { ...this.#context.attributesOf(path), ...this.#request.attributes };
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
    for (const path of this.#request.paths) {
      const value = this.#plainValue(path);
      if (value === undefined) this.#notified.delete(path);
      else this.#notified.set(path, value);
    }
  }

  #plainValue(path: Path): number | boolean | undefined {
    const level = pathLevel(path);
    if (level !== 'resource' && level !== 'resource-instance') return undefined;
    const resource = this.#context.objects.find(path.objectId ?? 0, path.objectInstanceId ?? 0, path.resourceId ?? 0);
    const value = isInstances(resource?.value ?? null)
      ? (resource?.value as ReadonlyMap<number, unknown>).get(path.resourceInstanceId ?? -1)
      : resource?.value;
    return typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
  }
}
