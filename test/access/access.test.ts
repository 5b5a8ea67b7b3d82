import assert from 'node:assert/strict';
import { AccessDeniedError, InvalidArgumentError } from '../../src/errors';
import { ACCESS_OPERATIONS, type AccessOperation, type AccessSettings } from '../../src/access';
import { parsePath } from '../../src/model';
import { AccessFixture } from './access-fixture';

const SETTINGS: AccessSettings = {
  roles: [
    { name: 'boss', operations: ['*'], target: '*' },
    { name: 'viewer', operations: ['read', 'observe', 'discover'], target: '*' },
    { name: 'lights', operations: ['read', 'write'], target: 'ep=lamp-*', paths: ['/3311/*/5850', '/3311/*/5851'] },
    { name: 'clock', operations: ['write'], target: '*', paths: ['/3/0/13'] },
    { name: 'sleeper', operations: ['suspend'], target: 'ep=lamp-*' },
  ],
  users: [
    { name: 'ada', roles: ['boss'] },
    { name: 'vic', roles: ['viewer'] },
    { name: 'lea', roles: ['lights', 'clock', 'sleeper'] },
    { name: 'nil', roles: [] },
  ],
};

/** Who may: users x operations x paths x devices; what is not named here must be denied. */
const MATRIX: readonly [
  user: string,
  operations: readonly AccessOperation[],
  paths: readonly string[],
  endpoints: readonly string[],
][] = [
  [
    'ada',
    ACCESS_OPERATIONS,
    ['/', '/3311', '/3311/0', '/3311/0/5850', '/3311/7/5851/2', '/3/0/13'],
    ['lamp-1', 'car-1'],
  ],
  [
    'vic',
    ['read', 'observe', 'discover'],
    ['/', '/3311', '/3311/0', '/3311/0/5850', '/3311/7/5851/2', '/3/0/13'],
    ['lamp-1', 'car-1'],
  ],
  ['lea', ['read', 'write'], ['/3311/0/5850', '/3311/7/5851/2'], ['lamp-1']],
  ['lea', ['write'], ['/3/0/13'], ['lamp-1', 'car-1']],
  ['lea', ['suspend'], ['/', '/3311', '/3311/0', '/3311/0/5850', '/3311/7/5851/2', '/3/0/13'], ['lamp-1']],
];

describe('Access', () => {
  it('lets everybody do everything while no rights are attached', () => {
    const { access } = new AccessFixture();
    assert.equal(access.isAttached, false);
    assert.equal(access.check({ operation: 'execute', paths: [parsePath('/3/0/4')], endpoint: 'car-1' }), undefined);
  });

  it('allows what the matrix of users, operations, paths and devices says, and nothing else', () => {
    const fixture = new AccessFixture(SETTINGS);
    let allowed = 0;
    for (const user of ['ada', 'vic', 'lea', 'nil', 'stranger', undefined]) {
      for (const operation of ACCESS_OPERATIONS) {
        for (const path of ['/', '/3311', '/3311/0', '/3311/0/5850', '/3311/7/5851/2', '/3/0/13']) {
          for (const endpoint of ['lamp-1', 'car-1']) {
            const expected = MATRIX.some(
              ([name, operations, paths, endpoints]) =>
                name === user && operations.includes(operation) && paths.includes(path) && endpoints.includes(endpoint),
            );
            const where = `${user} ${operation} ${path} on ${endpoint}`;
            assert.equal(fixture.may(user, operation, path, endpoint), expected, where);
            if (expected) allowed += 1;
          }
        }
      }
    }
    assert.equal(allowed, 2 * 6 * 11 + 2 * 6 * 3 + 4 + 2 + 6);
  });

  it('needs a right to all that lies below a path, and to every path of several', () => {
    const { access } = new AccessFixture(SETTINGS);
    const read = (...paths: string[]) =>
      access.check({ user: 'lea', operation: 'read', paths: paths.map(parsePath), endpoint: 'lamp-1' });
    assert.equal(read('/3311/0/5850', '/3311/1/5851'), undefined);
    assert.match(read('/3311/0/5850', '/3311/0/5852')?.message ?? '', /5852/);
    assert.ok(read('/3311') instanceof AccessDeniedError);
    assert.ok(read('/') instanceof AccessDeniedError);
  });

  it('takes all instances of an object for the object', () => {
    const fixture = new AccessFixture({
      roles: [{ name: 'all', operations: ['read'], target: '*', paths: ['/3311/*'] }],
      users: [{ name: 'lea', roles: ['all'] }],
    });
    assert.ok(fixture.may('lea', 'read', '/3311'));
    assert.ok(!fixture.may('lea', 'read', '/3312'));
    assert.ok(!fixture.may('lea', 'read', '/'));
  });

  it('says what is missing, and that nobody was named', () => {
    const fixture = new AccessFixture(SETTINGS);
    assert.equal(
      fixture.denial('vic', 'execute', '/3/0/4'),
      'vic may not execute /3/0/4 on car-1: needs a role or grant with execute',
    );
    assert.equal(
      fixture.denial(undefined, 'write', '/3/0/13'),
      'nobody was named who would write /3/0/13 on car-1: set msg.user',
    );
    assert.equal(fixture.denial('vic', 'suspend', ''), 'vic may not suspend car-1: needs a role or grant with suspend');
  });

  it('gives by default to those whom no entry names, never to those whom one does', () => {
    const fixture = new AccessFixture({ ...SETTINGS, default: 'allow' });
    assert.ok(fixture.may('stranger', 'execute', '/3/0/4'));
    assert.ok(fixture.may(undefined, 'execute', '/3/0/4'));
    assert.ok(!fixture.may('vic', 'execute', '/3/0/4'));
    assert.ok(!fixture.may('nil', 'read', '/3/0/13'));
  });

  it('gives the roles of * to everybody who is named, beside their own', () => {
    const fixture = new AccessFixture({
      ...SETTINGS,
      users: [...(SETTINGS.users ?? []), { name: '*', roles: ['viewer'] }],
    });
    assert.ok(fixture.may('stranger', 'read', '/3'));
    assert.ok(fixture.may('lea', 'read', '/3'));
    assert.ok(fixture.may('lea', 'write', '/3/0/13'));
    assert.ok(!fixture.may('stranger', 'write', '/3/0/13'));
    assert.ok(!fixture.may(undefined, 'read', '/3'));
  });

  it('changes rights at once, and has none of settings that cannot be read', () => {
    const fixture = new AccessFixture(SETTINGS);
    fixture.access.configure({ users: [{ name: 'vic', roles: [] }] });
    assert.ok(!fixture.may('vic', 'read', '/3'));
    fixture.access.configure(SETTINGS);
    assert.throws(() => fixture.access.configure({ users: [{ name: 'ada', roles: ['bos'] }] }), InvalidArgumentError);
    assert.ok(
      !fixture.may('ada', 'read', '/3'),
      'a mistake must not leave everything open, nor the old rights in force',
    );
    fixture.access.configure(undefined);
    assert.ok(fixture.may('vic', 'execute', '/3/0/4'));
  });

  it('is not fooled by names of the language', () => {
    const fixture = new AccessFixture({
      roles: [{ name: '__proto__', operations: ['read'] }],
      users: [{ name: 'constructor', roles: ['__proto__'] }],
    });
    assert.ok(fixture.may('constructor', 'read', '/3'));
    assert.ok(!fixture.may('__proto__', 'read', '/3'));
    assert.ok(!fixture.may('toString', 'read', '/3'));
  });
});

describe('Settings of access', () => {
  const wrong: readonly [settings: unknown, text: RegExp][] = [
    [[], /access must be an object/],
    [{ rolls: [] }, /access has no 'rolls', only roles, users, default/],
    [{ roles: {} }, /roles must be an array/],
    [{ roles: [{ operations: ['read'] }] }, /the name of role 1 must be a name/],
    [{ roles: [{ name: 'r' }] }, /operations of the role 'r' must be an array/],
    [{ roles: [{ name: 'r', operations: [] }] }, /operations of the role 'r' is empty/],
    [{ roles: [{ name: 'r', operations: ['fly'] }] }, /operations of the role 'r' has no 'fly', only read, write/],
    [{ roles: [{ name: 'r', operations: ['read'], path: ['/3'] }] }, /role 1 has no 'path'/],
    [{ roles: [{ name: 'r', operations: ['read'], paths: ['3311'] }] }, /a path must be a text such as/],
    [{ roles: [{ name: 'r', operations: ['read'], paths: ['/3311/x'] }] }, /'x' in the path '\/3311\/x'/],
    [{ roles: [{ name: 'r', operations: ['read'], paths: ['/1/2/3/4/5'] }] }, /more than four ids/],
    [{ roles: [{ name: 'r', operations: ['read'], paths: ['/65535'] }] }, /'65535'/],
    [{ roles: [{ name: 'r', operations: ['read'], paths: [] }] }, /paths of the role 'r' is empty/],
    [
      { roles: [{ name: 'r', operations: ['read'], target: ['car-1'] }] },
      /the target of the role 'r' must be a selector/,
    ],
    [
      {
        roles: [
          { name: 'r', operations: '*' },
          { name: 'r', operations: '*' },
        ],
      },
      /two roles 'r'/,
    ],
    [{ users: [{ name: 'u', roles: ['r'] }] }, /the user 'u' has the role 'r', which there is not/],
    [{ users: [{ name: 'u' }, { name: 'u' }] }, /two users 'u'/],
    [{ users: [{ name: ' ' }] }, /the name of user 1/],
    [{ default: 'maybe' }, /default must be 'allow' or 'deny'/],
  ];
  for (const [settings, text] of wrong) {
    it(`that cannot be are refused in words: ${JSON.stringify(settings)}`, () => {
      const { access } = new AccessFixture();
      assert.throws(
        () => access.configure(settings as AccessSettings),
        (error: unknown) => error instanceof InvalidArgumentError && text.test(error.message),
      );
    });
  }
});
