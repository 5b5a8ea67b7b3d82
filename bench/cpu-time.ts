/**
 * CPU time of this process in seconds: its main thread and whatever Node.js does beside it, the threads of the garbage
 * collector and the compiler included. So nothing that a server costs is left out.
 */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** CPU time of the main thread alone, in seconds: what bounds a server that has cores to spare for its other threads. */
export function mainThreadSeconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
}

/** Heap in use after a full collection, in bytes. Needs `--expose-gc`. */
export function settledHeapBytes(): number {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
