import assert from 'node:assert/strict';
import { AccessDeniedError, InvalidArgumentError, StoreError } from '../../src/errors';
import type { AccessOperation, AccessSettings } from '../../src/access';
import { AccessFixture } from './access-fixture';

const SETTINGS: AccessSettings = {
  roles: [
    { name: 'car owner', operations: ['read', 'execute', 'observe', 'grant'], target: 'ep=car-1' },
    { name: 'clerk', operations: ['*'], target: '*' },
    { name: 'steward', operations: ['grant', 'read'], target: 'ep=car-*' },
  ],
  users: [
    { name: 'peter', roles: ['car owner'] },
    { name: 'clara', roles: ['clerk'] },
    { name: 'stew', roles: ['steward'] },
  ],
};

const FRIDAY = '2026-07-03T18:00:00Z';
const SUNDAY = '2026-07-05T20:00:00Z';
const WEEKEND = {
  user: 'tom',
  target: 'car-1',
  operations: ['read', 'execute'],
  paths: ['/6', '/3/0/4'],
  from: '2026-07-03T20:00:00+02:00',
  until: SUNDAY,
  pauses: ['peter'],
};

describe('A grant for a weekend', () => {
  /** Times, and what who may then: location, engine, another path, another device. */
  const may = (fixture: AccessFixture, user: string): Record<string, boolean> => ({
    location: fixture.may(user, 'read', '/6/0/0'),
    engine: fixture.may(user, 'execute', '/3/0/4'),
    observe: fixture.may(user, 'observe', '/6/0/0'),
    device: fixture.may(user, 'read', '/3/0/0'),
    other: fixture.may(user, 'read', '/6/0/0', 'car-2'),
  });
  const NOTHING = { location: false, engine: false, observe: false, device: false, other: false };
  const OWNER = { location: true, engine: true, observe: true, device: true, other: false };
  const GUEST = { location: true, engine: true, observe: false, device: false, other: false };

  it('begins and ends by itself, and the rights that rest come back by themselves', async () => {
    const fixture = new AccessFixture(SETTINGS);
    await fixture.granting.grant(WEEKEND, { user: 'peter' });
    const times: [time: string, tom: object, peter: object][] = [
      ['2026-07-01T00:00:00Z', NOTHING, OWNER],
      ['2026-07-03T17:59:59.999Z', NOTHING, OWNER],
      [FRIDAY, GUEST, NOTHING],
      ['2026-07-04T12:00:00Z', GUEST, NOTHING],
      ['2026-07-05T19:59:59.999Z', GUEST, NOTHING],
      [SUNDAY, NOTHING, OWNER],
      ['2026-08-01T00:00:00Z', NOTHING, OWNER],
    ];
    for (const [time, tom, peter] of times) {
      await fixture.until(time);
      assert.deepEqual(may(fixture, 'tom'), tom, `tom at ${time}`);
      assert.deepEqual(may(fixture, 'peter'), peter, `peter at ${time}`);
      assert.equal(fixture.may('peter', 'grant', ''), true, 'the right to grant never rests');
    }
    assert.deepEqual(fixture.topics, ['granted tom', 'began tom', 'ended tom']);
  });

  it('says why, before it begins and while rights rest', async () => {
    const fixture = new AccessFixture(SETTINGS);
    await fixture.granting.grant(WEEKEND, { user: 'peter' });
    assert.match(fixture.denial('tom', 'read', '/6/0/0') ?? '', /the grant begins 2026-07-03T18:00:00\.000Z/);
    await fixture.until(FRIDAY);
    assert.equal(
      fixture.denial('peter', 'execute', '/3/0/4'),
      'peter may not execute /3/0/4 on car-1: the rights of peter rest until 2026-07-05T20:00:00.000Z',
    );
  });

  it('is taken back by who gave it though his rights rest, and they are back at once', async () => {
    const fixture = new AccessFixture(SETTINGS);
    const { id } = await fixture.granting.grant(WEEKEND, { user: 'peter' });
    await fixture.until('2026-07-04T00:00:00Z');
    const revoked = await fixture.granting.revoke({ id }, { user: 'peter' });
    assert.deepEqual(
      revoked.map((grant) => grant.id),
      [id],
    );
    assert.deepEqual(may(fixture, 'tom'), NOTHING);
    assert.deepEqual(may(fixture, 'peter'), OWNER);
    assert.deepEqual(await fixture.granting.revoke({ id }, { user: 'peter' }), []);
    assert.deepEqual(fixture.topics, ['granted tom', 'began tom', 'revoked tom']);
    assert.equal(fixture.clock.timers, 0);
  });

  it('is found by its user and target, and may be given back', async () => {
    const fixture = new AccessFixture(SETTINGS);
    await fixture.granting.grant(WEEKEND, { user: 'peter' });
    assert.deepEqual(await fixture.granting.revoke({ user: 'tom', target: 'car-2' }, { user: 'tom' }), []);
    assert.equal(
      (await fixture.granting.revoke({ user: 'tom', target: { endpoint: 'car-1' } }, { user: 'tom' })).length,
      1,
    );
    assert.deepEqual(fixture.granting.list(), []);
  });

  it('survives a restart in the middle, and says then only what happens after it', async () => {
    const before = new AccessFixture(SETTINGS);
    const { id } = await before.granting.grant(WEEKEND, { user: 'peter' });
    await before.until('2026-07-04T00:00:00Z');
    before.grants.close();
    const after = new AccessFixture(SETTINGS, before.clock, before.store);
    assert.deepEqual(may(after, 'tom'), NOTHING, 'not before the store is read');
    await after.grants.takeUp();
    assert.deepEqual(may(after, 'tom'), GUEST);
    assert.deepEqual(may(after, 'peter'), NOTHING);
    assert.equal(after.granting.list()[0]?.id, id);
    await after.until(SUNDAY);
    assert.deepEqual(may(after, 'peter'), OWNER);
    assert.deepEqual(after.topics, ['ended tom']);
  });

  it('stands the same when the server begins anew, at whatever moment, and when its clock is set back', async () => {
    let fixture = new AccessFixture(SETTINGS);
    await fixture.granting.grant(WEEKEND, { user: 'peter' });
    const { clock, store } = fixture;
    const times: [time: string, tom: boolean][] = [
      ['2026-07-03T17:59:59.999Z', false],
      [FRIDAY, true],
      ['2026-07-05T19:59:59.999Z', true],
      [SUNDAY, false],
      ['2026-07-06T00:00:00Z', false],
    ];
    const now = clock.now.bind(clock);
    for (const [time, tom] of times) {
      await fixture.until(time);
      fixture.grants.close();
      fixture = new AccessFixture(SETTINGS, clock, store);
      await fixture.grants.takeUp();
      assert.deepEqual([may(fixture, 'tom').engine, may(fixture, 'peter').engine], [tom, !tom], time);
      assert.equal(fixture.granting.list().length, 1);
    }
    clock.now = () => now() - 24 * 3600_000;
    assert.deepEqual(may(fixture, 'tom'), GUEST, 'by the clock it is Sunday 0:00 again');
    await clock.advance(20 * 3600_000);
    assert.deepEqual(may(fixture, 'tom'), NOTHING);
  });

  it('is shown with times in UTC and how it stands', async () => {
    const fixture = new AccessFixture(SETTINGS);
    const granted = await fixture.granting.grant(WEEKEND, { user: 'peter' });
    assert.deepEqual(granted, {
      id: granted.id,
      user: 'tom',
      target: 'car-1',
      operations: ['read', 'execute'],
      paths: ['/6', '/3/0/4'],
      from: '2026-07-03T18:00:00.000Z',
      until: '2026-07-05T20:00:00.000Z',
      pauses: ['peter'],
      grantedBy: 'peter',
      grantedAt: '2026-07-01T00:00:00.000Z',
      state: 'waiting',
    });
    await fixture.until(FRIDAY);
    assert.equal(fixture.granting.list()[0]?.state, 'active');
    await fixture.until(SUNDAY);
    assert.equal(fixture.granting.list()[0]?.state, 'ended');
  });

  it('is forgotten 30 days after its end', async () => {
    const fixture = new AccessFixture(SETTINGS);
    await fixture.granting.grant(WEEKEND, { user: 'peter' });
    await fixture.until('2026-08-05T00:00:00Z');
    await fixture.granting.grant({ user: 'ann', target: 'car-1', operations: ['read'] }, { user: 'peter' });
    assert.deepEqual(
      fixture.granting.list().map(({ user }) => user),
      ['ann'],
    );
    assert.equal([...fixture.store.grants.all()].length, 1);
  });
});

describe('Granting', () => {
  const grant = (fixture: AccessFixture, user: string | undefined, input: object) =>
    fixture.granting.grant({ user: 'tom', target: 'car-1', operations: ['read'], ...input }, { user });

  /** Who may grant what on which devices. */
  const matrix: readonly [user: string | undefined, input: object, allowed: boolean][] = [
    ['peter', {}, true],
    ['peter', { operations: ['read', 'execute', 'observe'] }, true],
    ['peter', { operations: ['grant'] }, true],
    ['peter', { operations: ['write'] }, false],
    ['peter', { operations: ['read', 'write'] }, false],
    ['peter', { operations: ['*'] }, false],
    ['peter', { target: 'car-2' }, false],
    ['peter', { target: { group: 'cars' } }, false],
    ['peter', { target: { selector: 'ep=car-1' } }, true],
    ['peter', { target: { group: 'nobody' } }, false],
    ['stew', { target: { group: 'cars' } }, true],
    ['stew', { target: { selector: 'ep=car-*' } }, true],
    ['stew', { target: 'lamp-1' }, false],
    ['stew', { operations: ['execute'] }, false],
    ['clara', { operations: ['*'], target: { group: 'nobody' } }, true],
    ['clara', { operations: ['*'], target: 'whatever' }, true],
    ['tom', {}, false],
    ['stranger', {}, false],
    [undefined, {}, false],
  ];
  for (const [user, input, allowed] of matrix) {
    it(`by ${user ?? 'nobody'} of ${JSON.stringify(input)} is ${allowed ? 'allowed' : 'denied'}`, async () => {
      const fixture = new AccessFixture(SETTINGS);
      if (allowed) {
        assert.equal((await grant(fixture, user, input)).grantedBy, user);
      } else {
        await assert.rejects(grant(fixture, user, input), AccessDeniedError);
        assert.deepEqual(fixture.granting.list(), []);
      }
    });
  }

  it('does not widen paths: what the giver may on some paths is not granted on all', async () => {
    const fixture = new AccessFixture({
      roles: [
        { name: 'r', operations: ['read'], paths: ['/3311/*/5850'] },
        { name: 'g', operations: ['grant'] },
      ],
      users: [{ name: 'lea', roles: ['r', 'g'] }],
    });
    await grant(fixture, 'lea', { paths: ['/3311/0/5850'] });
    await grant(fixture, 'lea', { paths: ['/3311/*/5850'] });
    for (const paths of [undefined, ['/3311'], ['/3311/*'], ['/3311/0'], ['/*/0/5850'], ['/3311/0/5850', '/3']]) {
      await assert.rejects(grant(fixture, 'lea', { paths }), AccessDeniedError, JSON.stringify(paths));
    }
  });

  it('gives no more than the giver has at the moment of use', async () => {
    const fixture = new AccessFixture(SETTINGS);
    await grant(fixture, 'clara', { operations: ['read', 'grant'], until: SUNDAY });
    await fixture.granting.grant({ user: 'ann', target: 'car-1', operations: ['read'] }, { user: 'tom' });
    assert.ok(fixture.may('ann', 'read', '/6'));
    await fixture.until(SUNDAY);
    assert.match(fixture.denial('ann', 'read', '/6') ?? '', /tom, who granted it, may not either/);
  });

  it('gives nothing when two have it of each other only', async () => {
    const fixture = new AccessFixture(SETTINGS);
    const first = await grant(fixture, 'clara', { operations: ['read', 'grant'] });
    await fixture.granting.grant({ user: 'ann', target: 'car-1', operations: ['read', 'grant'] }, { user: 'tom' });
    await fixture.granting.grant({ user: 'tom', target: 'car-1', operations: ['read', 'grant'] }, { user: 'ann' });
    await fixture.granting.revoke({ id: first.id }, { user: 'clara' });
    assert.ok(!fixture.may('tom', 'read', '/6'));
    assert.ok(!fixture.may('ann', 'read', '/6'));
  });

  it('by a grant cannot shut out those who gave it', async () => {
    const fixture = new AccessFixture(SETTINGS);
    await grant(fixture, 'peter', { operations: ['read', 'grant'] });
    const input = { user: 'ann', target: 'car-1', operations: ['read'], pauses: ['peter'] };
    await assert.rejects(fixture.granting.grant(input, { user: 'tom' }), /tom may not pause peter on car-1/);
    await fixture.granting.grant({ ...input, pauses: ['tom'] }, { user: 'tom' });
    assert.ok(!fixture.may('tom', 'read', '/6'));
    assert.ok(fixture.may('peter', 'read', '/6'));
    assert.ok(fixture.may('ann', 'read', '/6'), 'who lends it may not use it, whom it is lent to may');
  });

  it('pauses only on the devices of the grant', async () => {
    const fixture = new AccessFixture(SETTINGS);
    await grant(fixture, 'clara', { pauses: ['stew'] });
    assert.ok(!fixture.may('stew', 'read', '/6', 'car-1'));
    assert.ok(fixture.may('stew', 'read', '/6', 'car-2'));
  });

  it('is not taken back by those who have no part in it', async () => {
    const fixture = new AccessFixture(SETTINGS);
    const { id } = await grant(fixture, 'peter', {});
    for (const user of ['ann', 'stranger', undefined]) {
      await assert.rejects(fixture.granting.revoke({ id }, { user }), AccessDeniedError);
    }
    assert.ok(fixture.may('tom', 'read', '/6'));
    assert.equal((await fixture.granting.revoke({ id }, { user: 'stew' })).length, 1);
  });

  it('leaves everything as it was when the store fails', async () => {
    const fixture = new AccessFixture(SETTINGS);
    const { grants } = fixture.store;
    const full = (): never => {
      throw new StoreError('the disk is full');
    };
    const { id } = await grant(fixture, 'peter', { user: 'ann' });
    grants.put = full;
    grants.remove = full;
    await assert.rejects(grant(fixture, 'peter', {}), StoreError);
    assert.ok(!fixture.may('tom', 'read', '/6'));
    await assert.rejects(fixture.granting.revoke({ id }, { user: 'peter' }), StoreError);
    assert.ok(fixture.may('ann', 'read', '/6'));
  });

  it('ends all grants of a device that is handed over, and no others', async () => {
    const fixture = new AccessFixture(SETTINGS);
    await grant(fixture, 'clara', {});
    await grant(fixture, 'clara', { target: { selector: 'ep=car-1' } });
    await grant(fixture, 'clara', { target: { selector: 'ep=car-*' } });
    await grant(fixture, 'clara', { target: 'car-2' });
    await fixture.granting.forget('car-1');
    assert.deepEqual(
      fixture.granting.list().map(({ target }) => target),
      [{ selector: 'ep=car-*' }, 'car-2'],
    );
  });

  const wrong: readonly [input: unknown, text: RegExp][] = [
    [undefined, /a grant must be an object/],
    [{ until_: 1 }, /a grant has no 'until_', only user, target/],
    [{ user: '' }, /the user of a grant/],
    [{ user: '*' }, /a grant is for one user/],
    [{ target: '' }, /target must be an endpoint/],
    [{ target: { all: true } }, /target must be an endpoint/],
    [{ target: { group: 'a', selector: 'b' } }, /target must be an endpoint/],
    [{ operations: [] }, /operations is empty/],
    [{ operations: undefined }, /operations must be an array/],
    [{ operations: ['drive'] }, /operations has no 'drive'/],
    [{ paths: [] }, /paths is empty/],
    [{ paths: ['6'] }, /a path must be/],
    [{ from: 'Friday' }, /from must be a time/],
    [{ from: '2026-02-30T00:00:00Z' }, /from must be a time/],
    [{ until: '2026-13-01' }, /until must be a time/],
    [{ until: 1e16 }, /until must be a time/],
    [{ until: '2026-06-30T00:00:00Z' }, /until must be after from/],
    [{ from: '2026-06-01T00:00:00Z', until: '2026-06-30T00:00:00Z' }, /until is past/],
    [{ from: SUNDAY, until: FRIDAY }, /until must be after from/],
    [{ pauses: ['tom'] }, /cannot pause the rights of tom/],
    [{ pauses: [7] }, /a user of pauses/],
  ];
  for (const [input, text] of wrong) {
    it(`of what cannot be is refused in words: ${JSON.stringify(input)}`, async () => {
      const fixture = new AccessFixture(SETTINGS);
      const whole =
        input === undefined ? input : { user: 'tom', target: 'car-1', operations: ['read'], ...(input as object) };
      await assert.rejects(
        fixture.granting.grant(whole, { user: 'clara' }),
        (error: unknown) => error instanceof InvalidArgumentError && text.test(error.message),
      );
    });
  }

  it('takes times as ISO 8601, ms since 1970 or a Date', async () => {
    const fixture = new AccessFixture(SETTINGS);
    const at = Date.parse(SUNDAY);
    for (const until of [SUNDAY, at, new Date(at), '2026-07-05T22:00+02:00', '2026-07-05 20:00:00Z']) {
      assert.equal((await grant(fixture, 'clara', { until })).until, '2026-07-05T20:00:00.000Z');
    }
  });

  it('takes times without a zone as those of the server, also where summer time begins and ends; a day is its beginning', async () => {
    const fixture = new AccessFixture(SETTINGS);
    const local = (...parts: [number, number, number, number?, number?]) => new Date(...parts).toISOString();
    const cases: [text: string, time: string][] = [
      ['2026-07-05', local(2026, 6, 5)],
      ['2026-07-05T20:00', local(2026, 6, 5, 20)],
      ['2026-10-25 02:30', local(2026, 9, 25, 2, 30)],
      ['2027-03-28T02:30:00', local(2027, 2, 28, 2, 30)],
    ];
    for (const [from, time] of cases) assert.equal((await grant(fixture, 'clara', { from })).from, time);
  });

  it('of rights that nobody has to have, while none are attached', async () => {
    const fixture = new AccessFixture();
    await grant(fixture, undefined, { operations: ['*'] });
    const all: AccessOperation[] = ['read', 'execute'];
    for (const operation of all) assert.ok(fixture.may('anybody', operation, '/3/0/4'));
  });
});
