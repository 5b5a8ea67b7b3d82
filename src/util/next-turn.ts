/** Settles when what has come meanwhile was served: long work pauses so, and keeps nobody waiting. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
