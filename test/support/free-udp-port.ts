import dgram from 'node:dgram';
import { once } from 'node:events';

/** A UDP port that nobody has, of both families. */
export async function freeUdpPort(): Promise<number> {
  const socket = dgram.createSocket('udp6');
  socket.bind(0, '::');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}
