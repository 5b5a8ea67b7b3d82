/**
 * SenML JSON, content format 110 (RFC 8428 s5; LwM2M Core 1.2 s7.4.5), and SenML-ETCH JSON, 320 (RFC 8790), in which
 * null removes.
 */
import { CodecError } from '../errors';
import { formatPath, type Path } from '../model/path';
import type { ResourceValue } from '../model/resource-value';
import { decodeBase64 } from './base64';
import { checkRecordCount } from './bounds';
import type { ContentCodec, TypeLookup } from './content-codec';
import { objectOf, parseJson } from './json-exact';
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

export const senmlJson: ContentCodec = senmlJsonCodec(false);
export const senmlEtchJson: ContentCodec = senmlJsonCodec(true);

function senmlJsonCodec(etch: boolean): ContentCodec {
  return {
    decode: (path, payload, types, options) => valuesOfRecords(parseRecords(payload), path, types, options),
    encode: (path, values, types) => encodeRecords(path, values, types, etch),
    encodePaths: (paths) => Buffer.from(JSON.stringify(paths.map((path) => ({ n: formatPath(path) })))),
    decodePaths: (payload) => pathsOfRecords(parseRecords(payload)),
  };
}

function parseRecords(payload: Buffer): SenmlRecord[] {
  const pack = parseJson(payload);
  if (!Array.isArray(pack)) throw new CodecError('SenML: no array of records');
  checkRecordCount(pack.length);
  return pack.map(parseRecord);
}

function parseRecord(item: unknown): SenmlRecord {
  const record: SenmlRecord = {};
  const members = objectOf(item, 'SenML: a record');
  for (const label of Object.keys(members)) setField(record, label, members[label]);
  return record;
}

function setField(record: SenmlRecord, label: string, value: unknown): void {
  switch (label) {
    case 'bn':
      record.baseName = stringField(label, value);
      break;
    case 'bt':
      record.baseTime = Number(numberField(label, value));
      break;
    case 'bv':
      record.baseValue = numberField(label, value);
      break;
    case 'bver':
      checkVersion(value);
      break;
    case 'n':
      record.name = stringField(label, value);
      break;
    case 't':
      record.time = Number(numberField(label, value));
      break;
    case 'v':
      setValue(record, value === null ? null : numberField(label, value));
      break;
    case 'vs':
      setValue(record, value === null ? null : stringField(label, value));
      break;
    case 'vb':
      if (value !== null && typeof value !== 'boolean') throw new CodecError('SenML: vb is no boolean');
      setValue(record, value);
      break;
    case 'vd':
      setValue(record, value === null ? null : dataField(value));
      break;
    case 'vlo':
      setValue(record, value === null ? null : objlnkField(value));
      break;
    default:
      // RFC 8428 s4.4: such a label must be understood.
      if (label.endsWith('_')) throw new CodecError(`SenML: the label '${label.slice(0, 40)}' is not known`);
  }
}

function dataField(value: unknown): Buffer {
  const data = decodeBase64(stringField('vd', value));
  if (!data) throw new CodecError('SenML: vd is no base64');
  return data;
}

function encodeRecords(path: Path, values: readonly ResourceValue[], types: TypeLookup, etch: boolean): Buffer {
  const { base, names } = namesFor(path, values);
  const records = values.map((value, index) => {
    const members: string[] = [];
    const name = names[index] ?? '';
    if (index === 0 && base !== '') members.push(`"bn":"${base}"`);
    if (name !== '') members.push(`"n":"${name}"`);
    const written = writeValue(value, types, etch);
    if (written !== '') members.push(written);
    if (value.timestamp !== undefined) members.push(`"t":${secondsOf(value.timestamp)}`);
    return `{${members.join(',')}}`;
  });
  return Buffer.from(`[${records.join(',')}]`);
}

function writeValue(item: ResourceValue, types: TypeLookup, etch: boolean): string {
  if (item.value === null) return etch ? '"v":null' : '';
  const typed = typedValue(item.path, item.value, types);
  switch (typed.type) {
    case 'integer':
    case 'unsigned':
    case 'time':
    case 'float':
      return `"v":${typed.value}`;
    case 'boolean':
      return `"vb":${typed.value}`;
    case 'string':
    case 'corelnk':
      return `"vs":${JSON.stringify(typed.value)}`;
    case 'opaque':
      return `"vd":"${typed.value.toString('base64url')}"`;
    case 'objlnk':
      return `"vlo":"${typed.value}"`;
  }
}
