import assert from 'node:assert/strict';
import { Admission, NOTHING_PROVISIONED, type Applicant, type Provisioning } from '../../src/server/admission';
import type { PeerIdentity } from '../../src/transport/transport';

const NOSEC: PeerIdentity = { mode: 'nosec' };
const IDENTITIES: readonly PeerIdentity[] = [
  NOSEC,
  { mode: 'psk', name: 'a' },
  { mode: 'psk', name: 'b' },
  { mode: 'rpk', name: 'a' },
  { mode: 'x509', name: 'a' },
];

function applicantOf(identity: PeerIdentity, host = '192.0.2.7'): Applicant {
  return { identity, address: { host, port: 5000 } };
}

/** `psk a` may act as `a`, and so on. */
const PROVISIONING: Provisioning = {
  identityOf: (endpoint) => IDENTITIES.find(({ mode, name }) => endpoint === `${mode}-${name}`),
  endpointOf: ({ mode, name }) => `${mode}-${name}`,
  mayJoin: () => false,
};

const nameOf = ({ mode, name = '-' }: PeerIdentity): string => `${mode} ${name}`;

describe('Admission', () => {
  for (const owner of IDENTITIES) {
    for (const next of IDENTITIES) {
      const allowed = owner === next;
      it(`${allowed ? 'lets' : 'does not let'} ${nameOf(next)} act as ${nameOf(owner)}`, () => {
        const admission = new Admission('any', PROVISIONING);
        const endpoint = owner === NOSEC ? 'free' : `${owner.mode}-${owner.name}`;
        for (const current of [undefined, owner]) {
          assert.equal(admission.refusal(endpoint, applicantOf(next), current), allowed ? undefined : 'identity');
        }
      });
    }
  }

  it('never gives what a proved identity registered to a peer that proved nothing, record or not', () => {
    const admission = new Admission('any', NOTHING_PROVISIONED);
    assert.equal(admission.refusal('free', applicantOf(NOSEC), { mode: 'x509', name: 'free' }), 'identity');
    assert.equal(admission.refusal('free', applicantOf(NOSEC), NOSEC), undefined);
  });

  it('gives the name of a credential, and none to a peer without', () => {
    const admission = new Admission('any', PROVISIONING);
    assert.equal(admission.endpointOf({ mode: 'psk', name: 'a' }), 'psk-a');
    assert.equal(admission.endpointOf(NOSEC), undefined);
  });

  const policies = [
    ['none', false, '127.0.0.1', 'noSec'],
    ['none', true, '127.0.0.1', 'noSec'],
    ['loopback', false, '127.0.0.1', undefined],
    ['loopback', false, '::1', undefined],
    ['loopback', true, '192.0.2.7', 'noSec'],
    ['provisioned', true, '192.0.2.7', undefined],
    ['provisioned', false, '127.0.0.1', 'noSec'],
    ['any', false, '192.0.2.7', undefined],
  ] as const;
  for (const [policy, provisioned, host, refusal] of policies) {
    const who = `${provisioned ? 'a device provisioned without security' : 'a stranger'} at ${host}`;
    it(`by the policy ${policy} ${refusal === undefined ? 'admits' : 'refuses'} ${who}`, () => {
      const identityOf = (): PeerIdentity | undefined => (provisioned ? NOSEC : undefined);
      const admission = new Admission(policy, { ...NOTHING_PROVISIONED, identityOf });
      assert.equal(admission.refusal('lamp-1', applicantOf(NOSEC, host), undefined), refusal);
    });
  }

  for (const [policy, host, refusal] of [
    ['none', '127.0.0.1', 'noSec'],
    ['loopback', '192.0.2.7', 'noSec'],
    ['provisioned', '192.0.2.7', undefined],
    ['any', '192.0.2.7', undefined],
  ] as const) {
    it(`by the policy ${policy} ${refusal === undefined ? 'admits' : 'refuses'} a newcomer that may join`, () => {
      const admission = new Admission(policy, { ...PROVISIONING, mayJoin: () => true });
      assert.equal(admission.refusal('free', applicantOf(NOSEC, host), undefined), refusal);
      assert.equal(admission.refusal('psk-a', applicantOf(NOSEC, host), undefined), 'identity');
      assert.equal(admission.refusal('free', applicantOf(NOSEC, host), { mode: 'psk', name: 'a' }), 'identity');
    });
  }
});
