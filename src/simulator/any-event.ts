/** What tells of events. */
interface Source<Name extends string> {
  on(event: Name, listener: () => void): unknown;
  off(event: Name, listener: () => void): unknown;
}

/** Settles when one of these events has happened. */
export function anyEvent<Name extends string>(source: Source<Name>, events: readonly Name[]): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      for (const event of events) source.off(event, settle);
      resolve();
    };
    for (const event of events) source.on(event, settle);
  });
}
