import type { StoredOrder } from '../../src/server';

export function orderOf(endpoint: string): StoredOrder {
  return {
    endpoint,
    operation: { operation: 'execute', path: { objectId: 3, objectInstanceId: 0, resourceId: 4 } },
    queuedAt: 1_700_000_000_000,
    expiresAt: 1_700_000_060_000,
  };
}
