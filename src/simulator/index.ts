/** Simulated LwM2M devices, on another CoAP stack than the server's. */
export { SimulatedDevice, type SimulatedDeviceEvents, type SimulatedDeviceOptions } from './device';
export type { DeviceVersion } from './device-formats';
export { DEVICE_KINDS, isDeviceKind, type DeviceKind } from './kinds';
export { parseCredentials, parseKey, type PskSecurity } from './psk-security';
export { simulateFleet, type FleetEvent, type FleetOptions, type SimulatedFleet } from './simulate';
