import { CodecError } from '../errors';

/** Seconds below this are relative to now (RFC 8428 s4.5.3). */
const ABSOLUTE = 2 ** 28;

/** Where the last instant that a Date can hold lies, in ms. */
const MAX_DATE = 8.64e15;

/**
 * The time of a record in ms since 1970, of SenML and of OMA JSON; undefined when the device gave none.
 * @param now the time of arrival, in ms
 */
export function timestampOf(baseTime: number | undefined, time: number | undefined, now: number): number | undefined {
  if (baseTime === undefined && time === undefined) return undefined;
  const seconds = (baseTime ?? 0) + (time ?? 0);
  const ms = Math.round(seconds >= ABSOLUTE ? seconds * 1000 : now + seconds * 1000);
  if (!(Math.abs(ms) <= MAX_DATE)) throw new CodecError('a time that no calendar holds');
  return ms;
}

/** The seconds to write for a time in ms. */
export function secondsOf(timestamp: number): number {
  const seconds = timestamp / 1000;
  if (!(seconds >= ABSOLUTE)) throw new CodecError('a time before July 1978 would be read as relative to now');
  return seconds;
}
