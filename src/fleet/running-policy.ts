import {
  CancelledError,
  Lwm2mError,
  NotRegisteredError,
  ResponseError,
  StoreError,
  TimeoutError,
  TransportError,
} from '../errors';
import { formatPath, type Path } from '../model';
import type { ObservationSpec, ObservationSubscriber, PerformOptions, RegisteredClient, Subscription } from '../server';
import { escapeForLog, type Log } from '../util/log';
import type { TimerWheel } from '../util/timer-wheel';
import type { Device } from './device';
import type { ObservationJobs } from './observation-jobs';
import type { ObservationListener, ObservationPolicy, PolicyStatus } from './observation-policy';
import { observedValue } from './observed-value';
import { PolicyMember, type MemberHearer, type MemberState } from './policy-member';
import { PolicyOutlet } from './policy-outlet';
import type { SelectorSubject } from './selector';

/** First and longest wait before a device whose trouble may pass is asked again, ms. */
const FIRST_RETRY = 30_000;
const LONGEST_RETRY = 3600_000;
/** Answers of a device that has too much to do: Service Unavailable, Too Many Requests (RFC 8516). */
const PASSING = new Set(['5.03', '4.29']);
/** Of how many devices it is remembered that their failure was said. */
const MAX_SAID = 10_000;

export interface RunningPolicyContext {
  readonly jobs: ObservationJobs;
  readonly wheel: TimerWheel;
  readonly log: Log;
  observe(
    endpoint: string,
    spec: ObservationSpec,
    subscriber: ObservationSubscriber,
    options: PerformOptions,
  ): Promise<Subscription>;
  /** Takes up what the device observes since before the restart, without a word to it; `undefined`: not all of it. */
  adopt(
    endpoint: string,
    spec: ObservationSpec,
    subscriber: ObservationSubscriber,
    user: string | undefined,
  ): Subscription | undefined;
  /** Why the user may not observe these paths of the device now. */
  refusal?(endpoint: string, paths: readonly Path[], user: string | undefined): Lwm2mError | undefined;
}

/** A policy in force: which devices it holds for, and what is to be done when either changes. */
export class RunningPolicy {
  readonly #context: RunningPolicyContext;
  readonly #members = new Map<string, PolicyMember>();
  readonly #counts: Record<MemberState, number> = { waiting: 0, observing: 0, failed: 0 };
  readonly #outlet: PolicyOutlet;
  /** What was said of failures and warnings of a device, by endpoint. */
  readonly #said = new Map<string, Set<string>>();
  readonly #allPaths: string;
  readonly #hearer: MemberHearer = {
    heard: ({ client }, content) => {
      const value = observedValue(this.policy, client, content);
      this.#outlet.tell((listener) => listener.value(value));
    },
    warned: ({ device }, path, error) => this.#say(device.endpoint, 'warning', path, error),
    ended: (member, path, error) => this.#failed(member, path, error),
  };
  #claimed = false;

  /** @param matches whether a device is of its target. */
  constructor(
    context: RunningPolicyContext,
    readonly id: string,
    readonly policy: ObservationPolicy,
    private readonly matches: (subject: SelectorSubject) => boolean,
    /** For whom it observes. */
    public user: string | undefined,
  ) {
    this.#context = context;
    this.#outlet = new PolicyOutlet(`policy ${escapeForLog(id)}`, context.log);
    this.#allPaths = keyOf(policy.paths);
  }

  /**
   * Whether somebody has declared it in this process. One that comes from the store goes on with what devices already
   * observe, but asks nothing of them before: its owner may be gone.
   */
  get claimed(): boolean {
    return this.#claimed;
  }

  get status(): PolicyStatus {
    return { devices: this.#members.size, ...this.#counts };
  }

  attach(listener: ObservationListener): void {
    this.#claimed = true;
    this.#outlet.attach(listener);
  }

  detach(listener: ObservationListener): void {
    this.#outlet.detach(listener);
  }

  /** After a restart: goes on with what the device observes. */
  takenUp(device: Device): void {
    this.#apply(device, true);
  }

  /** A device registered: what it observed before is gone. */
  registered(device: Device): void {
    this.left(device.endpoint);
    this.#apply(device, false);
  }

  /** The device may have other objects, other labels, or give a sign of life: what failed is tried again. */
  updated(device: Device): void {
    this.#apply(device, false);
  }

  /** Who may observe has changed: what may not be any more ends, what failed is tried again. */
  rightsChanged(device: Device): void {
    const { endpoint } = device;
    const member = this.#members.get(endpoint);
    if (member === undefined) return;
    const isDenied = this.#context.refusal?.(endpoint, member.paths, this.user) !== undefined;
    // It is denied anew when it is asked for, and that is said.
    if (isDenied && member.state !== 'failed') this.#drop(member);
    this.#apply(device, false);
  }

  /** A device's registration is over, and its observations with it. */
  left(endpoint: string): void {
    const member = this.#members.get(endpoint);
    if (member !== undefined) this.#remove(member);
  }

  /** Ends all its observations, on the devices too. */
  end(): void {
    for (const member of [...this.#members.values()]) this.#drop(member);
  }

  /** The engine closes: nothing is said to the devices. */
  close(): void {
    for (const member of this.#members.values()) member.end();
    this.#members.clear();
  }

  /** Makes the device's observations what the policy wants of it now. */
  #apply(device: Device, adopts: boolean): void {
    const { endpoint, client } = device;
    const paths = client === undefined || !this.matches(device) ? [] : pathsFor(this.policy, client);
    const key = paths === this.policy.paths ? this.#allPaths : keyOf(paths);
    const known = this.#members.get(endpoint);
    if (known !== undefined && known.key === key && known.state !== 'failed') return;
    if (known !== undefined) this.#drop(known);
    if (client === undefined || paths.length === 0) return;
    const member = new PolicyMember(this.#hearer, device, client, paths, key);
    if (known?.key === key) member.failures = known.failures;
    if (adopts) {
      member.subscription = this.#context.adopt(endpoint, this.#specOf(member), member, this.user);
      if (member.subscription !== undefined) member.state = 'observing';
    }
    if (member.state === 'waiting' && !this.#claimed) return;
    this.#add(member);
    if (member.state === 'waiting') this.#ask(member);
  }

  #ask(member: PolicyMember): void {
    this.#context.jobs.add({
      owner: this,
      priority: member.device.priority,
      isOver: () => member.over,
      run: (release) => this.#observe(member, release),
    });
  }

  async #observe(member: PolicyMember, release: () => void): Promise<void> {
    try {
      const options = { user: this.user, signal: member.signal, expires: Infinity, queued: release };
      const subscription = await this.#context.observe(member.device.endpoint, this.#specOf(member), member, options);
      if (member.over) {
        await subscription.cancel();
        return;
      }
      member.subscription = subscription;
      // It may have ended by now.
      if (member.state === 'waiting') this.#succeeded(member);
    } catch (error) {
      if (!(error instanceof Lwm2mError)) throw error;
      if (!member.over) this.#failed(member, member.key, error);
    }
  }

  /** Of most devices the policy itself. */
  #specOf({ paths }: PolicyMember): ObservationSpec {
    return paths === this.policy.paths ? this.policy : { ...this.policy, paths };
  }

  #succeeded(member: PolicyMember): void {
    const { endpoint } = member.device;
    member.failures = 0;
    this.#change(member, 'observing');
    const said = this.#said.get(endpoint);
    if (said === undefined) return;
    for (const text of said) if (!member.isWarned || text.startsWith('failure')) said.delete(text);
    if (said.size === 0) this.#said.delete(endpoint);
  }

  #failed(member: PolicyMember, path: string, error: Lwm2mError): void {
    const { device } = member;
    this.#change(member, 'failed');
    // Whose registration is over is not to blame; it is asked again when the device comes back.
    if (error instanceof NotRegisteredError || error instanceof CancelledError) return;
    if (mayPass(error)) {
      const delay = Math.min(FIRST_RETRY * 2 ** member.failures, LONGEST_RETRY);
      member.retry?.cancel();
      member.retry = this.#context.wheel.schedule(delay, () => this.#apply(device, false));
    }
    member.failures += 1;
    this.#say(device.endpoint, 'failure', path, error);
  }

  /** Says it, unless it was said of this device and path since they last succeeded. */
  #say(endpoint: string, kind: 'failure' | 'warning', path: string, error: Lwm2mError): void {
    const text = `${kind} ${path}`;
    const said = this.#said.get(endpoint);
    if (said?.has(text) === true) return;
    if (said !== undefined) said.add(text);
    else {
      for (const oldest of this.#said.keys()) {
        if (this.#said.size < MAX_SAID) break;
        this.#said.delete(oldest);
      }
      this.#said.set(endpoint, new Set([text]));
    }
    this.#outlet.tell((listener) => listener.failed({ endpoint, path, error }));
  }

  /** It is not to be observed any more, and the device is told. */
  #drop(member: PolicyMember): void {
    this.#remove(member);
    const { subscription, device } = member;
    if (subscription === undefined) return;
    this.#context.jobs.add({ owner: this, priority: device.priority, run: () => subscription.cancel() });
  }

  #add(member: PolicyMember): void {
    this.#members.set(member.device.endpoint, member);
    this.#counts[member.state] += 1;
  }

  #remove(member: PolicyMember): void {
    member.end();
    if (this.#members.delete(member.device.endpoint)) this.#counts[member.state] -= 1;
  }

  #change(member: PolicyMember, state: MemberState): void {
    this.#counts[member.state] -= 1;
    this.#counts[state] += 1;
    member.state = state;
  }
}

/**
 * The paths to observe of a device: those that lie in what it registered. One that the policy names is asked for them even
 * if it registered none: its answer says more than silence.
 */
function pathsFor({ target, paths }: ObservationPolicy, { model }: RegisteredClient): readonly Path[] {
  const registered = paths.filter((path) => model.has(path));
  if (registered.length === paths.length) return paths;
  const isNamed = 'endpoint' in target || 'endpoints' in target;
  return registered.length === 0 && isNamed ? paths : registered;
}

function keyOf(paths: readonly Path[]): string {
  return paths.map(formatPath).join(',');
}

/** Whether it may be otherwise soon, without the device doing anything. */
function mayPass(error: Lwm2mError): boolean {
  if (error instanceof ResponseError) return PASSING.has(error.responseCode);
  return error instanceof TimeoutError || error instanceof TransportError || error instanceof StoreError;
}
