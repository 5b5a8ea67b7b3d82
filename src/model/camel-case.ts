const WORDS = /[\p{L}\p{N}]+/gu;
const DIACRITICS = /\p{M}/gu;
/** `Key(s)` is one word. */
const PLURAL = /(?<=\p{Ll})\(s\)/gu;
const STARTS_WITH_DIGIT = /^\p{N}/u;
const LEADING_CAPITALS = /^\p{Lu}+(?=\p{Lu}\p{Ll})|^\p{Lu}+/u;

/**
 * The name of an object or resource as a key for flows: `On/Off` -> `onOff`, `LWM2M  Server URI` -> `lwm2mServerUri`,
 * `DefaultMinPeriod` -> `defaultMinPeriod`, `5G NR` -> `_5gNr`. An identifier (never a number, so never taken for an id,
 * and never `__proto__`), or `''` when the name has no letter or digit.
 */
export function camelCase(name: string): string {
  const words = name.normalize('NFKD').replace(DIACRITICS, '').replace(PLURAL, 's').match(WORDS) ?? [];
  const joined = words.map((word, index) => (index === 0 ? startLower(word) : startUpper(word))).join('');
  return STARTS_WITH_DIGIT.test(joined) ? `_${joined}` : joined;
}

/**
 * Gives each of the names of one object its key. Where several make the same key, the lowest id keeps it and the
 * others have their id appended, so that no key depends on the order of the file.
 * @param names by id
 * @param prefix of the key of a name without letters, before the id
 */
export function camelCaseKeys(names: ReadonlyMap<number, string>, prefix: string): Map<number, string> {
  const wanted = new Map([...names].map(([id, name]) => [id, camelCase(name)]));
  const taken = new Set(wanted.values());
  const given = new Set<string>();
  const keys = new Map<number, string>();
  for (const id of [...names.keys()].sort((a, b) => a - b)) {
    let key = wanted.get(id) ?? '';
    if (key === '' || given.has(key)) {
      key = `${key === '' ? prefix : key}${id}`;
      while (taken.has(key)) key += `_${id}`;
      taken.add(key);
    }
    given.add(key);
    keys.set(id, key);
  }
  return keys;
}

function isAbbreviation(word: string): boolean {
  return word === word.toUpperCase() || word === 'LwM2M';
}

function startLower(word: string): string {
  if (isAbbreviation(word)) return word.toLowerCase();
  return word.replace(LEADING_CAPITALS, (capitals) => capitals.toLowerCase());
}

function startUpper(word: string): string {
  const rest = word.slice(1);
  return word.charAt(0).toUpperCase() + (isAbbreviation(word) ? rest.toLowerCase() : rest);
}
