import { InvalidArgumentError } from '../errors';

/**
 * Notification attributes of an observation (LwM2M Core 1.2 s5.1.2). Times in seconds, `gt`, `lt` and `st` in the
 * unit of the resource; `null` unsets an attribute, an absent one is left as it is.
 */
export interface Attributes {
  readonly pmin?: number | null;
  readonly pmax?: number | null;
  readonly gt?: number | null;
  readonly lt?: number | null;
  readonly st?: number | null;
  readonly epmin?: number | null;
  readonly epmax?: number | null;
  /** 1.2: notify on the edge to `0` or to `1` only. */
  readonly edge?: 0 | 1 | null;
  /** 1.2: whether notifications are confirmable. */
  readonly con?: 0 | 1 | null;
  /** 1.2: how many values the device may keep while it cannot notify. */
  readonly hqmax?: number | null;
}

/** An attribute that Write-Attributes can set. */
export type AttributeName = keyof Attributes;

/** All of them. */
export const ATTRIBUTE_NAMES: readonly AttributeName[] = [
  'pmin',
  'pmax',
  'gt',
  'lt',
  'st',
  'epmin',
  'epmax',
  'edge',
  'con',
  'hqmax',
];

/** Attributes that only hold for one numeric value (LwM2M Core 1.2 table 5.1.2-1). */
const OF_A_VALUE: readonly AttributeName[] = ['gt', 'lt', 'st', 'edge'];

const ATTRIBUTES_OF_1_2: readonly AttributeName[] = ['edge', 'con', 'hqmax'];

/**
 * Checks what can be checked before anything is sent (LwM2M Core 1.2 s5.1.2, s7.3.2).
 * @param single whether the target is one resource or resource instance.
 * @throws {InvalidArgumentError} a value that is no number, or attributes that contradict each other.
 */
export function checkAttributes(attributes: Attributes, single: boolean): void {
  for (const name of Object.keys(attributes)) {
    if (!(ATTRIBUTE_NAMES as readonly string[]).includes(name)) {
      throw new InvalidArgumentError(`there is no notification attribute '${name}'`);
    }
  }
  for (const name of ATTRIBUTE_NAMES) checkValue(name, attributes[name], single);
  const { pmin, pmax, epmin, epmax, gt, lt, st } = attributes;
  if (isNumber(pmin) && isNumber(pmax) && pmin > pmax) {
    throw new InvalidArgumentError(`pmin (${pmin}) must not be above pmax (${pmax})`);
  }
  if (isNumber(epmin) && isNumber(epmax) && epmin >= epmax) {
    throw new InvalidArgumentError(`epmin (${epmin}) must be below epmax (${epmax})`);
  }
  if (isNumber(gt) && isNumber(lt)) {
    const step = isNumber(st) ? st : 0;
    if (!(lt + 2 * step < gt)) {
      throw new InvalidArgumentError(`lt + 2 x st (${lt + 2 * step}) must be below gt (${gt})`);
    }
  }
}

function checkValue(name: AttributeName, value: number | null | undefined, single: boolean): void {
  if (value === undefined || value === null) return;
  if (!Number.isFinite(value)) throw new InvalidArgumentError(`${name} must be a number`);
  if (OF_A_VALUE.includes(name)) {
    if (!single) throw new InvalidArgumentError(`${name} needs the path of one resource`);
  } else if (!Number.isInteger(value) || value < 0) {
    throw new InvalidArgumentError(`${name} must be a whole number of at least 0`);
  }
  if (name === 'st' && value < 0) throw new InvalidArgumentError('st must not be negative');
  if ((name === 'edge' || name === 'con') && value !== 0 && value !== 1) {
    throw new InvalidArgumentError(`${name} must be 0 or 1`);
  }
}

/** The Uri-Query options of a Write-Attributes: `pmin=1`, and the bare name to unset it (LwM2M Core 1.2 s6.3.4). */
export function attributeQueries(attributes: Attributes): string[] {
  const queries: string[] = [];
  for (const name of ATTRIBUTE_NAMES) {
    const value = attributes[name];
    if (value === null) queries.push(name);
    else if (value !== undefined) queries.push(`${name}=${decimal(value)}`);
  }
  return queries;
}

/** A number without an exponent, as the attributes' grammar wants it (LwM2M Core 1.2 s5.1.2). */
function decimal(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  return value.toFixed(20).replace(/\.?0+$/, '');
}

/** Whether any attribute is one that only 1.2 devices know. */
export function needsVersion12(attributes: Attributes): boolean {
  return ATTRIBUTES_OF_1_2.some((name) => attributes[name] !== undefined);
}

export function isEmpty(attributes: Attributes | undefined): boolean {
  return attributes === undefined || ATTRIBUTE_NAMES.every((name) => attributes[name] === undefined);
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === 'number';
}
