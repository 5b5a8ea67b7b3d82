import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InvalidArgumentError, parsePath } from '../../src';
import { CoapCode } from '../../src/coap';
import { GroupRules } from '../../src/fleet/group-rules';
import { parseGroupRule, type RuleSubject } from '../../src/fleet/selector';
import { MemoryStore } from '../../src/store/memory-store';
import { Harness } from '../server/harness';
import { SimulatedClock } from '../support/simulated-clock';

describe('Groups by a rule', () => {
  let harness: Harness;
  let store: MemoryStore;

  beforeEach(async () => {
    const clock = new SimulatedClock();
    store = new MemoryStore(clock);
    harness = await Harness.start({ clock, store });
  });

  afterEach(async () => {
    await harness.close();
  });

  function membersOf(group: string): string[] {
    return harness.engine.devices({ group }).map(({ endpoint }) => endpoint);
  }

  it('have the devices whose record matches, whenever it was entered or changed', async () => {
    const { engine } = harness;
    await engine.provision({ endpoint: 'a', labels: { floor: '3' } });
    const made = await engine.defineGroup('floor-3', 'label:floor=3');
    assert.deepEqual(made, { group: 'floor-3', selector: 'label:floor=3', devices: 1 });
    await engine.provision({ endpoint: 'b', labels: { floor: '3' } });
    await engine.provision({ endpoint: 'c', labels: { floor: '2' } });
    assert.deepEqual(membersOf('floor-3'), ['a', 'b']);
    await engine.provision({ endpoint: 'a', labels: { floor: '2' } });
    await engine.provision({ endpoint: 'c', labels: { floor: '3' } });
    assert.deepEqual(membersOf('floor-3'), ['b', 'c']);
    await engine.unprovision('b');
    assert.deepEqual(membersOf('floor-3'), ['c']);
  });

  it('take in a device that registers later, and one that comes to have the objects', async () => {
    const { engine } = harness;
    await engine.defineGroup('lamps', 'has:/3311');
    const device = await harness.registered({ endpoint: 'x', links: '</3/0>' });
    assert.deepEqual(membersOf('lamps'), []);
    await harness.settled(device.register({ endpoint: 'x', links: '</3/0>,</3311/0>' }));
    assert.deepEqual(membersOf('lamps'), ['x']);
    assert.deepEqual(harness.eventsOf('registered').at(-1)?.payload.groups, ['lamps']);
    assert.deepEqual(engine.devices({ endpoint: 'x' })[0]?.groups, ['lamps']);
    assert.deepEqual(engine.devices({ selector: 'group:lamps ep=x' }).length, 1);
    assert.equal(engine.matcher({ group: 'lamps' })('x'), true);
  });

  it('are targets of orders and of observations, for devices that join and that leave', async () => {
    const { engine } = harness;
    const device = await harness.registered({ endpoint: 'x', links: '</3/0>,</3311/0>' });
    const policy = await engine.observePolicy(
      'p',
      { target: { group: 'north' }, paths: [parsePath('/3311/0/5850')] },
      { value: () => undefined, failed: (failure) => assert.fail(failure.error) },
    );
    assert.equal(policy.status().devices, 0);
    await engine.defineGroup('north', 'label:site=north');
    await engine.provision({ endpoint: 'x', labels: { site: 'north' } });
    const observe = await device.expectRequest();
    assert.equal(observe.message.options.observe, 0);
    observe.reply(CoapCode.Content, { observe: 1, contentFormat: 0 }, '1');
    await harness.clock.settle();
    assert.equal(policy.status().observing, 1);
    assert.deepEqual(
      engine.order({ target: { group: 'north' }, operation: { operation: 'read', paths: [parsePath('/3/0/0')] } })
        .members,
      ['x'],
    );
    (await device.expectRequest()).reply(CoapCode.Content, { contentFormat: 0 }, 'maker');

    await engine.defineGroup('north', 'label:site=elsewhere');
    const cancel = await device.expectRequest();
    assert.equal(cancel.message.options.observe, 1);
    cancel.reply(CoapCode.Content, { contentFormat: 0 }, '1');
    await harness.clock.settle();
    assert.equal(policy.status().devices, 0);
  });

  it('add to the groups of records, which stay what was entered', async () => {
    const { engine } = harness;
    await engine.defineGroup('urgent', 'priority:high group:main');
    const record = { endpoint: 'a', groups: ['main'], labels: {}, priority: 'high' as const };
    assert.deepEqual(await engine.provision(record), record);
    assert.deepEqual(engine.devices()[0]?.groups, ['main', 'urgent']);
    assert.deepEqual(engine.groups(), [
      { group: 'main', devices: 1 },
      { group: 'urgent', selector: 'priority:high group:main', devices: 1 },
    ]);
  });

  it('are no more when they are removed, but for those whose record names them', async () => {
    const { engine } = harness;
    await engine.provision({ endpoint: 'a', labels: { floor: '3' } });
    await engine.provision({ endpoint: 'b', groups: ['floor-3'] });
    await engine.defineGroup('floor-3', 'label:floor=3');
    assert.deepEqual(membersOf('floor-3'), ['a', 'b']);
    assert.equal(await engine.removeGroup('floor-3'), true);
    assert.equal(await engine.removeGroup('floor-3'), false);
    assert.deepEqual(membersOf('floor-3'), ['b']);
    assert.deepEqual([...store.groups.all()], []);
  });

  it('hold after a restart', async () => {
    await harness.engine.provision({ endpoint: 'a', labels: { floor: '3' } });
    await harness.engine.defineGroup('floor-3', 'label:floor=3', { user: 'ann' });
    assert.deepEqual([...store.groups.all()], [['floor-3', { selector: 'label:floor=3', user: 'ann' }]]);
    await harness.close();
    harness = await Harness.start({ store });
    assert.deepEqual(membersOf('floor-3'), ['a']);
    await harness.close();
    store.groups.put('broken', { selector: 'state:online' });
    harness = await Harness.start({ store });
    assert.deepEqual(membersOf('floor-3'), ['a']);
    assert.ok(harness.logged.some((line) => line.includes('broken')));
  });

  it('may ask for groups of records only, and for nothing that changes all the time', async () => {
    const { engine } = harness;
    await engine.defineGroup('one', 'group:zero');
    await engine.defineGroup('one', 'label:x=1 group:zero');
    for (const [name, selector] of [
      ['two', 'group:one'],
      ['two', 'group:two'],
      ['zero', 'label:x=1'],
      ['two', 'state:online'],
      ['two', ''],
      ['two', 'lamp-1'],
      ['', 'label:x=1'],
      ['n'.repeat(129), 'label:x=1'],
      ['two', undefined as unknown as string],
    ] as const) {
      await assert.rejects(engine.defineGroup(name, selector), InvalidArgumentError, `${name}: ${selector}`);
    }
    assert.deepEqual(
      engine.groups().map(({ group }) => group),
      ['one'],
    );
  });

  it('are a thousand at most', async () => {
    const { engine } = harness;
    for (let n = 0; n < 1000; n += 1) await engine.defineGroup(`g${n}`, `label:floor=${n}`);
    await assert.rejects(engine.defineGroup('more', 'label:floor=1'), /1000/);
    await engine.defineGroup('g7', 'label:floor=1');
    await engine.provision({ endpoint: 'a', labels: { floor: '1' } });
    assert.deepEqual(engine.devices()[0]?.groups, ['g1', 'g7']);
  });
});

describe('The index of group rules', () => {
  it('finds the groups that one rule after the other would', () => {
    const label = fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom('', '1', '2'));
    const term = fc.oneof(
      label.map(([name, value]) => `label:${name}=${value}`),
      fc.constantFrom('ep=x*', 'priority:low', 'has:/3311', 'group:own'),
    );
    const rule = fc.array(term, { minLength: 1, maxLength: 3 }).map((terms) => terms.join(' '));
    const change = fc.tuple(fc.integer({ min: 0, max: 4 }).map(String), fc.option(rule, { nil: undefined }));
    const subject = fc.record({
      endpoint: fc.constantFrom('x1', 'y1'),
      labels: fc.array(label).map((labels) => new Map(labels)),
      recordGroups: fc.constantFrom(new Set<string>(), new Set(['own', '3'])),
      priority: fc.constantFrom('low' as const, 'high' as const),
      isLamp: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change), subject, (changes, { isLamp, ...rest }) => {
        const device: RuleSubject = { ...rest, groups: new Set(), connectivity: 'online', has: () => isLamp };
        const rules = new GroupRules();
        const expected = new Map<string, string>();
        for (const [name, text] of changes) {
          if (text === undefined) {
            rules.delete(name);
            expected.delete(name);
          } else {
            rules.set(name, parseGroupRule(text));
            expected.set(name, text);
          }
        }
        const found = [...expected].filter(([, text]) => parseGroupRule(text).matches(device)).map(([name]) => name);
        assert.deepEqual([...rules.groupsOf(device)].sort(), [...new Set([...device.recordGroups, ...found])].sort());
      }),
    );
  });
});
