import assert from 'node:assert/strict';
import { Admission } from '../../src/server/admission';
import type { Channel, PeerIdentity } from '../../src/transport/transport';
import { registrationOf } from '../store/store-contract';
import { MemoryNetwork } from '../support/memory-network';
import { SimulatedClock } from '../support/simulated-clock';

const NOSEC: PeerIdentity = { mode: 'nosec' };
const IDENTITIES: readonly PeerIdentity[] = [
  NOSEC,
  { mode: 'psk', name: 'a' },
  { mode: 'psk', name: 'b' },
  { mode: 'rpk', name: 'a' },
  { mode: 'x509', name: 'a' },
];

const network = new MemoryNetwork(new SimulatedClock());

function channelOf(identity: PeerIdentity): Channel {
  return {
    transport: network.transport('192.0.2.1:5684'),
    scheme: identity.mode === 'nosec' ? 'coap' : 'coaps',
    address: { host: '127.0.0.1', port: 5000 },
    identity,
    send: () => undefined,
    context: undefined,
  };
}

const nameOf = ({ mode, name = '-' }: PeerIdentity): string => `${mode} ${name}`;

describe('Admission', () => {
  for (const current of IDENTITIES) {
    for (const next of IDENTITIES) {
      const same = nameOf(current) === nameOf(next);
      const allowed = current.mode === 'nosec' || same;
      it(`${allowed ? 'lets' : 'does not let'} ${nameOf(next)} take over what ${nameOf(current)} registered`, () => {
        const admission = new Admission('any', { securityMode: () => undefined });
        const refusal = admission.refusal('lamp-1', channelOf(next), registrationOf({ identity: { ...current } }));
        assert.equal(refusal, allowed ? undefined : 'identity');
      });
    }
  }

  it('never gives a name that is provisioned with a key to a device without it', () => {
    const admission = new Admission('any', { securityMode: (name) => (name === 'locked' ? 'psk' : undefined) });
    assert.equal(admission.refusal('locked', channelOf(NOSEC), undefined), 'identity');
    assert.equal(admission.refusal('open', channelOf(NOSEC), undefined), undefined);
  });

  it('admits without security only who is provisioned so, when the policy says it', () => {
    const admission = new Admission('provisioned', { securityMode: (name) => (name === 'old' ? 'nosec' : undefined) });
    assert.equal(admission.refusal('old', channelOf(NOSEC), undefined), undefined);
    assert.equal(admission.refusal('new', channelOf(NOSEC), undefined), 'noSec');
  });
});
