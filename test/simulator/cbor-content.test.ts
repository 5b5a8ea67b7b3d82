import assert from 'node:assert/strict';
import * as server from '../../src/content';
import { CodecError } from '../../src/errors';
import { parsePath, type ResourceValue, type Value } from '../../src/model';
import { decodeContent, decodePaths, encodeContent } from '../../src/simulator/device-content';
import { TYPES as types } from './scripted-server';

const CBOR = server.contentFormatId('cbor');
const SENML_CBOR = server.contentFormatId('senml-cbor');

/** A value of each type that CBOR tells apart, and of every length of an integer. */
const VALUES: Record<string, Value> = {
  '/3/0/0': 'Ünïcode',
  '/3/0/6/0': 6,
  '/3/0/13': new Date('2031-05-01T00:00:00Z'),
  '/3311/0/5850': true,
  '/3311/0/5852': 70_000,
  '/3311/0/5805': 0.1,
  '/3311/0/5820': 3,
  '/1/0/1': 4_294_967_296,
  '/19/0/0/0': Buffer.from('00ff', 'hex'),
  '/33000/0/0': -5_000_000_000,
};

const valuesOf = (values: Record<string, Value>): ResourceValue[] =>
  Object.entries(values).map(([path, value]) => ({ path: parsePath(path), value }));

describe('The CBOR of simulated devices', () => {
  it('is read by the server, record by record', () => {
    const values = valuesOf(VALUES);
    assert.deepEqual(server.decodeContent(SENML_CBOR, {}, encodeContent(SENML_CBOR, {}, values, types), types), values);
    for (const value of values) {
      const payload = encodeContent(SENML_CBOR, value.path, [value], types);
      assert.deepEqual(server.decodeContent(SENML_CBOR, value.path, payload, types), [value]);
    }
  });

  it('is read by the server as one value', () => {
    for (const value of valuesOf(VALUES)) {
      const payload = encodeContent(CBOR, value.path, [value], types);
      assert.deepEqual(server.decodeContent(CBOR, value.path, payload, types), [value]);
    }
  });

  it('reads what the server writes', () => {
    const values = valuesOf(VALUES);
    const plain = (each: ResourceValue) => ({ path: each.path, value: each.value });
    const read = decodeContent(SENML_CBOR, {}, server.encodeContent(SENML_CBOR, {}, values, types), types);
    assert.deepEqual(read.map(plain).map(asWritten), values.map(plain));
    for (const value of values) {
      const payload = server.encodeContent(CBOR, value.path, [value], types);
      assert.deepEqual(decodeContent(CBOR, value.path, payload, types).map(asWritten), [value]);
    }
  });

  it('names the values of an instance and says when there are none', () => {
    const instance = valuesOf({ '/3311/0/5850': true, '/3311/0/5851': 30 });
    for (const base of ['/3311', '/3311/0']) {
      const payload = encodeContent(SENML_CBOR, parsePath(base), instance, types);
      assert.deepEqual(server.decodeContent(SENML_CBOR, parsePath(base), payload, types), instance);
    }
    const empty = valuesOf({ '/3311/0': null });
    const payload = encodeContent(SENML_CBOR, parsePath('/3311/0'), empty, types);
    assert.deepEqual(server.decodeContent(SENML_CBOR, parsePath('/3311/0'), payload, types), empty);
    const nothing = encodeContent(SENML_CBOR, parsePath('/3311'), [], types);
    assert.deepEqual(server.decodeContent(SENML_CBOR, parsePath('/3311'), nothing, types), []);
  });

  it('carries links and times of measurement', () => {
    const link = { path: parsePath('/10252/0/1'), value: '3:0' };
    const asLink = { ...types, typeOf: () => 'objlnk' as const };
    assert.deepEqual(server.decodeContent(SENML_CBOR, {}, encodeContent(SENML_CBOR, {}, [link], asLink), asLink), [
      link,
    ]);
    const history = [1_900_000_000_000, 1_900_000_000_500].map((timestamp, value) => ({
      path: parsePath('/3311/0/5851'),
      value,
      timestamp,
    }));
    assert.deepEqual(
      server.decodeContent(SENML_CBOR, {}, encodeContent(SENML_CBOR, {}, history, types), types),
      history,
    );
  });

  it('reads the paths that the server asks for', () => {
    const paths = ['/', '/3/0/0', '/3311/0', '/5'].map(parsePath);
    assert.deepEqual(decodePaths(SENML_CBOR, server.encodePaths(SENML_CBOR, paths)), paths);
  });

  it('refuses as no content what is none', () => {
    const bad = [
      '5f4101ff', // a string in pieces, which the library does not take
      '81', // cut off
      'a0', // no array
      '8101', // no map
      '81a10001', // a name that is no text
      '81a1006178', // a name that is no path
      '81a300662f332f302f300201036161', // two values
      '81a300662f332f302f30240102f5', // a base value
      '81a200642f332f300201', // a value of an object instance
      '81a200662f332f302f3002a0', // a value that is a map
      '81'.repeat(100_000) + '80', // too deep
    ];
    for (const hex of bad) {
      const payload = Buffer.from(hex, 'hex');
      assert.throws(() => decodeContent(SENML_CBOR, {}, payload, types), CodecError, hex.slice(0, 60));
    }
    const elsewhere = server.encodeContent(SENML_CBOR, {}, valuesOf({ '/3/0/0': 'x' }), types);
    assert.throws(() => decodeContent(SENML_CBOR, parsePath('/3311'), elsewhere, types), /outside of the request/);
    const many = server.encodeContent(SENML_CBOR, {}, Array(10_000).fill(valuesOf({ '/3/0/0': 'x' })[0]), types);
    const tooMany = Buffer.concat([Buffer.of(0x99, 0x27, 0x11), many.subarray(3), Buffer.of(0xa0)]);
    assert.throws(() => decodeContent(SENML_CBOR, {}, tooMany, types), CodecError);
    for (const hex of ['a0', '80', '', 'f7', '0101']) {
      assert.throws(() => decodeContent(CBOR, parsePath('/3/0/0'), Buffer.from(hex, 'hex'), types), CodecError, hex);
    }
  });

  it('shares no bytes with the datagram that it was read from', () => {
    const payload = server.encodeContent(SENML_CBOR, {}, valuesOf({ '/19/0/0/0': Buffer.of(1, 2) }), types);
    const [value] = decodeContent(SENML_CBOR, {}, payload, types);
    payload.fill(0);
    assert.deepEqual(value?.value, Buffer.of(1, 2));
  });
});

/** Integers of 64 bits come as BigInt and are made numbers when they are written to a resource. */
function asWritten(each: ResourceValue): ResourceValue {
  return typeof each.value === 'bigint' ? { ...each, value: Number(each.value) } : each;
}
