import { camelCase, camelCaseKeys } from './camel-case';
import { XmlError, type XmlElement } from './ddf-xml';
import type { ObjectDefinition, ResourceDefinition, ResourceOperations } from './object-definition';
import { MAX_ID } from './path';
import type { ResourceType } from './resource-value';

const TYPES = new Map<string, ResourceType>([
  ['', 'none'],
  ['none', 'none'],
  ['string', 'string'],
  ['integer', 'integer'],
  ['unsigned integer', 'unsigned'],
  ['unsignedinteger', 'unsigned'],
  ['unsigned', 'unsigned'],
  ['float', 'float'],
  ['boolean', 'boolean'],
  ['opaque', 'opaque'],
  ['time', 'time'],
  ['objlnk', 'objlnk'],
  ['corelnk', 'corelnk'],
]);
const OPERATIONS = new Map<string, ResourceOperations>([
  ['', ''],
  ['R', 'R'],
  ['W', 'W'],
  ['RW', 'RW'],
  ['E', 'E'],
]);
const MULTIPLE_INSTANCES = new Map([
  ['single', false],
  ['multiple', true],
]);
const MANDATORY = new Map([
  ['optional', false],
  ['mandatory', true],
]);
const VERSION = /^(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})$/;
const ID = /^[0-9]{1,5}$/;
/** Names, ranges and units are short; a page of text there is a mistake. */
const MAX_TEXT = 1000;

/** @throws {XmlError} an element is missing, doubled or says what it may not. */
export function readObjects(root: XmlElement): ObjectDefinition[] {
  if (root.name !== 'LWM2M') fail(root, `the root element is <${root.name}>, not <LWM2M>`);
  const elements = root.children.filter(({ name }) => name === 'Object');
  if (elements.length === 0) fail(root, 'no <Object> in <LWM2M>');
  const seen = new Set<string>();
  return elements.map((element) => {
    const definition = readObject(element);
    const key = `${definition.id} in version ${definition.version}`;
    if (seen.has(key)) fail(element, `object ${key} is defined twice`);
    seen.add(key);
    return definition;
  });
}

function readObject(element: XmlElement): ObjectDefinition {
  const id = readId(required(element, 'ObjectID'), textOf(required(element, 'ObjectID')));
  const version = readVersion(optional(element, 'ObjectVersion'));
  const name = readName(element);
  return {
    id,
    version,
    lwm2mVersion: readVersion(optional(element, 'LWM2MVersion')),
    name,
    camelName: camelCase(name) || `object${id}`,
    urn: optionalText(element, 'ObjectURN') || `urn:oma:lwm2m:x:${id}${version === '1.0' ? '' : `:${version}`}`,
    multiple: readChoice(required(element, 'MultipleInstances'), MULTIPLE_INSTANCES),
    mandatory: readChoice(required(element, 'Mandatory'), MANDATORY),
    resources: readResources(required(element, 'Resources')),
  };
}

function readResources(element: XmlElement): Map<number, ResourceDefinition> {
  const items = new Map<number, XmlElement>();
  for (const item of element.children) {
    if (item.name !== 'Item') fail(item, `<${item.name}> in <Resources>, where only <Item> may be`);
    const idText = item.attributes.get('ID');
    if (idText === undefined) fail(item, '<Item> without an ID');
    const id = readId(item, idText);
    if (items.has(id)) fail(item, `resource ${id} is defined twice`);
    items.set(id, item);
  }
  const names = new Map([...items].map(([id, item]) => [id, readName(item)]));
  const camelNames = camelCaseKeys(names, 'resource');
  return new Map(
    [...items].map(([id, item]) => [id, readResource(item, id, names.get(id) ?? '', camelNames.get(id) ?? '')]),
  );
}

function readResource(item: XmlElement, id: number, name: string, camelName: string): ResourceDefinition {
  return {
    id,
    name,
    camelName,
    operations: readOperations(required(item, 'Operations')),
    multiple: readChoice(required(item, 'MultipleInstances'), MULTIPLE_INSTANCES),
    mandatory: readChoice(required(item, 'Mandatory'), MANDATORY),
    type: readType(optional(item, 'Type')),
    range: optionalText(item, 'RangeEnumeration'),
    units: optionalText(item, 'Units'),
  };
}

function readName(parent: XmlElement): string {
  const element = required(parent, 'Name');
  return textOf(element) || fail(element, '<Name> is empty');
}

function readId(element: XmlElement, text: string): number {
  const id = ID.test(text.trim()) ? Number(text) : NaN;
  return id <= MAX_ID ? id : fail(element, `'${text}' is no id of 0 to ${MAX_ID}`);
}

function readVersion(element: XmlElement | undefined): string {
  const text = element === undefined ? '' : textOf(element);
  if (element === undefined || text === '') return '1.0';
  return VERSION.test(text) ? text : fail(element, `'${text}' is no version such as 1.0`);
}

function readOperations(element: XmlElement): ResourceOperations {
  const text = textOf(element);
  return OPERATIONS.get(text) ?? fail(element, `unknown operations '${text}': R, W, RW, E or nothing`);
}

function readType(element: XmlElement | undefined): ResourceType {
  if (element === undefined) return 'none';
  const text = textOf(element);
  return TYPES.get(text.toLowerCase()) ?? fail(element, `unknown type '${text}'`);
}

function readChoice(element: XmlElement, choices: ReadonlyMap<string, boolean>): boolean {
  const text = textOf(element);
  const chosen = choices.get(text.toLowerCase());
  return chosen ?? fail(element, `<${element.name}> is '${text}', not one of: ${[...choices.keys()].join(', ')}`);
}

function optional(parent: XmlElement, name: string): XmlElement | undefined {
  const [element, again] = parent.children.filter((child) => child.name === name);
  return again === undefined ? element : fail(again, `a second <${name}> in <${parent.name}>`);
}

function required(parent: XmlElement, name: string): XmlElement {
  return optional(parent, name) ?? fail(parent, `no <${name}> in <${parent.name}>`);
}

function optionalText(parent: XmlElement, name: string): string {
  const element = optional(parent, name);
  return element === undefined ? '' : textOf(element);
}

/** The text on one line: files break names, units and ranges wherever their indentation wants it. */
function textOf(element: XmlElement): string {
  const [child] = element.children;
  if (child !== undefined) fail(child, `<${child.name}> in <${element.name}>, which is a text`);
  const text = element.text.replace(/\s+/g, ' ').trim();
  return text.length <= MAX_TEXT ? text : fail(element, `<${element.name}> is longer than ${MAX_TEXT} characters`);
}

function fail(element: XmlElement, reason: string): never {
  throw new XmlError(reason, element.line, element.column);
}
