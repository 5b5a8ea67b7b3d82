import type { NodeAPI, NodeMessageInFlow } from 'node-red';

/** The longest message, as JSON, that is kept whole. */
const MAX_LENGTH = 8192;

/** What belongs to a request under way, or is replaced by the outcome. */
const NOT_KEPT = ['req', 'res', 'payload'];

/** What is kept of a message whose order may outlive the process: plain data. */
export function noteOf(msg: NodeMessageInFlow): Record<string, unknown> {
  const text = jsonOf(Object.fromEntries(Object.entries(msg).filter(([key]) => !NOT_KEPT.includes(key))));
  if (text !== undefined && text.length <= MAX_LENGTH) return JSON.parse(text) as Record<string, unknown>;
  const topic = typeof msg.topic === 'string' && msg.topic.length <= MAX_LENGTH ? { topic: msg.topic } : {};
  return { _msgid: msg._msgid, ...topic };
}

/** The message that a note was made of, as far as it was kept. */
export function messageOf(RED: NodeAPI, note: unknown): NodeMessageInFlow {
  const kept = typeof note === 'object' && note !== null ? (note as Record<string, unknown>) : {};
  return { ...kept, _msgid: typeof kept['_msgid'] === 'string' ? kept['_msgid'] : RED.util.generateId() };
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // Circles, BigInts, and what is nested too deep.
    if (error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}
