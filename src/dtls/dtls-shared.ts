import type { Clock } from '../util/clock';
import type { Log } from '../util/log';
import type { TimerWheel } from '../util/timer-wheel';
import type { CipherSuite } from './cipher-suites/cipher-suite';
import type { ConnectionIds } from './connection-ids';
import type { DtlsChannel } from './dtls-channel';
import type { DtlsCredentials } from './dtls-credentials';
import type { DtlsLimits } from './dtls-limits';
import type { DtlsStatistics } from './dtls-statistics';
import type { Handshake } from './handshake';
import type { SessionCache } from './session-cache';
import type { SessionTable } from './session-table';

/** What the parts of one DTLS transport share. */
export interface DtlsShared {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly credentials: DtlsCredentials;
  readonly suites: readonly CipherSuite[];
  readonly limits: DtlsLimits;
  readonly mtu: number;
  readonly random: (length: number) => Buffer;
  readonly log: Log;
  readonly statistics: DtlsStatistics;
  readonly sessions: SessionTable;
  readonly resumable: SessionCache;
  readonly connectionIds: ConnectionIds<Handshake | DtlsChannel>;
}
