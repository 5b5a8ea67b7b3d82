import { setTimeout as wait } from 'node:timers/promises';
import { answerTo, locationOf, registerDatagram, updateDatagram } from './datagrams';
import { Peers } from './peers';
import { count, type Row } from './rows';
import { Subject } from './subject';

const DEVICES = 10_000;
const SOCKETS = 1_000;
const WINDOW = 200;
const POLL_MS = 500;

/**
 * An order to 10,000 devices that sleep, with the durable store: it is in the store when it waits, goes out when its device
 * says that it is awake, and leaves the store when the device has confirmed it.
 */
export async function measureSleepers(): Promise<Row[]> {
  const subject = Subject.start('engine-sqlite');
  try {
    const peers = await Peers.open(SOCKETS, await subject.ask<number>('listen'));
    peers.onRequest((socketIndex, request) => peers.sendFrom(socketIndex, answerTo(request).answer));
    const locations: string[] = [];
    await peers.exchange(
      DEVICES,
      WINDOW,
      (n, _socket, messageId) => registerDatagram(`meter-${n}`, messageId, true),
      (_socket, answer, n) => (locations[n] = locationOf(answer)),
    );
    while ((await subject.ask<number>('asleep')) < DEVICES) await wait(POLL_MS);

    const given = await subject.cpuDuring(() => subject.ask('orderSleepers'));
    let delivered = 0;
    const awake = await subject.cpuDuring(async () => {
      await peers.exchange(DEVICES, WINDOW, (n, _socket, messageId) => updateDatagram(locations[n] ?? '', messageId));
      delivered = await subject.ask<number>('orderDelivered');
    });
    peers.close();
    return [
      {
        what: 'an order to 10,000 that sleep, durable store: given, stored, delivered',
        measured: `${count(delivered)} of ${count(DEVICES)}`,
        goal: 'all',
        reached: delivered === DEVICES,
      },
      {
        what: 'its cost, from being given to having left the store',
        measured: `${count(DEVICES / (given + awake))} /CPU-s`,
      },
      { what: 'given and stored', measured: `${count(DEVICES / given)} /CPU-s` },
      { what: 'update of its device, order, answer, removal', measured: `${count(DEVICES / awake)} /CPU-s` },
    ];
  } finally {
    await subject.stop();
  }
}
