import { field } from './elements';
import { pathProblem, splitPaths } from './paths';
import { text } from './text';

/** Where a typed property takes its value from: the open dialog first, which may be newer than the node. */
function typeOf(node: EditorNode, typeProperty: string, fallback: string): string {
  const shown = field(typeProperty)?.value;
  const saved = node[typeProperty];
  return shown || (typeof saved === 'string' && saved !== '' ? saved : fallback);
}

/** `${NAME}` is replaced by the environment when the flow starts, so nothing can be said about it here. */
function isEnvironment(value: string): boolean {
  return /^\$\{[^}]+\}$/.test(value);
}

function asText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}

const SELECTOR_TERM =
  /^(ep=\S+|label:[^\s=]+=\S+|group:\S+|has:\/\S*|state:(online|asleep|suspended|offline)|priority:(low|normal|high))$/;

/** A target may be empty: it then comes by message. */
export function validTarget(node: EditorNode, value: unknown): Validity {
  const target = asText(value);
  if (target === '' || isEnvironment(target)) return true;
  const type = typeOf(node, 'targetType', 'endpoint');
  if (type === 'endpoint' || type === 'group') return true;
  if (type !== 'selector') return validTyped(target, type);
  const wrong = target.split(/\s+/).find((term) => !SELECTOR_TERM.test(term));
  return wrong === undefined ? true : text('invalid.selector', { term: wrong });
}

/** A path may be empty: it then comes by message. */
export function validPath(node: EditorNode, value: unknown): Validity {
  const path = asText(value);
  if (path === '' || isEnvironment(path)) return true;
  const type = typeOf(node, 'pathType', 'str');
  return type === 'str' ? validPaths(splitPaths(path)) : validTyped(path, type);
}

/** The first of the paths that is none decides. */
export function validPaths(paths: unknown): Validity {
  for (const path of Array.isArray(paths) ? paths.map(asText) : splitPaths(asText(paths))) {
    const problem = isEnvironment(path) ? undefined : pathProblem(path);
    if (problem !== undefined) return text(`invalid.path.${problem}`, { path });
  }
  return true;
}

/** A TypedInput's value, empty or fitting its type. */
export function validTypedInput(node: EditorNode, value: unknown, typeProperty: string, fallback: string): Validity {
  const typed = asText(value);
  return typed === '' ? true : validTyped(typed, typeOf(node, typeProperty, fallback));
}

function validTyped(value: string, type: string): Validity {
  const result = RED.utils.validateTypedProperty(value, type, {});
  return result === false ? text('invalid.value') : result;
}

/** A number within bounds, or empty where that is allowed. */
export function validNumber(value: unknown, minimum: number, maximum = Infinity, blank = true): Validity {
  const typed = asText(value);
  if (typed === '') return blank ? true : text('invalid.required');
  if (isEnvironment(typed)) return true;
  const number = Number(typed);
  if (!Number.isFinite(number)) return text('invalid.number');
  if (number >= minimum && number <= maximum) return true;
  return maximum === Infinity ? text('invalid.atLeast', { minimum }) : text('invalid.between', { minimum, maximum });
}

/** A whole number within bounds, or empty where that is allowed. */
export function validInteger(value: unknown, minimum: number, maximum = Infinity, blank = true): Validity {
  const validity = validNumber(value, minimum, maximum, blank);
  return validity === true && asText(value).includes('.') ? text('invalid.integer') : validity;
}

/** A UDP port of a server; empty is off, and the same port twice is wrong, be it of one server or of two. */
export function validPort(node: EditorNode, property: 'coapPort' | 'coapsPort', value: unknown): Validity {
  const validity = validInteger(value, 0, 65535);
  const port = asText(value);
  if (validity !== true || port === '' || port === '0') return validity;
  const other = property === 'coapPort' ? 'coapsPort' : 'coapPort';
  if (asText(field(other)?.value ?? node[other]) === port) return text('invalid.samePort');
  let taken: EditorNode | undefined;
  RED.nodes.eachConfig((rival) => {
    if (rival.type !== node.type || rival.id === node.id || rival['d'] === true) return;
    const ports = [asText(rival['coapPort']), asText(rival['coapsPort'])];
    if (ports.includes(port) && rival['host'] === node['host']) taken = rival;
  });
  return taken === undefined ? true : text('invalid.port', { name: taken.name || taken.id });
}

export function validServerUri(value: unknown): Validity {
  const uri = asText(value);
  return isEnvironment(uri) || /^coaps?:\/\/(\[[0-9a-fA-F:.]+\]|[^\s/:[\]]+)(:[0-9]{1,5})?\/?$/.test(uri)
    ? true
    : text('invalid.uri');
}

/** Simulated devices have keys exactly when the address of their server asks for them. Empty: what the address asks for. */
export function validSecurity(node: EditorNode, value: unknown): Validity {
  const uri = asText(field('serverUri')?.value ?? node['serverUri']);
  const security = asText(value);
  if (security === '' || isEnvironment(uri) || isEnvironment(security)) return true;
  return (security === 'psk') === uri.startsWith('coaps:')
    ? true
    : text(security === 'psk' ? 'invalid.security.psk' : 'invalid.security.nosec');
}

/** What takes an attribute back from the device. */
const UNSET = 'null';

/** A notification attribute as it is in the dialog, or saved; `undefined` when unset or not known here. */
function attribute(node: EditorNode, name: string): number | undefined {
  const typed = asText(field(name)?.value ?? node[name]);
  return typed === '' || typed === UNSET || isEnvironment(typed) ? undefined : Number(typed);
}

/**
 * One notification attribute by itself and with the others (LwM2M Core 1.2 s5.1.2): pmin <= pmax, epmin < epmax,
 * and lt + 2 st < gt.
 */
export function validAttribute(node: EditorNode, name: string, value: unknown): Validity {
  if (asText(value) === UNSET) return true;
  const period = ['pmin', 'pmax', 'epmin', 'epmax'].includes(name);
  const alone = period ? validInteger(value, 0) : validNumber(value, name === 'st' ? 0 : -Infinity);
  if (alone !== true || asText(value) === '') return alone;
  const others = { ...attributesOf(node), [name]: isEnvironment(asText(value)) ? undefined : Number(asText(value)) };
  const { pmin, pmax, epmin, epmax, gt, lt, st } = others;
  const differences: Record<string, boolean> = {
    pm: pmin === undefined || pmax === undefined || pmin <= pmax,
    epm: epmin === undefined || epmax === undefined || epmin < epmax,
    t: gt === undefined || lt === undefined || lt + 2 * (st ?? 0) < gt,
  };
  const family = name.replace(/(in|ax)$|^[gls](?=t$)/, '');
  return differences[family] === false ? text(`invalid.attributes.${family}`) : true;
}

function attributesOf(node: EditorNode): Record<string, number | undefined> {
  const names = ['pmin', 'pmax', 'epmin', 'epmax', 'gt', 'lt', 'st'];
  return Object.fromEntries(names.map((name) => [name, attribute(node, name)]));
}

const OPERATIONS = [
  'read',
  'write',
  'execute',
  'observe',
  'discover',
  'create',
  'delete',
  'write-attributes',
  'suspend',
  'provision',
  'grant',
  '*',
];

/** Roles and users of an access node: the first mistake decides. */
export function validAccess(roles: unknown, users: unknown): Validity {
  const names = new Set<unknown>();
  for (const role of recordsOf(roles)) {
    if (asText(role['name']) === '' || names.has(role['name'])) return text('invalid.access.role');
    names.add(role['name']);
    const name = asText(role['name']);
    const wrong = listOf(role['operations']).find((operation) => !OPERATIONS.includes(operation));
    if (wrong !== undefined || listOf(role['operations']).length === 0) {
      return text('invalid.access.operation', { name, operation: wrong ?? '' });
    }
    const path = listOf(role['paths']).find((each) => !/^(\*|\/|(\/(\*|[0-9]{1,5})){1,4})$/.test(each));
    if (path !== undefined) return text('invalid.access.path', { name, path });
    const target = asText(role['target']);
    const term = target === '' || target === '*' ? undefined : target.split(/\s+/).find((t) => !SELECTOR_TERM.test(t));
    if (term !== undefined) return text('invalid.selector', { term });
  }
  for (const user of recordsOf(users)) {
    if (asText(user['name']) === '') return text('invalid.access.user');
    const role = listOf(user['roles']).find((each) => !names.has(each));
    if (role !== undefined) return text('invalid.access.noRole', { name: asText(user['name']), role });
  }
  return true;
}

/** What must be before something is executed. */
export function validConditions(conditions: unknown): Validity {
  for (const { path, test, value } of recordsOf(conditions)) {
    const known = ['', 'eq', 'ne', 'lt', 'le', 'gt', 'ge', '=', '==', '!=', '<', '<=', '>', '>='];
    if (asText(path) === '' || asText(value) === '' || !known.includes(asText(test))) return text('invalid.condition');
    const validity = validPaths(asText(path));
    if (validity !== true) return validity;
  }
  return true;
}

function recordsOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? (value as Record<string, unknown>[]) : [];
}

function listOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  return asText(value) === '' ? [] : asText(value).split(/[\s,]+/);
}
