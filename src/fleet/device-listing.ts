import { InvalidArgumentError } from '../errors';
import { parsePath, type Path } from '../model';
import { nextTurn } from '../util/next-turn';
import type { DeviceView } from './device-view';
import type { Devices } from './devices';
import type { Target } from './target';
import { deviceView } from './views';

/** How many devices are looked at, and how many are shown, before others get their turn. */
const MATCHED_AT_ONCE = 2000;
const SHOWN_AT_ONCE = 200;

/** Which part of the devices of a target, and what of them. */
export interface ListOptions {
  /** Only values of resources at, below or above these; all known values when absent. */
  readonly paths?: readonly Path[];
  /** How many devices, and after how many others; all when absent. */
  readonly limit?: number;
  readonly offset?: number;
  /**
   * Whether a resource may be shown. When given, what is known of others and orders that touch others are left out, and so
   * are devices of which nothing remains; all when absent.
   */
  readonly isReadable?: (endpoint: string, path: Path) => boolean;
}

/** A part of the devices of a target. */
export interface DeviceList {
  /** How many devices the target has that are known, whatever part of them is listed. */
  readonly total: number;
  readonly devices: DeviceView[];
}

/**
 * What is known of the devices of a target, sorted by endpoint. However many they are, the process goes on meanwhile; what
 * is said of two devices may be of two moments.
 * @throws {InvalidArgumentError} an empty or unreadable target, or a part that cannot be.
 */
export async function listDevices(devices: Devices, target: Target, options: ListOptions = {}): Promise<DeviceList> {
  const { paths, limit = Infinity, offset = 0, isReadable } = options;
  if (!isCount(offset) || !(limit === Infinity || isCount(limit))) {
    throw new InvalidArgumentError('limit and offset must be whole numbers of 0 or more');
  }
  const endpoints = (await knownMembers(devices, target)).sort();
  const view = (endpoint: string): DeviceView | undefined => {
    const device = devices.get(endpoint);
    // It may have been forgotten meanwhile.
    return device && deviceView(device, paths);
  };
  if (isReadable === undefined) {
    return { total: endpoints.length, devices: await viewsOf(endpoints.slice(offset, offset + limit), view) };
  }
  // Which devices there are to somebody, their values decide.
  const readable = await viewsOf(endpoints, (endpoint) => readableView(view(endpoint), isReadable));
  return { total: readable.length, devices: readable.slice(offset, offset + limit) };
}

async function viewsOf(
  endpoints: readonly string[],
  view: (endpoint: string) => DeviceView | undefined,
): Promise<DeviceView[]> {
  const views: DeviceView[] = [];
  for (const [index, endpoint] of endpoints.entries()) {
    if (index > 0 && index % SHOWN_AT_ONCE === 0) await nextTurn();
    const shown = view(endpoint);
    if (shown !== undefined) views.push(shown);
  }
  return views;
}

/** What of a device may be shown; `undefined`: nothing. */
function readableView(
  view: DeviceView | undefined,
  isReadable: NonNullable<ListOptions['isReadable']>,
): DeviceView | undefined {
  if (view === undefined) return undefined;
  const mayShow = (path: string): boolean => isReadable(view.endpoint, parsePath(path));
  const values = Object.entries(view.values).filter(([path]) => mayShow(path));
  if (values.length === 0) return undefined;
  const orders = view.orders.filter(({ path }) => path.split(',').every(mayShow));
  return { ...view, orders, values: Object.fromEntries(values) };
}

async function knownMembers(devices: Devices, target: Target): Promise<string[]> {
  if ('endpoint' in target || 'endpoints' in target) {
    return devices.members(target).filter((endpoint) => devices.get(endpoint) !== undefined);
  }
  const matches = devices.matcher(target);
  const endpoints: string[] = [];
  let looked = 0;
  for (const device of devices) {
    if (matches(device)) endpoints.push(device.endpoint);
    looked += 1;
    if (looked % MATCHED_AT_ONCE === 0) await nextTurn();
  }
  return endpoints;
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}
