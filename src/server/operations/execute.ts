import { CoapCode, formatCode } from '../../coap';
import { contentFormatId } from '../../content';
import { formatPath } from '../../model';
import { assertSuccess, type Exchange } from '../exchange';
import { assertConditions } from './conditions';
import { executeArguments } from '../execute-arguments';
import type { ExecuteOperation, OperationResult } from '../operation';

/** Execute (LwM2M Core 1.2 s6.3.5). */
export async function execute(exchange: Exchange, operation: ExecuteOperation): Promise<OperationResult> {
  const args = executeArguments(operation.args);
  await assertConditions(exchange, operation.conditions);
  const uriPath = exchange.uriPath(operation.path);
  const response = await exchange.request(
    args === ''
      ? { code: CoapCode.POST, options: { uriPath } }
      : {
          code: CoapCode.POST,
          options: { uriPath, contentFormat: contentFormatId('text') },
          payload: Buffer.from(args, 'ascii'),
        },
  );
  assertSuccess(response);
  return {
    operation: 'execute',
    endpoint: exchange.client.endpoint,
    path: formatPath(operation.path),
    payload: undefined,
    code: formatCode(response.code),
    timestamp: exchange.context.clock.now(),
    queuedFor: 0,
  };
}
