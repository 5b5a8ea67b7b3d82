import { CoapCode } from '../../coap';
import { encodeContent, type ContentFormatName } from '../../content';
import { fromCompositePayload, pathEquals, pathOf, ROOT, type Path, type ResourceValue } from '../../model';
import { assertSuccess, type Exchange } from '../exchange';
import { compositeChoices } from '../format-choice';
import type { OperationResult, WriteCompositeOperation } from '../operation';
import { checkVisible } from './check';
import { sendFirstTaken, writeValues } from './write';

/** Write-Composite: one iPATCH for values of several objects (LwM2M Core 1.2 s6.3.9). */
export async function writeComposite(exchange: Exchange, operation: WriteCompositeOperation): Promise<OperationResult> {
  const { client, context } = exchange;
  const { model } = client;
  const values = fromCompositePayload(operation.values, model.definitionOf, (text) => model.resolve(text));
  for (const { path } of values) checkVisible(path);
  const single = client.registration.version === '1.0';
  // What a newer device refuses is refused as a whole: in pieces, half of it might be done.
  const contentFormat = single
    ? await writeSingly(exchange, values, operation.contentFormat)
    : await patch(exchange, values, operation.contentFormat);
  const at = context.clock.now();
  context.listener.written(client, values, at, exchange.user);
  const result: OperationResult = {
    operation: 'write-composite',
    endpoint: client.endpoint,
    path: Object.keys(operation.values).join(','),
    payload: undefined,
    code: '2.04',
    contentFormat,
    timestamp: at,
    queuedFor: 0,
  };
  return single ? { ...result, fallback: true } : result;
}

async function patch(
  exchange: Exchange,
  values: readonly ResourceValue[],
  wish: ContentFormatName | undefined,
): Promise<ContentFormatName> {
  const choices = compositeChoices(exchange.client, wish, values);
  const { response, contentFormat } = await sendFirstTaken(exchange, choices, (formatId) => ({
    code: CoapCode.IPATCH,
    options: { uriPath: exchange.uriPath(ROOT), contentFormat: formatId },
    payload: encodeContent(formatId, ROOT, values, exchange.client.model),
  }));
  assertSuccess(response);
  return contentFormat;
}

/** On a 1.0 device: one write a resource, in the order given; the first that fails ends it. */
async function writeSingly(
  exchange: Exchange,
  values: readonly ResourceValue[],
  wish: ContentFormatName | undefined,
): Promise<ContentFormatName | undefined> {
  let contentFormat: ContentFormatName | undefined;
  for (const { path, values: group } of byResource(values)) {
    // What is not named stays as it is, so instances and multiple resources are updated, not replaced.
    contentFormat = await writeValues(exchange, path, group, 'update', wish);
  }
  return contentFormat;
}

/** Instances of one multiple resource stay together: they are written as that resource. */
function byResource(values: readonly ResourceValue[]): { path: Path; values: ResourceValue[] }[] {
  const groups: { path: Path; values: ResourceValue[] }[] = [];
  for (const value of values) {
    const { objectId = 0, objectInstanceId = 0, resourceId } = value.path;
    const path = resourceId === undefined ? value.path : pathOf(objectId, objectInstanceId, resourceId);
    const last = groups.at(-1);
    if (last !== undefined && pathEquals(last.path, path)) last.values.push(value);
    else groups.push({ path, values: [value] });
  }
  return groups;
}
