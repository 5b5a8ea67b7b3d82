import { CoapCode, type HandlerResponse, type IncomingRequest } from '../coap';
import { contentFormatName, decodeContent, type ContentFormatName } from '../content';
import { CodecError } from '../errors';
import { formatPath, ROOT, type ResourceValue } from '../model';
import type { Channel } from '../transport/transport';
import type { Clock } from '../util/clock';
import { isSameIdentity, type Admission } from './admission';
import type { AfterResponse } from './after-response';
import { byTime, visibleOf } from './content';
import type { RegisteredClient } from './registered-client';
import type { RegisteredClients } from './registered-clients';
import type { Rejections } from './rejections';
import type { ServerListener } from './server-listener';

/** Formats in which values of several objects can be sent (LwM2M Core 1.2 s6.4.6). */
const SENDABLE: readonly ContentFormatName[] = ['senml-cbor', 'senml-json', 'lwm2m-cbor'];

export interface SendContext {
  readonly clock: Clock;
  readonly admission: Admission;
  readonly clients: RegisteredClients;
  readonly rejections: Rejections;
  readonly afterResponse: AfterResponse;
  readonly listener: ServerListener;
  /** The device is awake. */
  reached(client: RegisteredClient): void;
  /** The device is at another channel than before. */
  moved(client: RegisteredClient, from: Channel | undefined): void;
}

/** POST /dp: values that a registered device sends unasked (LwM2M Core 1.2 s6.4.6). */
export function receiveSend(context: SendContext, { channel, options, payload }: IncomingRequest): HandlerResponse {
  const client = senderOf(context, channel);
  if (client === undefined) return { code: CoapCode.NotFound };
  const format = options.contentFormat === undefined ? undefined : contentFormatName(options.contentFormat);
  if (options.contentFormat === undefined || format === undefined || !SENDABLE.includes(format)) {
    return { code: CoapCode.UnsupportedContentFormat };
  }
  const now = context.clock.now();
  let values: ResourceValue[];
  try {
    values = decodeContent(options.contentFormat, ROOT, payload, client.model, {
      now,
      rootPath: client.model.rootPath,
    });
  } catch (error) {
    if (error instanceof CodecError) return { code: CoapCode.BadRequest, payload: Buffer.from(error.message) };
    throw error;
  }
  const visible = visibleOf(values);
  const woke = context.clients.heard(client);
  context.afterResponse.defer(() => {
    if (woke) context.listener.awake(client);
    context.listener.reported(client, visible, now);
    for (const { at, values: group } of byTime(visible, now)) {
      const sent = group.map(({ path, value }) => ({ path: formatPath(path), value, at }));
      context.listener.sent(client, sent);
    }
    context.reached(client);
  });
  return { code: CoapCode.Changed };
}

/**
 * The device that sends; `undefined` when it is not to be heard, which is said. A device that has made a new DTLS session
 * since it registered is known by what it proved; without DTLS it is known by its address alone.
 */
function senderOf(context: SendContext, channel: Channel): RegisteredClient | undefined {
  const { clients, admission, rejections } = context;
  const { identity } = channel;
  const client = clients.at(channel) ?? clients.get(admission.endpointOf(identity) ?? '');
  if (client === undefined) {
    rejections.say(channel, '', 'send', 'unknown');
    return undefined;
  }
  const { endpoint, registration } = client;
  const refusal = isSameIdentity(registration.identity, identity)
    ? admission.refusal(endpoint, channel, registration.identity)
    : 'identity';
  if (refusal !== undefined) {
    rejections.say(channel, endpoint, 'send', refusal);
    return undefined;
  }
  const before = client.channel;
  if (before !== channel && identity.mode !== 'nosec') {
    clients.moveTo(client, channel);
    context.moved(client, before);
  }
  return client;
}
