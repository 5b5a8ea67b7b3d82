export { DtlsTransport, type DtlsOptions } from './dtls-transport';
export type { DtlsChannel } from './dtls-channel';
export type { DtlsCredentials } from './dtls-credentials';
export { DEFAULT_LIMITS, type DtlsLimits } from './dtls-limits';
export type { DtlsStatistics } from './dtls-statistics';
export type { DtlsRefusal } from './handshake-desk';
export { ALL_CIPHER_SUITES, DEFAULT_CIPHER_SUITES, type CipherSuiteName } from './cipher-suites/cipher-suite';
export { CONNECTION_ID_LENGTH, instanceOf } from './connection-ids';
