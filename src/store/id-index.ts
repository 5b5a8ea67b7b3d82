import type { Registration } from '../server';

/** A member of an `IdIndex`. The last field is the index's own. */
export interface Indexed {
  registration: Registration;
  next: Indexed | undefined;
}

/** The first characters of an id are enough to spread ids, of which every character is random. */
const HASHED_CHARACTERS = 6;
const FIRST_SIZE = 1024;

/**
 * Entries by the id of their registration. A device that registers anew changes its id, so that this index changes all the
 * time; a Map pays for it with a table that is made anew every few thousand changes, and was the dearest part of a
 * registration. Here an entry is a link of its slot's chain, and nothing is made but for more entries.
 */
export class IdIndex<T extends Indexed> {
  #slots: (T | undefined)[] = newSlots(FIRST_SIZE);
  #size = 0;

  get(id: string): T | undefined {
    let entry = this.#slots[this.#slotOf(id)];
    while (entry !== undefined && entry.registration.id !== id) entry = entry.next as T | undefined;
    return entry;
  }

  /** Adds an entry that is not a member. */
  add(entry: T): void {
    this.#size += 1;
    if (this.#size > this.#slots.length) this.#grow();
    this.#link(entry);
  }

  /** Takes out a member, whose registration is still the one that it was added with. */
  delete(entry: T): void {
    const slot = this.#slotOf(entry.registration.id);
    let before = this.#slots[slot];
    if (before === entry) {
      this.#slots[slot] = entry.next as T | undefined;
    } else {
      while (before !== undefined && before.next !== entry) before = before.next as T | undefined;
      if (before === undefined) return;
      before.next = entry.next;
    }
    entry.next = undefined;
    this.#size -= 1;
  }

  #link(entry: T): void {
    const slot = this.#slotOf(entry.registration.id);
    entry.next = this.#slots[slot];
    this.#slots[slot] = entry;
  }

  #grow(): void {
    const chains = this.#slots;
    this.#slots = newSlots<T>(chains.length * 2);
    for (const chain of chains) {
      let entry = chain;
      while (entry !== undefined) {
        const next = entry.next as T | undefined;
        this.#link(entry);
        entry = next;
      }
    }
  }

  #slotOf(id: string): number {
    const length = Math.min(id.length, HASHED_CHARACTERS);
    let hash = 0;
    for (let index = 0; index < length; index += 1) hash = (Math.imul(hash, 61) + id.charCodeAt(index)) | 0;
    // The size is a power of two.
    return hash & (this.#slots.length - 1);
  }
}

function newSlots<T>(size: number): (T | undefined)[] {
  return new Array<T | undefined>(size).fill(undefined);
}
