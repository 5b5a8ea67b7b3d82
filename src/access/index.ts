/** Who may do what to which devices, and who did. */
export type { AccessStore, AuditEntry, AuditQuery, AuditStore, StoredGrant } from './store';
