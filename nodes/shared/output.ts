import type { NodeAPI, NodeMessage, NodeMessageInFlow } from 'node-red';
import {
  operationPath,
  ResponseError,
  type ObservedValue,
  type OperationResult,
  type Summary,
  type SuspensionSummary,
  type WaitingConfirmation,
} from '../../src/index';

type NodeMessageParts = NonNullable<NodeMessageInFlow['parts']>;

/** Operations that the device answers with a code alone: the message goes on with the payload it came with. */
const WITHOUT_PAYLOAD: readonly (OperationResult | ObservedValue)['operation'][] = [
  'write',
  'write-composite',
  'execute',
  'delete',
  'write-attributes',
];

/** `msg.lwm2m` of what a device answered or notified. */
export function detailsOf(result: OperationResult | ObservedValue): Record<string, unknown> {
  return Object.fromEntries(Object.entries(result).filter(([key, value]) => key !== 'payload' && value !== undefined));
}

/** Writes a result into the message that is sent on. */
export function fillMessage(msg: NodeMessage, result: OperationResult | ObservedValue): NodeMessage {
  if (!WITHOUT_PAYLOAD.includes(result.operation)) msg.payload = result.payload;
  msg.endpoint = result.endpoint;
  msg.path = result.path;
  msg.lwm2m = detailsOf(result);
  return msg;
}

/** Writes what failed, and with which response code, into the message that Catch nodes get. */
export function fillFailure(
  msg: NodeMessage,
  about: { readonly operation: string; readonly endpoint?: string; readonly path?: string },
  error: unknown,
): void {
  const details: Record<string, unknown> = { ...about };
  if (error instanceof ResponseError) details.code = error.responseCode;
  if (about.endpoint !== undefined) msg.endpoint = about.endpoint;
  if (about.path !== undefined) msg.path = about.path;
  msg.lwm2m = details;
}

/**
 * Numbers the messages of an order to many so that a join node puts them together. The sequence is the members in
 * the order they were named, without those that had failed before the first message was sent (the unknown and the
 * offline fail at once), since a join waits for as many messages as the first one says. Of a member that fails later no
 * message comes; who must know waits for the summary.
 */
export class Sequence {
  readonly #id: string;
  readonly #members: readonly string[];
  readonly #outer: NodeMessageParts | undefined;
  readonly #failed = new Set<string>();
  #positions: Map<string, number> | undefined;

  constructor(RED: NodeAPI, msg: NodeMessageInFlow, members: readonly string[]) {
    this.#id = RED.util.generateId();
    this.#members = members;
    this.#outer = msg.parts;
  }

  failed(endpoint: string): void {
    this.#failed.add(endpoint);
  }

  partsOf(endpoint: string): NodeMessageParts {
    this.#positions ??= new Map(
      this.#members.filter((member) => !this.#failed.has(member)).map((member, index) => [member, index]),
    );
    const index = this.#positions.get(endpoint) ?? 0;
    const parts: NodeMessageParts = { id: this.#id, type: 'array', count: this.#positions.size, index };
    if (this.#outer !== undefined) parts.parts = this.#outer;
    return parts;
  }
}

/** The message of one of many devices: a copy of the input with what this device answered. */
export function memberMessage(
  RED: NodeAPI,
  msg: NodeMessage,
  result: OperationResult,
  parts: NodeMessageParts,
): NodeMessage {
  const keepsPayload = WITHOUT_PAYLOAD.includes(result.operation);
  const copy = keepsPayload ? copyOf(RED, msg) : copyWithoutPayload(RED, msg);
  copy.parts = parts;
  return fillMessage(copy, result);
}

/** The second output: how far the order is, on a copy of the input message. */
export function summaryMessage(
  RED: NodeAPI,
  msg: NodeMessage,
  summary: Summary | SuspensionSummary,
  complete: boolean,
): NodeMessage {
  const copy = copyWithoutPayload(RED, msg);
  copy.payload = summary;
  if (complete) copy.complete = true;
  return copy;
}

/** The second output: an order waits for a second person; `msg.confirm` with this id lets it go out. */
export function confirmationMessage(RED: NodeAPI, msg: NodeMessage, waiting: WaitingConfirmation): NodeMessage {
  const copy = copyWithoutPayload(RED, msg);
  const { id, user, operation, members, until } = waiting;
  copy.payload = {
    confirmation: {
      id,
      user,
      operation: operation.operation,
      path: operationPath(operation),
      endpoints: [...members],
      until: new Date(until).toISOString(),
    },
  };
  return copy;
}

/** Where the payload is replaced anyway, copying it for each device could be costly. */
function copyWithoutPayload(RED: NodeAPI, msg: NodeMessage): NodeMessage {
  const rest: NodeMessage = { ...msg };
  delete rest.payload;
  return copyOf(RED, rest);
}

/** A `complete` of the message that came in would end a join early. */
function copyOf(RED: NodeAPI, msg: NodeMessage): NodeMessage {
  const rest: NodeMessage = { ...msg };
  delete rest.complete;
  return RED.util.cloneMessage(rest);
}
