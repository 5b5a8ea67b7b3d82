import type { NodeMessageInFlow } from 'node-red';
import { csvOfRecords, InvalidArgumentError, type Engine, type ProvisionedDevice, type Target } from '../../src/index';
import { describe, isEmpty, messageProperty, numberOption } from '../shared/options';
import { targetOfMessage, targetOfMessageProperty, targetOfValue } from '../shared/target';
import { userOf } from '../shared/user';

export const ACTIONS = [
  'put',
  'get',
  'list',
  'remove',
  'transfer',
  'group',
  'ungroup',
  'groups',
  'pending',
  'accept',
  'join',
] as const;

export const FORMATS = ['csv'] as const;

export type Action = (typeof ACTIONS)[number];

/** How records go out; absent: as objects. */
export type Format = (typeof FORMATS)[number];

/** What is sent on: never a key. */
export interface Provisioned {
  readonly payload: unknown;
  /** The device, when it is about one. */
  readonly endpoint?: string;
  /** How many devices it is about, for the status. */
  readonly count: number;
  /** s: for how long devices may join. */
  readonly joining?: number;
}

/** So many records are removed at the same time: a store commits them together. */
const AT_ONCE = 100;

/** @throws {InvalidArgumentError} what the message holds cannot be; the text names no key. */
export async function provision(
  engine: Engine,
  action: Action,
  msg: NodeMessageInFlow,
  format?: Format,
): Promise<Provisioned> {
  const user = userOf(msg);
  switch (action) {
    case 'put':
      return put(engine, msg, user);
    case 'get':
      return get(engine, msg, format);
    case 'list': {
      const devices = await engine.provisionedDevices(targetOfMessageProperty(msg));
      return { payload: format === 'csv' ? csvOfRecords(devices) : devices, count: devices.length };
    }
    case 'remove':
      return forEach(await devicesOf(engine, msg), async (endpoint) => {
        const removed = await engine.unprovision(endpoint, { user });
        return { answer: { endpoint, removed }, found: removed };
      });
    case 'transfer': {
      const device = await engine.handOver(msg.payload, { user });
      return { payload: device, endpoint: device.endpoint, count: 1 };
    }
    case 'group': {
      const { group, selector } = groupOf(msg.payload);
      const made = await engine.defineGroup(group, selector, { user });
      return { payload: made, count: made.devices };
    }
    case 'ungroup': {
      const { group } = groupOf(msg.payload);
      const removed = await engine.removeGroup(group, { user });
      return { payload: { group, removed }, count: removed ? 1 : 0 };
    }
    case 'groups': {
      const groups = engine.groups();
      return { payload: groups, count: groups.length };
    }
    case 'pending': {
      const pending = engine.pending();
      return { payload: pending, count: pending.length };
    }
    case 'accept':
      return accept(engine, msg, user);
    case 'join':
      return join(engine, msg, user);
  }
}

async function put(engine: Engine, { payload }: NodeMessageInFlow, user: string | undefined): Promise<Provisioned> {
  const text = textOf(payload);
  if (text !== undefined || Array.isArray(payload)) {
    const records: readonly unknown[] = Array.isArray(payload) ? payload : [];
    const devices = await (text === undefined
      ? engine.provisionAll(records, { user })
      : engine.provisionCsv(text, { user }));
    return { payload: devices, count: devices.length };
  }
  const device = await engine.provision(payload, { user });
  return { payload: device, endpoint: device.endpoint, count: 1 };
}

/** The CSV of a payload that is text, or a file. @throws {InvalidArgumentError} it is JSON, or no UTF-8. */
function textOf(payload: unknown): string | undefined {
  if (typeof payload === 'string') return csvOf(payload);
  if (!Buffer.isBuffer(payload)) return undefined;
  return csvOf(textOfFile(payload));
}

function csvOf(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  throw new InvalidArgumentError(
    'msg.payload is the text of JSON, not device records: put a json node before this one',
  );
}

function textOfFile(payload: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(payload);
  } catch {
    // A TypeError that says less.
    throw new InvalidArgumentError('msg.payload is a file that is not UTF-8: in Excel save it as "CSV UTF-8"');
  }
}

async function get(engine: Engine, msg: NodeMessageInFlow, format: Format | undefined): Promise<Provisioned> {
  const found: ProvisionedDevice[] = [];
  const outcome = await forEach(await devicesOf(engine, msg), async (endpoint) => {
    const answer = await engine.provisioned(endpoint);
    if (answer !== null) found.push(answer);
    return { answer, found: answer !== null };
  });
  return format === 'csv' ? { ...outcome, payload: csvOfRecords(found) } : outcome;
}

/** `{ group, selector }`, or the name alone. */
function groupOf(payload: unknown): { group: string; selector: string } {
  const { group, selector, ...others } = typeof payload === 'string' ? { group: payload } : recordOf(payload);
  if (typeof group !== 'string' || isEmpty(group) || Object.keys(others).length > 0) {
    throw new InvalidArgumentError('msg.payload must be a group: { "group": "floor-3", "selector": "label:floor=3" }');
  }
  // What it lacks, or that it is no text, is said by the engine.
  return { group, selector: selector as string };
}

async function accept(engine: Engine, msg: NodeMessageInFlow, user: string | undefined): Promise<Provisioned> {
  const { payload } = msg;
  if (Array.isArray(payload)) {
    const devices = await engine.acceptAll(payload, { user });
    return { payload: devices, count: devices.length };
  }
  const device = await engine.accept(payload, { user });
  return { payload: device, endpoint: device.endpoint, count: 1 };
}

/** A payload that is an object says what is in the records of those that join. */
async function join(engine: Engine, msg: NodeMessageInFlow, user: string | undefined): Promise<Provisioned> {
  const { duration: ofPayload, ...record } = recordOf(msg.payload);
  const duration = numberOption(ofPayload ?? messageProperty(msg, 'duration'), 'duration');
  const window = await engine.permitJoin({ ...record, duration, user });
  const joining = window.open ? Math.round((window.until - Date.now()) / 1000) : 0;
  return { payload: window, count: window.joined.length, joining };
}

function recordOf(payload: unknown): Record<string, unknown> {
  return isRecord(payload) ? payload : {};
}

/** The devices that a message is about: one gets an answer of its own, several get an array. */
async function devicesOf(engine: Engine, msg: NodeMessageInFlow): Promise<string | readonly string[]> {
  const target = targetOfPayload(msg.payload) ?? targetOfMessage(msg) ?? targetOfText(msg.payload);
  if (target === undefined) {
    throw new InvalidArgumentError('no device: send its endpoint in msg.payload, msg.target or msg.endpoint');
  }
  if ('endpoint' in target) return target.endpoint;
  if ('endpoints' in target) return target.endpoints;
  return (await engine.provisionedDevices(target)).map(({ endpoint }) => endpoint);
}

/** `{ endpoint }`, or an array of these or of endpoints. What else a payload may hold is not meant for this node. */
function targetOfPayload(payload: unknown): Target | undefined {
  if (Array.isArray(payload)) {
    return targetOfValue(
      payload.map((item: unknown) => (isRecord(item) ? item.endpoint : item)),
      undefined,
      'msg.payload',
    );
  }
  if (!isRecord(payload) || !Object.hasOwn(payload, 'endpoint')) return undefined;
  const { endpoint } = payload;
  if (typeof endpoint !== 'string' || isEmpty(endpoint)) {
    throw new InvalidArgumentError(`msg.payload.endpoint must be an endpoint, not ${describe(endpoint)}`);
  }
  return { endpoint };
}

function targetOfText(payload: unknown): Target | undefined {
  return typeof payload === 'string' && !isEmpty(payload) ? { endpoint: payload } : undefined;
}

interface Answer {
  readonly answer: unknown;
  readonly found: boolean;
}

async function forEach(
  devices: string | readonly string[],
  act: (endpoint: string) => Promise<Answer>,
): Promise<Provisioned> {
  if (typeof devices === 'string') {
    const { answer, found } = await act(devices);
    return { payload: answer, endpoint: devices, count: found ? 1 : 0 };
  }
  const answers: Answer[] = [];
  for (let start = 0; start < devices.length; start += AT_ONCE) {
    answers.push(...(await Promise.all(devices.slice(start, start + AT_ONCE).map(act))));
  }
  return { payload: answers.map(({ answer }) => answer), count: answers.filter(({ found }) => found).length };
}

/** What of a payload may be shown when it could not be put: the names of the devices, and nothing that could be a key. */
export function namesOnly(payload: unknown): unknown {
  if (Array.isArray(payload)) return payload.map(namesOnly);
  if (!isRecord(payload)) return null;
  return typeof payload.endpoint === 'string' ? { endpoint: payload.endpoint } : {};
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}
