import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * A proxy in front of Redis that loses answers: Redis has run the command, the caller gets no answer and its connection
 * breaks. So clients send commands twice.
 */
export class CuttingProxy {
  readonly #port: number;
  readonly #isCut: () => boolean;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  /** How many answers were cut. */
  cuts = 0;
  /** Whether answers are cut now. */
  isOn = true;

  /** @param isCut drawn for each packet of answers */
  constructor(port: number, isCut: () => boolean) {
    this.#port = port;
    this.#isCut = isCut;
    this.#server = createServer((client) => this.#serve(client));
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(client: Socket): void {
    const upstream = connect(this.#port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    }
    client.on('data', (chunk) => upstream.write(chunk)).on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    upstream.on('data', (chunk) => {
      if (this.isOn && this.#isCut()) {
        this.cuts += 1;
        client.destroy();
      } else client.write(chunk);
    });
  }
}
