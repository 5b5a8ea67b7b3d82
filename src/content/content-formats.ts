/** The content formats by the names a flow uses. */
export type ContentFormatName =
  | 'text'
  | 'opaque'
  | 'cbor'
  | 'senml-json'
  | 'senml-cbor'
  | 'senml-etch-json'
  | 'senml-etch-cbor'
  | 'tlv'
  | 'json'
  | 'lwm2m-cbor'
  | 'link-format';

/** CoAP content-format numbers (IANA registry; LwM2M Core 1.2 s7.4). */
const IDS: Readonly<Record<ContentFormatName, number>> = {
  text: 0,
  'link-format': 40,
  opaque: 42,
  cbor: 60,
  'senml-json': 110,
  'senml-cbor': 112,
  'senml-etch-json': 320,
  'senml-etch-cbor': 322,
  tlv: 11542,
  json: 11543,
  'lwm2m-cbor': 11544,
};

const NAMES: ReadonlyMap<number, ContentFormatName> = new Map<number, ContentFormatName>([
  ...(Object.entries(IDS) as [ContentFormatName, number][]).map(([name, id]) => [id, name] as const),
  // Numbers that clients of the drafts of LwM2M 1.0 still send.
  [1541, 'text'],
  [1542, 'tlv'],
  [1543, 'json'],
]);

/** The number that stands for `name` in Content-Format and Accept. */
export function contentFormatId(name: ContentFormatName): number {
  return IDS[name];
}

/** The name of a number, the old numbers 1541 to 1543 included; undefined for a format that is none of LwM2M's. */
export function contentFormatName(id: number): ContentFormatName | undefined {
  return NAMES.get(id);
}
