import { CodecError } from '../errors';

/** What a payload may hold at most, so that hostile bytes cost little. */
export const MAX_DEPTH = 16;
export const MAX_RECORDS = 10_000;

/** Refuses the record after the last one allowed. */
export function checkRecordCount(count: number): void {
  if (count > MAX_RECORDS) throw new CodecError(`more than ${MAX_RECORDS} records`);
}
