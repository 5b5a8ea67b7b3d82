import assert from 'node:assert/strict';
import { contentFormatId, encodePaths } from '../../src/content';
import { encode, paths, valuesOf } from './scripted-server';
import { startLamp, type Lamp } from './lamp';

describe('A simulated device that is observed', () => {
  let lamp: Lamp;

  beforeEach(async () => {
    lamp = await startLamp({ lifetime: 86_400 });
  });

  afterEach(async () => {
    await lamp.end();
    assert.deepEqual(lamp.faults, []);
  });

  const dim = async (value: number) => {
    const answer = await lamp.ask('PUT', '/3311/0/5851', { format: 'text', payload: String(value) });
    assert.equal(answer.code, '2.04');
  };

  const observeDimmer = () => lamp.server.observe(lamp.channel, 'GET', '/3311/0/5851');

  /** A request and its answer: what was sent before it has arrived. */
  const roundTrip = () => lamp.ask('GET', '/3/0/0');

  it('answers with the value and notifies each change', async () => {
    const { first, observation, inbox } = await observeDimmer();
    assert.equal(first.payload.toString(), '100');
    assert.ok(observation);
    for (const value of [10, 20, 30]) {
      await dim(value);
      const notification = await inbox.next();
      assert.equal(notification.code, '2.05');
      assert.equal(notification.payload.toString(), String(value));
    }
  });

  it('says nothing of a value that was written and is the same', async () => {
    const { inbox } = await observeDimmer();
    await dim(100);
    await roundTrip();
    assert.equal(inbox.size, 0);
  });

  it('makes one notification of what changes together', async () => {
    const { inbox } = await lamp.server.observe(lamp.channel, 'GET', '/3311/0', { accept: 'senml-cbor' });
    const payload = encode('tlv', '/3311/0', { '/3311/0/5850': true, '/3311/0/5851': 50 });
    await lamp.ask('POST', '/3311/0', { format: 'tlv', payload });
    const values = valuesOf(await inbox.next(), '/3311/0');
    assert.equal(values['/3311/0/5850'], true);
    assert.equal(values['/3311/0/5851'], 50);
    await roundTrip();
    assert.equal(inbox.size, 0);
  });

  it('waits pmin before the next notification, which has the value of then', async () => {
    await lamp.ask('PUT', '/3311/0/5851', { query: ['pmin=10'] });
    const { inbox } = await observeDimmer();
    await dim(40);
    await lamp.clock.advance(5_000);
    await dim(50);
    await roundTrip();
    assert.equal(inbox.size, 0);
    await lamp.clock.advance(5_000);
    assert.equal((await inbox.next()).payload.toString(), '50');
  });

  it('notifies after pmax although nothing has changed', async () => {
    await lamp.ask('PUT', '/3311/0', { query: ['pmax=30'] });
    const { inbox } = await observeDimmer();
    for (let round = 0; round < 3; round += 1) {
      await lamp.clock.advance(29_900);
      await roundTrip();
      assert.equal(inbox.size, 0);
      await lamp.clock.advance(100);
      assert.equal((await inbox.next()).payload.toString(), '100');
    }
  });

  it('takes the default periods from the Server object', async () => {
    await lamp.ask('PUT', '/1/0/3', { format: 'text', payload: '20' });
    const { inbox } = await observeDimmer();
    await lamp.clock.advance(20_000);
    assert.equal((await inbox.next()).payload.toString(), '100');
  });

  it('follows attributes that are written while it is observed', async () => {
    const { inbox } = await observeDimmer();
    await lamp.ask('PUT', '/3311/0/5851', { query: ['pmax=15'] });
    await lamp.clock.advance(15_000);
    assert.equal((await inbox.next()).payload.toString(), '100');
  });

  it('notifies when gt and lt are crossed, in both directions, and not in between', async () => {
    await lamp.ask('PUT', '/3311/0/5851', { query: ['gt=80', 'lt=20'] });
    const { inbox } = await observeDimmer();
    const seen: string[] = [];
    for (const value of [90, 70, 60, 10, 5, 30, 50, 85]) {
      await dim(value);
      await roundTrip();
      while (inbox.size > 0) seen.push((await inbox.next()).payload.toString());
    }
    assert.deepEqual(seen, ['70', '10', '30', '85']);
  });

  it('notifies when the value has moved by st since the last notification', async () => {
    await lamp.ask('PUT', '/3311/0/5851', { query: ['st=10'] });
    const { inbox } = await observeDimmer();
    const seen: string[] = [];
    for (const value of [95, 91, 90, 85, 81, 70]) {
      await dim(value);
      await roundTrip();
      while (inbox.size > 0) seen.push((await inbox.next()).payload.toString());
    }
    assert.deepEqual(seen, ['90', '70']);
  });

  it('takes attributes in the request itself from 1.2 on', async () => {
    const modern = await startLamp({ version: '1.2' });
    const { inbox } = await modern.server.observe(modern.channel, 'GET', '/3311/0/5851', { query: ['pmax=7'] });
    await modern.clock.advance(7_000);
    assert.equal((await inbox.next()).payload.toString(), '100');
    await modern.end();
  });

  it('stops when the server cancels by GET', async () => {
    const { observation, inbox } = await observeDimmer();
    assert.equal(lamp.device.observations, 1);
    await observation?.cancel('get');
    assert.equal(lamp.device.observations, 0);
    await dim(10);
    await roundTrip();
    assert.equal(inbox.size, 0);
  });

  it('stops when the server resets a notification', async () => {
    const { observation } = await observeDimmer();
    await observation?.cancel('reset');
    await dim(10);
    // The reset is on its way before the answer to anything that follows the notification.
    await roundTrip();
    assert.equal(lamp.device.observations, 0);
  });

  it('ends with an error when the instance is deleted', async () => {
    await lamp.ask('POST', '/3311', { format: 'tlv' });
    const { inbox } = await lamp.server.observe(lamp.channel, 'GET', '/3311/1/5850');
    await lamp.ask('DELETE', '/3311/1');
    const last = await inbox.next();
    assert.equal(last.code, '4.04');
    assert.equal(last.options.observe, undefined);
    assert.equal(lamp.device.observations, 0);
  });

  it('tells the value of now when it comes back from where nobody could hear it', async () => {
    const { inbox } = await observeDimmer();
    const dimmer = lamp.device.objects.find(3311, 0, 5851);
    assert.ok(dimmer);
    lamp.device.vanish();
    dimmer.value = 20;
    await lamp.clock.advance(300_000);
    dimmer.value = 30;
    await lamp.clock.advance(300_000);
    lamp.device.comeBack();
    assert.equal((await inbox.next()).payload.toString(), '30');
    await dim(40);
    assert.equal((await inbox.next()).payload.toString(), '40');
    assert.equal(lamp.device.observations, 1);
  });

  it('refuses what it cannot read', async () => {
    const { first, observation } = await lamp.server.observe(lamp.channel, 'GET', '/3/0/4');
    assert.equal(first.code, '4.05');
    assert.equal(observation, undefined);
    assert.equal(lamp.device.observations, 0);
  });

  it('notifies an observed list of paths together, and stops at a cancellation with the same list', async () => {
    const payload = encodePaths(contentFormatId('senml-cbor'), paths('/3311/0/5850', '/1/0/1'));
    const observed = await lamp.server.observe(lamp.channel, 'FETCH', '/', {
      format: 'senml-cbor',
      accept: 'senml-cbor',
      payload,
    });
    assert.deepEqual(valuesOf(observed.first, '/'), { '/3311/0/5850': false, '/1/0/1': 86_400 });
    await lamp.ask('PUT', '/3311/0/5850', { format: 'text', payload: '1' });
    assert.deepEqual(valuesOf(await observed.inbox.next(), '/'), { '/3311/0/5850': true, '/1/0/1': 86_400 });
    await observed.observation?.cancel('get');
    assert.equal(lamp.device.observations, 0);
  });

  it('forgets its observations when it registers anew', async () => {
    await observeDimmer();
    const reboot = await lamp.ask('POST', '/3/0/4');
    assert.equal(reboot.code, '2.04');
    await lamp.clock.advance(5_000);
    await lamp.server.next('register');
    assert.equal(lamp.device.observations, 0);
  });
});
