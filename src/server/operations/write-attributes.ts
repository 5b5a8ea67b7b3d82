import { CoapCode } from '../../coap';
import { formatPath, type Path } from '../../model';
import { attributeQueries, type Attributes } from '../attributes';
import { assertSuccess, type Exchange } from '../exchange';
import type { OperationResult, WriteAttributesOperation } from '../operation';

/** Write-Attributes (LwM2M Core 1.2 s6.3.4). */
export async function writeAttributes(
  exchange: Exchange,
  { path, attributes }: WriteAttributesOperation,
): Promise<OperationResult> {
  await sendAttributes(exchange, path, attributes);
  return {
    operation: 'write-attributes',
    endpoint: exchange.client.endpoint,
    path: formatPath(path),
    payload: undefined,
    code: '2.04',
    timestamp: exchange.context.clock.now(),
    queuedFor: 0,
  };
}

export async function sendAttributes(exchange: Exchange, path: Path, attributes: Attributes): Promise<void> {
  const options = { uriPath: exchange.uriPath(path), uriQuery: attributeQueries(attributes) };
  assertSuccess(await exchange.request({ code: CoapCode.PUT, options }));
}
