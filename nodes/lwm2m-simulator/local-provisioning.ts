import { FLOW_USER, InvalidArgumentError, type Engine } from '../../src/index';
import type { LocalServers } from '../shared/local-servers';
import { ownIdentity, type DeviceKeys } from './device-keys';

/** So many devices are made known at the same time. */
const AT_ONCE = 100;

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Makes simulated devices known to the server of this Node-RED that they are pointed at: when it starts, and again when
 * a deploy puts another in its place. Keys go from here to the engine and nowhere else.
 */
export class LocalProvisioning {
  readonly #servers: LocalServers;
  readonly #address: ServerAddress;
  readonly #endpoints: readonly string[];
  readonly #keys: DeviceKeys;
  readonly #trouble: (error: Error) => void;
  readonly #unwatch: () => void;
  readonly #first = Promise.withResolvers<void>();
  /** The engine that was told. */
  #told: Engine | undefined;

  /**
   * @param trouble told when devices could not be made known; the others are.
   * @throws {InvalidArgumentError} no server of this Node-RED is to listen there.
   */
  constructor(
    servers: LocalServers,
    address: ServerAddress,
    endpoints: readonly string[],
    keys: DeviceKeys,
    trouble: (error: Error) => void,
  ) {
    const { host, port } = address;
    if (!servers.has(host, port)) {
      throw new InvalidArgumentError(`no server of this Node-RED does DTLS on ${host} port ${port}: give the key`);
    }
    this.#servers = servers;
    this.#address = address;
    this.#endpoints = endpoints;
    this.#keys = keys;
    this.#trouble = trouble;
    this.#unwatch = servers.watch(() => this.#look());
    this.#look();
  }

  /** Resolved when a server was told, and when this is closed before. */
  get done(): Promise<void> {
    return this.#first.promise;
  }

  close(): void {
    this.#unwatch();
    this.#first.resolve();
  }

  #look(): void {
    const engine = this.#servers.engineAt(this.#address.host, this.#address.port);
    if (engine === undefined || engine === this.#told) return;
    this.#told = engine;
    this.#tell(engine).then(
      () => this.#first.resolve(),
      (error: Error) => this.#trouble(error),
    );
  }

  async #tell(engine: Engine): Promise<void> {
    const refused: Error[] = [];
    for (let start = 0; start < this.#endpoints.length; start += AT_ONCE) {
      const some = this.#endpoints.slice(start, start + AT_ONCE);
      const outcomes = await Promise.allSettled(some.map((endpoint) => this.#tellOf(engine, endpoint)));
      for (const outcome of outcomes) if (outcome.status === 'rejected') refused.push(outcome.reason as Error);
    }
    const [first] = refused;
    if (first === undefined) return;
    this.#trouble(refused.length === 1 ? first : new Error(`${first.message} (and ${refused.length - 1} more)`));
  }

  /** What somebody entered of a device is respected: only the key that a simulator has made is replaced by another. */
  async #tellOf(engine: Engine, endpoint: string): Promise<void> {
    const { security } = (await engine.provisioned(endpoint)) ?? {};
    const isOurs = security?.mode === 'psk' && security.identity === ownIdentity(endpoint);
    if (security !== undefined && !isOurs) {
      throw new InvalidArgumentError(
        `${endpoint} has credentials already, of mode ${security.mode}: give the key, or remove its record`,
      );
    }
    // A part of the flows, and trusted as they are.
    await engine.provision({ endpoint, security: { mode: 'psk', ...this.#keys.of(endpoint) } }, { user: FLOW_USER });
  }
}
