import { CancelledError } from '../errors';
import type { Channel, PeerAddress, Scheme } from '../transport/transport';
import { nextTurn } from '../util/next-turn';
import { isSameIdentity } from './admission';
import type { Observations } from './observations';
import type { RegisteredClients } from './registered-clients';
import type { Registration } from './registration';
import type { ServerStore, StoredObservation } from './store';

/** How many registrations or observations are taken up before everything else has its turn. */
const AT_ONCE = 500;

export interface TakingUpContext {
  readonly store: ServerStore;
  /** Registrations of another instance are left to it. */
  readonly owner: string;
  readonly clients: RegisteredClients;
  readonly observations: Observations;
  readonly channelTo: (scheme: Scheme, address: PeerAddress) => Channel | undefined;
  readonly isClosed: () => boolean;
}

/**
 * Takes up what the store holds of registered devices, as if this process had never been away: whom it can reach, and which
 * observations run. May be called again after it has failed: what was taken up stays.
 * @throws {StoreError} @throws {CancelledError} the server was closed meanwhile.
 */
export async function takeUp(context: TakingUpContext): Promise<void> {
  const { store } = context;
  const running = await runningObservations(context);
  const pace = paceOf(context);
  for await (const registration of store.registrations.all()) {
    await pace();
    restore(context, registration, running);
  }
  await sweep(context, running);
}

type RunningObservations = Map<string, StoredObservation[]>;

async function runningObservations(context: TakingUpContext): Promise<RunningObservations> {
  const running: RunningObservations = new Map();
  const pace = paceOf(context);
  for await (const observation of context.store.observations.all()) {
    await pace();
    const known = running.get(observation.endpoint);
    if (known === undefined) running.set(observation.endpoint, [observation]);
    else known.push(observation);
  }
  return running;
}

/** What is left in `running` afterwards belongs to no registration of ours. */
function restore(context: TakingUpContext, registration: Registration, running: RunningObservations): void {
  const { clients, observations, channelTo } = context;
  const { endpoint, id, scheme, address, identity } = registration;
  if (registration.owner !== context.owner) return;
  const [ours, stale] = divide(running.get(endpoint) ?? [], id);
  if (stale.length === 0) running.delete(endpoint);
  else running.set(endpoint, stale);
  if (clients.get(endpoint)?.registration.id === id) return;
  // A DTLS session does not outlive its process: the device is registered, but it has to come back to be reached.
  const found = channelTo(scheme, address);
  const channel = found !== undefined && isSameIdentity(found.identity, identity) ? found : undefined;
  if (channel === undefined && scheme !== 'coaps') return;
  const client = clients.set(registration, channel);
  // Nobody knows: it is said when one of queue mode is heard.
  client.awake = !registration.queueMode;
  observations.restore(client, ours);
}

/**
 * Observations of registrations that are no more, but that a crash kept in the store. Many are removed at a time: they
 * share commits.
 */
async function sweep(context: TakingUpContext, left: RunningObservations): Promise<void> {
  const { store } = context;
  const pace = paceOf(context);
  const stale: StoredObservation[] = [];
  for (const [endpoint, observations] of left) {
    await pace();
    const registration = await store.registrations.byEndpoint(endpoint);
    stale.push(...observations.filter(({ registrationId }) => registrationId !== registration?.id));
  }
  for (let start = 0; start < stale.length; start += AT_ONCE) {
    const some = stale.slice(start, start + AT_ONCE);
    await Promise.all(some.map(async ({ endpoint, token }) => store.observations.remove(endpoint, token)));
  }
}

function divide(
  observations: readonly StoredObservation[],
  registrationId: string,
): [ours: StoredObservation[], stale: StoredObservation[]] {
  const ours = observations.filter((observation) => observation.registrationId === registrationId);
  if (ours.length === observations.length) return [ours, []];
  return [ours, observations.filter((observation) => observation.registrationId !== registrationId)];
}

/** To be awaited for each thing: now and then it lets everything else have its turn. */
function paceOf({ isClosed }: TakingUpContext): () => Promise<void> | undefined {
  let count = 0;
  return () => {
    if (isClosed()) throw new CancelledError('the server was closed');
    count += 1;
    return count % AT_ONCE === 0 ? nextTurn() : undefined;
  };
}
