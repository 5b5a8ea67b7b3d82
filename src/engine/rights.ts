import { randomUUID } from 'node:crypto';
import {
  Access,
  ALL_DEVICES,
  Audit,
  GrantBook,
  Granting,
  pathsAsked,
  pathsOf,
  readAccessSettings,
  rightFor,
  type AccessOperation,
  type AccessSettings,
  type AccessStore,
  type AuditEntry,
  type AuditView,
  type GrantEvent,
  type GrantOptions,
  type GrantTarget,
  type GrantView,
  type RevokeInput,
} from '../access';
import { AccessDeniedError, CancelledError, Lwm2mError, QueueExpiredError, ResponseError } from '../errors';
import type { Devices, OrderOutcome, OrderToAuthorize, SuspensionRun, WaitingConfirmation } from '../fleet';
import { parseSelector } from '../fleet/selector';
import { resolvePath, type ObjectDefinitions, type Path } from '../model';
import { operationPaths } from '../server';
import type { Clock } from '../util/clock';
import type { Log } from '../util/log';

/** Whom standing wishes of the flows themselves act as: a user like others, that roles may be given to. */
export const FLOW_USER = 'flow';

export interface RightsContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: AccessStore;
  readonly definitions: ObjectDefinitions;
  /** Asked for late: the fleet asks for rights itself. */
  readonly devices: () => Devices;
  readonly emit: (event: GrantEvent) => void;
}

/**
 * The settings, when they can be.
 * @throws {InvalidArgumentError} saying which role or user cannot be.
 */
export function checkAccessSettings(input: unknown): AccessSettings {
  readAccessSettings(input, (target) => {
    if ('selector' in target) parseSelector(target.selector);
    return () => false;
  });
  return input as AccessSettings;
}

/** What joins access with the fleet: who may order what, and who did. */
export class Rights {
  readonly access: Access;
  readonly audit: Audit;
  readonly #context: RightsContext;
  readonly #grants: GrantBook;
  readonly #granting: Granting;
  /** The settings in force, as text: a deploy may bring the same again. `undefined`: none that can be read. */
  #configured: string | undefined = '';

  constructor(context: RightsContext) {
    const { clock, log, store } = context;
    this.#context = context;
    const now = (): number => clock.now();
    const matcher = (target: GrantTarget): ((endpoint: string) => boolean) => {
      const devices = context.devices();
      const matches = devices.matcher(target);
      return (endpoint) => matches(devices.subject(endpoint));
    };
    this.#grants = new GrantBook({ clock, log, store: store.grants, matcher, emit: context.emit });
    this.access = new Access({ grants: this.#grants, now, matcher });
    this.#granting = new Granting({
      access: this.access,
      grants: this.#grants,
      now,
      members: (target) => context.devices().members(target),
    });
    this.audit = new Audit({ clock, log, store: store.audit });
  }

  /** @throws {StoreError} */
  async takeUp(): Promise<void> {
    await this.#grants.takeUp();
  }

  close(): void {
    this.#grants.close();
  }

  /**
   * @returns whether they are others than before.
   * @throws {InvalidArgumentError} saying which role or user cannot be; then nobody has rights.
   */
  configure(settings: AccessSettings | undefined): boolean {
    const text = settings === undefined ? '' : JSON.stringify(settings);
    if (text === this.#configured) return false;
    this.#configured = undefined;
    this.access.configure(settings);
    this.#configured = text;
    return true;
  }

  /** Whether an order may go to its device now; what cannot be read is said as such. */
  readonly authorize = ({ endpoint, operation, user }: OrderToAuthorize): Lwm2mError | undefined => {
    if (!this.access.isAttached) return undefined;
    try {
      const paths = pathsOf(operation, (text) => resolvePath(text, this.#context.definitions));
      const denied = this.access.check({ user, operation: rightFor(operation), paths, endpoint });
      const read = pathsAsked(operation);
      if (denied !== undefined || read.length === 0) return denied;
      return this.access.check({ user, operation: 'read', paths: read, endpoint });
    } catch (error) {
      if (error instanceof Lwm2mError) return error;
      throw error;
    }
  };

  /** What came of an order, for the audit trail. */
  readonly ordered = ({ endpoint, operation, user, run, error, code }: OrderOutcome): void => {
    this.audit.record({
      user,
      operation: operation.operation,
      endpoint,
      paths: operationPaths(operation),
      ...outcomeOf(error, code),
      ...(run === undefined ? {} : { run }),
    });
  };

  /** A device that nobody has provisioned got a record, because this user has let newcomers in. */
  readonly joined = (endpoint: string, user: string | undefined): void => {
    this.audit.record({ user, operation: 'join', endpoint, paths: [], outcome: 'succeeded' });
  };

  /** What comes of a suspension, or of its end before time, device by device; those that were left alone are not noted. */
  suspended(operation: 'suspend' | 'resume', run: SuspensionRun, user: string | undefined): SuspensionRun {
    const id = randomUUID();
    void run.finished.then(({ results }) => {
      for (const { endpoint, state, error, code } of results) {
        if (state === 'waiting' || state === 'skipped') continue;
        const outcome = error === 'ACCESS_DENIED' ? 'denied' : state === 'failed' ? 'failed' : 'succeeded';
        this.audit.record({
          user,
          operation,
          endpoint,
          paths: [],
          outcome,
          run: id,
          ...(error === undefined ? {} : { error }),
          ...(code === undefined ? {} : { code }),
        });
      }
    });
    return run;
  }

  /** A second person agrees to an order, or may not. */
  confirmed(
    user: string | undefined,
    { id: run, members, operation }: WaitingConfirmation,
    act: () => WaitingConfirmation,
  ): WaitingConfirmation {
    const note = (outcome: Pick<AuditEntry, 'outcome' | 'error'>): void => {
      const paths = operationPaths(operation);
      for (const endpoint of members) {
        this.audit.record({ user, operation: 'confirm', endpoint, paths, run, ...outcome });
      }
    };
    try {
      const waiting = act();
      note({ outcome: 'succeeded' });
      return waiting;
    } catch (error) {
      if (error instanceof Lwm2mError) note(outcomeOf(error));
      throw error;
    }
  }

  /** Whether a device may be observed for a user now. */
  observe(endpoint: string, paths: readonly Path[], user: string = FLOW_USER): AccessDeniedError | undefined {
    return this.access.check({ user, operation: 'observe', paths, endpoint });
  }

  /** The same of what is done to the fleet. */
  may(operation: AccessOperation, endpoint: string, user: string | undefined): AccessDeniedError | undefined {
    return this.access.check({ user, operation, endpoint });
  }

  /**
   * Does something to the fleet if the user may, and writes down what came of it.
   * @param name of it in the audit trail, where it is not that of the right.
   */
  async audited<T>(
    what: {
      readonly right: AccessOperation;
      readonly name?: string;
      readonly user?: string;
      readonly endpoint: string;
    },
    act: () => Promise<T>,
  ): Promise<T> {
    const { right, name = right, user, endpoint } = what;
    const about = { operation: name, user, paths: [], ...(endpoint === ALL_DEVICES ? {} : { endpoint }) };
    return await this.#recorded(about, () => {
      const denied = this.may(right, endpoint, user);
      if (denied !== undefined) throw denied;
      return act();
    });
  }

  /** As `lwm2m-grant` does. Rejects with `InvalidArgumentError`, `AccessDeniedError` or `StoreError`. */
  async grant(input: unknown, { user }: GrantOptions = {}): Promise<GrantView> {
    return await this.#recorded({ operation: 'grant', user, ...aboutOf(input) }, () =>
      this.#granting.grant(input, { user }),
    );
  }

  async revoke(input: RevokeInput, { user }: GrantOptions = {}): Promise<GrantView[]> {
    const known =
      typeof input === 'object' && typeof input.id === 'string' ? this.#grants.get(input.id)?.stored : input;
    return await this.#recorded({ operation: 'revoke', user, ...aboutOf(known) }, () =>
      this.#granting.revoke(input, { user }),
    );
  }

  grants(): GrantView[] {
    return this.#granting.list();
  }

  /** Ends all grants on one device. @throws {StoreError} */
  async forget(endpoint: string): Promise<void> {
    await this.#granting.forget(endpoint);
  }

  query(input?: unknown): Promise<readonly AuditView[]> {
    return this.audit.query(input);
  }

  async #recorded<T>(
    about: Pick<AuditEntry, 'operation' | 'user' | 'endpoint' | 'paths'>,
    act: () => Promise<T>,
  ): Promise<T> {
    try {
      const result = await act();
      this.audit.record({ ...about, outcome: 'succeeded' });
      return result;
    } catch (error) {
      this.audit.record({ ...about, ...(error instanceof Lwm2mError ? outcomeOf(error) : { outcome: 'failed' }) });
      throw error;
    }
  }
}

/** @param code of the device, of a success. */
function outcomeOf(error: Lwm2mError | undefined, code?: string): Pick<AuditEntry, 'outcome' | 'code' | 'error'> {
  if (error === undefined) return { outcome: 'succeeded', ...(code === undefined ? {} : { code }) };
  const outcome =
    error instanceof AccessDeniedError
      ? 'denied'
      : error instanceof QueueExpiredError
        ? 'expired'
        : error instanceof CancelledError
          ? 'cancelled'
          : 'failed';
  return { outcome, error: error.code, ...(error instanceof ResponseError ? { code: error.responseCode } : {}) };
}

/** The device and the paths that a grant, or what should become one, is about. */
function aboutOf(input: unknown): Pick<AuditEntry, 'endpoint' | 'paths'> {
  const { target, paths } = (typeof input === 'object' && input !== null ? input : {}) as Record<string, unknown>;
  const endpoint = typeof target === 'object' && target !== null && 'endpoint' in target ? target.endpoint : target;
  return {
    ...(typeof endpoint === 'string' && endpoint !== '' ? { endpoint: endpoint.slice(0, 255) } : {}),
    paths: Array.isArray(paths)
      ? paths.filter((path) => typeof path === 'string').map((path) => path.slice(0, 100))
      : [],
  };
}
