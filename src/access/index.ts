/** Who may do what to which devices, and who did. */
export type { AccessStore, AuditEntry, AuditQuery, AuditStore, GrantTarget, StoredGrant } from './store';
export { ACCESS_OPERATIONS, pathsAsked, pathsOf, rightFor, type AccessOperation } from './access-operation';
export type { AccessRole, AccessSettings, AccessUser } from './access-settings';
export { Access, ALL_DEVICES, type AccessQuestion } from './access';
export { GrantBook, type GrantEvent } from './grant-book';
export { Granting, type GrantOptions, type RevokeInput } from './granting';
export { grantView, type GrantView } from './grant-view';
export { Audit, type AuditView } from './audit';
export { auditCsv } from './audit-csv';
export { readAccessSettings } from './access-settings';
