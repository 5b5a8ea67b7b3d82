import { CoapCode, type HandlerResponse, type IncomingRequest } from '../coap';
import { contentFormatName, decodeContent, type ContentFormatName } from '../content';
import { CodecError } from '../errors';
import { formatPath, ROOT, type ResourceValue } from '../model';
import type { Clock } from '../util/clock';
import { isSameIdentity } from './admission';
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
  readonly clients: RegisteredClients;
  readonly rejections: Rejections;
  readonly afterResponse: AfterResponse;
  readonly listener: ServerListener;
  /** The device is awake. */
  reached(client: RegisteredClient): void;
}

/** POST /dp: values that a registered device sends unasked (LwM2M Core 1.2 s6.4.6). */
export function receiveSend(context: SendContext, { channel, options, payload }: IncomingRequest): HandlerResponse {
  const client = context.clients.at(channel);
  if (client === undefined || !isSameIdentity(client.registration.identity, channel.identity)) {
    context.rejections.say(channel, client?.endpoint ?? '', 'send', client === undefined ? 'unknown' : 'identity');
    return { code: CoapCode.NotFound };
  }
  const format = options.contentFormat === undefined ? undefined : contentFormatName(options.contentFormat);
  if (options.contentFormat === undefined || format === undefined || !SENDABLE.includes(format)) {
    return { code: CoapCode.UnsupportedContentFormat };
  }
  const now = context.clock.now();
  let values: ResourceValue[];
  try {
    values = decodeContent(options.contentFormat, ROOT, payload, client.model, { now });
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
