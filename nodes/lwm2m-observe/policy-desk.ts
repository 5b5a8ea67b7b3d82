import type { Node, NodeAPI } from 'node-red';
import {
  formatPath,
  type ObservationFailure,
  type ObservationPolicy,
  type ObservedValue,
  type PolicyHandle,
  type Target,
} from '../../src/index';
import type { EngineHost } from '../lwm2m-server/engine-host';
import type { Kept } from '../lwm2m-server/kept-things';
import { fillFailure, fillMessage } from '../shared/output';
import type { StatusLine } from '../shared/status-line';

/** The node that sends what is observed. */
export interface Observer {
  readonly node: Node;
  readonly status: StatusLine;
}

interface Entry {
  readonly policy: ObservationPolicy;
  handle: PolicyHandle;
  /** Whether the values come here: not between two deploys. */
  attached: boolean;
}

/**
 * The observation policies of one node: the one of its settings and those made by messages. It outlives the node object,
 * so that a deploy neither ends an observation nor brings a cancelled one back.
 */
export class PolicyDesk implements Kept {
  readonly #RED: NodeAPI;
  readonly #host: EngineHost;
  readonly #entries = new Map<string, Entry>();
  /** The policy of the settings when they were last read. */
  #declared: { readonly text: string; readonly key: string } | undefined;
  #observer: Observer;

  constructor(RED: NodeAPI, host: EngineHost, observer: Observer) {
    this.#RED = RED;
    this.#host = host;
    this.#observer = observer;
  }

  handOver(observer: Observer): void {
    this.#observer = observer;
  }

  /** Observes again after a deploy what was observed before it. */
  resume(): void {
    for (const [key, entry] of this.#entries) {
      if (entry.attached) continue;
      entry.handle = this.#start(key, entry.policy);
      entry.attached = true;
    }
  }

  /**
   * Follows the settings of the node. While they say the same as before, what messages have made of them holds.
   * @throws {InvalidArgumentError} the policy cannot be.
   */
  declare(policy: ObservationPolicy | undefined): void {
    const text = policy && JSON.stringify(policy);
    if (text === this.#declared?.text) return;
    const key = policy && keyOf(policy);
    if (this.#declared !== undefined && this.#declared.key !== key) this.#cancel(this.#declared.key);
    this.#declared = undefined;
    if (policy === undefined || text === undefined || key === undefined) return;
    this.observe(policy);
    this.#declared = { text, key };
  }

  /** @throws {InvalidArgumentError} the policy cannot be: nothing has changed. */
  observe(policy: ObservationPolicy): void {
    const key = keyOf(policy);
    this.#entries.set(key, { policy, handle: this.#start(key, policy), attached: true });
  }

  /** Ends the policies with this target and these paths; what is not given matches all. */
  cancel(target: Target | undefined, paths: ObservationPolicy['paths'] | undefined): void {
    for (const [key, { policy }] of [...this.#entries]) {
      const sameTarget = target === undefined || targetText(policy.target) === targetText(target);
      const samePaths = paths === undefined || pathsText(policy.paths) === pathsText(paths);
      if (sameTarget && samePaths) this.#cancel(key);
    }
  }

  cancelAll(): void {
    this.cancel(undefined, undefined);
  }

  /** The node closes for a deploy: the engine keeps observing and keeps the values. */
  detach(): void {
    for (const entry of this.#entries.values()) {
      entry.handle.detach();
      entry.attached = false;
    }
  }

  abandon(): void {
    this.cancelAll();
  }

  /** A policy holds until somebody ends it. */
  engineCloses(): void {
    this.#entries.clear();
  }

  #start(key: string, policy: ObservationPolicy): PolicyHandle {
    return this.#host.engine.observePolicy(`${this.#observer.node.id} ${key}`, policy, {
      value: (value) => this.#soon(() => this.#send(value)),
      failed: (failure) => this.#soon(() => this.#report(failure)),
    });
  }

  #cancel(key: string): void {
    const entry = this.#entries.get(key);
    this.#entries.delete(key);
    entry?.handle.cancel().catch((error: unknown) => this.#observer.node.error(error));
  }

  /** When those exist who would get the message. */
  #soon(task: () => void): void {
    this.#host.flows.whenRunning(task);
  }

  #send(value: ObservedValue): void {
    this.#observer.status.value(value.payload);
    this.#observer.node.send(fillMessage({}, value));
  }

  #report({ endpoint, path, error }: ObservationFailure): void {
    const msg = { _msgid: this.#RED.util.generateId() };
    fillFailure(msg, { operation: 'observe', endpoint, path }, error);
    this.#observer.status.failed(error);
    this.#observer.node.error(error, msg);
  }
}

/** Two policies with the same target and paths are one: the later replaces the earlier. */
function keyOf({ target, paths }: ObservationPolicy): string {
  return `${targetText(target)} ${pathsText(paths)}`;
}

function targetText(target: Target): string {
  return JSON.stringify(target);
}

function pathsText(paths: ObservationPolicy['paths']): string {
  return paths.map(formatPath).join(',');
}
