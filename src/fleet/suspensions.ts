import { CancelledError, StoreError, type Lwm2mError } from '../errors';
import type { Gate, GateRefusal, KeyedStore } from '../server';
import type { Clock } from '../util/clock';
import { escapeForLog, type Log } from '../util/log';
import { TimerWheel } from '../util/timer-wheel';
import { Turns } from '../util/turns';
import type { Device } from './device';
import type { SuspensionEventPayload, SuspensionTopic } from './device-event';
import type { Devices } from './devices';
import type {
  ResumeOptions,
  StoredSuspension,
  SuspendOptions,
  SuspensionResult,
  SuspensionRun,
  SuspensionView,
} from './suspension';
import { SuspensionBook, type Suspension } from './suspension-book';
import { SuspensionExecution } from './suspension-execution';
import { overdueAt, resultOf, suspensionOf, viewOf } from './suspension-record';
import { ReturnedDevices } from './suspension-returned';
import { checkShares, sharesOf } from './suspension-shares';
import { Telling, type NotTold, type TellingContext } from './suspension-telling';
import type { Target } from './target';
import { suspensionPayload } from './views';

/** How long after Disable a device may take to de-register, ms (DESIGN section 4). */
const LEAVING_TIME = 5_000;
/** After so long nobody waits any more for a device that is overdue, ms. */
const OVERDUE_KEPT = 7 * 86_400_000;
const TICK = 500;

export interface SuspensionsContext extends TellingContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: KeyedStore<StoredSuspension>;
  readonly devices: Devices;
  /** Whether the user may suspend and resume the device: an error, and it is left as it is. */
  authorize(endpoint: string, user: string | undefined): Lwm2mError | undefined;
  /** Ends the registration of a device that does not say goodbye. Rejects with `StoreError`. */
  deregister(endpoint: string): Promise<unknown>;
  /** A device that is registered is let in again: what waits for it may go out. */
  letIn(endpoint: string): void;
  /** @param payload makes it, if anybody listens. */
  emit(topic: SuspensionTopic, endpoint: string, payload: () => SuspensionEventPayload): void;
}

/**
 * Devices whose connection is suspended for a time (use case B.4 of the LwM2M requirements): they are told to stay away,
 * are not let in before their end, and are expected back.
 *
 * A suspension is stored before the device is told to go. That a device is back need not be: one that is registered when
 * it may be has returned, so after a restart the same follows from what is stored.
 */
export class Suspensions implements Gate {
  readonly #context: SuspensionsContext;
  readonly #wheel: TimerWheel;
  readonly #book: SuspensionBook;
  readonly #returned: ReturnedDevices;
  /** Of one device one suspension at a time. */
  readonly #turns = new Turns();
  readonly #running = new Set<SuspensionExecution>();

  constructor(context: SuspensionsContext) {
    this.#context = context;
    this.#book = new SuspensionBook(context.store);
    this.#wheel = new TimerWheel(context.clock, TICK);
    this.#returned = new ReturnedDevices(context.clock);
  }

  /** Reads what the store holds: from here on suspended devices are refused. @throws {StoreError} */
  async takeUp(): Promise<void> {
    await this.#book.takeUp();
    for (const { stored } of this.#book) {
      if (stored.overdue === undefined) this.#context.devices.suspended(stored.endpoint);
    }
  }

  /** The registrations are there: takes up what was due while nobody looked. */
  begin(): void {
    for (const suspension of [...this.#book]) {
      const { stored } = suspension;
      const { client } = this.#context.devices.get(stored.endpoint) ?? {};
      if (client !== undefined && stored.mode === 'device' && this.#isShut(stored)) {
        // It was told before the process ended, and by now it is gone.
        this.#sendOff(suspension, client.registration.id, 0);
      }
      this.#due(suspension);
    }
  }

  /** What is under way is cancelled; what is suspended stays so in the store. */
  close(): void {
    for (const execution of this.#running) execution.cancel();
    this.#wheel.close();
    this.#book.close();
    this.#returned.clear();
  }

  refusal(endpoint: string): GateRefusal | undefined {
    if (this.#book.size === 0) return undefined;
    const stored = this.#book.get(endpoint)?.stored;
    if (stored === undefined || !this.#isShut(stored)) return undefined;
    return { reason: 'suspended', maxAge: Math.ceil((stored.opensAt - this.#context.clock.now()) / 1000) };
  }

  isSuspended(endpoint: string): boolean {
    return this.#book.get(endpoint) !== undefined;
  }

  /** @throws {InvalidArgumentError} a target, a duration or a stagger that cannot be. */
  suspend(target: Target, { duration, stagger = 0, user, signal }: SuspendOptions): SuspensionRun {
    checkShares(duration, stagger);
    const { devices, clock } = this.#context;
    const members = devices.members(target);
    const isSpared = (endpoint: string): boolean => devices.get(endpoint)?.priority === 'high';
    const shares = sharesOf(
      members.filter((endpoint) => !isSpared(endpoint)),
      duration,
      stagger,
    );
    const suspend = (endpoint: string, aborted: AbortSignal): Promise<SuspensionResult> =>
      this.#turns.run(endpoint, async () => {
        const seconds = shares.get(endpoint);
        // Its priority may change while it waits for its turn.
        if (seconds === undefined || isSpared(endpoint)) return { endpoint, state: 'skipped', reason: 'highPriority' };
        return this.#suspend(endpoint, seconds, user, aborted);
      });
    return this.#run(new SuspensionExecution(members, clock, suspend, signal));
  }

  /**
   * Lets devices in before their end. Those that stay away by themselves come when they come.
   * @throws {InvalidArgumentError} a target that cannot be.
   */
  resume(target: Target, { user, signal }: ResumeOptions = {}): SuspensionRun {
    const { devices, clock } = this.#context;
    const resume = (endpoint: string): Promise<SuspensionResult> => this.#resume(endpoint, user);
    return this.#run(new SuspensionExecution(devices.members(target), clock, resume, signal));
  }

  /** Of the devices of a target, sorted by endpoint. @throws {InvalidArgumentError} a target that cannot be. */
  list(target: Target = { all: true }): SuspensionView[] {
    const { devices } = this.#context;
    const matches = devices.matcher(target);
    return [...this.#returned.list(), ...[...this.#book].map(({ stored }) => viewOf(stored))]
      .filter(({ endpoint }) => matches(devices.subject(endpoint)))
      .sort((a, b) => (a.endpoint < b.endpoint ? -1 : 1));
  }

  /** A device has registered, or updated its registration. */
  heard({ endpoint }: Device): void {
    if (this.#book.size === 0) return;
    const suspension = this.#book.get(endpoint);
    // One that came in just before it was suspended has not returned.
    if (suspension !== undefined && !this.#isShut(suspension.stored)) this.#return(suspension);
  }

  /** The device is not expected any more, whoever comes by its name; nothing is said of it. */
  forget(endpoint: string): void {
    const suspension = this.#book.get(endpoint);
    if (suspension !== undefined) this.#end(suspension);
    this.#returned.delete(endpoint);
  }

  /** The registration of a device is over. */
  left(endpoint: string): void {
    const leaving = this.#book.get(endpoint)?.leaving;
    leaving?.timer?.cancel();
    leaving?.left.abort();
  }

  #run(execution: SuspensionExecution): SuspensionRun {
    this.#running.add(execution);
    void execution.finished.then(() => this.#running.delete(execution));
    return execution;
  }

  async #suspend(
    endpoint: string,
    seconds: number,
    user: string | undefined,
    signal: AbortSignal,
  ): Promise<SuspensionResult> {
    const { devices, clock } = this.#context;
    const denied = this.#context.authorize(endpoint, user);
    if (denied !== undefined) throw denied;
    const prepared = await Telling.prepare(this.#context, devices.get(endpoint), seconds, {
      user,
      signal,
      urgent: true,
    });
    if (signal.aborted) throw new CancelledError('the suspension was cancelled');
    const telling = prepared instanceof Telling ? prepared : undefined;
    const before = this.#book.get(endpoint)?.stored;
    const wanted = { endpoint, seconds, user, told: telling !== undefined };
    const suspension = await this.#store(suspensionOf(wanted, devices.get(endpoint), before, clock.now()));
    const notTold = prepared instanceof Telling ? await this.#tell(suspension, prepared, user) : prepared;
    this.#say('suspended', suspension.stored);
    return this.#resultOf(suspension, notTold);
  }

  /** It holds as soon as it is stored. Rejects with `StoreError`. */
  async #store(stored: StoredSuspension): Promise<Suspension> {
    const suspension = await this.#book.put(stored);
    if (!this.#book.isOpen(suspension)) return suspension;
    this.#returned.delete(stored.endpoint);
    this.#context.devices.suspended(stored.endpoint);
    this.#schedule(suspension);
    return suspension;
  }

  /** Executes Disable on a device whose suspension is stored. */
  async #tell(suspension: Suspension, telling: Telling, user: string | undefined): Promise<NotTold | undefined> {
    const { registrationId } = telling;
    const left = new AbortController();
    suspension.leaving?.timer?.cancel();
    suspension.leaving = { registrationId, left, timer: undefined };
    const notTold = await telling.disable({ user, urgent: true }, left.signal);
    if (notTold === undefined) {
      // It may have said goodbye before its answer came.
      if (!left.signal.aborted && this.#book.isOpen(suspension))
        this.#sendOff(suspension, registrationId, LEAVING_TIME);
      return undefined;
    }
    suspension.leaving = undefined;
    try {
      await this.#book.change(suspension, { mode: 'server', until: suspension.stored.opensAt, awayUntil: undefined });
    } catch (error) {
      // It is stored as one that was told, and so it will be waited for until it is heard: it is suspended all the same.
      this.#complain(suspension, error);
    }
    // It may have been resumed meanwhile.
    if (this.#book.isOpen(suspension)) this.#due(suspension);
    return notTold;
  }

  /** A device that does not de-register in time is taken as gone all the same. */
  #sendOff(suspension: Suspension, registrationId: string, within: number): void {
    const goodbye = (): void => {
      const { endpoint } = suspension.stored;
      suspension.leaving = undefined;
      const { client } = this.#context.devices.get(endpoint) ?? {};
      if (client?.registration.id !== registrationId) return;
      this.#context.deregister(endpoint).catch((error: unknown) => this.#complain(suspension, error));
    };
    const left = suspension.leaving?.left ?? new AbortController();
    suspension.leaving = { registrationId, left, timer: this.#wheel.schedule(within, goodbye) };
  }

  async #resume(endpoint: string, user: string | undefined): Promise<SuspensionResult> {
    const denied = this.#context.authorize(endpoint, user);
    if (denied !== undefined) throw denied;
    const suspension = this.#book.get(endpoint);
    if (suspension === undefined) return { endpoint, state: 'skipped', reason: 'notSuspended' };
    const now = this.#context.clock.now();
    if (now < suspension.stored.opensAt) {
      await this.#book.change(suspension, { opensAt: now });
      if (this.#book.isOpen(suspension)) this.#due(suspension);
    }
    return this.#resultOf(suspension);
  }

  /** What is due of a suspension now, if anything, and when to look again. */
  #due(suspension: Suspension): void {
    const { stored } = suspension;
    const now = this.#context.clock.now();
    if (!this.#isShut(stored)) {
      if (this.#isBack(stored)) {
        this.#return(suspension);
        return;
      }
      if (stored.overdue === undefined && now >= overdueAt(stored)) this.#overdue(suspension);
      if (now >= overdueAt(stored) + OVERDUE_KEPT) {
        this.#end(suspension);
        return;
      }
    }
    this.#schedule(suspension);
  }

  /** One that stayed, registered all the while, is back as soon as it is let in. One that went has to register. */
  #isBack({ endpoint, mode, opensAt }: StoredSuspension): boolean {
    const { client } = this.#context.devices.get(endpoint) ?? {};
    return client !== undefined && (mode === 'server' || client.registration.registeredAt >= opensAt);
  }

  #schedule(suspension: Suspension): void {
    suspension.timer?.cancel();
    const { stored } = suspension;
    const now = this.#context.clock.now();
    const patience = stored.overdue === undefined ? 0 : OVERDUE_KEPT;
    const next = now < stored.opensAt ? stored.opensAt : overdueAt(stored) + patience;
    suspension.timer = this.#wheel.schedule(Math.max(0, next - now), () => this.#due(suspension));
  }

  #overdue(suspension: Suspension): void {
    suspension.stored = { ...suspension.stored, overdue: true };
    this.#context.devices.unsuspended(suspension.stored.endpoint);
    this.#say('overdue', suspension.stored);
    this.#book.change(suspension, { overdue: true }).catch((error: unknown) => this.#complain(suspension, error));
  }

  #return(suspension: Suspension): void {
    const { stored } = suspension;
    this.#end(suspension);
    this.#returned.add({ ...viewOf(stored), state: 'returned' });
    this.#say('resumed', stored);
    this.#context.letIn(stored.endpoint);
  }

  #end(suspension: Suspension): void {
    const { endpoint } = suspension.stored;
    suspension.timer?.cancel();
    suspension.leaving?.timer?.cancel();
    const stored = this.#book.end(suspension);
    stored.catch((error: unknown) => this.#complain(suspension, error));
    this.#context.devices.unsuspended(endpoint);
  }

  /** Whether the device is not let in now. One of high priority always is. */
  #isShut({ endpoint, opensAt }: StoredSuspension): boolean {
    const { clock, devices } = this.#context;
    return clock.now() < opensAt && devices.get(endpoint)?.priority !== 'high';
  }

  #resultOf(suspension: Suspension, notTold?: NotTold): SuspensionResult {
    if (this.#book.isOpen(suspension) || this.#book.isClosed) return resultOf(suspension.stored, notTold);
    return { endpoint: suspension.stored.endpoint, state: 'returned' };
  }

  #say(topic: SuspensionTopic, stored: StoredSuspension): void {
    const { endpoint } = stored;
    this.#context.emit(topic, endpoint, () => suspensionPayload(stored, this.#context.devices.get(endpoint)));
  }

  #complain({ stored }: Suspension, error: unknown): void {
    const text = error instanceof StoreError ? error.message : String(error);
    this.#context.log.error(`the suspension of ${escapeForLog(stored.endpoint)}: ${text}`);
  }
}
