import { CoapCode, type CoapRequest, type CoapResponse } from '../../coap';
import { contentFormatId, encodePaths, type ContentFormatName } from '../../content';
import { InvalidArgumentError } from '../../errors';
import { formatPath, ROOT, type Path } from '../../model';
import { isNotAcceptable, isUnsupportedFormat, type Exchange } from '../exchange';
import { compositeChoices } from '../format-choice';
import { isAcceptRefused, rememberNotAcceptable, rememberUnsupported } from '../refusals';

/** The FETCH of a Read-Composite or Observe-Composite (LwM2M Core 1.2 s6.3.8, s6.4.4): the list of paths is its body. */
export function compositeRequest(exchange: Exchange, paths: readonly Path[], format: ContentFormatName): CoapRequest {
  const formatId = contentFormatId(format);
  return {
    code: CoapCode.FETCH,
    options: {
      uriPath: exchange.uriPath(ROOT),
      contentFormat: formatId,
      accept: isAcceptRefused(exchange.client, format) ? undefined : formatId,
    },
    payload: encodePaths(formatId, paths),
  };
}

/**
 * Sends a FETCH in the best format that the device takes.
 * @param send how to send it: as a plain request, or as an observation.
 * @returns the device's answer, 4.xx and 5.xx too; 4.06 and 4.15 only when every format was refused.
 */
export async function fetchComposite<T extends { readonly response: CoapResponse }>(
  exchange: Exchange,
  paths: readonly Path[],
  wish: ContentFormatName | undefined,
  send: (request: CoapRequest) => Promise<T>,
): Promise<T> {
  let answer: T | undefined;
  for (const format of compositeChoices(exchange.client, wish)) {
    answer = await send(compositeRequest(exchange, paths, format));
    if (isNotAcceptable(answer.response) && !isAcceptRefused(exchange.client, format)) {
      rememberNotAcceptable(exchange.client, format);
      answer = await send(compositeRequest(exchange, paths, format));
    }
    if (!isUnsupportedFormat(answer.response)) return answer;
    rememberUnsupported(exchange.client, format);
  }
  if (answer === undefined) throw new InvalidArgumentError(`no format can ask for ${paths.map(formatPath).join(',')}`);
  return answer;
}
