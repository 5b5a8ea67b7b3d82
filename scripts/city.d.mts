export interface CityNode {
  [property: string]: unknown;
  id: string;
  type: string;
}

export const DASHBOARD: string;
export function pageNames(): string[];
export function cityOf(names?: readonly string[]): CityNode[];
