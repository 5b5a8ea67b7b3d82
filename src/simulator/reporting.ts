import { contentFormatId } from '../content';
import { InvalidArgumentError, Lwm2mError, NotRegisteredError, ResponseError } from '../errors';
import { parsePath, type ResourceValue } from '../model';
import { SERVER } from './behaviours/server-object';
import type { CoapPort } from './coap-port';
import { encodeContent } from './device-content';
import type { DeviceVersion } from './device-formats';
import type { DeviceObjects } from './device-objects';
import { Outbox, type TimedValue } from './outbox';
import { readValues } from './read-operation';

export interface ReportingContext {
  readonly endpoint: string;
  readonly version: DeviceVersion;
  readonly objects: DeviceObjects;
  /** ms to wait for an answer. */
  readonly timeout: number;
  /** Undefined while the device has none. */
  port(): CoapPort | undefined;
  registered(): boolean;
  /** Whether what is said can leave now. */
  isOpen(): boolean;
  /** Says that the device is awake, if it sleeps, and where it is. */
  announce(): Promise<void>;
  onFailed(error: Lwm2mError): void;
  onFault(error: unknown): void;
}

/** So many values go in one message. */
const BATCH = 50;

/** What a device tells of its own accord, by Send (LwM2M Core 1.1 s6.4.4): what it is asked to, and what it has recorded. */
export class Reporting {
  readonly #context: ReportingContext;
  readonly #outbox = new Outbox();
  #delivering = false;
  /** Whether the server did not take it: it is asked again after the next update. */
  #failed = false;

  constructor(context: ReportingContext) {
    this.#context = context;
  }

  /** How many values wait. */
  get waiting(): number {
    return this.#outbox.size;
  }

  /** Keeps values until they can be sent. A device that has no Send has nobody to keep them for. */
  record(values: readonly TimedValue[]): void {
    if (this.#context.version === '1.0') return;
    this.#outbox.add(values.filter(({ value }) => value !== null));
  }

  /** As `SimulatedDevice.send`. */
  async send(what: readonly (string | ResourceValue)[], format: 'senml-cbor' | 'senml-json'): Promise<void> {
    const { endpoint, version, objects, timeout } = this.#context;
    if (version === '1.0') throw new InvalidArgumentError('LwM2M 1.0 has no Send');
    if (!this.#context.registered()) throw new NotRegisteredError(endpoint);
    if (this.#isMuted()) {
      throw new InvalidArgumentError(`the server has muted Send of ${endpoint} (/1/0/${SERVER.muteSend})`);
    }
    const contentFormat = contentFormatId(format);
    const values = what.flatMap((each) => (typeof each === 'string' ? readValues(objects, parsePath(each)) : [each]));
    const payload = encodeContent(contentFormat, {}, values, objects.types);
    await this.#context.announce();
    const port = this.#context.port();
    if (!port || !this.#context.registered()) throw new NotRegisteredError(endpoint);
    const response = await port.request({ method: 'POST', path: ['dp'], contentFormat, payload }, timeout);
    if (!response.code.startsWith('2.')) throw new ResponseError(response.code, response.payload.toString('utf8'));
  }

  /** The server was heard: what it did not take before is sent again. */
  resume(): void {
    this.#failed = false;
    this.deliver();
  }

  /** Sends what was recorded, if it can be; what the server does not confirm is kept for the next time. */
  deliver(): void {
    if (this.#delivering || this.#failed || this.#outbox.size === 0 || this.#isMuted()) return;
    if (!this.#context.registered() || !this.#context.isOpen()) return;
    this.#delivering = true;
    this.#deliverAll()
      .catch((error: unknown) => {
        this.#failed = true;
        if (error instanceof Lwm2mError) this.#context.onFailed(error);
        else this.#context.onFault(error);
      })
      .finally(() => (this.#delivering = false));
  }

  async #deliverAll(): Promise<void> {
    while (this.#outbox.size > 0 && this.#context.registered() && this.#context.isOpen()) {
      const batch = this.#outbox.oldest(BATCH);
      await this.send(batch, 'senml-cbor');
      this.#outbox.remove(batch);
    }
  }

  #isMuted(): boolean {
    return this.#context.objects.find(SERVER.object, SERVER.instance, SERVER.muteSend)?.value === true;
  }
}
