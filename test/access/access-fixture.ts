import {
  Access,
  GrantBook,
  Granting,
  type AccessOperation,
  type AccessSettings,
  type GrantEvent,
} from '../../src/access';
import { parsePath } from '../../src/model';
import { MemoryStore } from '../../src/store/memory-store';
import { silentLog } from '../../src/util/log';
import { SimulatedClock } from '../support/simulated-clock';
import type { GrantTarget } from '../../src/access';

/** The devices of the tests: by name, and what selectors and groups find of them. */
const GROUPS: Record<string, readonly string[]> = { cars: ['car-1', 'car-2'], nobody: [] };

export function endpointsOf(target: GrantTarget): readonly string[] {
  if ('endpoint' in target) return [target.endpoint];
  if ('group' in target) return GROUPS[target.group] ?? [];
  return ['car-1', 'car-2', 'lamp-1'].filter((endpoint) => matcherOf(target)(endpoint));
}

export function matcherOf(target: GrantTarget): (endpoint: string) => boolean {
  if ('endpoint' in target) return (endpoint) => endpoint === target.endpoint;
  if ('group' in target) return (endpoint) => (GROUPS[target.group] ?? []).includes(endpoint);
  const { selector } = target;
  const prefix = /^ep=([a-z]+-)\*$/.exec(selector)?.[1];
  return (endpoint) => (prefix === undefined ? selector === `ep=${endpoint}` : endpoint.startsWith(prefix));
}

/** Rights as the engine composes them, over a store in memory and a clock that stands still. */
export class AccessFixture {
  readonly events: GrantEvent[] = [];
  readonly grants: GrantBook;
  readonly access: Access;
  readonly granting: Granting;

  constructor(
    settings?: AccessSettings,
    readonly clock = new SimulatedClock(Date.UTC(2026, 6, 1)),
    readonly store = new MemoryStore(clock),
  ) {
    const now = (): number => clock.now();
    this.grants = new GrantBook({
      clock,
      log: silentLog,
      store: store.grants,
      matcher: matcherOf,
      emit: (event) => this.events.push(event),
    });
    this.access = new Access({ grants: this.grants, now, matcher: matcherOf });
    this.granting = new Granting({ access: this.access, grants: this.grants, now, members: endpointsOf });
    this.access.configure(settings);
  }

  /** What is missing, or `undefined`. */
  denial(user: string | undefined, operation: AccessOperation, path: string, endpoint = 'car-1'): string | undefined {
    return this.access.check({ user, operation, paths: path === '' ? undefined : [parsePath(path)], endpoint })
      ?.message;
  }

  may(user: string | undefined, operation: AccessOperation, path: string, endpoint = 'car-1'): boolean {
    return this.denial(user, operation, path, endpoint) === undefined;
  }

  async until(time: string): Promise<void> {
    await this.clock.advance(Date.parse(time) - this.clock.now());
  }

  get topics(): string[] {
    return this.events.map(({ topic, grant }) => `${topic} ${grant.user}`);
  }
}
