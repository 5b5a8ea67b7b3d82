const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** From what age on the text changes how often: seldom enough that a status costs nothing. */
const STEPS: readonly { readonly from: number; readonly every: number; readonly unit: number; readonly key: string }[] =
  [
    { from: DAY, every: DAY, unit: DAY, key: 'days' },
    { from: HOUR, every: HOUR, unit: HOUR, key: 'hours' },
    { from: 10 * MINUTE, every: 10 * MINUTE, unit: MINUTE, key: 'minutes' },
    { from: MINUTE, every: MINUTE, unit: MINUTE, key: 'minutes' },
    { from: 10 * SECOND, every: 10 * SECOND, unit: SECOND, key: 'seconds' },
  ];

export interface Age {
  /** Of the catalog, below `status.age`. */
  readonly key: string;
  readonly count: number;
  /** After how many ms the text is another. */
  readonly lasts: number;
}

/** How long it is until something, in whole units, rounded up. Below a second, or past: `now`. */
export function timeLeft(left: number): Pick<Age, 'key' | 'count'> {
  if (left < SECOND) return { key: 'now', count: 0 };
  if (left <= MINUTE) return { key: 'seconds', count: Math.ceil(left / SECOND) };
  if (left <= HOUR) return { key: 'minutes', count: Math.ceil(left / MINUTE) };
  return left <= DAY ? { key: 'hours', count: Math.ceil(left / HOUR) } : { key: 'days', count: Math.ceil(left / DAY) };
}

/** How old something is, in words that get coarser with time. */
export function ageOf(elapsed: number): Age {
  const step = STEPS.find(({ from }) => elapsed >= from);
  if (step === undefined) return { key: 'now', count: 0, lasts: 10 * SECOND - Math.max(0, elapsed) };
  const whole = elapsed - (elapsed % step.every);
  return { key: step.key, count: whole / step.unit, lasts: whole + step.every - elapsed };
}
