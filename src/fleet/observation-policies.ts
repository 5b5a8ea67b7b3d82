import { CancelledError, Lwm2mError } from '../errors';
import { checkAttributes, checkPaths, type KeyedStore } from '../server';
import type { Clock } from '../util/clock';
import { escapeForLog } from '../util/log';
import { TimerWheel } from '../util/timer-wheel';
import { Turns } from '../util/turns';
import type { Device } from './device';
import type { Devices } from './devices';
import { ObservationJobs } from './observation-jobs';
import {
  policyText,
  type CancelOptions,
  type ObservationListener,
  type ObservationPolicy,
  type PolicyHandle,
  type PolicyOptions,
  type PolicyRecord,
  type StoredPolicy,
} from './observation-policy';
import { RunningPolicy, type RunningPolicyContext } from './running-policy';

export interface PoliciesContext extends Omit<RunningPolicyContext, 'jobs' | 'wheel'> {
  readonly clock: Clock;
  readonly store: KeyedStore<StoredPolicy>;
  readonly devices: Devices;
  /** How many observations may begin in a second, 200 when absent. */
  readonly rate?: number;
  /** The ends of observations of before the restart that nobody has taken up. */
  unclaimed(): Iterable<() => Promise<void>>;
}

/** The standing observations: those in force, and what the store has of them. The store always comes first. */
export class ObservationPolicies {
  readonly #context: PoliciesContext;
  readonly #jobs: ObservationJobs;
  readonly #wheel: TimerWheel;
  /** As the store has them; those that were cancelled too. */
  readonly #stored = new Map<string, StoredPolicy>();
  readonly #running = new Map<string, RunningPolicy>();
  /** Changes of one id, so that memory follows them in the order of the store. */
  readonly #changes = new Turns();
  #settled = false;
  #closed = false;

  constructor(context: PoliciesContext) {
    this.#context = context;
    this.#jobs = new ObservationJobs(context);
    this.#wheel = new TimerWheel(context.clock, 1000);
  }

  /** Takes up the policies of the store; the devices are yet to come. @throws {StoreError} */
  async takeUp(): Promise<void> {
    for await (const [id, stored] of this.#context.store.all()) {
      if (this.#stored.has(id)) continue;
      this.#stored.set(id, stored);
      try {
        if (stored.cancelled !== true) this.#run(id, stored);
      } catch (error) {
        if (!(error instanceof Lwm2mError)) throw error;
        this.#context.log.error(`the stored policy ${escapeForLog(id)} cannot be: ${error.message}`);
      }
    }
  }

  /**
   * Declares a policy, or takes up the one that runs under this id. Resolves when the store has it.
   * Rejects with `InvalidArgumentError` (a target, paths or attributes that cannot be) or `StoreError`; then nothing has
   * changed.
   */
  async declare(
    id: string,
    policy: ObservationPolicy,
    listener: ObservationListener,
    options: PolicyOptions = {},
  ): Promise<PolicyHandle> {
    this.#check(policy);
    return await this.#changes.run(id, () => this.#declare(id, policy, listener, options));
  }

  /** What the store has of an owner, in no order. */
  of(owner: string): PolicyRecord[] {
    return [...this.#stored].flatMap(([id, stored]) => (stored.owner === owner ? [{ id, ...stored }] : []));
  }

  /** Ends the policy of this id, if there is one. Resolves when the store has it; rejects with `StoreError`. */
  async cancel(id: string, options: CancelOptions = {}): Promise<void> {
    await this.#changes.run(id, () => this.#cancel(id, options));
  }

  /**
   * All owners have declared what they want: ends the policies of those who are gone and, once after a restart, the
   * observations that nobody has taken up. Rejects with `StoreError`; what could not be ended holds on.
   */
  async settle(isThere: (owner: string) => boolean): Promise<void> {
    const gone = [...this.#stored].filter(([, { owner }]) => owner !== undefined && !isThere(owner));
    await Promise.all(gone.map(([id]) => this.cancel(id)));
    if (this.#settled || this.#closed) return;
    this.#settled = true;
    for (const end of this.#context.unclaimed()) this.#jobs.add({ owner: this, priority: 'low', run: end });
  }

  /** A device that was registered before the restart. */
  takenUp(device: Device): void {
    for (const policy of this.#running.values()) policy.takenUp(device);
  }

  /** Who may observe these devices has changed. */
  rightsChanged(devices: Iterable<Device>): void {
    if (this.#running.size === 0) return;
    for (const device of devices) for (const policy of this.#running.values()) policy.rightsChanged(device);
  }

  /** A device registered: what it observed before is gone. */
  registered(device: Device): void {
    for (const policy of this.#running.values()) policy.registered(device);
  }

  /** A device gave a sign of life, perhaps with other objects: what failed is tried again. */
  updated(device: Device): void {
    for (const policy of this.#running.values()) policy.updated(device);
  }

  /** A device's registration is over. */
  left(endpoint: string): void {
    for (const policy of this.#running.values()) policy.left(endpoint);
  }

  close(): void {
    this.#closed = true;
    this.#jobs.close();
    this.#wheel.close();
    for (const policy of this.#running.values()) policy.close();
    this.#running.clear();
  }

  /** @throws {InvalidArgumentError} */
  #check({ target, paths, attributes }: ObservationPolicy): void {
    checkPaths(paths);
    if (attributes !== undefined) {
      checkAttributes(
        attributes,
        paths.every(({ resourceId }) => resourceId !== undefined),
      );
    }
    this.#context.devices.matcher(target);
  }

  async #declare(
    id: string,
    policy: ObservationPolicy,
    listener: ObservationListener,
    { owner, user, note }: PolicyOptions,
  ): Promise<PolicyHandle> {
    const known = this.#stored.get(id);
    const isSame = known !== undefined && policyText(known.policy) === policyText(policy);
    const isOfSame = known?.owner === owner && known?.user === user && known?.note === note;
    if (!isSame || !isOfSame || known.cancelled === true) {
      const stored: StoredPolicy = { policy, owner, user, note };
      await this.#context.store.put(id, stored);
      this.#stored.set(id, stored);
    }
    if (this.#closed) throw new CancelledError('the engine was closed');
    let running = this.#running.get(id);
    if (running !== undefined && !isSame) {
      running.end();
      running = undefined;
    }
    running ??= this.#run(id, { policy, user });
    const isOfAnother = running.user !== user;
    running.user = user;
    const isClaimed = running.claimed;
    running.attach(listener);
    // What one may observe another may not.
    if (isOfAnother) for (const device of this.#context.devices) running.rightsChanged(device);
    if (!isClaimed) for (const device of this.#context.devices) running.updated(device);
    return this.#handle(running, listener);
  }

  async #cancel(id: string, { remember = false }: CancelOptions): Promise<void> {
    const stored = this.#stored.get(id);
    if (stored === undefined) return;
    if (remember) {
      const cancelled: StoredPolicy = { ...stored, cancelled: true };
      await this.#context.store.put(id, cancelled);
      this.#stored.set(id, cancelled);
    } else {
      await this.#context.store.remove(id);
      this.#stored.delete(id);
    }
    const running = this.#running.get(id);
    this.#running.delete(id);
    running?.end();
  }

  /** @throws {InvalidArgumentError} the target is unreadable. */
  #run(id: string, { policy, user }: StoredPolicy): RunningPolicy {
    const { devices, log, observe, adopt, refusal } = this.#context;
    const context = { jobs: this.#jobs, wheel: this.#wheel, log, observe, adopt, refusal };
    const running = new RunningPolicy(context, id, policy, devices.matcher(policy.target), user);
    this.#running.set(id, running);
    return running;
  }

  #handle(running: RunningPolicy, listener: ObservationListener): PolicyHandle {
    const { id } = running;
    return {
      id,
      status: () => running.status,
      detach: () => running.detach(listener),
      cancel: async (options) => {
        if (this.#running.get(id) === running) await this.cancel(id, options);
      },
    };
  }
}
