import type { Node, NodeAPI } from 'node-red';
import {
  formatPath,
  type ObservationFailure,
  type ObservationPolicy,
  type ObservedValue,
  type PolicyHandle,
  type PolicyOptions,
  type PolicyRecord,
  type PolicyStatus,
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

/**
 * The observation policies of one node: the one of its settings and those made by messages. The engine has them, and its
 * store, so that neither a deploy nor a restart ends one or brings a cancelled one back. With that of the settings the
 * store keeps the words of the settings, as its note: while they stay the same, what messages made of it holds.
 */
export class PolicyDesk implements Kept {
  readonly #RED: NodeAPI;
  readonly #host: EngineHost;
  /** Those whose values come here, by id: not between two deploys. */
  readonly #handles = new Map<string, PolicyHandle>();
  #observer: Observer;
  #last: Promise<unknown> = Promise.resolve();

  constructor(RED: NodeAPI, host: EngineHost, observer: Observer) {
    this.#RED = RED;
    this.#host = host;
    this.#observer = observer;
  }

  handOver(observer: Observer): void {
    this.#observer = observer;
  }

  /** Takes up what was observed before a deploy or a restart. Rejects with `StoreError`. */
  resume(): Promise<void> {
    return this.#inTurn(async () => {
      for (const { id, policy, cancelled, ...options } of this.#records()) {
        if (cancelled !== true) await this.#start(id, policy, options);
      }
    });
  }

  /**
   * Follows the settings of the node. While they say the same as before, what messages have made of them holds.
   * Rejects with `InvalidArgumentError` (the policy cannot be) or `StoreError`.
   */
  declare(policy: ObservationPolicy | undefined): Promise<void> {
    return this.#inTurn(async () => {
      const declared = this.#records().find(({ note }) => note !== undefined);
      const note = policy && JSON.stringify(policy);
      if (note === declared?.note) return;
      const id = policy && this.#idOf(policy);
      if (declared !== undefined && declared.id !== id) await this.#cancel(declared, false);
      if (policy !== undefined && id !== undefined) await this.#start(id, policy, { note });
    });
  }

  /** Resolves when the store has it. Rejects as `declare`: then nothing has changed. */
  observe(policy: ObservationPolicy, user: string | undefined): Promise<void> {
    return this.#inTurn(async () => {
      const id = this.#idOf(policy);
      const known = this.#records().find((record) => record.id === id);
      await this.#start(id, policy, { user, note: known?.note });
    });
  }

  /**
   * Ends the policies with this target and these paths; what is not given matches all. Resolves when the store has it;
   * rejects with `StoreError`.
   */
  cancel(target?: Target, paths?: ObservationPolicy['paths']): Promise<void> {
    return this.#inTurn(async () => {
      for (const record of this.#records()) {
        const { policy, cancelled } = record;
        const sameTarget = target === undefined || targetText(policy.target) === targetText(target);
        const samePaths = paths === undefined || pathsText(policy.paths) === pathsText(paths);
        if (cancelled !== true && sameTarget && samePaths) await this.#cancel(record, record.note !== undefined);
      }
    });
  }

  /** The node closes: the engine keeps observing and keeps the values. */
  detach(): void {
    for (const handle of this.#handles.values()) handle.detach();
    this.#handles.clear();
  }

  /** The policies of a node that does not come back are ended by the server: `PolicyOwners`. */
  abandon(): void {
    this.detach();
  }

  /** A policy holds until somebody ends it. */
  engineCloses(): void {
    this.#handles.clear();
  }

  #records(): PolicyRecord[] {
    return this.#host.engine.policiesOf(this.#observer.node.id);
  }

  async #start(id: string, policy: ObservationPolicy, options: PolicyOptions): Promise<void> {
    const { node } = this.#observer;
    const listener = {
      value: (value: ObservedValue) => this.#soon(() => this.#send(value)),
      failed: (failure: ObservationFailure) => this.#soon(() => this.#report(failure)),
    };
    const handle = await this.#host.engine.observePolicy(id, policy, listener, { ...options, owner: node.id });
    this.#handles.set(id, handle);
  }

  async #cancel({ id }: PolicyRecord, remember: boolean): Promise<void> {
    await this.#host.engine.cancelPolicy(id, { remember });
    this.#handles.delete(id);
  }

  /** When those exist who would get the message. */
  #soon(task: () => void): void {
    this.#host.flows.whenRunning(task);
  }

  #send(value: ObservedValue): void {
    this.#show((status) => status.value(value.payload));
    this.#observer.node.send(fillMessage({}, value));
  }

  #report({ endpoint, path, error }: ObservationFailure): void {
    const msg = { _msgid: this.#RED.util.generateId() };
    fillFailure(msg, { operation: 'observe', endpoint, path }, error);
    this.#show((status) => status.failed(error));
    this.#observer.node.error(error, msg);
  }

  /** While some of many devices fail, how many do not is what is worth knowing. */
  #show(otherwise: (status: StatusLine) => void): void {
    const { status } = this.#observer;
    const all = sum([...this.#handles.values()].map((handle) => handle.status()));
    if (all.failed > 0 && all.devices > 1) status.observed(all);
    else otherwise(status);
  }

  /** One after another: a message that cancels what another observes comes after it. */
  #inTurn(task: () => Promise<void>): Promise<void> {
    // Whether the one before failed is its own caller's business.
    const mine = this.#last.then(task, task);
    this.#last = mine;
    return mine;
  }

  /** Two policies of a node with the same target and paths are one: the later replaces the earlier. */
  #idOf({ target, paths }: ObservationPolicy): string {
    return `${this.#observer.node.id} ${targetText(target)} ${pathsText(paths)}`;
  }
}

function sum(statuses: readonly PolicyStatus[]): PolicyStatus {
  const all = { devices: 0, observing: 0, waiting: 0, failed: 0 };
  for (const { devices, observing, waiting, failed } of statuses) {
    all.devices += devices;
    all.observing += observing;
    all.waiting += waiting;
    all.failed += failed;
  }
  return all;
}

function targetText(target: Target): string {
  return JSON.stringify(target);
}

function pathsText(paths: ObservationPolicy['paths']): string {
  return paths.map(formatPath).join(',');
}
