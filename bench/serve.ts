import { cpuSeconds, mainThreadSeconds, settledHeapBytes } from './cpu-time';
import { LoopWatch } from './loop-watch';
import type { Answer, Command } from './subject';

export type Handlers = Record<string, (argument: never) => unknown>;

/** Used by a subject: answers the commands that its parent sends, and ends with its parent. */
export function serve(handlers: Handlers): void {
  let watch: LoopWatch | undefined;
  const all: Handlers = {
    cpu: cpuSeconds,
    mainThread: mainThreadSeconds,
    heap: settledHeapBytes,
    residentBytes: () => process.memoryUsage.rss(),
    /** The most that was resident ever. */
    residentPeak: () => process.resourceUsage().maxRSS * 1024,
    watchLoop: async (resolution: number) => {
      watch = await LoopWatch.start(resolution);
    },
    loopDelay: () => watch?.end(),
    ...handlers,
  };
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
