import path from 'node:path';
import type { NodeDef } from 'node-red';
import { InvalidArgumentError, type EngineOptions, type NoSecPolicy } from '../../src/index';
import { isEmpty } from '../shared/options';

/** What an exported flow holds of this node. Numbers may be text, and text that an environment variable has filled. */
export interface ServerConfig extends NodeDef {
  host?: string;
  coapPort?: number | string | null;
  coapsPort?: number | string | null;
  noSec?: string;
  lifetimeMin?: number | string;
  lifetimeMax?: number | string;
  awakeTime?: number | string;
  awakeOnNotify?: boolean | string;
  mismatchGrace?: number | string;
  /** Lines of a Profile ID and an object list. */
  profiles?: string;
  store?: string;
  storePath?: string;
  redisUrl?: string;
  objectsDir?: string;
  access?: string;
}

/** What Node-RED keeps encrypted and never exports: PEM. */
export interface ServerCredentials {
  privateKey?: string;
  certificate?: string;
  trustAnchors?: string;
}

/** What the engine is made of. Two config nodes with equal settings may use the same engine one after the other. */
export interface ServerSettings {
  readonly engine: Pick<
    EngineOptions,
    | 'host'
    | 'coapPort'
    | 'coapsPort'
    | 'noSec'
    | 'lifetimeMin'
    | 'lifetimeMax'
    | 'awakeTime'
    | 'awakeOnNotify'
    | 'mismatchGrace'
    | 'objectsDir'
    | 'profiles'
  >;
  readonly store: StoreKind;
  /** Where the server keeps what must outlive it. */
  readonly directory: string;
  /** What the server proves itself with, and whose devices it trusts. Empty ones are left out. */
  readonly credentials: ServerCredentials;
}

export type StoreKind = 'sqlite' | 'memory';

const NO_SEC: readonly NoSecPolicy[] = ['none', 'loopback', 'provisioned', 'any'];
const STORES: readonly (StoreKind | 'redis')[] = ['sqlite', 'memory', 'redis'];
const DEFAULT_COAP_PORT = 5683;
const DEFAULT_COAPS_PORT = 5684;
const MAX_LIFETIME = 2 ** 32 - 1;

/**
 * Reads the settings of a config node.
 * @param userDir what a relative `objectsDir` or `storePath` is relative to.
 * @throws {InvalidArgumentError} a setting that cannot be, named.
 */
export function readServerSettings(
  config: ServerConfig,
  userDir: string,
  credentials: ServerCredentials = {},
): ServerSettings {
  const lifetimeMin = seconds(config.lifetimeMin, 'lifetimeMin');
  const lifetimeMax = seconds(config.lifetimeMax, 'lifetimeMax');
  if (lifetimeMin !== undefined && lifetimeMax !== undefined && lifetimeMin > lifetimeMax) {
    throw new InvalidArgumentError(`lifetimeMin (${lifetimeMin}) must not be above lifetimeMax (${lifetimeMax})`);
  }
  const objectsDir = text(config.objectsDir);
  return {
    engine: {
      host: text(config.host) ?? '::',
      coapPort: config.coapPort === undefined ? DEFAULT_COAP_PORT : port(config.coapPort, 'coapPort'),
      coapsPort: config.coapsPort === undefined ? DEFAULT_COAPS_PORT : port(config.coapsPort, 'coapsPort'),
      noSec: oneOf(NO_SEC, config.noSec, 'loopback', 'noSec'),
      lifetimeMin,
      lifetimeMax,
      awakeTime: seconds(config.awakeTime, 'awakeTime'),
      awakeOnNotify: yesOrNo(config.awakeOnNotify, 'awakeOnNotify'),
      mismatchGrace: seconds(config.mismatchGrace, 'mismatchGrace'),
      objectsDir: objectsDir === undefined ? undefined : path.resolve(userDir, objectsDir),
      profiles: profilesOf(config.profiles),
    },
    store: storeOf(config.store),
    directory: path.resolve(userDir, text(config.storePath) ?? path.join('lwm2m', config.id)),
    credentials: {
      privateKey: text(credentials.privateKey),
      certificate: text(credentials.certificate),
      trustAnchors: text(credentials.trustAnchors),
    },
  };
}

/** A server that was told to share what it knows must not keep it to itself in silence. */
function storeOf(value: unknown): StoreKind {
  const store = oneOf(STORES, value, 'sqlite', 'store');
  if (store === 'redis') {
    throw new InvalidArgumentError("the store 'redis' is not available in this version: choose sqlite or memory");
  }
  return store;
}

function text(value: unknown): string | undefined {
  const trimmed = typeof value === 'string' ? value.trim() : '';
  return trimmed === '' ? undefined : trimmed;
}

/** Empty is off. */
function port(value: number | string | null, name: string): number | null {
  if (isEmpty(value)) return null;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0 || number > 65535) {
    throw new InvalidArgumentError(`${name} must be a port of 0 to 65535, or empty for off: '${value}'`);
  }
  return number;
}

function seconds(value: number | string | undefined, name: string): number | undefined {
  if (isEmpty(value)) return undefined;
  const number = Number(value);
  if (!(number > 0 && number <= MAX_LIFETIME)) {
    throw new InvalidArgumentError(`${name} must be a number of seconds above 0: '${value}'`);
  }
  return number;
}

function yesOrNo(value: unknown, name: string): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const wanted = text(value);
  return wanted === undefined ? undefined : oneOf(['true', 'false'], wanted, 'true', name) === 'true';
}

/** What a list may be, the engine says. */
function profilesOf(value: unknown): Record<string, string> | undefined {
  const lines = (text(value) ?? '').split('\n').map((line) => line.trim());
  const profiles = lines
    .filter((line) => line !== '')
    .map((line): [string, string] => {
      const [, profileId, list] = /^(\S+)\s+(\S+)$/.exec(line) ?? [];
      if (profileId === undefined || list === undefined) {
        throw new InvalidArgumentError(`profiles must be lines of a Profile ID and an object list: '${line}'`);
      }
      return [profileId, list];
    });
  return profiles.length === 0 ? undefined : Object.fromEntries(profiles);
}

function oneOf<T extends string>(allowed: readonly T[], value: unknown, fallback: T, name: string): T {
  const wanted = text(value);
  if (wanted === undefined) return fallback;
  const found = allowed.find((candidate) => candidate === wanted);
  if (found === undefined) throw new InvalidArgumentError(`${name} must be one of ${allowed.join(', ')}: '${wanted}'`);
  return found;
}
