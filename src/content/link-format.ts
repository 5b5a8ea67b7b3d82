/** CoRE link format, content format 40 (RFC 6690; LwM2M Core 1.2 s6.2.1, s6.3.2). */
import { isUtf8 } from 'node:buffer';
import { CodecError } from '../errors';
import { formatPath } from '../model/path';
import { parseName } from './paths';

/** A link. An attribute without a value is there with `undefined`; of an attribute given twice the first holds. */
export interface Link {
  target: string;
  attributes: Map<string, string | undefined>;
}

/** A line of a Discover's answer. An attribute that is a number by LwM2M is one here; without a value it is ''. */
export interface DiscoveredPath {
  path: string;
  attributes: Record<string, string | number>;
}

const MAX_BYTES = 64 * 1024;
const MAX_LINKS = 2_000;

/** Attributes whose values are numbers (LwM2M Core 1.2 s5.1.2, s7.3). */
const NUMERIC = new Set([
  ...['pmin', 'pmax', 'epmin', 'epmax', 'gt', 'lt', 'st', 'edge', 'con', 'hqmax'],
  ...['dim', 'ssid', 'ct'],
]);

const NUMBER = /^-?[0-9]{1,20}(\.[0-9]{1,20})?$/;

/**
 * Reads a list of links in one pass. Blanks around any part, empty links between commas and one at the end are
 * passed over, and so is what stands bare where RFC 6690 wants quotes: clients send all of these.
 * @throws {CodecError} no link format, more than 64 KiB, or more than 2,000 links.
 */
export function parseLinks(payload: Buffer): Link[] {
  if (payload.length > MAX_BYTES) throw new CodecError('link format: more than 64 KiB');
  if (!isUtf8(payload)) throw new CodecError('link format: no UTF-8');
  const scanner: Scanner = { text: payload.toString(), at: 0 };
  const links: Link[] = [];
  for (;;) {
    skipBlanksAnd(scanner, ',');
    if (scanner.at >= scanner.text.length) return links;
    if (links.push(parseLink(scanner)) > MAX_LINKS) throw new CodecError(`link format: more than ${MAX_LINKS} links`);
  }
}

interface Scanner {
  readonly text: string;
  at: number;
}

function parseLink(scanner: Scanner): Link {
  const { text } = scanner;
  if (text[scanner.at] !== '<') throw new CodecError(`link format: '<' is missing at ${scanner.at}`);
  const end = text.indexOf('>', scanner.at);
  if (end < 0) throw new CodecError(`link format: '>' is missing after ${scanner.at}`);
  const link: Link = { target: text.slice(scanner.at + 1, end).trim(), attributes: new Map() };
  scanner.at = end + 1;
  for (;;) {
    skipBlanksAnd(scanner, '');
    if (scanner.at >= text.length || text[scanner.at] === ',') return link;
    if (text[scanner.at] !== ';') throw new CodecError(`link format: ';' or ',' is missing at ${scanner.at}`);
    skipBlanksAnd(scanner, ';');
    const name = takeUntil(scanner, '=;,').trim();
    let value: string | undefined;
    if (text[scanner.at] === '=') {
      scanner.at++;
      value = parseValue(scanner);
    }
    if (name !== '' && !link.attributes.has(name)) link.attributes.set(name, value);
  }
}

function parseValue(scanner: Scanner): string {
  skipBlanksAnd(scanner, '');
  if (scanner.text[scanner.at] !== '"') return takeUntil(scanner, ';,').trim();
  let value = '';
  scanner.at++;
  for (;;) {
    value += takeUntil(scanner, '"\\');
    if (scanner.at >= scanner.text.length) throw new CodecError('link format: a quote is not closed');
    const escaped = scanner.text[scanner.at] === '\\';
    scanner.at++;
    if (!escaped) return value;
    value += scanner.text[scanner.at++] ?? '';
  }
}

function skipBlanksAnd(scanner: Scanner, also: string): void {
  const { text } = scanner;
  for (; scanner.at < text.length; scanner.at++) {
    const char = text.charAt(scanner.at);
    if (char !== ' ' && char !== '\t' && char !== '\r' && char !== '\n' && char !== also) return;
  }
}

function takeUntil(scanner: Scanner, ends: string): string {
  const start = scanner.at;
  while (scanner.at < scanner.text.length && !ends.includes(scanner.text.charAt(scanner.at))) scanner.at++;
  return scanner.text.slice(start, scanner.at);
}

/** Writes links as RFC 6690 has them: numbers bare, every other value quoted. */
export function formatLinks(links: readonly Link[]): Buffer {
  return Buffer.from(links.map(formatLink).join(','));
}

function formatLink(link: Link): string {
  if (/[<>]/.test(link.target)) throw new CodecError(`link format: '${link.target}' is no target`);
  let text = `<${link.target}>`;
  for (const [name, value] of link.attributes) {
    if (value === undefined) text += `;${name}`;
    else if (NUMBER.test(value)) text += `;${name}=${value}`;
    else text += `;${name}="${value.replace(/["\\]/g, '\\$&')}"`;
  }
  return text;
}

/**
 * Reads the answer to a Discover. Links that are no LwM2M paths, or that do not lie under the client's root path
 * (`rt="oma.lwm2m"`, LwM2M Core 1.2 s6.2.1), are left out.
 */
export function parseDiscovery(payload: Buffer, rootPath: string): DiscoveredPath[] {
  const prefix = rootPath.replace(/\/$/, '');
  const discovered: DiscoveredPath[] = [];
  for (const { target, attributes } of parseLinks(payload)) {
    if (!target.startsWith(`${prefix}/`) || !/^(\/[0-9]+)*\/?$/.test(target.slice(prefix.length))) continue;
    discovered.push({
      path: formatPath(parseName(target.slice(prefix.length))),
      attributes: Object.fromEntries([...attributes].map(([name, value]) => [name, typedAttribute(name, value ?? '')])),
    });
  }
  return discovered;
}

function typedAttribute(name: string, value: string): string | number {
  return NUMERIC.has(name) && NUMBER.test(value) ? Number(value) : value;
}
