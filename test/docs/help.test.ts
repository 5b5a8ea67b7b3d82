import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ProvisionedDevice } from '../../src';
import { PACKAGE_ROOT } from '../support/node-red-process';

/** All that a record may say; the compiler sees to it that nothing is forgotten. */
const PROPERTIES: Record<keyof ProvisionedDevice, true> = {
  endpoint: true,
  security: true,
  labels: true,
  groups: true,
  priority: true,
  owner: true,
  provider: true,
  subscriber: true,
  user: true,
  networkSubscriber: true,
  metadata: true,
  awakeTime: true,
};

describe('the help of the provision node', () => {
  for (const language of ['en-US', 'de', 'ja']) {
    it(`names everything that a record may say (${language})`, () => {
      const file = path.join(PACKAGE_ROOT, 'nodes/locales', language, 'lwm2m-provision.html');
      const help = readFileSync(file, 'utf8');
      const missing = Object.keys(PROPERTIES).filter((name) => !new RegExp(`\\b${name}\\b`).test(help));
      assert.deepEqual(missing, []);
    });
  }
});
