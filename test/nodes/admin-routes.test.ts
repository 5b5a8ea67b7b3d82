import assert from 'node:assert/strict';
import type { NodeAPI } from 'node-red';
import { registerAdminRoutes } from '../../nodes/shared/admin-routes';

describe('the routes of the editor', () => {
  it('only read, and each needs the permission to read', () => {
    const routes: [path: string, guard: unknown][] = [];
    const RED = {
      // Any other method of the application would be an error here.
      httpAdmin: { get: (path: string, guard: unknown) => routes.push([path, guard]) },
      auth: { needsPermission: (permission: string) => `guarded by ${permission}` },
    };
    registerAdminRoutes(RED as unknown as NodeAPI);
    assert.equal(routes.length, 5);
    for (const [path, guard] of routes) {
      assert.ok(path.startsWith('/lwm2m/:server/'), path);
      assert.equal(guard, 'guarded by lwm2m.read');
    }
  });
});
