import { CoapCode, type CoapOptions } from '../../coap';
import { contentFormatId, parseDiscovery } from '../../content';
import { formatPath } from '../../model';
import { assertSuccess, type Exchange } from '../exchange';
import type { DiscoverOperation, OperationResult } from '../operation';

/** Discover (LwM2M Core 1.2 s6.3.2). */
export async function discover(exchange: Exchange, operation: DiscoverOperation): Promise<OperationResult> {
  const { client, context } = exchange;
  const linkFormat = contentFormatId('link-format');
  const options: CoapOptions = { uriPath: exchange.uriPath(operation.path), accept: linkFormat };
  if (operation.depth !== undefined) options.uriQuery = [`depth=${operation.depth}`];
  const response = await exchange.request({ code: CoapCode.GET, options });
  assertSuccess(response);
  const { rootPath } = client.registration.objects;
  return {
    operation: 'discover',
    endpoint: client.endpoint,
    path: formatPath(operation.path),
    payload: parseDiscovery(response.payload, rootPath.length === 0 ? '/' : `/${rootPath.join('/')}`),
    code: '2.05',
    contentFormat: 'link-format',
    timestamp: context.clock.now(),
    queuedFor: 0,
  };
}
