const MAX_REMEMBERED = 10_000;

/**
 * Which endpoints were cut off, in the order it happened: a registration that the store was writing meanwhile must not come
 * in behind the back of who cut the device off.
 */
export class CutOffs {
  /** By endpoint the number of its last one. */
  readonly #last = new Map<string, number>();
  #count = 0;

  /** How many there were; it tells later what was after now. */
  get count(): number {
    return this.#count;
  }

  add(endpoint: string): void {
    this.#count += 1;
    this.#last.delete(endpoint);
    this.#last.set(endpoint, this.#count);
    if (this.#last.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#last.keys()) {
      this.#last.delete(oldest);
      return;
    }
  }

  wasAfter(count: number, endpoint: string): boolean {
    return this.#count !== count && (this.#last.get(endpoint) ?? 0) > count;
  }
}
