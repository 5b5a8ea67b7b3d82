import { InvalidArgumentError } from '../errors';

/** `arg *("," arg)` with `arg = DIGIT ["=" "'" *CHAR "'"]` (LwM2M Core 1.2 s6.3.5). */
const ARGUMENT = /([0-9])(?:='([\x21\x23-\x26\x28-\x5b\x5d-\x7e]*)')?(,|$)/y;
const VALUE = /^[\x21\x23-\x26\x28-\x5b\x5d-\x7e]*$/;

/**
 * The arguments of an Execute as their text, `''` for none.
 * @param args that text itself, or an object or array from argument number (0-9) to value; a value that is `null`,
 * `undefined` or `true` stands for an argument without one.
 * @throws {InvalidArgumentError} what the grammar cannot say: an argument twice, a number above 9, a quote or blank in a value.
 */
export function executeArguments(args: unknown): string {
  if (args === undefined || args === null || args === '') return '';
  if (typeof args === 'string') return checkedText(args);
  if (typeof args !== 'object' || Buffer.isBuffer(args)) {
    throw new InvalidArgumentError('the arguments of an execute are a text, an object or an array');
  }
  return Object.entries(args)
    .map(([number, value]) => argument(number, value))
    .join(',');
}

function checkedText(text: string): string {
  const seen = new Set<string>();
  let end = 0;
  let more = true;
  while (more) {
    ARGUMENT.lastIndex = end;
    const match = ARGUMENT.exec(text);
    if (match === null) {
      throw new InvalidArgumentError(`the arguments are not of the form 0='a',1 at character ${end + 1}`);
    }
    const [whole, number = '', , separator] = match;
    if (seen.has(number)) throw new InvalidArgumentError(`argument ${number} is there twice`);
    seen.add(number);
    end += whole.length;
    more = separator === ',';
  }
  return text;
}

function argument(number: string, value: unknown): string {
  if (!/^[0-9]$/.test(number)) throw new InvalidArgumentError(`an argument has a number of 0 to 9, not '${number}'`);
  if (value === undefined || value === null || value === true) return number;
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') {
    throw new InvalidArgumentError(`argument ${number} must be a text or a number`);
  }
  const text = String(value);
  if (!VALUE.test(text)) {
    throw new InvalidArgumentError(
      `argument ${number} must not contain blanks, quotes, backslashes or other than ASCII`,
    );
  }
  return `${number}='${text}'`;
}
