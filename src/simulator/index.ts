/** Simulated LwM2M devices, on another CoAP stack than the server's. */
export { SimulatedDevice } from './device';
export type { SimulatedDeviceEvents, SimulatedDeviceOptions } from './device-options';
export type { Vanishing } from './presence';
export type { DeviceVersion } from './device-formats';
export { DEVICE_KINDS, isDeviceKind, type DeviceKind } from './kinds';
export { parseCredentials, parseKey, type PskSecurity } from './psk-security';
export { simulateFleet, type FleetEvent, type FleetOptions, type SimulatedFleet } from './simulate';
