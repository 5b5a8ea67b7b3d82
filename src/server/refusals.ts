import { contentFormatName, type ContentFormatName } from '../content';
import type { RegisteredClient } from './registered-client';

/** Which bit of `RegisteredClient.refused` stands for a content format. */
const BIT: Readonly<Record<ContentFormatName, number>> = {
  text: 0,
  opaque: 1,
  cbor: 2,
  'senml-json': 3,
  'senml-cbor': 4,
  'senml-etch-json': 5,
  'senml-etch-cbor': 6,
  tlv: 7,
  json: 8,
  'lwm2m-cbor': 9,
  'link-format': 10,
};
/** Formats refused as Content-Format (4.15) lie this many bits above those refused as Accept (4.06). */
const CONTENT_SHIFT = 11;
const NO_COMPOSITE_READ = 1 << 22;
const NO_COMPOSITE_OBSERVE = 1 << 23;
const NO_OBSERVE_ATTRIBUTES = 1 << 24;

/** Remembers that the device answered 4.06 to this Accept. */
export function rememberNotAcceptable(client: RegisteredClient, format: ContentFormatName): void {
  client.refused |= 1 << BIT[format];
}

export function isAcceptRefused(client: RegisteredClient, format: ContentFormatName): boolean {
  return (client.refused & (1 << BIT[format])) !== 0;
}

/** Remembers that the device answered 4.15 to a body of this format. */
export function rememberUnsupported(client: RegisteredClient, format: ContentFormatName): void {
  client.refused |= 1 << (BIT[format] + CONTENT_SHIFT);
}

export function isContentRefused(client: RegisteredClient, format: ContentFormatName): boolean {
  return (client.refused & (1 << (BIT[format] + CONTENT_SHIFT))) !== 0;
}

/** Whether composite operations are done as single ones: 1.0 has none, and some newer devices refuse a read with 4.05. */
export function readsCompositesSingly(client: RegisteredClient): boolean {
  return client.registration.version === '1.0' || (client.refused & NO_COMPOSITE_READ) !== 0;
}

export function rememberNoCompositeRead(client: RegisteredClient): void {
  client.refused |= NO_COMPOSITE_READ;
}

export function observesCompositesSingly(client: RegisteredClient): boolean {
  return client.registration.version === '1.0' || (client.refused & NO_COMPOSITE_OBSERVE) !== 0;
}

export function rememberNoCompositeObserve(client: RegisteredClient): void {
  client.refused |= NO_COMPOSITE_OBSERVE;
}

/** Whether attributes may travel in the Observe request itself (LwM2M Core 1.2 s6.4.1). */
export function observesWithAttributes(client: RegisteredClient): boolean {
  return client.registration.version === '1.2' && (client.refused & NO_OBSERVE_ATTRIBUTES) === 0;
}

export function rememberNoObserveAttributes(client: RegisteredClient): void {
  client.refused |= NO_OBSERVE_ATTRIBUTES;
}

/** Whether the device said in `</>;ct=` that it speaks the format. */
export function isAnnounced(client: RegisteredClient, format: ContentFormatName): boolean {
  return client.registration.objects.contentFormats.some((id) => contentFormatName(id) === format);
}
