import type { Clock } from './clock';

/** A member of a `DeadlineIndex`. Both fields are the index's own. */
export interface Deadlined {
  /** When it is due, on the monotonic clock in ms. */
  deadline: number;
  /** The bucket it lies in; `NO_BUCKET` when in none. */
  bucket: number;
}

export const NO_BUCKET = -1;

const BUCKET = 1000;

/**
 * Members in buckets of a second by their deadline. A deadline that moves to a later time costs one assignment: the
 * member stays where it is and is moved when its bucket comes due. So a hundred thousand lifetimes, renewed all the
 * time, cost neither timers nor sorting. A member is due up to a second after its deadline.
 */
export class DeadlineIndex<T extends Deadlined> {
  readonly #clock: Clock;
  readonly #buckets = new Map<number, Set<T>>();
  /** No bucket before this one holds anything. */
  #first: number;
  #size = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#first = this.#bucketOf(clock.monotonic());
  }

  get size(): number {
    return this.#size;
  }

  /** Sets the member's deadline to `delay` ms from now, whether it was a member or not. */
  set(member: T, delay: number): void {
    member.deadline = this.#clock.monotonic() + delay;
    const bucket = this.#bucketOf(member.deadline);
    if (member.bucket !== NO_BUCKET) {
      if (member.bucket <= bucket) return;
      this.delete(member);
    }
    this.#add(member, bucket);
  }

  delete(member: T): void {
    const bucket = this.#buckets.get(member.bucket);
    if (bucket !== undefined && bucket.delete(member)) {
      this.#size -= 1;
      if (bucket.size === 0) this.#buckets.delete(member.bucket);
    }
    member.bucket = NO_BUCKET;
  }

  /** Takes out at most `limit` members that are due. */
  takeDue(limit: number): T[] {
    const now = this.#clock.monotonic();
    const end = this.#bucketOf(now);
    const due: T[] = [];
    for (const number of this.#bucketsBefore(end)) {
      for (const member of this.#buckets.get(number) ?? []) {
        if (due.length >= limit) return due;
        this.delete(member);
        if (member.deadline > now) this.#add(member, this.#bucketOf(member.deadline));
        else due.push(member);
      }
      this.#first = number + 1;
    }
    this.#first = end;
    return due;
  }

  clear(): void {
    for (const bucket of this.#buckets.values()) for (const member of bucket) member.bucket = NO_BUCKET;
    this.#buckets.clear();
    this.#size = 0;
  }

  /** The numbers of the buckets that are wholly past, in order. After a long pause the buckets are fewer than the seconds. */
  *#bucketsBefore(end: number): Iterable<number> {
    if (end - this.#first > this.#buckets.size) {
      yield* [...this.#buckets.keys()].filter((number) => number < end).sort((a, b) => a - b);
    } else {
      for (let number = this.#first; number < end; number += 1) yield number;
    }
  }

  #add(member: T, number: number): void {
    let bucket = this.#buckets.get(number);
    if (bucket === undefined) {
      bucket = new Set();
      this.#buckets.set(number, bucket);
    }
    bucket.add(member);
    member.bucket = number;
    this.#size += 1;
    if (number < this.#first) this.#first = number;
  }

  #bucketOf(time: number): number {
    return Math.floor(time / BUCKET);
  }
}
