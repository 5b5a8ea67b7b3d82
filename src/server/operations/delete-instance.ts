import { CoapCode } from '../../coap';
import { formatPath } from '../../model';
import { assertSuccess, type Exchange } from '../exchange';
import type { DeleteOperation, OperationResult } from '../operation';

/** Delete (LwM2M Core 1.2 s6.3.7). */
export async function deleteInstance(exchange: Exchange, { path }: DeleteOperation): Promise<OperationResult> {
  assertSuccess(await exchange.request({ code: CoapCode.DELETE, options: { uriPath: exchange.uriPath(path) } }));
  return {
    operation: 'delete',
    endpoint: exchange.client.endpoint,
    path: formatPath(path),
    payload: undefined,
    code: '2.02',
    timestamp: exchange.context.clock.now(),
    queuedFor: 0,
  };
}
