import { answerTo, isRequest, registerDatagram } from './datagrams';
import { Peers } from './peers';
import type { Row } from './rows';
import { Subject } from './subject';

const DEVICES = 10_000;

interface OrderFigures {
  total: number;
  succeeded: number;
  p50: number;
  p99: number;
}

/** One order ("on") to 10,000 lamps behind 1,000 sockets. */
export async function measureOrder(): Promise<Row[]> {
  const subject = Subject.start('engine');
  const peers = await Peers.open(1_000, await subject.ask<number>('listen'));
  await peers.exchange(DEVICES, 200, (n, _socket, messageId) => registerDatagram(`lamp-${n}`, messageId));
  peers.onDatagram((socketIndex, datagram) => {
    if (isRequest(datagram)) peers.sendFrom(socketIndex, answerTo(datagram).answer);
  });
  let figures: OrderFigures = { total: 0, succeeded: 0, p50: NaN, p99: NaN };
  const cpu = await subject.cpuDuring(async () => {
    figures = await subject.ask<OrderFigures>('orderAll');
  });
  peers.close();
  await subject.stop();
  return [
    {
      what: 'a group order to 10,000 devices: confirmed',
      measured: `${figures.succeeded.toLocaleString('en-US')} of ${figures.total.toLocaleString('en-US')}`,
      goal: 'all',
      reached: figures.succeeded === DEVICES,
    },
    { what: 'its time to confirm, p50 / p99', measured: `${Math.round(figures.p50)} / ${Math.round(figures.p99)} ms` },
    { what: 'its cost', measured: `${Math.round(DEVICES / cpu).toLocaleString('en-US')} writes /CPU-s` },
  ];
}
