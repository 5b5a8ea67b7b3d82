import { CancelledError, NotRegisteredError, ResponseError, TimeoutError, TransportError } from '../errors';
import { parsePath } from '../model';
import type { Operation, OperationResult, PerformOptions, RegisteredClient } from '../server';
import type { Device } from './device';
import type { SuspensionReason } from './suspension';

/** Resource ids of the Server object (LwM2M Core 1.2 appendix E.2). */
const DISABLE = 4;
const DISABLE_TIMEOUT = 5;
const NOTIFICATION_STORING = 6;

/** Why a device was not told to stay away, and what it answered. */
export interface NotTold {
  readonly reason: Exclude<SuspensionReason, 'highPriority' | 'notSuspended'>;
  readonly code?: string;
}

export interface TellingContext {
  perform(endpoint: string, operation: Operation, options: PerformOptions): Promise<OperationResult>;
}

/**
 * Tells one device to stay away for a time (LwM2M Core 1.2 s6.2.4, appendix E.2), in two steps between which the
 * suspension is stored.
 */
export class Telling {
  readonly #context: TellingContext;
  readonly #client: RegisteredClient;
  readonly #instance: number;

  private constructor(context: TellingContext, client: RegisteredClient, instance: number) {
    this.#context = context;
    this.#client = client;
    this.#instance = instance;
  }

  /**
   * The first step: how long, and to keep what it would notify meanwhile.
   *
   * A device that does not take the Disable Timeout is not disabled at all: it would stay away for the default of a day.
   * Of several Server instances the registration does not say which is ours, and to disable another would cut the device
   * off from somebody else: it is not told either.
   */
  static async prepare(
    context: TellingContext,
    device: Device | undefined,
    seconds: number,
    options: PerformOptions,
  ): Promise<Telling | NotTold> {
    const client = device?.client;
    if (device === undefined || client === undefined) return { reason: 'offline' };
    if (!device.isAwake) return { reason: 'asleep' };
    const instances = client.registration.objects.objects.find(({ id }) => id === 1)?.instances ?? [];
    const [instance, ...others] = instances;
    if (instance === undefined || others.length > 0) return { reason: 'noDisable' };
    const telling = new Telling(context, client, instance);
    const refusal = await telling.#ask(
      { operation: 'write', path: telling.#path(DISABLE_TIMEOUT), value: seconds, mode: 'replace' },
      options,
    );
    if (refusal !== undefined) return refusal;
    const storing = await telling.#ask(
      { operation: 'write', path: telling.#path(NOTIFICATION_STORING), value: true, mode: 'replace' },
      options,
    );
    // A device that cannot keep notifications may stay away all the same; one that is silent now is not there.
    return storing?.reason === 'silent' ? storing : telling;
  }

  /** The registration that the device is to end. */
  get registrationId(): string {
    return this.#client.registration.id;
  }

  /** The second step. @param left aborts when the device has de-registered: it obeyed, whatever becomes of its answer. */
  async disable(options: PerformOptions, left: AbortSignal): Promise<NotTold | undefined> {
    const execute: Operation = { operation: 'execute', path: this.#path(DISABLE) };
    try {
      const refusal = await this.#ask(execute, { ...options, signal: left });
      return left.aborted ? undefined : refusal;
    } catch (error) {
      if (left.aborted && error instanceof CancelledError) return undefined;
      throw error;
    }
  }

  #path(resource: number): ReturnType<typeof parsePath> {
    return parsePath(`/1/${this.#instance}/${resource}`);
  }

  async #ask(operation: Operation, options: PerformOptions): Promise<NotTold | undefined> {
    try {
      await this.#context.perform(this.#client.endpoint, operation, options);
      return undefined;
    } catch (error) {
      if (error instanceof ResponseError) return { reason: 'refused', code: error.responseCode };
      if (error instanceof TimeoutError || error instanceof TransportError) return { reason: 'silent' };
      if (error instanceof NotRegisteredError) return { reason: 'offline' };
      throw error;
    }
  }
}
