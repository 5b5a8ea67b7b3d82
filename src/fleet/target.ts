/**
 * Which devices: one, an array of them, a named group, a selector, or all.
 * Everything but `endpoint` is many, even with one member.
 */
export type Target =
  | { readonly endpoint: string }
  | { readonly endpoints: readonly string[] }
  | { readonly group: string }
  /** Space-separated terms that must all hold: `ep=lamp-* label:site=north group:x has:/3311 state:online priority:low`. */
  | { readonly selector: string }
  | { readonly all: true };
