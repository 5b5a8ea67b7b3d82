/** Begins what had to be written another way. */
const MARK = '\u0001';

/**
 * A text as a column keeps it. SQLite ends some texts at a NUL and cannot keep half of a surrogate pair, so that two keys
 * would be one; a text with either is written as JSON, which has escapes for them.
 */
export function textKey(text: string): string {
  return text.includes('\0') || text.startsWith(MARK) || !text.isWellFormed() ? MARK + JSON.stringify(text) : text;
}

/** What `textKey` was given. */
export function textOfKey(key: string): string {
  return key.startsWith(MARK) ? String(JSON.parse(key.slice(MARK.length))) : key;
}
