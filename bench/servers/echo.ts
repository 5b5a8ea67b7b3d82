import { createSocket } from 'node:dgram';
import { serve } from '../serve';

/** The yardstick: the least that Node can do with a datagram. */
const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
socket.on('message', (datagram, peer) => socket.send(datagram, peer.port, peer.address));
// A datagram that the system refuses to send is lost like any other; its sender sends it again.
socket.on('error', (error) => process.stderr.write(`echo: ${error.message}\n`));

serve({
  listen: () =>
    new Promise<number>((resolve) => {
      socket.bind(0, '127.0.0.1', () => resolve(socket.address().port));
    }),
});
