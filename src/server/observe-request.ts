import { CoapCode, type CoapObservation, type CoapRequest, type CoapResponse, type Observer } from '../coap';
import { contentFormatId, type ContentFormatName } from '../content';
import { ResponseError } from '../errors';
import { formatPath, ROOT } from '../model';
import { attributeQueries, isEmpty, type Attributes } from './attributes';
import { isNotAcceptable, type Exchange } from './exchange';
import { acceptChoices } from './format-choice';
import { fetchComposite } from './operations/fetch-composite';
import { sendAttributes } from './operations/write-attributes';
import { observesWithAttributes, rememberNoObserveAttributes, rememberNotAcceptable } from './refusals';
import type { ObservationSpec, SharedObservation } from './shared-observation';

export interface ObserveAnswer {
  readonly response: CoapResponse;
  /** Absent when the device answered, but does not observe. */
  readonly observation?: CoapObservation;
}

/**
 * Asks a device to observe (LwM2M Core 1.2 s6.4.1, s6.4.4): with the attributes in the request where the device knows
 * that, else after they were written; in a format that the device takes.
 * @returns the device's answer, 4.xx and 5.xx too.
 */
export async function requestObservation(
  exchange: Exchange,
  shared: SharedObservation,
  observer: Observer,
): Promise<ObserveAnswer> {
  const { spec } = shared;
  const inRequest = !isEmpty(spec.attributes) && spec.paths.length === 1 && observesWithAttributes(exchange.client);
  if (!isEmpty(spec.attributes) && !inRequest) await writeSharedAttributes(exchange, shared, spec.attributes);
  if (spec.paths.length > 1) {
    return fetchComposite(exchange, spec.paths, spec.contentFormat, (request) => send(exchange, request, observer));
  }
  const answer = await observeAccepted(exchange, spec, inRequest ? spec.attributes : undefined, observer);
  const { code } = answer.response;
  if (!inRequest || !(code === CoapCode.BadRequest || code === CoapCode.BadOption)) return answer;
  // A 1.2 device without Observe parameters: as with 1.1, then.
  rememberNoObserveAttributes(exchange.client);
  await writeSharedAttributes(exchange, shared, spec.attributes);
  return observeAccepted(exchange, spec, undefined, observer);
}

/** The GET of an observation of one path; the CoAP stack adds Observe. */
export function singleObserveRequest(
  exchange: Exchange,
  spec: ObservationSpec,
  attributes: Attributes | undefined,
): CoapRequest {
  const accept = acceptOf(exchange, spec);
  return {
    code: CoapCode.GET,
    options: {
      uriPath: exchange.uriPath(spec.paths[0] ?? ROOT),
      accept: accept === undefined ? undefined : contentFormatId(accept),
      uriQuery: attributes === undefined ? undefined : attributeQueries(attributes),
    },
  };
}

/** Writes attributes to each path. Those that the device refuses are said; the values are wanted all the same. */
export async function writeSharedAttributes(
  exchange: Exchange,
  shared: SharedObservation,
  attributes: Attributes = {},
): Promise<void> {
  for (const path of shared.spec.paths) {
    try {
      await sendAttributes(exchange, path, attributes);
    } catch (error) {
      if (!(error instanceof ResponseError)) throw error;
      for (const subscriber of shared.subscribers) subscriber.failed(formatPath(path), error);
    }
  }
}

async function observeAccepted(
  exchange: Exchange,
  spec: ObservationSpec,
  attributes: Attributes | undefined,
  observer: Observer,
): Promise<ObserveAnswer> {
  for (;;) {
    const accept = acceptOf(exchange, spec);
    const answer = await send(exchange, singleObserveRequest(exchange, spec, attributes), observer);
    if (accept === undefined || !isNotAcceptable(answer.response)) return answer;
    rememberNotAcceptable(exchange.client, accept);
  }
}

/** The Accept to send, if any; one that was refused does not come again. */
function acceptOf(exchange: Exchange, spec: ObservationSpec): ContentFormatName | undefined {
  return acceptChoices(exchange.client, spec.paths[0] ?? ROOT, spec.contentFormat)[0];
}

function send(exchange: Exchange, request: CoapRequest, observer: Observer): Promise<ObserveAnswer> {
  const { signal, context } = exchange;
  return context.stack.observe(exchange.channel(), request, observer, signal === undefined ? undefined : { signal });
}
