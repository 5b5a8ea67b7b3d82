import { cpuSeconds, mainThreadSeconds, settledHeapBytes } from './cpu-time';
import type { Answer, Command } from './subject';

export type Handlers = Record<string, (argument: never) => unknown>;

/** Used by a subject: answers the commands that its parent sends, and ends with its parent. */
export function serve(handlers: Handlers): void {
  const all: Handlers = { cpu: cpuSeconds, mainThread: mainThreadSeconds, heap: settledHeapBytes, ...handlers };
  process.on('message', (command: Command) => {
    void answer(all, command).then((reply) => process.send?.(reply));
  });
  process.on('disconnect', () => process.exit());
}

async function answer(handlers: Handlers, { id, name, argument }: Command): Promise<Answer> {
  try {
    const handler = handlers[name];
    if (handler === undefined) throw new Error(`no command '${name}'`);
    return { id, value: await handler(argument as never) };
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
