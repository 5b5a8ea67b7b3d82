import assert from 'node:assert/strict';
import {
  parsePath,
  type ContentFormatName,
  type ObservationFailure,
  type ObservationPolicy,
  type ObservedValue,
  type Operation,
  type OperationResult,
  type PolicyHandle,
} from '../../../src';
import { codeName, formatCode, MessageType, parseCode, type CoapMessage, type CoapOptions } from '../../../src/coap';
import type { Registration, ScriptedDevice } from '../../support/scripted-device';
import { Harness, type HarnessOptions } from '../harness';

/** The endpoint client name of the client in every case. */
export const ENDPOINT = 'oma-client';

/** What a client of configuration C.1 registers: Server and Device. */
const MINIMAL_LINKS = '</1/0>,</3/0>';

/** Content formats by their numbers, as the test cases speak of them (LwM2M Core 1.2 s7.4). */
export const FORMAT = {
  text: 0,
  link: 40,
  opaque: 42,
  cbor: 60,
  senmlJson: 110,
  senmlCbor: 112,
  tlv: 11542,
  json: 11543,
  lwm2mCbor: 11544,
} as const;

/** One request of the server, in full, and what the client answers. */
export interface Step {
  readonly request: string;
  readonly body: Buffer;
  readonly code: string;
  readonly format: number | undefined;
  readonly answer: Buffer | string | undefined;
  readonly options: CoapOptions;
}

/**
 * What the client is asked, as one line that names every option: `GET /3/0?pmin=1 observe=0 format=112 accept=112`,
 * and the body.
 */
export function asked(request: string, body: Buffer | string = ''): Asked {
  return new Asked(request, Buffer.from(body as string));
}

class Asked {
  constructor(
    private readonly request: string,
    private readonly body: Buffer,
  ) {}

  /** @param code such as `2.05`. */
  answers(code: string, format?: number, answer?: Buffer | string, options: CoapOptions = {}): Step {
    return { request: this.request, body: this.body, code, format, answer, options };
  }
}

/** A request as the one line of `asked`. Every option is in it, so nothing goes out unseen. */
export function describeRequest({ type, code, options }: CoapMessage): string {
  const { uriPath = [], uriQuery = [], observe, contentFormat, accept, ...others } = options;
  const words = [codeName(code), `/${uriPath.join('/')}${uriQuery.length === 0 ? '' : `?${uriQuery.join('&')}`}`];
  if (type !== MessageType.CON) words.unshift(MessageType[type] ?? String(type));
  if (observe !== undefined) words.push(`observe=${observe}`);
  if (contentFormat !== undefined) words.push(`format=${contentFormat}`);
  if (accept !== undefined) words.push(`accept=${accept}`);
  for (const [name, value] of Object.entries(others)) {
    if (value !== undefined) words.push(`${name}=${JSON.stringify(value)}`);
  }
  return words.join(' ');
}

/** What an observation told the flow. */
export class Observed {
  readonly values: ObservedValue[] = [];
  readonly failures: ObservationFailure[] = [];

  value(value: ObservedValue): void {
    this.values.push(value);
  }

  failed(failure: ObservationFailure): void {
    this.failures.push(failure);
  }

  payloads(): unknown[] {
    return this.values.map(({ payload }) => payload);
  }
}

/** A server, and a client that has registered with it: where every case begins. */
export class OmaCase {
  private constructor(
    readonly harness: Harness,
    readonly client: ScriptedDevice,
  ) {}

  /** @param registration of configuration C.1 in version 1.1 unless said. */
  static async start(registration: Partial<Registration> = {}, options: HarnessOptions = {}): Promise<OmaCase> {
    const harness = await Harness.start(options);
    const { version = '1.1', ...others } = registration;
    const client = await harness.registered({
      endpoint: ENDPOINT,
      lifetime: 86_400,
      version,
      links: MINIMAL_LINKS,
      ...others,
    });
    return new OmaCase(harness, client);
  }

  async close(): Promise<void> {
    await this.harness.close();
  }

  /**
   * The operator orders an operation; the client is asked exactly the steps' requests and nothing more. Rejects with the
   * engine's error.
   */
  async order(operation: Operation, ...steps: Step[]): Promise<OperationResult> {
    const result = this.harness.engine.perform(ENDPOINT, operation);
    // It may fail before the last step is looked at.
    result.catch(() => undefined);
    for (const step of steps) await this.answer(step, result);
    const delivered = await result;
    await this.harness.clock.settle();
    assert.deepEqual(this.client.inbox.map(describeRequest), [], 'the client was asked more than the case says');
    return delivered;
  }

  /** The order fails because the client answers its last step with 4.xx. */
  async refused(operation: Operation, ...steps: Step[]): Promise<void> {
    const responseCode = steps.at(-1)?.code;
    await assert.rejects(this.order(operation, ...steps), { code: 'RESPONSE', responseCode });
  }

  /** The client is asked the step's request, and answers. @returns the request, whose token a notification needs */
  async answer(step: Step, under?: Promise<unknown>): Promise<CoapMessage> {
    const next = this.client.expectRequest();
    const early = under?.then(() => assert.fail(`it was over before the client was asked ${step.request}`));
    const request = await (early === undefined ? next : Promise.race([next, early]));
    const { message } = request;
    assert.equal(describeRequest(message), step.request);
    assert.deepEqual(readable(message.payload), readable(step.body));
    const options = step.format === undefined ? step.options : { ...step.options, contentFormat: step.format };
    request.reply(parseCode(step.code), options, step.answer);
    await this.harness.clock.settle();
    return message;
  }

  /** The operator observes: one path, or several as a composite observation. */
  observe(policy: Partial<ObservationPolicy>, ...paths: string[]): { handle: Promise<PolicyHandle>; heard: Observed } {
    const heard = new Observed();
    const whole: ObservationPolicy = { target: { endpoint: ENDPOINT }, paths: paths.map(parsePath), ...policy };
    return { handle: this.harness.engine.observePolicy(paths.join(), whole, heard), heard };
  }

  /** The client notifies; the server acknowledges, or resets what it does not want. */
  async notify(token: Buffer, observe: number, format: number, payload: Buffer | string): Promise<'ACK' | 'RST'> {
    const messageId = this.client.notify(token, observe, payload, { contentFormat: format });
    const { type } = await this.client.expect((message) => message.messageId === messageId && message.code === 0);
    await this.harness.clock.settle();
    return type === MessageType.ACK ? 'ACK' : 'RST';
  }

  /** The client updates its registration. @returns the code of the answer */
  async update(query: readonly string[] = [], links?: string): Promise<string> {
    return this.codeOf(this.client.update(query, links));
  }

  /** What is answered to a request of the client. */
  async codeOf(response: Promise<CoapMessage>): Promise<string> {
    const { code } = await response;
    await this.harness.clock.settle();
    return formatCode(code);
  }

  /** How the server sees the client. */
  view() {
    const [view] = this.harness.engine.devices({ endpoint: ENDPOINT });
    assert.ok(view, `${ENDPOINT} is not known`);
    return view;
  }
}

/** Text as it is, other bytes as hex, so that a difference can be read. */
function readable(bytes: Buffer): string {
  const text = bytes.toString();
  return /^[\x20-\x7e]*$/.test(text) ? text : bytes.toString('hex').replace(/..(?=.)/g, '$& ');
}

/** Bytes as specifications print them; what is in double quotes stands for its ASCII. */
export function bytes(text: string): Buffer {
  const parts = text.split('"').map((part, index) => {
    if (index % 2 === 1) return Buffer.from(part, 'ascii');
    const digits = part.replace(/\s+/g, '');
    assert.match(digits, /^([0-9a-f]{2})*$/i);
    return Buffer.from(digits, 'hex');
  });
  return Buffer.concat(parts);
}

export const read = (path: string, contentFormat?: ContentFormatName): Operation => ({
  operation: 'read',
  paths: [parsePath(path)],
  contentFormat,
});

export const readComposite = (paths: readonly string[], contentFormat?: ContentFormatName): Operation => ({
  operation: 'read',
  paths: paths.map(parsePath),
  composite: true,
  contentFormat,
});

export const replace = (path: string, value: unknown, contentFormat?: ContentFormatName): Operation => ({
  operation: 'write',
  path: parsePath(path),
  value,
  mode: 'replace',
  contentFormat,
});

export const update = (path: string, value: unknown, contentFormat?: ContentFormatName): Operation => ({
  operation: 'write',
  path: parsePath(path),
  value,
  mode: 'update',
  contentFormat,
});

export const writeComposite = (values: Record<string, unknown>, contentFormat?: ContentFormatName): Operation => ({
  operation: 'write-composite',
  values,
  contentFormat,
});

export const execute = (path: string, args?: unknown): Operation => ({
  operation: 'execute',
  path: parsePath(path),
  args,
});

export const discover = (path: string, depth?: number): Operation => ({
  operation: 'discover',
  path: parsePath(path),
  depth,
});

export const create = (path: string, value: unknown, contentFormat?: ContentFormatName): Operation => ({
  operation: 'create',
  path: parsePath(path),
  value,
  contentFormat,
});

export const remove = (path: string): Operation => ({ operation: 'delete', path: parsePath(path) });

export const attributes = (
  path: string,
  values: Extract<Operation, { operation: 'write-attributes' }>['attributes'],
): Operation => ({ operation: 'write-attributes', path: parsePath(path), attributes: values });
