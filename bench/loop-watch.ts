import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';

/** How late the event loop was, ms. */
export interface LoopDelay {
  readonly p99: number;
  readonly longest: number;
}

/**
 * How late the event loop of this process is while something goes on. A timer looks at it, and what is noted is the time
 * from one look to the next; what is late is what exceeds the time between looks, which is taken off here.
 */
export class LoopWatch {
  private constructor(
    private readonly histogram: IntervalHistogram,
    private readonly resolution: number,
  ) {}

  /** @param resolution ms from one look to the next */
  static async start(resolution: number): Promise<LoopWatch> {
    const histogram = monitorEventLoopDelay({ resolution });
    histogram.enable();
    // The first look has nothing before it: it must be over when what is watched begins.
    await wait(2 * resolution);
    return new LoopWatch(histogram, resolution);
  }

  async end(): Promise<LoopDelay> {
    // What was late at last is noted with the next look.
    await wait(2 * this.resolution);
    this.histogram.disable();
    const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - this.resolution);
    return { p99: late(this.histogram.percentile(99)), longest: late(this.histogram.max) };
  }
}
