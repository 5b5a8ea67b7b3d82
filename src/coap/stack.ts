import { CancelledError } from '../errors';
import type { Channel, Transport } from '../transport/transport';
import type { Clock } from '../util/clock';
import type { Log } from '../util/log';
import type { RandomSource } from '../util/random';
import type { CoapLimits, TransmissionParameters } from './parameters';
import { newStatistics } from './statistics';
import type { CoapStatistics } from './statistics';
import type { CoapObservation, CoapRequest, CoapResponse, Observer, RequestHandler, RequestOptions } from './types';

export interface CoapStackOptions {
  readonly clock: Clock;
  readonly handler: RequestHandler;
  readonly log?: Log;
  readonly random?: RandomSource;
  readonly parameters?: Partial<TransmissionParameters>;
  readonly limits?: Partial<CoapLimits>;
}

/** Interface first; the body follows. */
export class CoapStack {
  readonly statistics: Readonly<CoapStatistics> = newStatistics();

  constructor(readonly options: CoapStackOptions) {}

  open(_transport: Transport): Promise<void> {
    return Promise.reject(new CancelledError('not built yet'));
  }

  close(): Promise<void> {
    return Promise.reject(new CancelledError('not built yet'));
  }

  request(_channel: Channel, _request: CoapRequest, _options?: RequestOptions): Promise<CoapResponse> {
    return Promise.reject(new CancelledError('not built yet'));
  }

  observe(
    _channel: Channel,
    _request: CoapRequest,
    _observer: Observer,
    _options?: RequestOptions,
  ): Promise<{ response: CoapResponse; observation?: CoapObservation }> {
    return Promise.reject(new CancelledError('not built yet'));
  }

  restoreObservation(_channel: Channel, _token: Buffer, _request: CoapRequest, _observer: Observer): CoapObservation {
    throw new CancelledError('not built yet');
  }

  moveChannel(_from: Channel, _to: Channel): void {
    throw new CancelledError('not built yet');
  }
}
