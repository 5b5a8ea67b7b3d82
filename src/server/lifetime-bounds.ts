/** For ever, as far as a lifetime can say it, s. */
const LONGEST = 2 ** 32 - 1;

/** The lifetimes that the operator allows, s. */
export class LifetimeBounds {
  constructor(
    private readonly min = 1,
    private readonly max = LONGEST,
  ) {}

  /** The lifetime by which a registration expires. 0 is for ever (object 1, resource 1), so the maximum. */
  effective(requested: number): number {
    return requested === 0 ? this.max : Math.max(this.min, Math.min(this.max, requested));
  }

  /** Whether the device asked for more than it gets, and must be told to update in time. */
  isAbove(requested: number): boolean {
    return requested === 0 ? this.max < LONGEST : requested > this.max;
  }
}
