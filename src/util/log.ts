import type { Clock } from './clock';

/** Where the engine writes what people may want to know. One call is one line. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Says nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * What must not reach a terminal or a log file as it is: control characters with C1 (so also ANSI sequences), line and
 * paragraph separators, marks that turn the direction of text, invisible characters, and lone surrogates.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Text from the network made fit for a log line: unsafe characters as `\u{..}`, at most `maxLength` characters of it. */
export function escapeForLog(text: string, maxLength = 120): string {
  const whole = text.length <= maxLength;
  const escaped = (whole ? text : text.slice(0, maxLength)).replace(
    UNSAFE,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return whole ? escaped : `${escaped}...`;
}

/** An error with its stack on one line, for what should never have happened. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return escapeForLog(text.replace(/\s*\n\s*/g, ' | '), 2_000);
}

const MINUTE = 60_000;

/**
 * A log that lets at most `perMinute` lines a minute through and then says how many it held back.
 * The count is said with the first line of a later minute, so no timer runs for it.
 */
export function rateLimited(log: Log, clock: Clock, perMinute: number): Log {
  let windowEnd = -Infinity;
  let written = 0;
  let heldBack = 0;

  const limited =
    (level: keyof Log) =>
    (message: string): void => {
      const now = clock.monotonic();
      if (now >= windowEnd) {
        if (heldBack > 0) log.warn(`${heldBack} more lines were held back`);
        windowEnd = now + MINUTE;
        written = 0;
        heldBack = 0;
      }
      if (written < perMinute) {
        written += 1;
        log[level](message);
      } else {
        heldBack += 1;
      }
    };

  return { debug: limited('debug'), info: limited('info'), warn: limited('warn'), error: limited('error') };
}
