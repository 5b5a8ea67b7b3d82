export interface Position {
  /** Degrees. */
  readonly latitude: number;
  readonly longitude: number;
  /** m above the sea. */
  readonly altitude: number;
}

/** A round through the middle of Munich. */
const CORNERS: readonly Position[] = [
  { latitude: 48.1402, longitude: 11.5583, altitude: 517 },
  { latitude: 48.1442, longitude: 11.5576, altitude: 517 },
  { latitude: 48.1467, longitude: 11.5655, altitude: 515 },
  { latitude: 48.1433, longitude: 11.5779, altitude: 514 },
  { latitude: 48.1413, longitude: 11.5852, altitude: 512 },
  { latitude: 48.1357, longitude: 11.584, altitude: 510 },
  { latitude: 48.1312, longitude: 11.5801, altitude: 511 },
  { latitude: 48.1316, longitude: 11.5716, altitude: 516 },
  { latitude: 48.1336, longitude: 11.5664, altitude: 518 },
  { latitude: 48.1389, longitude: 11.5651, altitude: 518 },
];

/** m of a degree of latitude, and of longitude there. */
const LATITUDE = 111_200;
const LONGITUDE = LATITUDE * Math.cos((48.138 * Math.PI) / 180);

const LEGS = CORNERS.map((from, index) => {
  const to = CORNERS[(index + 1) % CORNERS.length] ?? from;
  const north = (to.latitude - from.latitude) * LATITUDE;
  const east = (to.longitude - from.longitude) * LONGITUDE;
  return { from, to, length: Math.hypot(north, east) };
});

/** m */
export const ROUTE_LENGTH = LEGS.reduce((sum, { length }) => sum + length, 0);

/** Where somebody is who has gone so many metres of the round, or of several. */
export function positionOnRoute(metres: number): Position {
  let rest = metres % ROUTE_LENGTH;
  for (const { from, to, length } of LEGS) {
    if (rest <= length) return between(from, to, rest / length);
    rest -= length;
  }
  return CORNERS[0] as Position;
}

function between(from: Position, to: Position, share: number): Position {
  const part = (a: number, b: number) => a + (b - a) * share;
  return {
    latitude: part(from.latitude, to.latitude),
    longitude: part(from.longitude, to.longitude),
    altitude: part(from.altitude, to.altitude),
  };
}
