import { CoapCode, type CoapResponse } from '../../coap';
import { encodeContent, type ContentFormatName } from '../../content';
import { formatPath, fromPayload, parsePath, pathLevel, pathOf, type Path, type ResourceValue } from '../../model';
import { InvalidArgumentError } from '../../errors';
import { assertSuccess, type Exchange } from '../exchange';
import { contentChoices } from '../format-choice';
import type { CreateOperation, OperationResult } from '../operation';
import { sendFirstTaken } from './write';

/** Create an object instance (LwM2M Core 1.2 s6.3.6): POST to the object, the id in the body or left to the device. */
export async function create(exchange: Exchange, operation: CreateOperation): Promise<OperationResult> {
  const { client, context } = exchange;
  const { objectId = 0, objectInstanceId } = operation.path;
  const withoutInstanceId = objectInstanceId === undefined;
  // Values need a place; without an id the codec leaves it out again.
  const instance = pathOf(objectId, objectInstanceId ?? 0);
  const values = fromPayload(instance, operation.value ?? {}, client.model.definitionOf);
  const object = pathOf(objectId);
  const choices = createChoices(exchange, object, values, operation);
  const { response, contentFormat } = await sendFirstTaken(exchange, choices, (formatId) => ({
    code: CoapCode.POST,
    options: { uriPath: exchange.uriPath(object), contentFormat: formatId },
    payload: encodeContent(formatId, object, values, client.model, { withoutInstanceId }),
  }));
  assertSuccess(response);
  const created = createdPath(exchange, response) ?? (withoutInstanceId ? undefined : instance);
  const at = context.clock.now();
  if (created !== undefined) {
    const places = values.map(({ path, value }) => ({
      path: { ...path, objectInstanceId: created.objectInstanceId },
      value,
    }));
    context.listener.written(client, places, at, exchange.user);
  }
  return {
    operation: 'create',
    endpoint: client.endpoint,
    path: formatPath(operation.path),
    payload: created === undefined ? undefined : formatPath(created),
    code: '2.01',
    contentFormat,
    timestamp: at,
    queuedFor: 0,
  };
}

function createChoices(
  { client }: Exchange,
  object: Path,
  values: readonly ResourceValue[],
  { path, contentFormat }: CreateOperation,
): readonly ContentFormatName[] {
  // Only TLV can leave the id to the device (LwM2M Core 1.2 s7.4.3).
  if (path.objectInstanceId === undefined) return ['tlv'];
  // SenML and JSON name resources only: they cannot say which instance it is that has none.
  const isEmpty = values.every((value) => value.path.resourceId === undefined);
  if (isEmpty) return contentFormat === 'lwm2m-cbor' ? ['lwm2m-cbor', 'tlv'] : ['tlv'];
  return contentChoices(client, object, values, contentFormat);
}

/** The instance that Location-Path names; `undefined` when it names none. */
function createdPath({ client }: Exchange, { options }: CoapResponse): Path | undefined {
  const { rootPath } = client.registration.objects;
  let segments = options.locationPath ?? [];
  if (rootPath.length > 0 && rootPath.every((segment, index) => segments[index] === segment)) {
    segments = segments.slice(rootPath.length);
  }
  try {
    const path = parsePath(`/${segments.join('/')}`);
    return pathLevel(path) === 'object-instance' ? path : undefined;
  } catch (error) {
    if (error instanceof InvalidArgumentError) return undefined;
    throw error;
  }
}
