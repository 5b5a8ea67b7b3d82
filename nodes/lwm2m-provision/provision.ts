import type { NodeMessageInFlow } from 'node-red';
import { InvalidArgumentError, type Engine, type ProvisionedDevice, type Target } from '../../src/index';
import { describe, isEmpty } from '../shared/options';
import { targetOfMessage, targetOfMessageProperty, targetOfValue } from '../shared/target';
import { userOf } from '../shared/user';

export const ACTIONS = ['put', 'get', 'list', 'remove'] as const;

export type Action = (typeof ACTIONS)[number];

/** What is sent on: never a key. */
export interface Provisioned {
  readonly payload: unknown;
  /** The device, when it is about one. */
  readonly endpoint?: string;
  /** How many devices it is about, for the status. */
  readonly count: number;
}

/** So many records are put at the same time: a store commits them together. */
const AT_ONCE = 100;

/** @throws {InvalidArgumentError} what the message holds cannot be; the text names no key. */
export async function provision(engine: Engine, action: Action, msg: NodeMessageInFlow): Promise<Provisioned> {
  switch (action) {
    case 'put':
      return put(engine, msg);
    case 'get':
      return forEach(await devicesOf(engine, msg), async (endpoint) => {
        const answer = await engine.provisioned(endpoint);
        return { answer, found: answer !== null };
      });
    case 'list': {
      const devices = await engine.provisionedDevices(targetOfMessageProperty(msg));
      return { payload: devices, count: devices.length };
    }
    case 'remove':
      return forEach(await devicesOf(engine, msg), async (endpoint) => {
        const removed = await engine.unprovision(endpoint, { user: userOf(msg) });
        return { answer: { endpoint, removed }, found: removed };
      });
  }
}

async function put(engine: Engine, msg: NodeMessageInFlow): Promise<Provisioned> {
  const user = userOf(msg);
  const { payload } = msg;
  if (!Array.isArray(payload)) {
    const device = await engine.provision(payload, { user });
    return { payload: device, endpoint: device.endpoint, count: 1 };
  }
  const devices: ProvisionedDevice[] = [];
  for (let start = 0; start < payload.length; start += AT_ONCE) {
    const records: unknown[] = payload.slice(start, start + AT_ONCE);
    const outcomes = await Promise.allSettled(records.map((record) => engine.provision(record, { user })));
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === 'rejected') throw ofRecord(start + index, outcome.reason);
      devices.push(outcome.value);
    }
  }
  return { payload: devices, count: devices.length };
}

/** Says which of many records is wrong. */
function ofRecord(index: number, error: unknown): unknown {
  return error instanceof InvalidArgumentError
    ? new InvalidArgumentError(`record ${index + 1} of the array: ${error.message}`)
    : error;
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
