import { EventEmitter } from 'node:events';
import {
  AccessDeniedError,
  CancelledError,
  InvalidArgumentError,
  isFailure,
  Lwm2mError,
  NotRegisteredError,
  ObjectDefinitions,
  parsePath,
  type CancelOptions,
  type Connectivity,
  type DeviceList,
  type DeviceView,
  type ListOptions,
  type MemberFailure,
  type MemberResult,
  type ObservationListener,
  type ObservationPolicy,
  type Operation,
  type OperationResult,
  type Order,
  type OrderRun,
  type Path,
  type PolicyHandle,
  type PolicyOptions,
  type PolicyRecord,
  type PolicyStatus,
  type StoreError,
  type Summary,
  type Target,
} from '../../src/index';

/** How a fake device answers: a payload, or an error that is thrown. May take its time. */
export type Answering = (endpoint: string, operation: Operation, order: Order) => unknown;

interface FakePolicy {
  policy: ObservationPolicy;
  listener?: ObservationListener;
  told: number;
}

/** An engine without a network, of the shape that nodes use: the test says which devices there are and what they answer. */
export class FakeEngine extends EventEmitter {
  readonly definitions = ObjectDefinitions.builtIn();
  readonly addresses = [];
  readonly connectivity = new Map<string, Connectivity>();
  readonly groups = new Map<string, string[]>();
  readonly orders: Order[] = [];
  readonly policies = new Map<string, FakePolicy>();
  /** Policies as a store would have them. */
  readonly records = new Map<string, PolicyRecord>();
  /** What the store says to every change. */
  storeError: StoreError | undefined = undefined;
  policyStatus: PolicyStatus = { devices: 0, observing: 0, waiting: 0, failed: 0 };
  /** What `cancel` was called for, by id of the policy. */
  readonly cancelled: string[] = [];
  /** Arguments of calls of `devices`. */
  readonly listed: { target?: Target; paths?: readonly Path[] }[] = [];
  /** `tom read lamp-1`: what somebody may not do. */
  denied: ReadonlySet<string> = new Set();
  answer: Answering = () => undefined;
  code = '2.05';

  register(...endpoints: string[]): void {
    for (const endpoint of endpoints) this.connectivity.set(endpoint, 'online');
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  membersOf(target: Target): string[] {
    if ('endpoint' in target) return [target.endpoint];
    if ('endpoints' in target) return [...target.endpoints];
    if ('group' in target) return this.groups.get(target.group) ?? [];
    if ('all' in target) return [...this.connectivity.keys()];
    const glob = /^ep=([^ ]+)$/.exec(target.selector)?.[1];
    if (glob === undefined) throw new InvalidArgumentError(`not a selector: '${target.selector}'`);
    return [...this.connectivity.keys()].filter((endpoint) => endpoint.startsWith(glob.replace(/\*$/, '')));
  }

  order(order: Order): OrderRun {
    const members = this.membersOf(order.target);
    this.orders.push(order);
    return new FakeRun(this, order, members);
  }

  async result(endpoint: string, order: Order): Promise<OperationResult | MemberFailure> {
    const { operation, signal } = order;
    try {
      if (!this.connectivity.has(endpoint)) throw new NotRegisteredError(endpoint);
      const payload = await Promise.race([this.answer(endpoint, operation, order), cancelled(signal)]);
      const path = 'paths' in operation || 'values' in operation ? '' : 'the path';
      return { operation: operation.operation, endpoint, path, payload, code: this.code, timestamp: 1, queuedFor: 0 };
    } catch (error) {
      if (!(error instanceof Lwm2mError)) throw error;
      return { endpoint, error };
    }
  }

  /** There was no process before this one. */
  takeUpOrders(): () => void {
    return () => undefined;
  }

  endOrders(): void {
    // Nobody has left any.
  }

  async observePolicy(
    id: string,
    policy: ObservationPolicy,
    listener: ObservationListener,
    options: PolicyOptions = {},
  ): Promise<PolicyHandle> {
    // As one that waits for its store.
    await Promise.resolve();
    this.membersOf(policy.target);
    if (this.storeError !== undefined) throw this.storeError;
    const known = this.policies.get(id);
    const told = known !== undefined && JSON.stringify(known.policy) === JSON.stringify(policy) ? known.told : 0;
    const entry: FakePolicy = { policy, listener, told: told + 1 };
    this.policies.set(id, entry);
    this.records.set(id, { id, policy, ...options });
    return {
      id,
      status: () => this.policyStatus,
      detach: () => {
        entry.listener = undefined;
      },
      cancel: (cancelOptions) => this.cancelPolicy(id, cancelOptions),
    };
  }

  policiesOf(owner: string): PolicyRecord[] {
    return [...this.records.values()].filter((record) => record.owner === owner);
  }

  cancelPolicy(id: string, { remember = false }: CancelOptions = {}): Promise<void> {
    if (this.storeError !== undefined) return Promise.reject(this.storeError);
    const record = this.records.get(id);
    if (record === undefined) return Promise.resolve();
    if (remember) this.records.set(id, { ...record, cancelled: true });
    else this.records.delete(id);
    if (this.policies.delete(id)) this.cancelled.push(id);
    return Promise.resolve();
  }

  async settlePolicies(isThere: (owner: string) => boolean): Promise<void> {
    for (const { id, owner } of [...this.records.values()]) {
      if (owner !== undefined && !isThere(owner)) await this.cancelPolicy(id);
    }
  }

  devices(target?: Target, paths?: readonly Path[]): DeviceView[] {
    this.listed.push({ target, paths });
    const members = target === undefined ? [...this.connectivity.keys()] : this.membersOf(target);
    return members
      .filter((endpoint) => this.connectivity.has(endpoint))
      .map((endpoint) => ({
        endpoint,
        connectivity: this.connectivity.get(endpoint) ?? 'offline',
        objects: [{ id: 3311, version: '1.0', instances: [0] }],
        labels: {},
        groups: [],
        priority: 'normal' as const,
        waiting: 0,
        orders: [],
        values: {},
      }));
  }

  denial(operation: string, endpoint: string, user: string | undefined): AccessDeniedError | undefined {
    return this.denied.has(`${user} ${operation} ${endpoint}`) ? new AccessDeniedError('needs a role') : undefined;
  }

  listDevices(target?: Target, { paths, limit, offset = 0, isReadable }: ListOptions = {}): Promise<DeviceList> {
    const known = parsePath('/3311/0/5850');
    const devices = this.devices(target, paths).filter(({ endpoint }) => isReadable?.(endpoint, known) ?? true);
    const end = limit === undefined ? undefined : offset + limit;
    return Promise.resolve({ total: devices.length, devices: devices.slice(offset, end) });
  }

  matcher(target: Target): (endpoint: string) => boolean {
    const glob = 'selector' in target ? /^ep=([^ ]+)$/.exec(target.selector)?.[1] : undefined;
    if ('selector' in target && glob === undefined)
      throw new InvalidArgumentError(`not a selector: '${target.selector}'`);
    if (glob !== undefined) return (endpoint) => endpoint.startsWith(glob.replace(/\*$/, ''));
    return (endpoint) => this.membersOf(target).includes(endpoint);
  }

  searchDevices(text: string, limit: number): { endpoint: string; connectivity: Connectivity }[] {
    return [...this.connectivity]
      .map(([endpoint, connectivity]) => ({ endpoint, connectivity }))
      .filter(({ endpoint }) => endpoint.includes(text))
      .slice(0, limit);
  }
}

function cancelled(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    const cancel = (): void => reject(new CancelledError('cancelled'));
    if (signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel);
  });
}

class FakeRun implements OrderRun {
  readonly id = 'run';
  readonly many: boolean;
  readonly finished: Promise<Summary>;
  readonly #results: ((outcome: OperationResult | MemberFailure) => void)[] = [];
  readonly #progress: ((summary: Summary) => void)[] = [];
  readonly #members: MemberResult[];

  constructor(
    private readonly engine: FakeEngine,
    private readonly given: Order,
    readonly members: readonly string[],
  ) {
    this.many = !('endpoint' in given.target);
    this.#members = members.map((endpoint) => ({ endpoint, state: 'waiting' }));
    this.finished = this.#run();
  }

  onResult(listener: (outcome: OperationResult | MemberFailure) => void): void {
    this.#results.push(listener);
  }

  onProgress(listener: (summary: Summary) => void): void {
    this.#progress.push(listener);
  }

  onQueued(): void {
    // No fake device sleeps.
  }

  cancel(): void {
    throw new Error('nodes cancel by signal');
  }

  async #run(): Promise<Summary> {
    await Promise.all(this.#members.map((member) => this.#perform(member)));
    return this.#summary();
  }

  async #perform(member: MemberResult): Promise<void> {
    const outcome = await this.engine.result(member.endpoint, this.given);
    if (isFailure(outcome)) Object.assign(member, { state: 'failed', error: outcome.error.code });
    else Object.assign(member, { state: 'succeeded', code: outcome.code, payload: outcome.payload });
    for (const listener of this.#results) listener(outcome);
    const open = this.#members.some(({ state }) => state === 'waiting');
    if (open) for (const listener of this.#progress) listener(this.#summary());
  }

  #summary(): Summary {
    const count = (state: string): number => this.#members.filter((member) => member.state === state).length;
    return {
      total: this.#members.length,
      succeeded: count('succeeded'),
      failed: count('failed'),
      queued: 0,
      expired: 0,
      results: this.#members.map((member) => ({ ...member })),
    };
  }
}
