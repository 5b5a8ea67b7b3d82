/** The catalog that holds what all our dialogs say (nodes/locales/<language>/common.json). */
const CATALOG = '@open-lwm2m/node-red-lwm2m/lwm2m-server:common.';

/** A text of the shared catalog in the editor's language. */
export function text(key: string, parameters?: Record<string, string | number>): string {
  return RED._(CATALOG + key, parameters);
}
