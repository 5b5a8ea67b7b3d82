import { CoapCode, type CoapResponse } from '../../coap';
import { contentFormatId, type ContentFormatName } from '../../content';
import { ResponseError } from '../../errors';
import { formatPath, pathOf, toCompositePayload, toPayload, ROOT, type Path, type ResourceValue } from '../../model';
import { readContent, type ReceivedContent } from '../content';
import { assertSuccess, isNotAcceptable, type Exchange } from '../exchange';
import { acceptChoices } from '../format-choice';
import type { OperationResult, ReadOperation } from '../operation';
import { readsCompositesSingly, rememberNoCompositeRead, rememberNotAcceptable } from '../refusals';
import { fetchComposite } from './fetch-composite';

/** Read and Read-Composite (LwM2M Core 1.2 s6.3.1, s6.3.8). */
export async function read(exchange: Exchange, operation: ReadOperation): Promise<OperationResult> {
  const [path] = operation.paths;
  if (
    operation.paths.length === 1 &&
    path !== undefined &&
    operation.composite !== true &&
    path.objectId !== undefined
  ) {
    const content = await readSingle(exchange, path, operation.contentFormat);
    const { definitionOf } = exchange.client.model;
    const payload = toPayload(path, content.values, { keys: operation.keys ?? 'id', definitionOf });
    return resultOf(exchange, formatPath(path), payload, content);
  }
  const content = await readComposite(exchange, operation.paths, operation.contentFormat);
  const result = compositeResult(exchange, operation, content);
  return content.fallback === true ? { ...result, fallback: true } : result;
}

/** GET of one path; an Accept that the device refuses is remembered and another tried. */
export async function readSingle(
  exchange: Exchange,
  path: Path,
  wish: ContentFormatName | undefined,
): Promise<ReceivedContent> {
  const { client, context } = exchange;
  const response =
    wish === undefined && path.resourceId !== undefined
      ? await exchange.request({ code: CoapCode.GET, options: { uriPath: exchange.uriPath(path) } })
      : await getAccepted(exchange, path, wish);
  assertSuccess(response);
  const now = context.clock.now();
  const content = readContent(client.model, path, response, now);
  context.listener.reported(client, content.values, now);
  return content;
}

async function getAccepted(exchange: Exchange, path: Path, wish: ContentFormatName | undefined): Promise<CoapResponse> {
  const uriPath = exchange.uriPath(path);
  for (const accept of acceptChoices(exchange.client, path, wish)) {
    const options = { uriPath, accept: contentFormatId(accept) };
    const response = await exchange.request({ code: CoapCode.GET, options });
    if (!isNotAcceptable(response)) return response;
    rememberNotAcceptable(exchange.client, accept);
  }
  return exchange.request({ code: CoapCode.GET, options: { uriPath } });
}

interface CompositeContent extends ReceivedContent {
  /** It was read path by path. */
  readonly fallback?: true;
}

/** Reads several paths at once where the device can, else one by one. */
export async function readComposite(
  exchange: Exchange,
  paths: readonly Path[],
  wish: ContentFormatName | undefined,
): Promise<CompositeContent> {
  const { client, context } = exchange;
  if (readsCompositesSingly(client)) return readSingly(exchange, paths, wish);
  const { response } = await fetchComposite(exchange, paths, wish, async (request) => ({
    response: await exchange.request(request),
  }));
  if (response.code === CoapCode.MethodNotAllowed) {
    rememberNoCompositeRead(client);
    return readSingly(exchange, paths, wish);
  }
  assertSuccess(response);
  const now = context.clock.now();
  const content = readContent(client.model, ROOT, response, now, paths);
  context.listener.reported(client, content.values, now);
  return content;
}

/**
 * A Read-Composite as single reads, with the same result: what the device has not got, or does not let read, is left
 * out (LwM2M Core 1.2 s6.3.8). When that is everything, the device's answer is the error.
 */
async function readSingly(
  exchange: Exchange,
  paths: readonly Path[],
  wish: ContentFormatName | undefined,
): Promise<CompositeContent> {
  const values: ResourceValue[] = [];
  const warnings: string[] = [];
  let contentFormat: ContentFormatName | undefined;
  let refusal: ResponseError | undefined;
  for (const path of paths.flatMap((path) => expandRoot(exchange, path))) {
    try {
      const content = await readSingle(exchange, path, singleWish(wish));
      values.push(...content.values);
      warnings.push(...content.warnings);
      contentFormat ??= content.contentFormat;
    } catch (error) {
      if (!(error instanceof ResponseError)) throw error;
      refusal ??= error;
    }
  }
  if (contentFormat === undefined && refusal !== undefined) throw refusal;
  return { values, warnings, contentFormat: contentFormat ?? 'tlv', fallback: true };
}

/** A format that only composites have cannot be wished for a single read. */
function singleWish(wish: ContentFormatName | undefined): ContentFormatName | undefined {
  return wish === 'senml-etch-json' || wish === 'senml-etch-cbor' ? undefined : wish;
}

/** `/` of a device without composites: every object it has. */
function expandRoot({ client }: Exchange, path: Path): Path[] {
  return path.objectId === undefined ? client.registration.objects.objects.map(({ id }) => pathOf(id)) : [path];
}

function compositeResult(exchange: Exchange, operation: ReadOperation, content: ReceivedContent): OperationResult {
  const { definitionOf } = exchange.client.model;
  const payload = toCompositePayload(operation.paths, content.values, { keys: operation.keys ?? 'id', definitionOf });
  return resultOf(exchange, operation.paths.map(formatPath).join(','), payload, content);
}

function resultOf(exchange: Exchange, path: string, payload: unknown, content: ReceivedContent): OperationResult {
  const result: OperationResult = {
    operation: 'read',
    endpoint: exchange.client.endpoint,
    path,
    payload,
    code: '2.05',
    contentFormat: content.contentFormat,
    timestamp: latestTimestamp(content.values) ?? exchange.context.clock.now(),
    queuedFor: 0,
  };
  return content.warnings.length === 0 ? result : { ...result, warnings: content.warnings };
}

/** The device's own time of the newest value, when it gave one. */
export function latestTimestamp(values: readonly ResourceValue[]): number | undefined {
  let latest: number | undefined;
  for (const { timestamp } of values) {
    if (timestamp !== undefined && (latest === undefined || timestamp > latest)) latest = timestamp;
  }
  return latest;
}
