import type { PeerAddress, PeerIdentity, Scheme } from '../transport/transport';
import type { Clock } from '../util/clock';
import type { AfterResponse } from './after-response';
import type { Rejection, RejectionReason } from './rejection';
import type { ServerListener } from './server-listener';

const MAX_HOSTS = 1024;

/** So many at once, then so many a second. */
const OF_ALL = { burst: 200, perSecond: 20 };
const OF_A_HOST = { burst: 20, perSecond: 1 };

/** Who was turned away: a channel, or a peer that did not get so far as to have one. */
export interface RejectedPeer {
  readonly scheme: Scheme;
  readonly address: PeerAddress;
  readonly identity: PeerIdentity;
}

/** Says who was turned away and why, but not as often as a flood would have it. */
export class Rejections {
  readonly #all: Allowance;
  readonly #hosts = new Map<string, Allowance>();
  #suppressed = 0;

  constructor(
    private readonly clock: Clock,
    private readonly listener: ServerListener,
    private readonly afterResponse: AfterResponse,
  ) {
    this.#all = { ...OF_ALL, left: OF_ALL.burst, at: clock.monotonic() };
  }

  /** How many were not said. */
  get suppressed(): number {
    return this.#suppressed;
  }

  say(peer: RejectedPeer, endpoint: string, operation: Rejection['operation'], reason: RejectionReason): void {
    const { host, port } = peer.address;
    const now = this.clock.monotonic();
    if (!take(this.#hostAllowance(host, now), now) || !take(this.#all, now)) {
      this.#suppressed += 1;
      return;
    }
    const address = { host, port, transport: peer.scheme };
    const identity = { ...peer.identity };
    this.afterResponse.defer(() => this.listener.rejected({ endpoint, address, identity, operation, reason }));
  }

  #hostAllowance(host: string, now: number): Allowance {
    let allowance = this.#hosts.get(host);
    if (allowance === undefined) {
      if (this.#hosts.size >= MAX_HOSTS) {
        for (const oldest of this.#hosts.keys()) {
          this.#hosts.delete(oldest);
          break;
        }
      }
      allowance = { ...OF_A_HOST, left: OF_A_HOST.burst, at: now };
      this.#hosts.set(host, allowance);
    }
    return allowance;
  }
}

interface Allowance {
  readonly burst: number;
  readonly perSecond: number;
  left: number;
  at: number;
}

function take(allowance: Allowance, now: number): boolean {
  const refill = ((now - allowance.at) / 1000) * allowance.perSecond;
  allowance.left = Math.min(allowance.burst, allowance.left + refill);
  allowance.at = now;
  if (allowance.left < 1) return false;
  allowance.left -= 1;
  return true;
}
