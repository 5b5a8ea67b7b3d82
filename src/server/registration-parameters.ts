import type { Lwm2mVersion } from './registration';

/** What the Uri-Query options of a Register or an Update say; absent is what the device did not say. */
export interface RegistrationParameters {
  endpoint?: string;
  /** s; 0 is for ever (object 1, resource 1). */
  lifetime?: number;
  /** As the device wrote it, without quotes. */
  version?: string;
  /** Without the Q of 1.0: `U`, `UT`. */
  binding?: string;
  queueMode?: boolean;
  smsNumber?: string;
  profileId?: string;
}

/** A parameter that cannot be; answered 4.00 with the message as diagnostic. */
export interface ParameterProblem {
  readonly problem: string;
}

/** Binding modes of 1.0 (`U`, `UQ`, `UQS`) and of 1.1 and 1.2 (U, M, H, T, S, N in any order, once each). */
const BINDING = /^[UMHTSNQ]{1,7}$/;
const MAX_LIFETIME = 2 ** 32 - 1;

/**
 * Reads the Uri-Query options of a Register or an Update (LwM2M Core 1.2 s6.2.1). Unknown ones are ignored. Tolerates
 * what real clients send: values in quotes, and a comma left at the end.
 */
export function parseRegistrationParameters(queries: readonly string[]): RegistrationParameters | ParameterProblem {
  const parameters: RegistrationParameters = {};
  for (const query of queries) {
    const equals = query.indexOf('=');
    const name = equals < 0 ? query : query.slice(0, equals);
    const problem = setParameter(parameters, name, equals < 0 ? '' : cleaned(query.slice(equals + 1)));
    if (problem !== undefined) return { problem };
  }
  return parameters;
}

function setParameter(parameters: RegistrationParameters, name: string, value: string): string | undefined {
  switch (name) {
    case 'ep':
      if (value !== '') parameters.endpoint = value;
      return undefined;
    case 'lt':
      parameters.lifetime = lifetimeOf(value);
      return parameters.lifetime === undefined ? 'lt is no number of seconds' : undefined;
    case 'lwm2m':
      parameters.version = value;
      return undefined;
    case 'b':
      return setBinding(parameters, value);
    case 'Q':
      parameters.queueMode = true;
      return undefined;
    case 'sms':
      parameters.smsNumber = value;
      return undefined;
    case 'pid':
      parameters.profileId = value;
      return undefined;
    default:
      return undefined;
  }
}

function setBinding(parameters: RegistrationParameters, value: string): string | undefined {
  if (value === 'U') {
    parameters.binding = 'U';
    return undefined;
  }
  if (!BINDING.test(value)) return 'b is no binding mode';
  const binding = value.replaceAll('Q', '');
  if (new Set(binding).size !== binding.length) return 'b is no binding mode';
  parameters.binding = binding === '' ? 'U' : binding;
  if (binding !== value) parameters.queueMode = true;
  return undefined;
}

function lifetimeOf(text: string): number | undefined {
  if (text.length === 0 || text.length > 10) return undefined;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charCodeAt(index);
    if (character < 48 || character > 57) return undefined;
  }
  const lifetime = Number(text);
  return lifetime <= MAX_LIFETIME ? lifetime : undefined;
}

function cleaned(value: string): string {
  let text = value.endsWith(',') ? value.slice(0, -1) : value;
  if (text.length >= 2 && text.startsWith('"') && text.endsWith('"')) text = text.slice(1, -1);
  return text;
}

const VERSION = /^(1\.[0-2])(\.\d{1,3})?$/;

/** The enabler that a device speaks; `1.0` when it says none, `undefined` when this server does not know it. */
export function versionOf(text: string | undefined): Lwm2mVersion | undefined {
  if (text === '1.0' || text === '1.1' || text === '1.2') return text;
  if (text === undefined) return '1.0';
  return VERSION.exec(text)?.[1] as Lwm2mVersion | undefined;
}
