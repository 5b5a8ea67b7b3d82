import { InvalidArgumentError } from '../errors';

/** A year: longer is no "for a time". s */
const MAX_SECONDS = 366 * 86_400;

/** @throws {InvalidArgumentError} a duration or a stagger that cannot be. Both in s. */
export function checkShares(duration: number, stagger: number): void {
  if (!(Number.isFinite(duration) && duration > 0 && duration <= MAX_SECONDS)) {
    throw new InvalidArgumentError('the duration must be a number of seconds above 0, and a year at most');
  }
  if (!(Number.isFinite(stagger) && stagger >= 0 && stagger <= MAX_SECONDS)) {
    throw new InvalidArgumentError('the stagger must be a number of seconds, 0 or more, and a year at most');
  }
}

/**
 * How long each of the members is suspended, s: spread evenly from `duration` to `duration + stagger`. Whole seconds, as
 * Disable Timeout takes them.
 */
export function sharesOf(members: readonly string[], duration: number, stagger: number): Map<string, number> {
  const least = Math.ceil(duration);
  const step = members.length > 1 ? stagger / (members.length - 1) : 0;
  return new Map(members.map((endpoint, index) => [endpoint, Math.round(least + index * step)]));
}
