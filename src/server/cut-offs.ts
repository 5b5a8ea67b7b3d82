const MAX_REMEMBERED = 10_000;

/**
 * Which endpoints were cut off, and how often who may register changed: a registration that the store was writing meanwhile
 * must not come in behind the back of who did it.
 */
export class CutOffs {
  /** By endpoint the number of its last one. */
  readonly #last = new Map<string, number>();
  #count = 0;

  /** How many cut-offs and changes there were; it tells later what was after now. */
  get count(): number {
    return this.#count;
  }

  /** Somebody may not register any more who might before, or the other way round. */
  rulesChanged(): void {
    this.#count += 1;
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
    return (this.#last.get(endpoint) ?? 0) > count;
  }
}
