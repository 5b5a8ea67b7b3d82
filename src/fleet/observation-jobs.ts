import type { Clock, Timer } from '../util/clock';
import { describeError, type Log } from '../util/log';
import { TimerWheel } from '../util/timer-wheel';
import type { Priority } from './device-view';

/** How many jobs wait for an answer at a time. */
const MAX_IN_FLIGHT = 64;
/** How many begin in a second, unless said otherwise. */
const DEFAULT_RATE = 200;
/** After this time without an answer a job gives its place up, so that devices that are gone do not stop the others, ms. */
const PATIENCE = 10_000;
const PRIORITIES: readonly Priority[] = ['high', 'normal', 'low'];

/** Something to be asked of a device. */
export interface ObservationJob {
  /** Whose it is: owners take turns. */
  readonly owner: object;
  readonly priority: Priority;
  /** Whether nobody wants it any more: it is skipped. */
  isOver?(): boolean;
  /** @param release gives the place up before the job is done: it waits for a device that sleeps. */
  run(release: () => void): Promise<void>;
}

export interface JobsContext {
  readonly clock: Clock;
  readonly log: Log;
  /** How many jobs may begin in a second; 200 when absent. A tenth of them begins at once. */
  readonly rate?: number;
}

/**
 * What is to be asked of devices, a bounded number at a time and in a second, so that a storm of registrations, or a
 * restart, is not answered by a storm of requests. Devices of high priority come first; owners take turns.
 */
export class ObservationJobs {
  readonly #context: JobsContext;
  readonly #queues = new Map<Priority, FairQueue>(PRIORITIES.map((priority) => [priority, new FairQueue()]));
  readonly #wheel: TimerWheel;
  readonly #perSlice: number;
  /** ms */
  readonly #slice: number;
  #sliceStart = -Infinity;
  #begun = 0;
  #inFlight = 0;
  #timer: Timer | undefined;
  #closed = false;

  constructor(context: JobsContext) {
    const { clock, rate = DEFAULT_RATE } = context;
    this.#context = context;
    this.#wheel = new TimerWheel(clock, 1000);
    this.#perSlice = Math.max(1, Math.floor(rate / 10));
    this.#slice = (this.#perSlice * 1000) / rate;
  }

  add(job: ObservationJob): void {
    if (this.#closed) return;
    this.#queues.get(job.priority)?.add(job);
    this.#fill();
  }

  /** What has not begun never will. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#wheel.close();
    this.#queues.clear();
  }

  #fill(): void {
    while (this.#inFlight < MAX_IN_FLIGHT && this.#mayBegin()) {
      const job = this.#next();
      if (job === undefined) return;
      this.#begin(job);
    }
  }

  /** Whether the rate allows one more now; if not, it is tried again when it does. */
  #mayBegin(): boolean {
    if (this.#timer !== undefined) return false;
    const now = this.#context.clock.monotonic();
    if (now - this.#sliceStart >= this.#slice) {
      this.#sliceStart = now;
      this.#begun = 0;
    }
    if (this.#begun < this.#perSlice) return true;
    if (!this.#isEmpty()) {
      this.#timer = this.#context.clock.setTimer(
        () => {
          this.#timer = undefined;
          this.#fill();
        },
        this.#sliceStart + this.#slice - now,
      );
    }
    return false;
  }

  #isEmpty(): boolean {
    return [...this.#queues.values()].every(({ size }) => size === 0);
  }

  #next(): ObservationJob | undefined {
    for (const queue of this.#queues.values()) {
      for (let job = queue.take(); job !== undefined; job = queue.take()) {
        if (job.isOver?.() !== true) return job;
      }
    }
    return undefined;
  }

  #begin(job: ObservationJob): void {
    this.#begun += 1;
    this.#inFlight += 1;
    let holdsPlace = true;
    const release = (): void => {
      patience.cancel();
      if (!holdsPlace) return;
      holdsPlace = false;
      this.#inFlight -= 1;
      this.#fill();
    };
    const patience = this.#wheel.schedule(PATIENCE, release);
    job
      .run(release)
      .catch((error: unknown) => this.#context.log.error(`an observation policy: ${describeError(error)}`))
      .finally(release);
  }
}

/** Jobs of several owners, who take turns. */
class FairQueue {
  size = 0;
  /** The owner whose turn it is comes first. */
  readonly #owners = new Map<object, Fifo>();

  add(job: ObservationJob): void {
    const jobs = this.#owners.get(job.owner);
    if (jobs === undefined) this.#owners.set(job.owner, new Fifo(job));
    else jobs.add(job);
    this.size += 1;
  }

  take(): ObservationJob | undefined {
    for (const [owner, jobs] of this.#owners) {
      const job = jobs.take();
      this.#owners.delete(owner);
      if (jobs.size > 0) this.#owners.set(owner, jobs);
      this.size -= 1;
      return job;
    }
    return undefined;
  }
}

/** First in, first out, in constant time however many there are. */
class Fifo {
  #jobs: ObservationJob[];
  #first = 0;

  constructor(job: ObservationJob) {
    this.#jobs = [job];
  }

  get size(): number {
    return this.#jobs.length - this.#first;
  }

  add(job: ObservationJob): void {
    this.#jobs.push(job);
  }

  take(): ObservationJob | undefined {
    const job = this.#jobs[this.#first];
    this.#first += 1;
    if (this.#first * 2 > this.#jobs.length) {
      this.#jobs = this.#jobs.slice(this.#first);
      this.#first = 0;
    }
    return job;
  }
}
