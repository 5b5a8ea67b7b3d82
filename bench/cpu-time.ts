import { readFileSync } from 'node:fs';

/**
 * CPU time of this process' main thread in seconds. Linux counts it per thread (schedstat); elsewhere the whole
 * process is counted, garbage collector threads included.
 */
export function mainThreadCpuSeconds(): number {
  if (process.platform === 'linux') {
    const [nanoseconds = '0'] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
    return Number(nanoseconds) / 1e9;
  }
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Heap in use after a full collection, in bytes. Needs `--expose-gc`. */
export function settledHeapBytes(): number {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
