import { CoapCode, type CoapRequest, type CoapResponse } from '../../coap';
import { contentFormatId, encodeContent, type ContentFormatName } from '../../content';
import { CodecError, InvalidArgumentError } from '../../errors';
import { formatPath, fromPayload, pathLevel, type Path, type ResourceValue } from '../../model';
import { assertSuccess, isUnsupportedFormat, type Exchange } from '../exchange';
import { contentChoices } from '../format-choice';
import type { OperationResult, WriteOperation } from '../operation';
import { rememberUnsupported } from '../refusals';

/** Write: replace by PUT, partial update by POST (LwM2M Core 1.2 s6.3.3). */
export async function write(exchange: Exchange, operation: WriteOperation): Promise<OperationResult> {
  const { path } = operation;
  const values = fromPayload(path, operation.value, exchange.client.model.definitionOf);
  const contentFormat = await writeValues(exchange, path, values, operation.mode, operation.contentFormat);
  const at = exchange.context.clock.now();
  exchange.context.listener.written(exchange.client, values, at, exchange.user);
  return {
    operation: 'write',
    endpoint: exchange.client.endpoint,
    path: formatPath(path),
    payload: undefined,
    code: '2.04',
    contentFormat,
    timestamp: at,
    queuedFor: 0,
  };
}

/** @returns the format that the device took. */
export async function writeValues(
  exchange: Exchange,
  path: Path,
  values: readonly ResourceValue[],
  mode: WriteOperation['mode'],
  wish: ContentFormatName | undefined,
): Promise<ContentFormatName> {
  const partial = mode === 'update' && isPartial(path, values);
  const target = partial ? partialTarget(exchange, path) : path;
  const choices = contentChoices(exchange.client, target, values, wish);
  const { response, contentFormat } = await sendFirstTaken(exchange, choices, (formatId) => ({
    code: partial ? CoapCode.POST : CoapCode.PUT,
    options: { uriPath: exchange.uriPath(target), contentFormat: formatId },
    payload: encodeContent(formatId, target, values, exchange.client.model),
  }));
  assertSuccess(response);
  return contentFormat;
}

/** A partial update is of an object instance or of a multiple resource; a single value is always replaced. */
function isPartial(path: Path, values: readonly ResourceValue[]): boolean {
  const level = pathLevel(path);
  return (
    level === 'object-instance' || (level === 'resource' && values.some((value) => pathLevel(value.path) !== level))
  );
}

/** 1.0 updates part of a multiple resource only through its object instance (LwM2M 1.0 s5.4.3). */
function partialTarget({ client }: Exchange, path: Path): Path {
  const { objectId, objectInstanceId } = path;
  return client.registration.version === '1.0' ? { objectId, objectInstanceId } : path;
}

/** Sends a body in the best format that can carry it and that the device takes; refused formats are remembered. */
export async function sendFirstTaken(
  exchange: Exchange,
  choices: readonly ContentFormatName[],
  requestIn: (formatId: number) => CoapRequest,
): Promise<{ response: CoapResponse; contentFormat: ContentFormatName }> {
  let answer: { response: CoapResponse; contentFormat: ContentFormatName } | undefined;
  let problem: CodecError | undefined;
  for (const contentFormat of choices) {
    let request: CoapRequest;
    try {
      request = requestIn(contentFormatId(contentFormat));
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      // Not every format carries everything: text has one value, opaque only bytes.
      problem ??= error;
      continue;
    }
    answer = { response: await exchange.request(request), contentFormat };
    if (!isUnsupportedFormat(answer.response)) return answer;
    rememberUnsupported(exchange.client, contentFormat);
  }
  if (answer !== undefined) return answer;
  throw new InvalidArgumentError(problem?.message ?? 'no content format can carry this value');
}
