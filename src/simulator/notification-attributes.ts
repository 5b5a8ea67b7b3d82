import { formatPath, pathIds, pathLevel, pathOf, type Path } from '../model';
import type { DeviceVersion } from './device-formats';
import { Refusal } from './refusal';

const OF_1_0 = ['pmin', 'pmax', 'gt', 'lt', 'st'] as const;
const OF_1_1 = [...OF_1_0, 'epmin', 'epmax'] as const;
const OF_1_2 = [...OF_1_1, 'edge', 'con', 'hqmax'] as const;

/** A notification attribute (LwM2M Core 1.2 s5.1.2). */
export type AttributeName = (typeof OF_1_2)[number];

export type AttributeValues = Readonly<Partial<Record<AttributeName, number>>>;

const NAMES: Readonly<Record<DeviceVersion, readonly AttributeName[]>> = {
  '1.0': OF_1_0,
  '1.1': OF_1_1,
  '1.2': OF_1_2,
};

/** Attributes that only hold for a value, not for what contains it. */
const OF_A_VALUE: readonly AttributeName[] = ['gt', 'lt', 'st', 'edge'];

const DECIMAL = /^-?[0-9]{1,20}(\.[0-9]{1,20})?$/;
const WHOLE = /^[0-9]{1,10}$/;

/** The attributes attached to the paths of one device. */
export class NotificationAttributes {
  readonly #attached = new Map<string, AttributeValues>();

  /** What is attached to this very path. */
  at(path: Path): AttributeValues {
    return this.#attached.get(formatPath(path)) ?? {};
  }

  /** What holds for a path: of each attribute the one attached nearest, here or above. */
  effective(path: Path): AttributeValues {
    const ids = pathIds(path);
    return Object.assign({}, ...ids.map((_, index) => this.at(pathOf(...ids.slice(0, index + 1))))) as AttributeValues;
  }

  /** Write-Attributes (LwM2M Core 1.1 s6.3.4): `pmin=5` sets, a bare `pmin` unsets. @throws {Refusal} 4.00 */
  write(path: Path, query: readonly string[], version: DeviceVersion): void {
    const attributes = parseAttributes(query, pathLevel(path), version, this.at(path));
    if (Object.keys(attributes).length === 0) this.#attached.delete(formatPath(path));
    else this.#attached.set(formatPath(path), attributes);
  }

  /** An object instance is gone, and what was attached to it. */
  forget(path: Path): void {
    const below = `${formatPath(path)}/`;
    for (const key of this.#attached.keys()) {
      if (`${key}/`.startsWith(below)) this.#attached.delete(key);
    }
  }
}

/** Reads attributes from Uri-Query options, on top of those that hold already. @throws {Refusal} 4.00 */
export function parseAttributes(
  query: readonly string[],
  level: ReturnType<typeof pathLevel>,
  version: DeviceVersion,
  existing: AttributeValues = {},
): AttributeValues {
  const attributes: Partial<Record<AttributeName, number>> = { ...existing };
  for (const parameter of query) {
    const [key = '', text] = parameter.split('=', 2);
    const name = NAMES[version].find((known) => known === key);
    if (name === undefined) throw new Refusal('4.00', `no attribute '${key}'`);
    if (OF_A_VALUE.includes(name) && level !== 'resource' && level !== 'resource-instance') {
      throw new Refusal('4.00', `${name} is of a resource`);
    }
    if (text === undefined) delete attributes[name];
    else attributes[name] = parseValue(name, text);
  }
  checkConsistency(attributes);
  return attributes;
}

function parseValue(name: AttributeName, text: string): number {
  const signed = name === 'gt' || name === 'lt' || name === 'st';
  if (!(signed ? DECIMAL : WHOLE).test(text)) throw new Refusal('4.00', `${name} is no number`);
  const value = Number(text);
  if ((name === 'edge' || name === 'con') && value > 1) throw new Refusal('4.00', `${name} is 0 or 1`);
  if (name === 'st' && value < 0) throw new Refusal('4.00', 'st is not negative');
  return value;
}

/** LwM2M Core 1.1 s7.3.2. A `pmax` of 0 means none. */
function checkConsistency({ pmin, pmax, gt, lt, st = 0 }: AttributeValues): void {
  if (pmin !== undefined && pmax !== undefined && pmax !== 0 && pmin > pmax) throw new Refusal('4.00', 'pmin > pmax');
  if (gt !== undefined && lt !== undefined && !(lt + 2 * st < gt)) throw new Refusal('4.00', 'lt + 2 st >= gt');
}
