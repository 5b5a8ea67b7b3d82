const ROOMS_OF_A_FLOOR = 4;

/** Where a numbered device is, four rooms a floor: `ac-7` is in `floor 2, room 203`. */
export function roomOf(endpoint: string): string {
  const number = Number(/([0-9]{1,9})$/.exec(endpoint)?.[1] ?? '1');
  const floor = Math.max(1, Math.ceil(number / ROOMS_OF_A_FLOOR));
  const room = floor * 100 + ((Math.max(1, number) - 1) % ROOMS_OF_A_FLOOR) + 1;
  return `floor ${floor}, room ${room}`;
}
