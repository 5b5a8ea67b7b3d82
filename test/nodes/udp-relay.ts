import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** Stands between one device and a server, to see what goes over the wire. */
export class UdpRelay {
  /** CoAP requests that the server has sent. */
  requests = 0;
  readonly #toServer = createSocket('udp4');
  readonly #toDevice = createSocket('udp4');
  #device: AddressInfo | undefined;

  /** @returns where the device finds the server. */
  async start(serverPort: number): Promise<string> {
    await Promise.all([this.#toServer, this.#toDevice].map((socket) => bind(socket)));
    this.#toDevice.on('message', (datagram, from) => {
      this.#device = { ...from };
      this.#toServer.send(datagram, serverPort, '127.0.0.1');
    });
    this.#toServer.on('message', (datagram) => {
      const code = datagram[1] ?? 0;
      if (code > 0 && code < 0x20) this.requests += 1;
      if (this.#device) this.#toDevice.send(datagram, this.#device.port, this.#device.address);
    });
    return `coap://127.0.0.1:${this.#toDevice.address().port}`;
  }

  close(): void {
    this.#toServer.close();
    this.#toDevice.close();
  }
}

async function bind(socket: Socket): Promise<void> {
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
}
