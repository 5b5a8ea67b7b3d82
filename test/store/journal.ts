import assert from 'node:assert/strict';

/** A change is asked for, then it is acknowledged; of one key one after another. */
export type JournalLine = { readonly asked: string; readonly value: string | null } | { readonly done: string };

/** What a key may hold: what was acknowledged last, or what was asked for and never answered. */
export type Possible = ReadonlySet<string | null>;

/** Reads what a process noted until it was killed; its last line may be half. */
export class Journal {
  readonly #acknowledged = new Map<string, string | null>();
  readonly #asked = new Map<string, string | null>();
  /** How many changes were acknowledged. */
  count = 0;

  read(text: string): void {
    for (const line of text.split('\n').slice(0, -1)) this.#note(JSON.parse(line) as JournalLine);
  }

  keys(): Iterable<string> {
    return new Set([...this.#acknowledged.keys(), ...this.#asked.keys()]);
  }

  possible(key: string): Possible {
    const possible = new Set([this.#acknowledged.get(key) ?? null]);
    const asked = this.#asked.get(key);
    if (asked !== undefined) possible.add(asked);
    return possible;
  }

  /** What was found is what the next process begins with. */
  settle(key: string, found: string | null): void {
    this.#asked.delete(key);
    this.#acknowledged.set(key, found);
  }

  #note(line: JournalLine): void {
    if ('asked' in line) {
      this.#asked.set(line.asked, line.value);
      return;
    }
    const value = this.#asked.get(line.done);
    assert.ok(value !== undefined, `${line.done} was acknowledged and never asked for`);
    this.#asked.delete(line.done);
    this.#acknowledged.set(line.done, value);
    this.count += 1;
  }
}
