/** CPU time of this process in seconds, with all its threads: those of the garbage collector and the compiler too. */
export function processCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
