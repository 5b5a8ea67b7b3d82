/**
 * SenML CBOR, content format 112 (RFC 8428 s6; LwM2M Core 1.2 s7.4.6), and SenML-ETCH CBOR, 322 (RFC 8790), in which
 * null removes.
 */
import { CodecError } from '../errors';
import { formatPath, type Path } from '../model/path';
import type { ResourceValue } from '../model/resource-value';
import { checkRecordCount } from './bounds';
import { readCbor, type CborValue } from './cbor-reader';
import { CborWriter } from './cbor-writer';
import type { ContentCodec, TypeLookup } from './content-codec';
import { secondsOf } from './relative-time';
import {
  checkVersion,
  namesFor,
  numberField,
  objlnkField,
  pathsOfRecords,
  setValue,
  stringField,
  valuesOfRecords,
  type SenmlRecord,
} from './senml';
import { typedValue } from './value-conversion';

/** The labels of RFC 8428 table 4, and the one that LwM2M adds. */
const BASE_VERSION = -1;
const BASE_NAME = -2;
const BASE_TIME = -3;
const BASE_VALUE = -5;
const NAME = 0;
const VALUE = 2;
const STRING_VALUE = 3;
const BOOLEAN_VALUE = 4;
const TIME = 6;
const DATA_VALUE = 8;
const OBJLNK_VALUE = 'vlo';

export const senmlCbor: ContentCodec = senmlCborCodec(false);
export const senmlEtchCbor: ContentCodec = senmlCborCodec(true);

function senmlCborCodec(etch: boolean): ContentCodec {
  return {
    decode: (path, payload, types, options) => valuesOfRecords(parseRecords(payload), path, types, options),
    encode: (path, values, types) => encodeRecords(path, values, types, etch),
    encodePaths,
    decodePaths: (payload) => pathsOfRecords(parseRecords(payload)),
  };
}

function parseRecords(payload: Buffer): SenmlRecord[] {
  const pack = readCbor(payload);
  if (!Array.isArray(pack)) throw new CodecError('SenML: no array of records');
  checkRecordCount(pack.length);
  return pack.map(parseRecord);
}

function parseRecord(item: CborValue): SenmlRecord {
  if (!(item instanceof Map)) throw new CodecError('SenML: a record is no map');
  const record: SenmlRecord = {};
  for (const [label, value] of item) setField(record, label, value);
  return record;
}

function setField(record: SenmlRecord, label: CborValue, value: CborValue): void {
  switch (label) {
    case BASE_NAME:
      record.baseName = stringField('bn', value);
      break;
    case BASE_TIME:
      record.baseTime = secondsField('bt', value);
      break;
    case BASE_VALUE:
      record.baseValue = numberField('bv', value);
      break;
    case BASE_VERSION:
      checkVersion(value);
      break;
    case NAME:
      record.name = stringField('n', value);
      break;
    case TIME:
      record.time = secondsField('t', value);
      break;
    case VALUE:
      // Some clients tag the value of a Time resource.
      setValue(record, value === null || value instanceof Date ? value : numberField('v', value));
      break;
    case STRING_VALUE:
      setValue(record, value === null ? null : stringField('vs', value));
      break;
    case BOOLEAN_VALUE:
      if (value !== null && typeof value !== 'boolean') throw new CodecError('SenML: vb is no boolean');
      setValue(record, value);
      break;
    case DATA_VALUE:
      if (value !== null && !Buffer.isBuffer(value)) throw new CodecError('SenML: vd is no byte string');
      setValue(record, value);
      break;
    case OBJLNK_VALUE:
      setValue(record, value === null ? null : objlnkField(value));
      break;
    default:
      // RFC 8428 s4.4: such a label must be understood.
      if (typeof label === 'string' && label.endsWith('_')) {
        throw new CodecError(`SenML: the label '${label.slice(0, 40)}' is not known`);
      }
  }
}

/** A time, which meters are known to tag. */
function secondsField(field: string, value: CborValue): number {
  return value instanceof Date ? value.getTime() / 1000 : Number(numberField(field, value));
}

function encodeRecords(path: Path, values: readonly ResourceValue[], types: TypeLookup, etch: boolean): Buffer {
  const { base, names } = namesFor(path, values);
  const writer = new CborWriter();
  writer.array(values.length);
  values.forEach((item, index) => {
    const name = names[index] ?? '';
    const hasBase = index === 0 && base !== '';
    const hasValue = item.value !== null || etch;
    const hasTime = item.timestamp !== undefined;
    writer.map(Number(hasBase) + Number(name !== '') + Number(hasValue) + Number(hasTime));
    if (hasBase) writeText(writer, BASE_NAME, base);
    if (name !== '') writeText(writer, NAME, name);
    if (hasValue) writeValue(writer, item, types);
    if (item.timestamp !== undefined) writeTime(writer, secondsOf(item.timestamp));
  });
  return writer.finish();
}

function writeText(writer: CborWriter, label: number, text: string): void {
  writer.integer(label);
  writer.text(text);
}

function writeTime(writer: CborWriter, seconds: number): void {
  writer.integer(TIME);
  if (Number.isInteger(seconds)) writer.integer(seconds);
  else writer.float(seconds);
}

function writeValue(writer: CborWriter, item: ResourceValue, types: TypeLookup): void {
  if (item.value === null) {
    writer.integer(VALUE);
    writer.null();
    return;
  }
  const typed = typedValue(item.path, item.value, types);
  switch (typed.type) {
    case 'integer':
    case 'unsigned':
    case 'time':
      writer.integer(VALUE);
      return writer.integer(typed.value);
    case 'float':
      writer.integer(VALUE);
      return writer.float(typed.value);
    case 'boolean':
      writer.integer(BOOLEAN_VALUE);
      return writer.boolean(typed.value);
    case 'opaque':
      writer.integer(DATA_VALUE);
      return writer.bytes(typed.value);
    case 'string':
    case 'corelnk':
      return writeText(writer, STRING_VALUE, typed.value);
    case 'objlnk':
      writer.text(OBJLNK_VALUE);
      return writer.text(typed.value);
  }
}

function encodePaths(paths: readonly Path[]): Buffer {
  const writer = new CborWriter();
  writer.array(paths.length);
  for (const path of paths) {
    writer.map(1);
    writeText(writer, NAME, formatPath(path));
  }
  return writer.finish();
}
