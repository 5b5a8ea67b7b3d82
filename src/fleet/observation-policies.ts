import { CancelledError, Lwm2mError, NotRegisteredError } from '../errors';
import { formatPath, toCompositePayload, toPayload, type Path } from '../model';
import type { Log } from '../util/log';
import {
  checkAttributes,
  checkPaths,
  type ObservationSpec,
  type ObservationSubscriber,
  type ObservedContent,
  type PerformOptions,
  type RegisteredClient,
  type Subscription,
} from '../server';
import type { Device } from './device';
import type { Devices } from './devices';
import type {
  ObservationFailure,
  ObservationListener,
  ObservationPolicy,
  ObservedValue,
  PolicyHandle,
  PolicyStatus,
} from './observation-policy';
import type { SelectorSubject } from './selector';

/** How many devices are asked to observe at a time, so that a storm of registrations is not answered by another. */
const MAX_IN_FLIGHT = 64;
/** What is kept of a policy while nobody listens. */
const MAX_KEPT = 1000;

export interface PoliciesContext {
  readonly devices: Devices;
  readonly log: Log;
  observe(
    endpoint: string,
    spec: ObservationSpec,
    subscriber: ObservationSubscriber,
    options: PerformOptions,
  ): Promise<Subscription>;
}

/** One device of a policy. */
interface Member {
  /** The paths it has of the policy's, as a key. */
  readonly paths: string;
  readonly abort: AbortController;
  state: 'waiting' | 'observing' | 'failed';
  subscription: Subscription | undefined;
}

interface Policy {
  readonly id: string;
  readonly text: string;
  readonly policy: ObservationPolicy;
  readonly matches: (subject: SelectorSubject) => boolean;
  readonly members: Map<string, Member>;
  listener: ObservationListener | undefined;
  kept: ((listener: ObservationListener) => void)[];
}

/** The standing observations: which policy holds for which device, and what is to be done when either changes. */
export class ObservationPolicies {
  readonly #policies = new Map<string, Policy>();
  readonly #context: PoliciesContext;
  #jobs: (() => Promise<void>)[] = [];
  #inFlight = 0;

  constructor(context: PoliciesContext) {
    this.#context = context;
  }

  /**
   * Declares a policy, or takes up the one that runs under this id.
   * @throws {InvalidArgumentError} a target, paths or attributes that cannot be.
   */
  declare(id: string, policy: ObservationPolicy, listener: ObservationListener): PolicyHandle {
    checkPaths(policy.paths);
    if (policy.attributes !== undefined) {
      checkAttributes(
        policy.attributes,
        policy.paths.every(({ resourceId }) => resourceId !== undefined),
      );
    }
    const matches = this.#context.devices.matcher(policy.target);
    const text = policyText(policy);
    let running = this.#policies.get(id);
    if (running !== undefined && running.text !== text) {
      this.#end(running).catch((error: unknown) => this.#context.log.error(`policy ${id}: ${String(error)}`));
      running = undefined;
    }
    if (running === undefined) {
      running = { id, text, policy, matches, members: new Map(), listener, kept: [] };
      this.#policies.set(id, running);
      for (const device of this.#context.devices) this.#apply(running, device);
    } else {
      this.#attach(running, listener);
    }
    return this.#handle(running, listener);
  }

  /** A device registered: what it observed before is gone. */
  registered(device: Device): void {
    for (const policy of this.#policies.values()) {
      policy.members.get(device.endpoint)?.abort.abort();
      policy.members.delete(device.endpoint);
      this.#apply(policy, device);
    }
  }

  /** A device gave a sign of life, perhaps with other objects: what failed is tried again. */
  updated(device: Device): void {
    for (const policy of this.#policies.values()) this.#apply(policy, device);
  }

  /** A device's registration is over. */
  left(endpoint: string): void {
    for (const { members } of this.#policies.values()) {
      members.get(endpoint)?.abort.abort();
      members.delete(endpoint);
    }
  }

  close(): void {
    this.#jobs = [];
    for (const { members } of this.#policies.values()) for (const { abort } of members.values()) abort.abort();
    this.#policies.clear();
  }

  #handle(policy: Policy, listener: ObservationListener): PolicyHandle {
    return {
      id: policy.id,
      status: () => statusOf(policy),
      detach: () => {
        if (policy.listener === listener) policy.listener = undefined;
      },
      cancel: async () => {
        if (this.#policies.get(policy.id) !== policy) return;
        this.#policies.delete(policy.id);
        await this.#end(policy);
      },
    };
  }

  #attach(policy: Policy, listener: ObservationListener): void {
    policy.listener = listener;
    const { kept } = policy;
    policy.kept = [];
    // Not before the caller has its handle.
    if (kept.length > 0) queueMicrotask(() => kept.forEach((say) => say(listener)));
  }

  /** Makes the device's observations what the policy wants of it now. */
  #apply(policy: Policy, device: Device): void {
    const { endpoint, client } = device;
    const { members } = policy;
    const paths = client === undefined || !policy.matches(device) ? [] : pathsFor(policy.policy, client);
    const key = paths.map(formatPath).join(',');
    const member = members.get(endpoint);
    if (member !== undefined && (member.paths !== key || member.state === 'failed')) {
      members.delete(endpoint);
      member.abort.abort();
      const { subscription } = member;
      if (subscription !== undefined) this.#schedule(() => subscription.cancel());
    } else if (member !== undefined) {
      return;
    }
    if (paths.length === 0 || client === undefined) return;
    const fresh: Member = { paths: key, abort: new AbortController(), state: 'waiting', subscription: undefined };
    members.set(endpoint, fresh);
    this.#schedule((release) => this.#observe(policy, client, fresh, paths, release));
  }

  async #observe(
    policy: Policy,
    client: RegisteredClient,
    member: Member,
    paths: readonly Path[],
    release: () => void,
  ): Promise<void> {
    const { endpoint } = client;
    const { signal } = member.abort;
    if (signal.aborted) return;
    const { attributes, contentFormat } = policy.policy;
    const subscriber = this.#subscriber(policy, client, member);
    try {
      const subscription = await this.#context.observe(endpoint, { paths, contentFormat, attributes }, subscriber, {
        signal,
        expires: Infinity,
        queued: release,
      });
      if (signal.aborted) await subscription.cancel();
      else {
        member.subscription = subscription;
        if (member.state === 'waiting') member.state = 'observing';
      }
    } catch (error) {
      if (signal.aborted || !(error instanceof Lwm2mError)) {
        if (error instanceof Lwm2mError) return;
        throw error;
      }
      member.state = 'failed';
      // Whose registration is over is not to blame; it is tried again when the device comes back.
      if (error instanceof NotRegisteredError || error instanceof CancelledError) return;
      this.#say(policy, { endpoint, path: member.paths, error });
    }
  }

  #subscriber(policy: Policy, client: RegisteredClient, member: Member): ObservationSubscriber {
    const { endpoint } = client;
    return {
      value: (content) => {
        if (!member.abort.signal.aborted) this.#deliver(policy, client, content);
      },
      failed: (path, error) => this.#say(policy, { endpoint, path, error }),
      ended: (path, error) => {
        if (member.abort.signal.aborted || error instanceof CancelledError) return;
        member.state = 'failed';
        this.#say(policy, { endpoint, path, error });
      },
    };
  }

  #deliver(policy: Policy, client: RegisteredClient, content: ObservedContent): void {
    const value = observedValue(policy.policy, client, content);
    this.#tell(policy, (listener) => listener.value(value));
  }

  #say(policy: Policy, failure: ObservationFailure): void {
    this.#tell(policy, (listener) => listener.failed(failure));
  }

  #tell(policy: Policy, say: (listener: ObservationListener) => void): void {
    if (policy.listener !== undefined) {
      say(policy.listener);
      return;
    }
    if (policy.kept.length >= MAX_KEPT) policy.kept.shift();
    policy.kept.push(say);
  }

  async #end(policy: Policy): Promise<void> {
    const subscriptions: Subscription[] = [];
    for (const { abort, subscription } of policy.members.values()) {
      abort.abort();
      if (subscription !== undefined) subscriptions.push(subscription);
    }
    policy.members.clear();
    await Promise.all(
      subscriptions.map(
        (subscription) =>
          new Promise<void>((resolve, reject) => {
            this.#schedule(() => subscription.cancel().then(resolve, reject));
          }),
      ),
    );
  }

  /** Runs a job when fewer than the limit run; a job that waits for a sleeping device gives its place up. */
  #schedule(job: (release: () => void) => Promise<void>): void {
    this.#jobs.push(async () => {
      let counted = true;
      const release = (): void => {
        if (!counted) return;
        counted = false;
        this.#inFlight -= 1;
        this.#fill();
      };
      try {
        await job(release);
      } finally {
        release();
      }
    });
    this.#fill();
  }

  #fill(): void {
    while (this.#inFlight < MAX_IN_FLIGHT && this.#jobs.length > 0) {
      this.#inFlight += 1;
      const job = this.#jobs.shift();
      job?.().catch((error: unknown) => this.#context.log.error(`an observation policy: ${String(error)}`));
    }
  }
}

/**
 * The paths to observe of a device: those that lie in what it registered. One that the policy names is asked for them even
 * if it registered none: its answer says more than silence.
 */
function pathsFor({ target, paths }: ObservationPolicy, { model }: RegisteredClient): readonly Path[] {
  const registered = paths.filter((path) => model.has(path));
  const isNamed = 'endpoint' in target || 'endpoints' in target;
  return registered.length === 0 && isNamed ? paths : registered;
}

function statusOf({ members }: Policy): PolicyStatus {
  let observing = 0;
  let failed = 0;
  for (const { state } of members.values()) {
    if (state === 'observing') observing += 1;
    if (state === 'failed') failed += 1;
  }
  return { devices: members.size, observing, failed };
}

function observedValue(
  policy: ObservationPolicy,
  { endpoint, model }: RegisteredClient,
  content: ObservedContent,
): ObservedValue {
  const { paths, values, path, contentFormat, timestamp, first, warnings } = content;
  const options = { keys: policy.keys ?? 'id', definitionOf: model.definitionOf };
  const [single] = paths;
  const payload =
    paths.length === 1 && single !== undefined
      ? toPayload(single, values, options)
      : toCompositePayload(paths, values, options);
  return {
    operation: 'observe',
    endpoint,
    path,
    payload,
    code: '2.05',
    contentFormat,
    timestamp,
    queuedFor: 0,
    ...(first ? { first: true } : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}

/** Equal policies have equal texts. */
function policyText({ target, paths, attributes, contentFormat, keys }: ObservationPolicy): string {
  const sorted = Object.entries(attributes ?? {})
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([target, paths.map(formatPath), sorted, contentFormat ?? null, keys ?? 'id']);
}
