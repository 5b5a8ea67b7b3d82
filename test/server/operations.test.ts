import assert from 'node:assert/strict';
import {
  InvalidArgumentError,
  NotRegisteredError,
  parsePath,
  ResponseError,
  TimeoutError,
  type Operation,
} from '../../src';
import { CoapCode } from '../../src/coap';
import { contentFormatId, encodeContent, NO_TYPES } from '../../src/content';
import { ROOT } from '../../src/model';
import { Harness, pathOfRequest } from './harness';

const TEXT = contentFormatId('text');
const TLV = contentFormatId('tlv');
const SENML_CBOR = contentFormatId('senml-cbor');
const SENML_JSON = contentFormatId('senml-json');
const NOT_FOUND = { code: CoapCode.NotFound };
const CHANGED = { code: CoapCode.Changed };

const read = (...paths: string[]): Operation => ({ operation: 'read', paths: paths.map((path) => parsePath(path)) });
const text = (payload: string) => ({ code: CoapCode.Content, options: { contentFormat: TEXT }, payload });
const write = (path: string, value: unknown, mode: 'replace' | 'update' = 'replace'): Operation => ({
  operation: 'write',
  path: parsePath(path),
  value,
  mode,
});

describe('Operations on a device', () => {
  let harness: Harness;

  afterEach(async () => {
    await harness.close();
  });

  describe('read', () => {
    it('gives the value of a resource, and when it came', async () => {
      harness = await Harness.start();
      const device = await harness.registered();
      const { result, requests } = await harness.perform(device, read('/3311/0/5850'), text('1'));
      assert.deepEqual(result, {
        operation: 'read',
        endpoint: 'lamp-1',
        path: '/3311/0/5850',
        payload: true,
        code: '2.05',
        contentFormat: 'text',
        timestamp: harness.clock.now(),
        queuedFor: 0,
      });
      assert.equal(requests[0]?.code, CoapCode.GET);
      assert.equal(requests[0]?.options.accept, undefined);
      const [view] = harness.engine.devices(undefined, [parsePath('/3311')]);
      assert.deepEqual(view?.values, { '/3311/0/5850': { reported: { value: true, at: harness.clock.now() } } });
    });

    it('asks below the alternate root path', async () => {
      harness = await Harness.start();
      const links = '</lwm2m>;rt="oma.lwm2m",</lwm2m/1/0>,</lwm2m/3/0>';
      const device = await harness.registered({ links });
      const { requests } = await harness.perform(device, read('/3/0/1'), text('x'));
      assert.deepEqual(requests.map(pathOfRequest), ['/lwm2m/3/0/1']);
    });

    it('reads names below the alternate root path and names without it', async () => {
      for (const payload of ['[{"bn":"/lwm2m/3/0/","n":"0","vs":"Open"}]', '[{"bn":"/3/0/","n":"0","vs":"Open"}]']) {
        harness = await Harness.start();
        const device = await harness.registered({ links: '</lwm2m>;rt="oma.lwm2m",</lwm2m/3/0>' });
        const reply = { code: CoapCode.Content, options: { contentFormat: SENML_JSON }, payload };
        const { result } = await harness.perform(device, read('/3/0'), reply);
        assert.deepEqual(result.payload, { 0: 'Open' });
      }
    });

    it('asks for a format that tells the type of a resource without a definition, if the device has one', async () => {
      harness = await Harness.start();
      const device = await harness.registered({ links: '</>;ct="0 11542 110",</60001/0>' });
      const payload = '[{"bn":"/60001/0/7","v":9}]';
      const reply = { code: CoapCode.Content, options: { contentFormat: SENML_JSON }, payload };
      const { result, requests } = await harness.perform(device, read('/60001/0/7'), reply);
      assert.equal(requests[0]?.options.accept, SENML_JSON);
      assert.equal(result.payload, 9);
    });

    it('asks for the format that was wished for', async () => {
      harness = await Harness.start();
      const device = await harness.registered();
      const operation: Operation = { operation: 'read', paths: [parsePath('/3/0')], contentFormat: 'senml-json' };
      const reply = {
        code: CoapCode.Content,
        options: { contentFormat: SENML_JSON },
        payload: '[{"bn":"/3/0/","n":"0","vs":"Open"},{"n":"9","v":80}]',
      };
      const { result, requests } = await harness.perform(device, operation, reply);
      assert.equal(requests[0]?.options.accept, SENML_JSON);
      assert.deepEqual(result.payload, { 0: 'Open', 9: 80 });
    });

    it('asks for what the device announced when more than one value is to come', async () => {
      harness = await Harness.start();
      const device = await harness.registered({ links: '</>;ct="11542 110",</3/0>' });
      const payload = encodeContent(TLV, parsePath('/3/0'), [{ path: parsePath('/3/0/0'), value: 'Open' }], NO_TYPES);
      const reply = { code: CoapCode.Content, options: { contentFormat: TLV }, payload };
      const { requests, result } = await harness.perform(device, read('/3/0'), reply);
      assert.equal(requests[0]?.options.accept, TLV);
      assert.deepEqual(result.payload, { 0: 'Open' });
    });

    it('tries without Accept after a 4.06, and remembers it', async () => {
      harness = await Harness.start();
      const device = await harness.registered();
      const operation: Operation = { operation: 'read', paths: [parsePath('/3/0/0')], contentFormat: 'cbor' };
      const first = await harness.perform(device, operation, { code: CoapCode.NotAcceptable }, text('Open'));
      assert.deepEqual(
        first.requests.map(({ options }) => options.accept),
        [60, undefined],
      );
      assert.equal(first.result.contentFormat, 'text');
      const second = await harness.perform(device, operation, text('Open'));
      assert.deepEqual(
        second.requests.map(({ options }) => options.accept),
        [undefined],
      );
    });

    it('reads an answer without Content-Format as 1.0 devices mean it', async () => {
      harness = await Harness.start();
      const device = await harness.registered({ version: '1.0' });
      const single = await harness.perform(device, read('/3/0/0'), { code: CoapCode.Content, payload: 'Open' });
      assert.equal(single.result.payload, 'Open');
      const tlv = encodeContent(TLV, parsePath('/3/0'), [{ path: parsePath('/3/0/9'), value: 7 }], NO_TYPES);
      const whole = await harness.perform(device, read('/3/0'), { code: CoapCode.Content, payload: tlv });
      assert.deepEqual(whole.result.payload, { 9: 7 });
    });

    it('fails with what the device answered', async () => {
      harness = await Harness.start();
      const device = await harness.registered();
      const reply = { code: CoapCode.NotFound, payload: 'no such thing' };
      await assert.rejects(harness.perform(device, read('/3/0/99'), reply), (error) => {
        assert.ok(error instanceof ResponseError);
        assert.deepEqual([error.code, error.responseCode, error.diagnostic], ['RESPONSE', '4.04', 'no such thing']);
        return true;
      });
    });

    it('fails with CODEC when the answer is not of its format', async () => {
      harness = await Harness.start();
      const device = await harness.registered();
      const reply = { code: CoapCode.Content, options: { contentFormat: SENML_JSON }, payload: '{{' };
      await assert.rejects(harness.perform(device, read('/3/0'), reply), { code: 'CODEC' });
    });

    it('delivers what breaks the definition, with a warning', async () => {
      harness = await Harness.start();
      const device = await harness.registered();
      const { result } = await harness.perform(device, read('/3311/0/5851'), text('250'));
      assert.equal(result.payload, 250);
      assert.match(result.warnings?.[0] ?? '', /5851.*0\.\.100/);
    });

    it('fails at once for a device that is not registered', async () => {
      harness = await Harness.start();
      await assert.rejects(harness.engine.perform('nobody', read('/3/0')), NotRegisteredError);
    });

    it('fails with TIMEOUT when no answer comes', async () => {
      harness = await Harness.start();
      await harness.registered();
      const result = harness.engine.perform('lamp-1', read('/3/0/0'));
      const failure = assert.rejects(result, TimeoutError);
      await harness.clock.advance(100_000);
      await failure;
    });
  });

  describe('write', () => {
    it('replaces one value by PUT as text', async () => {
      harness = await Harness.start();
      const device = await harness.registered();
      const { requests, result } = await harness.perform(device, write('/3311/0/5850', true), CHANGED);
      assert.deepEqual(
        [requests[0]?.code, requests[0]?.options.contentFormat, requests[0]?.payload.toString()],
        [CoapCode.PUT, TEXT, '1'],
      );
      assert.equal(result.code, '2.04');
      const [view] = harness.engine.devices();
      assert.equal(view?.values['/3311/0/5850']?.commanded?.value, true);
    });

    it('remembers who commanded', async () => {
      harness = await Harness.start();
      const device = await harness.registered();
      const result = harness.engine.perform('lamp-1', write('/3311/0/5851', 40), { user: 'Ada' });
      (await device.expectRequest()).reply(CoapCode.Changed);
      await result;
      assert.deepEqual(harness.engine.devices()[0]?.values['/3311/0/5851'], {
        commanded: { value: 40, at: harness.clock.now(), by: 'Ada' },
      });
    });

    for (const [version, mode, code, format] of [
      ['1.0', 'replace', CoapCode.PUT, TLV],
      ['1.0', 'update', CoapCode.POST, TLV],
      ['1.1', 'replace', CoapCode.PUT, SENML_CBOR],
      ['1.2', 'update', CoapCode.POST, SENML_CBOR],
    ] as const) {
      it(`${mode}s an instance of a ${version} device`, async () => {
        harness = await Harness.start();
        const device = await harness.registered({ version });
        const operation = write('/1/0', { 1: 60, 6: true }, mode);
        const { requests } = await harness.perform(device, operation, CHANGED);
        assert.deepEqual([requests[0]?.code, requests[0]?.options.contentFormat], [code, format]);
      });
    }

    it('goes from format to format on 4.15, and remembers which the device takes', async () => {
      harness = await Harness.start();
      const device = await harness.registered();
      const refused = { code: CoapCode.UnsupportedContentFormat };
      const operation = write('/1/0', { 1: 60 }, 'update');
      const first = await harness.perform(device, operation, refused, CHANGED);
      assert.deepEqual(
        first.requests.map(({ options }) => options.contentFormat),
        [SENML_CBOR, TLV],
      );
      assert.equal(first.result.contentFormat, 'tlv');
      const second = await harness.perform(device, operation, CHANGED);
      assert.deepEqual(
        second.requests.map(({ options }) => options.contentFormat),
        [TLV],
      );
      // A device with other objects is another firmware.
      await device.update([], '</1/0>,</3/0>,</3303/0>');
      const third = await harness.perform(device, operation, CHANGED);
      assert.deepEqual(
        third.requests.map(({ options }) => options.contentFormat),
        [SENML_CBOR],
      );
    });

    it('fails with 4.15 when no format is taken', async () => {
      harness = await Harness.start();
      const device = await harness.registered({ version: '1.0' });
      const refused = { code: CoapCode.UnsupportedContentFormat };
      const failing = harness.perform(device, write('/1/0', { 1: 60 }), refused, refused);
      await assert.rejects(failing, { code: 'RESPONSE', responseCode: '4.15' });
      const { commanded, pending } = harness.engine.devices()[0]?.values['/1/0/1'] ?? {};
      assert.deepEqual([commanded, pending?.value, pending?.state], [undefined, 60, 'failed']);
    });

    it('writes bytes as opaque', async () => {
      harness = await Harness.start();
      const device = await harness.registered({ links: '</5/0>' });
      const { requests } = await harness.perform(device, write('/5/0/0', Buffer.from('firmware')), CHANGED);
      assert.equal(requests[0]?.options.contentFormat, 42);
      assert.equal(requests[0]?.payload.toString(), 'firmware');
    });

    it('refuses a value that cannot be before anything is sent', async () => {
      harness = await Harness.start();
      const device = await harness.registered();
      await assert.rejects(harness.engine.perform('lamp-1', write('/3311/0/5851', 'bright')), InvalidArgumentError);
      await harness.clock.advance(1000);
      assert.equal(device.inbox.length, 0);
    });
  });

  it('are refused for objects 0, 21 and 23 and for paths that make no sense, before anything is sent', async () => {
    harness = await Harness.start();
    const device = await harness.registered();
    const path = parsePath('/3/0');
    const operations: Operation[] = [
      read('/0/0'),
      read('/3/0/0', '/21/0'),
      read(),
      write('/23/0/1', 1),
      write('/3', {}),
      write('/3/0/1', undefined),
      { operation: 'write-composite', values: { '/0/0/1': 1 } },
      { operation: 'write-composite', values: {} },
      { operation: 'execute', path },
      { operation: 'execute', path: parsePath('/3/0/4'), args: 'what' },
      { operation: 'discover', path: ROOT },
      { operation: 'discover', path, depth: 4 },
      { operation: 'create', path: parsePath('/0'), value: {} },
      { operation: 'create', path: parsePath('/3/0/1'), value: {} },
      { operation: 'delete', path: parsePath('/3') },
      { operation: 'write-attributes', path, attributes: {} },
      { operation: 'write-attributes', path, attributes: { pmin: 10, pmax: 5 } },
      { operation: 'write-attributes', path: parsePath('/0/0'), attributes: { pmin: 10 } },
    ];
    for (const operation of operations) {
      await assert.rejects(
        harness.engine.perform('lamp-1', operation),
        InvalidArgumentError,
        JSON.stringify(operation),
      );
      assert.throws(() => harness.engine.order({ target: { all: true }, operation }), InvalidArgumentError);
    }
    assert.equal(device.inbox.length, 0);
  });

  it('execute with arguments as text', async () => {
    harness = await Harness.start();
    const device = await harness.registered();
    const path = parsePath('/3/0/4');
    const bare = await harness.perform(device, { operation: 'execute', path }, CHANGED);
    assert.deepEqual([bare.requests[0]?.code, bare.requests[0]?.payload.length], [CoapCode.POST, 0]);
    const operation: Operation = { operation: 'execute', path, args: { 0: 'fast', 5: null } };
    const { requests } = await harness.perform(device, operation, CHANGED);
    assert.deepEqual([requests[0]?.options.contentFormat, requests[0]?.payload.toString()], [TEXT, "0='fast',5"]);
  });

  it('discover paths and attributes, below the root path too', async () => {
    harness = await Harness.start();
    const device = await harness.registered({ links: '</x>;rt="oma.lwm2m",</x/3/0>' });
    const operation: Operation = { operation: 'discover', path: parsePath('/3/0'), depth: 1 };
    const { result, requests } = await harness.perform(device, operation, {
      code: CoapCode.Content,
      options: { contentFormat: 40 },
      payload: '</x/3/0>;pmin=10,</x/3/0/1>,</x/3/0/6>;dim=2',
    });
    assert.deepEqual([requests[0]?.options.accept, requests[0]?.options.uriQuery], [40, ['depth=1']]);
    assert.deepEqual(result.payload, [
      { path: '/3/0', attributes: { pmin: 10 } },
      { path: '/3/0/1', attributes: {} },
      { path: '/3/0/6', attributes: { dim: 2 } },
    ]);
  });

  it('create an instance with an id, and with one that the device chooses', async () => {
    harness = await Harness.start();
    const device = await harness.registered({ version: '1.1' });
    const named: Operation = { operation: 'create', path: parsePath('/16/3'), value: { 0: { 0: 'house' } } };
    const first = await harness.perform(device, named, { code: CoapCode.Created });
    assert.deepEqual([first.requests.map(pathOfRequest), first.result.payload], [['/16'], '/16/3']);
    const unnamed: Operation = { operation: 'create', path: parsePath('/16'), value: { 0: { 0: 'house' } } };
    const options = { locationPath: ['16', '7'] };
    const second = await harness.perform(device, unnamed, { code: CoapCode.Created, options });
    assert.deepEqual(
      [second.requests[0]?.code, second.requests[0]?.options.contentFormat, second.result.payload, second.result.code],
      [CoapCode.POST, TLV, '/16/7', '2.01'],
    );
  });

  it('delete an instance, and tell when the device refuses', async () => {
    harness = await Harness.start();
    const device = await harness.registered();
    const remove = (path: string): Operation => ({ operation: 'delete', path: parsePath(path) });
    const { requests, result } = await harness.perform(device, remove('/16/3'), { code: CoapCode.Deleted });
    assert.deepEqual(
      [requests[0]?.code, pathOfRequest(requests[0] ?? { options: {} }), result.code],
      [4, '/16/3', '2.02'],
    );
    const refused = harness.perform(device, remove('/3/0'), { code: CoapCode.MethodNotAllowed });
    await assert.rejects(refused, { responseCode: '4.05' });
  });

  it('write attributes, and unset them', async () => {
    harness = await Harness.start();
    const device = await harness.registered();
    const { requests } = await harness.perform(
      device,
      {
        operation: 'write-attributes',
        path: parsePath('/3303/0/5700'),
        attributes: { pmin: 1, pmax: null, gt: 25.5, st: 0.0000001 },
      },
      CHANGED,
    );
    assert.equal(requests[0]?.code, CoapCode.PUT);
    assert.deepEqual(requests[0]?.options.uriQuery, ['pmin=1', 'pmax', 'gt=25.5', 'st=0.0000001']);
    assert.equal(requests[0]?.payload.length, 0);
  });

  describe('composite', () => {
    const senml = (payload: string) => ({ code: CoapCode.Content, options: { contentFormat: SENML_JSON }, payload });

    it('read asks once, in the format announced, and leaves out what the device left out', async () => {
      harness = await Harness.start();
      const device = await harness.registered({ links: '</>;ct=110,</3/0>,</3303/0>' });
      const { result, requests } = await harness.perform(
        device,
        read('/3/0/0', '/3303/0', '/3/0/77'),
        senml('[{"n":"/3/0/0","vs":"Open"},{"n":"/3303/0/5700","v":21.5}]'),
      );
      assert.deepEqual(
        [requests[0]?.code, requests[0]?.options.contentFormat, requests[0]?.options.accept],
        [CoapCode.FETCH, SENML_JSON, SENML_JSON],
      );
      assert.deepEqual(result.payload, { '/3/0/0': 'Open', '/3303/0': { 5700: 21.5 } });
      assert.equal(result.fallback, undefined);
    });

    it('read is done one by one on a 1.0 device, with the same result', async () => {
      harness = await Harness.start();
      const device = await harness.registered({ version: '1.0' });
      const paths = read('/3/0/0', '/3/0/77', '/3311/0/5850');
      const { result, requests } = await harness.perform(device, paths, text('Open'), NOT_FOUND, text('0'));
      assert.deepEqual(requests.map(pathOfRequest), ['/3/0/0', '/3/0/77', '/3311/0/5850']);
      assert.deepEqual([result.payload, result.fallback], [{ '/3/0/0': 'Open', '/3311/0/5850': false }, true]);
    });

    it('read is done one by one when a newer device answers 4.05, and remembered', async () => {
      harness = await Harness.start();
      const device = await harness.registered();
      const refused = { code: CoapCode.MethodNotAllowed };
      const first = await harness.perform(device, read('/3/0/0', '/3/0/1'), refused, text('a'), text('b'));
      assert.deepEqual([first.result.payload, first.result.fallback], [{ '/3/0/0': 'a', '/3/0/1': 'b' }, true]);
      const second = await harness.perform(device, read('/3/0/0', '/3/0/1'), text('a'), text('b'));
      assert.equal(second.requests[0]?.code, CoapCode.GET);
    });

    it('read fails on a 1.0 device when every part fails', async () => {
      harness = await Harness.start();
      const device = await harness.registered({ version: '1.0' });
      const failing = harness.perform(device, read('/3/0/77', '/3/0/78'), NOT_FOUND, NOT_FOUND);
      await assert.rejects(failing, { responseCode: '4.04' });
    });

    it('write is one iPATCH', async () => {
      harness = await Harness.start();
      const device = await harness.registered();
      const values = { '/3311/0/5850': true, '/1/0': { 1: 60 } };
      const { result, requests } = await harness.perform(device, { operation: 'write-composite', values }, CHANGED);
      assert.deepEqual(
        [requests.length, requests[0]?.code, requests[0]?.options.contentFormat],
        [1, CoapCode.IPATCH, SENML_CBOR],
      );
      assert.equal(result.path, '/3311/0/5850,/1/0');
      assert.equal(harness.engine.devices()[0]?.values['/1/0/1']?.commanded?.value, 60);
    });

    it('write is done one by one on a 1.0 device', async () => {
      harness = await Harness.start();
      const device = await harness.registered({ version: '1.0' });
      const values = { '/3311/0/5850': true, '/3311/0/5851': 30 };
      const operation: Operation = { operation: 'write-composite', values };
      const { result, requests } = await harness.perform(device, operation, CHANGED, CHANGED);
      assert.deepEqual(
        requests.map(({ code }) => code),
        [CoapCode.PUT, CoapCode.PUT],
      );
      assert.equal(result.fallback, true);
    });

    it('write that a newer device refuses is never repeated in pieces', async () => {
      harness = await Harness.start();
      const device = await harness.registered();
      const operation: Operation = { operation: 'write-composite', values: { '/3311/0/5850': true, '/3/0/14': 'Z' } };
      await assert.rejects(harness.perform(device, operation, { code: CoapCode.MethodNotAllowed }), {
        responseCode: '4.05',
      });
      await harness.clock.advance(1000);
      assert.equal(device.inbox.length, 0);
      const values = Object.entries(harness.engine.devices()[0]?.values ?? {});
      assert.deepEqual(
        values.map(([path, { commanded, pending }]) => [path, commanded, pending?.state]),
        [
          ['/3311/0/5850', undefined, 'failed'],
          ['/3/0/14', undefined, 'failed'],
        ],
      );
    });
  });
});
