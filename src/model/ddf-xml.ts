import { SaxesParser } from 'saxes';

/** One element of a DDF file, and where it begins. */
export interface XmlElement {
  readonly name: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  /** Its own text with CDATA, as written. */
  text: string;
}

export class XmlError extends Error {
  constructor(
    message: string,
    readonly line: number,
    readonly column: number,
  ) {
    super(message);
    this.name = 'XmlError';
  }
}

const MAX_DEPTH = 16;
const MAX_ELEMENTS = 50_000;

/** Long texts that say nothing a program could use. */
const SKIPPED = new Set(['Description', 'Description1', 'Description2']);

/**
 * Reads a whole XML document that needs no DOCTYPE into elements.
 * @throws {XmlError} the document is not well-formed, has a DOCTYPE, or nests or grows beyond any DDF file.
 */
export function parseXml(xml: string): XmlElement {
  const parser = new SaxesParser({ position: false });
  const open: XmlElement[] = [];
  let root: XmlElement | undefined;
  let count = 0;

  const fail = (message: string): never => {
    throw new XmlError(message, parser.line, Math.max(1, parser.column));
  };
  const addText = (text: string): void => {
    const element = open.at(-1);
    if (element !== undefined && !SKIPPED.has(element.name)) element.text += text;
  };

  parser.on('error', (error) => fail(`not well-formed XML: ${error.message}`));
  parser.on('doctype', () => fail('a DOCTYPE is not allowed'));
  parser.on('opentag', (tag) => {
    if (open.length === MAX_DEPTH) fail(`elements nest deeper than ${MAX_DEPTH}`);
    if (++count > MAX_ELEMENTS) fail(`more than ${MAX_ELEMENTS} elements`);
    const { name, attributes } = tag;
    const element: XmlElement = {
      name,
      ...start,
      attributes: new Map(Object.entries(attributes)),
      children: [],
      text: '',
    };
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  let start = { line: 1, column: 1 };
  parser.on('opentagstart', (tag) => {
    // Said once the name is read: behind the '<', the name and the character that ended it.
    start = { line: parser.line, column: Math.max(1, parser.column - tag.name.length - 1) };
  });
  parser.on('closetag', () => open.pop());
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.write(xml).close();
  return root ?? fail('not well-formed XML: no element');
}
