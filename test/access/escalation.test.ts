import assert from 'node:assert/strict';
import { auditCsv, Audit, Granting, type AccessSettings, type GrantTarget } from '../../src/access';
import { AccessDeniedError } from '../../src/errors';
import { MemoryStore } from '../../src/store/memory-store';
import { silentLog } from '../../src/util/log';
import { SimulatedClock } from '../support/simulated-clock';
import { AccessFixture } from './access-fixture';

/** What people try who want more than they were given. */
describe('Nobody gets more rights than were meant', () => {
  const CAR = { user: 'tom', target: 'car-1', operations: ['read'] };

  describe('by a grant on a group or a selector that other devices come to later', () => {
    const SETTINGS: AccessSettings = {
      roles: [
        { name: 'reader', operations: ['read'] },
        { name: 'lends one', operations: ['grant'], target: 'ep=car-1' },
        { name: 'boss', operations: ['*'] },
      ],
      users: [
        { name: 'lea', roles: ['reader', 'lends one'] },
        { name: 'peter', roles: ['boss'] },
      ],
    };

    /** While it was granted there was one device; now there are more. */
    async function grantedWhenThereWasOne(fixture: AccessFixture, grant: object, by: string): Promise<void> {
      const target: GrantTarget = { selector: 'ep=car-*' };
      const { id } = await fixture.granting.grant({ ...CAR, ...grant, target: 'car-1' }, { user: by });
      const stored = fixture.grants.get(id)?.stored ?? assert.fail();
      await fixture.grants.add(fixture.grants.held({ ...stored, id: `${id}-wide`, target }));
    }

    it('where the giver may do it, but not grant it', async () => {
      const fixture = new AccessFixture(SETTINGS);
      await grantedWhenThereWasOne(fixture, {}, 'lea');
      assert.ok(fixture.may('tom', 'read', '/6', 'car-1'));
      assert.ok(fixture.may('lea', 'read', '/6', 'car-2'));
      assert.ok(!fixture.may('tom', 'read', '/6', 'car-2'));
    });

    it('where the giver may grant by a grant only: he shuts out nobody there', async () => {
      const fixture = new AccessFixture(SETTINGS);
      const lend = { user: 'lea', target: 'car-2', operations: ['grant'] };
      await fixture.granting.grant(lend, { user: 'peter' });
      await grantedWhenThereWasOne(fixture, { pauses: ['peter'] }, 'lea');
      assert.ok(!fixture.may('peter', 'read', '/6', 'car-1'));
      assert.ok(fixture.may('peter', 'read', '/6', 'car-2'));
    });
  });

  it('by a grant of somebody who may not grant any more', async () => {
    const roles = [
      { name: 'r', operations: ['read'] },
      { name: 'g', operations: ['grant'] },
    ];
    const fixture = new AccessFixture({ roles, users: [{ name: 'lea', roles: ['r', 'g'] }] });
    await fixture.granting.grant(CAR, { user: 'lea' });
    assert.ok(fixture.may('tom', 'read', '/6'));
    fixture.access.configure({ roles, users: [{ name: 'lea', roles: ['r'] }] });
    assert.match(fixture.denial('tom', 'read', '/6') ?? '', /lea, who granted it, may not either/);
  });

  it('by a grant of two givers, of whom the one who may has it only of the one who may not', async () => {
    const fixture = new AccessFixture({
      roles: [{ name: 'all', operations: ['*'] }],
      users: [{ name: 'ada', roles: ['all'] }],
    });
    const give = (user: string, by: string, operations: string[]) =>
      fixture.granting.grant({ user, target: 'car-1', operations }, { user: by });
    const right = await give('bob', 'ada', ['grant']);
    await give('bob', 'ada', ['read']);
    await give('eve', 'bob', ['read', 'grant']);
    await give('tom', 'eve', ['read']);
    await give('tom', 'bob', ['read']);
    assert.ok(fixture.may('tom', 'read', '/6'));
    await fixture.granting.revoke({ id: right.id }, { user: 'ada' });
    assert.ok(fixture.may('bob', 'read', '/6'));
    assert.ok(!fixture.may('eve', 'read', '/6'));
    assert.ok(!fixture.may('tom', 'read', '/6'));
  });

  it('by an endless row of givers, which is looked at in no time', async () => {
    const fixture = new AccessFixture({
      roles: [{ name: 'all', operations: ['*'] }],
      users: [{ name: 'u0', roles: ['all'] }],
    });
    const until = fixture.clock.now() + 1000;
    const row = (n: number) => ({ id: `row-${n}`, user: `u${n}`, target: { endpoint: 'car-1' }, operations: ['*'] });
    for (let n = 1; n < 9_000; n += 1) {
      const grant = { ...row(n), from: 0, until, pauses: [], grantedBy: `u${n - 1}`, grantedAt: 0 };
      void fixture.store.grants.put(grant.id, grant);
    }
    await fixture.grants.takeUp();
    assert.ok(fixture.may('u50', 'read', '/6'));
    assert.ok(!fixture.may('u8999', 'read', '/6'));
  });

  it('by a grant that was revoked after the store could only be read at the second try', async () => {
    const fixture = new AccessFixture({
      roles: [{ name: 'all', operations: ['*'] }],
      users: [{ name: 'ada', roles: ['all'] }],
    });
    const { id } = await fixture.granting.grant({ ...CAR, pauses: ['ada'] }, { user: 'ada' });
    await fixture.grants.takeUp();
    await fixture.grants.takeUp();
    await fixture.granting.revoke({ id }, { user: 'ada' });
    assert.ok(!fixture.may('tom', 'read', '/6'));
    assert.ok(fixture.may('ada', 'read', '/6'));
  });

  it('by asking about an operation without naming a path', () => {
    const fixture = new AccessFixture({
      roles: [{ name: 'r', operations: ['read'], paths: ['/3/0/0'] }],
      users: [{ name: 'tom', roles: ['r'] }],
    });
    for (const paths of [undefined, []]) {
      const denied = fixture.access.check({ user: 'tom', operation: 'read', endpoint: 'car-1', paths });
      assert.ok(denied instanceof AccessDeniedError);
    }
  });
});

it('A grant on a target of any length is refused: it would be kept', async () => {
  const fixture = new AccessFixture();
  const name = 'x'.repeat(5000);
  for (const target of [name, { endpoint: name }, { group: name }, { selector: `ep=${name}` }]) {
    const grant = { user: 'tom', target, operations: ['read'] };
    await assert.rejects(fixture.granting.grant(grant), { code: 'INVALID_ARGUMENT' });
  }
});

it('A grant on thousands of devices and many paths holds nobody up', async () => {
  const roles = [{ name: 'all', operations: ['*'] }];
  const { access, grants, clock } = new AccessFixture({ roles, users: [{ name: 'ada', roles: ['all'] }] });
  const devices = Array.from({ length: 1000 }, (_, n) => `car-${n}`);
  const granting = new Granting({ access, grants, now: () => clock.now(), members: () => devices });
  const paths = Array.from({ length: 100 }, (_, n) => `/${n}`);
  const grant = { user: 'tom', target: { selector: 'ep=car-*' }, operations: ['*'], paths };
  let isOver = false;
  let turns = 0;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  count();
  await granting.grant(grant, { user: 'ada' });
  isOver = true;
  assert.ok(turns > 50, `${turns} turns for others`);
});

describe('What is written into the audit trail by those who may nothing', () => {
  it('is no formula in a spreadsheet', async () => {
    const audit = new Audit({
      clock: new SimulatedClock(),
      log: silentLog,
      store: new MemoryStore(new SimulatedClock()).audit,
    });
    audit.record({
      user: '=1+1',
      operation: 'write-composite',
      endpoint: '@lamp',
      paths: ['=HYPERLINK("http://evil.example")'],
      outcome: 'denied',
    });
    const cells = auditCsv(await audit.query())
      .split('\r\n')[1]
      ?.split(',');
    assert.deepEqual(cells?.slice(2, 6), [
      "'=1+1",
      'write-composite',
      "'@lamp",
      `"'=HYPERLINK(""http://evil.example"")"`,
    ]);
  });

  it('is short, whatever they send', async () => {
    const audit = new Audit({
      clock: new SimulatedClock(),
      log: silentLog,
      store: new MemoryStore(new SimulatedClock()).audit,
    });
    const long = 'x'.repeat(1_000_000);
    const paths = Array.from({ length: 100 }, (_, n) => `/${n}/${long}`);
    audit.record({ user: long, operation: 'write-composite', endpoint: long, paths, outcome: 'denied' });
    assert.ok(JSON.stringify(await audit.query()).length < 10_000);
  });
});
