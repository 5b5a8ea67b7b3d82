import type { EventEmitter } from 'node:events';
import { networkInterfaces } from 'node:os';
import type { NodeAPI } from 'node-red';
import type { Engine } from '../../src/index';
import type { EngineHost } from '../lwm2m-server/engine-host';

/**
 * The servers of this Node-RED that can do DTLS. Simulated devices look here for the server that they are pointed at, so
 * that they can make themselves known to it: see docs/decisions/0006.
 */
export class LocalServers {
  readonly #hosts = new Set<EngineHost>();
  readonly #watchers = new Set<() => void>();

  add(host: EngineHost): void {
    this.#hosts.add(host);
    host.watch(({ state }) => {
      if (state === 'closed') this.#hosts.delete(host);
      for (const watcher of [...this.#watchers]) watcher();
    });
  }

  /** Whether the settings of a server say that it listens there. It need not have started yet. */
  has(host: string, port: number): boolean {
    return this.#find(host, port) !== undefined;
  }

  /** The engine that listens there. */
  engineAt(host: string, port: number): Engine | undefined {
    const found = this.#find(host, port);
    return found?.state.state === 'running' ? found.engine : undefined;
  }

  /** Calls the watcher whenever a server is added, starts, fails or is closed. Returns what ends it. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #find(host: string, port: number): EngineHost | undefined {
    if (!isThisMachine(host)) return undefined;
    return [...this.#hosts].find(({ coapsAddress }) => coapsAddress?.port === port && reaches(host, coapsAddress.host));
  }
}

const ANY = ['::', '0.0.0.0'];
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

/** Whether one who sends to `host` reaches a socket bound to `bound`. */
function reaches(host: string, bound: string): boolean {
  return ANY.includes(bound) || host === bound || (LOOPBACK.test(host) && LOOPBACK.test(bound));
}

function isThisMachine(host: string): boolean {
  if (LOOPBACK.test(host)) return true;
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === host));
}

const servers = new WeakMap<EventEmitter, LocalServers>();

/** Those of a runtime. */
export function localServersOf(RED: NodeAPI): LocalServers {
  const known = servers.get(RED.events);
  if (known !== undefined) return known;
  const made = new LocalServers();
  servers.set(RED.events, made);
  return made;
}
