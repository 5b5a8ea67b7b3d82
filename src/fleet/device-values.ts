import { pathContains, parsePath, type Path, type ResourceValue, type Value } from '../model';
import type { CommandedValue, ReportedValue, ValueView } from './device-view';

const MAX_RESOURCES = 256;

/** The values of a multiple resource by resource instance id. */
interface HeldInstances {
  readonly instances: Record<number, Value>;
}

export type Held = Value | HeldInstances;

/** What is known of a resource: plain data, as it is stored. */
export interface HeldValue {
  commanded: { value: Held; at: number; by: string | undefined } | undefined;
  reported: { value: Held; at: number } | undefined;
  /** When the command was given that the device was last said not to follow; `undefined`: it has matched since. */
  mismatchOf?: number;
}

/** A resource that was commanded and has been reported. */
export interface ReportedCommand {
  readonly path: string;
  readonly held: HeldValue;
}

/** The values of one device as a store keeps them, by path of the resource. */
export interface StoredDeviceValues {
  readonly values: readonly (readonly [path: string, held: HeldValue])[];
}

/** What was commanded to a device and what it reported, by resource. Bounded: the resource longest known goes first. */
export class DeviceValues {
  readonly #held = new Map<string, HeldValue>();

  /** @returns those that have been reported too. */
  commanded(values: readonly ResourceValue[], at: number, by: string | undefined): ReportedCommand[] {
    const commands: ReportedCommand[] = [];
    for (const { path, value } of values) {
      const held = this.#touch(path);
      if (held === undefined) continue;
      held.commanded = { value: merged(held.commanded?.value, path, value), at, by };
      if (held.reported !== undefined) commands.push({ path: keyOf(path), held });
    }
    return commands;
  }

  /** @returns those that have been commanded too; `undefined`: none, as mostly. */
  reported(values: readonly ResourceValue[], now: number): ReportedCommand[] | undefined {
    let commands: ReportedCommand[] | undefined;
    for (const { path, value, timestamp } of values) {
      const at = timestamp ?? now;
      const held = this.#touch(path);
      // Of a batch, or of a late notification, the newest counts.
      if (held === undefined || (held.reported !== undefined && held.reported.at > at)) continue;
      held.reported = { value: merged(held.reported?.value, path, value), at };
      if (held.commanded !== undefined) (commands ??= []).push({ path: keyOf(path), held });
    }
    return commands;
  }

  /** All of it, to be stored before anything changes. */
  toStore(): StoredDeviceValues {
    return { values: [...this.#held] };
  }

  /** Takes over what was stored; what is newer stays. */
  restore({ values }: StoredDeviceValues): void {
    for (const [path, { commanded, reported, mismatchOf }] of values) {
      const held = this.#touch(parsePath(path));
      if (held === undefined) continue;
      if (commanded !== undefined && !(held.commanded !== undefined && held.commanded.at >= commanded.at)) {
        held.commanded = commanded;
        held.mismatchOf = mismatchOf;
      }
      if (reported !== undefined && !(held.reported !== undefined && held.reported.at >= reported.at)) {
        held.reported = reported;
      }
    }
  }

  /** @param within only what lies at or below one of these paths, or above one; everything when absent. */
  view(within?: readonly Path[]): Record<string, ValueView> {
    const view: Record<string, ValueView> = {};
    for (const [text, { commanded, reported, mismatchOf }] of this.#held) {
      if (within !== undefined && !isWithin(parsePath(text), within)) continue;
      view[text] = {
        ...(commanded === undefined ? {} : { commanded: commandedView(commanded) }),
        ...(reported === undefined ? {} : { reported: reportedView(reported) }),
        ...(mismatchOf === undefined ? {} : { mismatch: true }),
      };
    }
    return view;
  }

  #touch(path: Path): HeldValue | undefined {
    if (path.resourceId === undefined) return undefined;
    const key = keyOf(path);
    let held = this.#held.get(key);
    if (held !== undefined) return held;
    if (this.#held.size >= MAX_RESOURCES) {
      for (const oldest of this.#held.keys()) {
        this.#held.delete(oldest);
        break;
      }
    }
    held = { commanded: undefined, reported: undefined };
    this.#held.set(key, held);
    return held;
  }
}

/** Of the resource. */
function keyOf({ objectId, objectInstanceId, resourceId }: Path): string {
  return `/${objectId}/${objectInstanceId}/${resourceId}`;
}

/** Whether a path lies at, below or above one of these. */
export function isWithin(path: Path, within: readonly Path[]): boolean {
  return within.some((outer) => pathContains(outer, path) || pathContains(path, outer));
}

function merged(before: Held | undefined, { resourceInstanceId }: Path, value: Value): Held {
  if (resourceInstanceId === undefined) return value;
  const held = isInstances(before) ? before : { instances: {} };
  held.instances[resourceInstanceId] = value;
  return held;
}

export function isInstances(held: Held | undefined): held is HeldInstances {
  return typeof held === 'object' && held !== null && 'instances' in held;
}

/** As it is shown. */
export function commandedView({ value, at, by }: NonNullable<HeldValue['commanded']>): CommandedValue {
  return by === undefined ? { value: plain(value), at } : { value: plain(value), at, by };
}

export function reportedView({ value, at }: NonNullable<HeldValue['reported']>): ReportedValue {
  return { value: plain(value), at };
}

function plain(value: Held): ReportedValue['value'] {
  return isInstances(value) ? { ...value.instances } : value;
}
