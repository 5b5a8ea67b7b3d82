import assert from 'node:assert/strict';
import { once } from 'node:events';
import { parseDiscovery, type ContentFormatName, encodePaths, contentFormatId } from '../../src/content';
import { encode, paths, valuesOf } from './scripted-server';
import { startLamp, type Lamp } from './lamp';

describe('A simulated device', () => {
  let lamp: Lamp;

  beforeEach(async () => {
    lamp = await startLamp();
  });

  afterEach(async () => {
    await lamp.end();
    assert.deepEqual(lamp.faults, []);
  });

  describe('that is read', () => {
    it('answers a resource as text when no format is asked for', async () => {
      const answer = await lamp.ask('GET', '/3/0/0');
      assert.equal(answer.code, '2.05');
      assert.equal(answer.options.contentFormat, 0);
      assert.equal(answer.payload.toString(), 'Open LwM2M');
    });

    const structured: ContentFormatName[] = ['tlv', 'json', 'senml-json', 'senml-cbor'];
    for (const format of structured) {
      it(`answers every level as ${format}`, async () => {
        const object = valuesOf(await lamp.ask('GET', '/3', { accept: format }), '/3');
        assert.equal(object['/3/0/17'], 'street light');
        const instance = valuesOf(await lamp.ask('GET', '/3311/0', { accept: format }), '/3311/0');
        assert.equal(instance['/3311/0/5850'], false);
        assert.equal(instance['/3311/0/5851'], 100);
        assert.deepEqual(valuesOf(await lamp.ask('GET', '/3/0/6', { accept: format }), '/3/0/6'), { '/3/0/6/0': 6 });
        assert.deepEqual(valuesOf(await lamp.ask('GET', '/3/0/6/0', { accept: format }), '/3/0/6/0'), {
          '/3/0/6/0': 6,
        });
      });
    }

    it('answers one value as CBOR', async () => {
      const answer = await lamp.ask('GET', '/3311/0/5851', { accept: 'cbor' });
      assert.deepEqual(valuesOf(answer, '/3311/0/5851'), { '/3311/0/5851': 100 });
    });

    it('answers 4.06 to a format that it has not or that cannot carry the path', async () => {
      for (const [path, accept] of [
        ['/3/0', 'text'],
        ['/3/0', 'cbor'],
        ['/3/0/6', 'text'],
        ['/3/0/0', 'opaque'],
        ['/3/0/0', 'lwm2m-cbor'],
        ['/3/0/0', 50],
        ['/3/0/0', 65_000],
      ] as const) {
        assert.equal((await lamp.ask('GET', path, { accept })).code, '4.06', `${path} as ${accept}`);
      }
    });

    it('answers 4.04 to what it has not, 4.05 to what is not readable, 4.01 to the Security object', async () => {
      for (const path of ['/4', '/3/1', '/3/0/9', '/3/0/6/7', '/rd', '/3/0/x', '/3/0/6/0/0']) {
        assert.equal((await lamp.ask('GET', path)).code, '4.04', path);
      }
      assert.equal((await lamp.ask('GET', '/3/0/4')).code, '4.05');
      assert.equal((await lamp.ask('GET', '/')).code, '4.05');
      assert.equal((await lamp.ask('GET', '/0/0/5')).code, '4.01');
      assert.equal((await lamp.ask('GET', '/21')).code, '4.01');
    });
  });

  describe('that is written', () => {
    it('takes a resource in every format of one value and tells its owner', async () => {
      for (const [format, value] of [
        ['text', 10],
        ['cbor', 20],
        ['tlv', 30],
        ['json', 40],
        ['senml-json', 50],
        ['senml-cbor', 60],
      ] as const) {
        const written = once(lamp.device, 'written');
        const payload = encode(format, '/3311/0/5851', { '/3311/0/5851': value });
        const answer = await lamp.ask('PUT', '/3311/0/5851', { format, payload });
        assert.equal(answer.code, '2.04', `${format}: ${answer.payload.toString()}`);
        assert.deepEqual(await written, ['/3311/0/5851', value]);
        assert.equal((await lamp.ask('GET', '/3311/0/5851')).payload.toString(), String(value));
      }
    });

    it('keeps what a partial update does not give, and gives it its factory value in a replacement', async () => {
      const both = encode('tlv', '/3311/0', { '/3311/0/5850': true, '/3311/0/5851': 30 });
      assert.equal((await lamp.ask('POST', '/3311/0', { format: 'tlv', payload: both })).code, '2.04');
      const one = encode('senml-json', '/3311/0', { '/3311/0/5851': 40 });
      assert.equal((await lamp.ask('POST', '/3311/0', { format: 'senml-json', payload: one })).code, '2.04');
      assert.equal((await lamp.ask('GET', '/3311/0/5850')).payload.toString(), '1');
      assert.equal((await lamp.ask('PUT', '/3311/0', { format: 'senml-json', payload: one })).code, '2.04');
      assert.equal((await lamp.ask('GET', '/3311/0/5850')).payload.toString(), '0');
      assert.equal((await lamp.ask('GET', '/3311/0/5851')).payload.toString(), '40');
    });

    it('refuses, with nothing changed, what is wrong in any part', async () => {
      const mixed = encode('tlv', '/3311/0', { '/3311/0/5850': true, '/3311/0/5851': 101 });
      const refused = await lamp.ask('POST', '/3311/0', { format: 'tlv', payload: mixed });
      assert.equal(refused.code, '4.00');
      assert.match(refused.payload.toString(), /5851/);
      assert.equal((await lamp.ask('GET', '/3311/0/5850')).payload.toString(), '0');
      assert.equal((await lamp.ask('PUT', '/3311/0/5851', { format: 'text', payload: 'bright' })).code, '4.00');
      assert.equal((await lamp.ask('PUT', '/3311/0/5851', { format: 'tlv', payload: Buffer.of(0xff) })).code, '4.00');
    });

    it('answers 4.05 to a read-only resource, 4.04 to none, 4.15 to a format that it has not', async () => {
      assert.equal((await lamp.ask('PUT', '/3/0/0', { format: 'text', payload: 'me' })).code, '4.05');
      assert.equal((await lamp.ask('PUT', '/3/0/99', { format: 'text', payload: 'me' })).code, '4.04');
      assert.equal((await lamp.ask('PUT', '/3311/0/5851', { format: 50, payload: '{}' })).code, '4.15');
      assert.equal((await lamp.ask('PUT', '/3311/0/5851', { format: 'lwm2m-cbor', payload: '{}' })).code, '4.15');
      assert.equal((await lamp.ask('PUT', '/3311', { format: 'tlv', payload: 'x' })).code, '4.05');
      assert.equal((await lamp.ask('PUT', '/0/0/0', { format: 'text', payload: 'x' })).code, '4.01');
    });

    it('sets its clock, which goes on from there', async () => {
      const payload = encode('text', '/3/0/13', { '/3/0/13': new Date('2031-05-01T00:00:00Z') });
      assert.equal((await lamp.ask('PUT', '/3/0/13', { format: 'text', payload })).code, '2.04');
      await lamp.clock.advance(10_000);
      const values = valuesOf(await lamp.ask('GET', '/3/0/13', { accept: 'senml-cbor' }), '/3/0/13');
      assert.deepEqual(values['/3/0/13'], new Date('2031-05-01T00:00:10Z'));
    });
  });

  describe('with a multiple resource', () => {
    /** Portfolio: identities of the host, a writable multiple resource. */
    const addPortfolio = ({ device }: Lamp) => {
      device.objects.add(16, 0, {
        0: {
          value: new Map([
            [0, 'host'],
            [1, 'model'],
          ]),
        },
      });
    };
    const identities = async ({ ask }: Lamp) =>
      valuesOf(await ask('GET', '/16/0/0', { accept: 'senml-json' }), '/16/0/0');

    it('writes one resource instance, old or new, and leaves the others', async () => {
      addPortfolio(lamp);
      for (const [path, payload] of [
        ['/16/0/0/1', 'MODEL'],
        ['/16/0/0/3', 'new'],
      ] as const) {
        assert.equal((await lamp.ask('PUT', path, { format: 'text', payload })).code, '2.04');
      }
      assert.deepEqual(await identities(lamp), { '/16/0/0/0': 'host', '/16/0/0/1': 'MODEL', '/16/0/0/3': 'new' });
    });

    it('adds and changes by a partial update, and replaces all by a replacement', async () => {
      addPortfolio(lamp);
      const payload = encode('tlv', '/16/0', { '/16/0/0/1': 'changed', '/16/0/0/2': 'added' });
      assert.equal((await lamp.ask('POST', '/16/0', { format: 'tlv', payload })).code, '2.04');
      assert.deepEqual(await identities(lamp), { '/16/0/0/0': 'host', '/16/0/0/1': 'changed', '/16/0/0/2': 'added' });
      const only = encode('senml-cbor', '/16/0/0', { '/16/0/0/5': 'only' });
      assert.equal((await lamp.ask('PUT', '/16/0/0', { format: 'senml-cbor', payload: only })).code, '2.04');
      assert.deepEqual(await identities(lamp), { '/16/0/0/5': 'only' });
    });

    it('deletes one resource instance from 1.2 on', async () => {
      addPortfolio(lamp);
      assert.equal((await lamp.ask('DELETE', '/16/0/0/1')).code, '4.05');
      const modern = await startLamp({ version: '1.2' });
      addPortfolio(modern);
      assert.equal((await modern.ask('DELETE', '/16/0/0/1')).code, '2.02');
      assert.equal((await modern.ask('DELETE', '/16/0/0/1')).code, '4.04');
      assert.deepEqual(await identities(modern), { '/16/0/0/0': 'host' });
      const payload = encode('senml-etch-json', '/', { '/16/0/0/0': null, '/16/0/0/4': 'etched' });
      assert.equal((await modern.ask('IPATCH', '/', { format: 'senml-etch-json', payload })).code, '2.04');
      assert.deepEqual(await identities(modern), { '/16/0/0/4': 'etched' });
      await modern.end();
    });
  });

  describe('that is told to execute', () => {
    it('resets its error codes', async () => {
      const errors = lamp.device.objects.find(3, 0, 11);
      assert.ok(errors);
      errors.value = new Map([
        [0, 2],
        [1, 7],
      ]);
      assert.equal((await lamp.ask('POST', '/3/0/12')).code, '2.04');
      assert.deepEqual(valuesOf(await lamp.ask('GET', '/3/0/11', { accept: 'tlv' }), '/3/0/11'), { '/3/0/11/0': 0 });
    });

    it('does it and tells its owner the arguments', async () => {
      const executed = once(lamp.device, 'executed');
      assert.equal((await lamp.ask('POST', '/3301/0/5605', { format: 'text', payload: "0='now',1" })).code, '2.04');
      assert.deepEqual(await executed, ['/3301/0/5605', "0='now',1"]);
    });

    it('answers 4.05 to what is not executable, 4.00 to malformed arguments, 4.04 to nothing', async () => {
      assert.equal((await lamp.ask('POST', '/3311/0/5850')).code, '4.05');
      assert.equal((await lamp.ask('POST', '/3301/0/5605', { payload: 'now' })).code, '4.00');
      assert.equal((await lamp.ask('POST', '/3/0/77')).code, '4.04');
    });
  });

  describe('that is discovered', () => {
    const discover = async (path: string) => {
      const answer = await lamp.ask('GET', path, { accept: 'link-format' });
      assert.equal(answer.code, '2.05');
      return new Map(parseDiscovery(answer.payload, '').map((each) => [each.path, each.attributes]));
    };

    it('lists instances and resources, versions and dimensions', async () => {
      const links = await discover('/3');
      assert.deepEqual(links.get('/3'), { ver: '1.1' });
      assert.deepEqual(links.get('/3/0/6'), { dim: 1 });
      assert.ok(links.has('/3/0/4'), 'executable resources are listed too');
      assert.deepEqual([...(await discover('/3/0/6')).keys()], ['/3/0/6', '/3/0/6/0']);
    });

    it('tells the attributes that were written, inherited ones at the path that is asked for', async () => {
      assert.equal((await lamp.ask('PUT', '/3311', { query: ['pmin=5'] })).code, '2.04');
      assert.equal((await lamp.ask('PUT', '/3311/0', { query: ['pmax=60'] })).code, '2.04');
      assert.equal((await lamp.ask('PUT', '/3311/0/5851', { query: ['gt=80', 'lt=20.5', 'st=3'] })).code, '2.04');
      const instance = await discover('/3311/0');
      assert.deepEqual(instance.get('/3311/0'), { pmin: 5, pmax: 60 });
      assert.deepEqual(instance.get('/3311/0/5851'), { gt: 80, lt: 20.5, st: 3 });
      assert.deepEqual((await discover('/3311/0/5851')).get('/3311/0/5851'), {
        pmin: 5,
        pmax: 60,
        gt: 80,
        lt: 20.5,
        st: 3,
      });
      assert.equal((await lamp.ask('PUT', '/3311/0/5851', { query: ['gt', 'st'] })).code, '2.04');
      assert.deepEqual((await discover('/3311/0')).get('/3311/0/5851'), { lt: 20.5 });
    });

    it('answers 4.00 to attributes that cannot be', async () => {
      for (const [path, ...query] of [
        ['/3311/0/5851', 'pmin=10', 'pmax=5'],
        ['/3311/0/5851', 'lt=10', 'gt=20', 'st=5'],
        ['/3311/0', 'gt=5'],
        ['/3311/0/5851', 'pmin=soon'],
        ['/3311/0/5851', 'edge=1'],
        ['/3311/0/5851', 'often=1'],
      ]) {
        assert.equal((await lamp.ask('PUT', path ?? '', { query })).code, '4.00', `${path}?${query.join('&')}`);
      }
      assert.equal((await lamp.ask('PUT', '/3311/5', { query: ['pmin=1'] })).code, '4.04');
    });
  });

  describe('whose instances come and go', () => {
    it('creates one with the id that is given, and tells the server of it', async () => {
      const payload = encode('senml-cbor', '/3311', { '/3311/7/5850': true });
      const answer = await lamp.ask('POST', '/3311', { format: 'senml-cbor', payload });
      assert.equal(answer.code, '2.01');
      assert.deepEqual(answer.options.locationPath, ['3311', '7']);
      assert.match((await lamp.server.next('update')).payload.toString(), /<\/3311\/0>,<\/3311\/7>/);
      assert.equal((await lamp.ask('GET', '/3311/7/5850')).payload.toString(), '1');
    });

    it('chooses the id when none is given', async () => {
      const payload = encode('tlv', '/3311/0', { '/3311/0/5851': 12 });
      const answer = await lamp.ask('POST', '/3311', { format: 'tlv', payload });
      assert.deepEqual(answer.options.locationPath, ['3311', '1']);
      assert.equal((await lamp.ask('GET', '/3311/1/5851')).payload.toString(), '12');
    });

    it('creates nothing when a value is wrong', async () => {
      const payload = encode('tlv', '/3311', { '/3311/4/5851': 1234 });
      assert.equal((await lamp.ask('POST', '/3311', { format: 'tlv', payload })).code, '4.00');
      assert.equal((await lamp.ask('GET', '/3311/4')).code, '4.04');
      assert.equal(lamp.server.requests.length, 0, 'the server need not be told of anything');
    });

    it('answers 4.00 to an id that is taken and 4.05 where none may be created or deleted', async () => {
      const payload = encode('tlv', '/3311', { '/3311/0/5851': 12 });
      assert.equal((await lamp.ask('POST', '/3311', { format: 'tlv', payload })).code, '4.00');
      assert.equal((await lamp.ask('POST', '/3')).code, '4.05');
      assert.equal((await lamp.ask('DELETE', '/3/0')).code, '4.05');
      assert.equal((await lamp.ask('DELETE', '/1/0')).code, '4.05');
      assert.equal((await lamp.ask('DELETE', '/3311')).code, '4.05');
    });

    it('deletes one, its attributes too', async () => {
      await lamp.ask('POST', '/3311', { format: 'tlv' });
      await lamp.ask('PUT', '/3311/1', { query: ['pmin=9'] });
      assert.equal((await lamp.ask('DELETE', '/3311/1')).code, '2.02');
      assert.equal((await lamp.ask('GET', '/3311/1')).code, '4.04');
      assert.equal((await lamp.ask('DELETE', '/3311/1')).code, '4.04');
      await lamp.ask('POST', '/3311', { format: 'tlv' });
      const links = await lamp.ask('GET', '/3311/1', { accept: 'link-format' });
      assert.doesNotMatch(links.payload.toString(), /pmin/);
    });
  });

  describe('asked for several paths', () => {
    for (const format of ['senml-json', 'senml-cbor'] as const) {
      it(`reads them as ${format} and leaves out what is not there or not readable`, async () => {
        const asked = paths('/3/0/0', '/3311/0', '/99/0', '/3/0/4', '/3/0/6/0');
        const payload = encodePaths(contentFormatId(format), asked);
        const values = valuesOf(await lamp.ask('FETCH', '/', { format, accept: format, payload }), '/');
        assert.equal(values['/3/0/0'], 'Open LwM2M');
        assert.equal(values['/3/0/6/0'], 6);
        assert.equal(values['/3311/0/5851'], 100);
        assert.ok(!('/3/0/4' in values) && !('/99/0' in values));
      });
    }

    it('reads all that is readable when asked for the root', async () => {
      const payload = encodePaths(contentFormatId('senml-json'), paths('/'));
      const answer = await lamp.ask('FETCH', '/', { format: 'senml-json', accept: 'senml-json', payload });
      const values = valuesOf(answer, '/');
      for (const path of ['/1/0/1', '/3/0/0', '/3301/0/5700', '/3311/0/5850']) assert.ok(path in values, path);
      assert.ok(!('/3/0/4' in values));
    });

    it('writes all or nothing', async () => {
      const good = encode('senml-cbor', '/', { '/3311/0/5850': true, '/1/0/2': 3 });
      assert.equal((await lamp.ask('IPATCH', '/', { format: 'senml-cbor', payload: good })).code, '2.04');
      assert.equal((await lamp.ask('GET', '/1/0/2')).payload.toString(), '3');
      const bad = encode('senml-cbor', '/', { '/3311/0/5850': false, '/3/0/0': 'me' });
      assert.equal((await lamp.ask('IPATCH', '/', { format: 'senml-cbor', payload: bad })).code, '4.05');
      assert.equal((await lamp.ask('GET', '/3311/0/5850')).payload.toString(), '1');
    });

    it('answers 4.06 and 4.15 to formats of one value', async () => {
      const payload = encodePaths(contentFormatId('senml-cbor'), paths('/3/0/0'));
      assert.equal((await lamp.ask('FETCH', '/', { format: 'senml-cbor', accept: 'text', payload })).code, '4.06');
      assert.equal((await lamp.ask('IPATCH', '/', { format: 'lwm2m-cbor', payload: 'x' })).code, '4.15');
    });
  });

  describe('of LwM2M 1.0', () => {
    it('has TLV and JSON, and no composite operations', async () => {
      const old = await startLamp({ version: '1.0' });
      assert.equal((await old.ask('GET', '/3/0')).options.contentFormat, contentFormatId('tlv'));
      assert.equal((await old.ask('GET', '/3/0', { accept: 'json' })).code, '2.05');
      assert.equal((await old.ask('GET', '/3/0', { accept: 'senml-json' })).code, '4.06');
      assert.equal((await old.ask('GET', '/3/0/6/0')).code, '4.04');
      const links = await old.ask('GET', '/3/0/6', { accept: 'link-format' });
      assert.equal(links.payload.toString(), '</3/0/6>;dim=1');
      const payload = encodePaths(contentFormatId('senml-json'), paths('/3/0/0'));
      assert.equal((await old.ask('FETCH', '/', { format: 'senml-json', payload })).code, '4.05');
      await assert.rejects(old.device.send(['/3/0/0']), /1\.0 has no Send/);
      await old.end();
    });
  });

  describe('of LwM2M 1.2', () => {
    it('has LwM2M CBOR, SenML-ETCH and a depth of Discover', async () => {
      const modern = await startLamp({ version: '1.2' });
      const values = valuesOf(await modern.ask('GET', '/3311/0', { accept: 'lwm2m-cbor' }), '/3311/0');
      assert.equal(values['/3311/0/5851'], 100);
      const payload = encode('senml-etch-cbor', '/', { '/3311/0/5851': 33 });
      assert.equal((await modern.ask('IPATCH', '/', { format: 'senml-etch-cbor', payload })).code, '2.04');
      assert.equal((await modern.ask('GET', '/3311/0/5851')).payload.toString(), '33');
      const links = await modern.ask('GET', '/3311', { accept: 'link-format', query: ['depth=1'] });
      assert.equal(links.payload.toString(), '</3311>,</3311/0>');
      await modern.end();
    });
  });
});
