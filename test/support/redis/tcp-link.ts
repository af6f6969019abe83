import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A network between processes and a server, which a test can break. */
export interface TcpLink {
  port: number;
  url: string;
  /** Lets all packets of both directions vanish, and keeps the sockets open. Packets of open connections are lost for good. */
  freeze(): void;
  /** New connections work again; those that lost packets stay silent. */
  thaw(): void;
  /** Where new connections lead from now on; `break` ends the open ones. */
  pointTo(port: number, options?: { break?: boolean }): void;
  close(): Promise<void>;
}

export async function startTcpLink(target: number): Promise<TcpLink> {
  let port = target;
  let frozen = false;
  const pairs = new Set<{ client: Socket; upstream: Socket; dead: boolean }>();
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    const pair = { client, upstream, dead: frozen };
    pairs.add(pair);
    const end = (): void => {
      if (frozen) return; // nor does the end of a connection pass
      client.destroy();
      upstream.destroy();
      pairs.delete(pair);
    };
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => undefined).on('close', end);
      from.on('data', (chunk) => {
        if (frozen) pair.dead = true;
        if (!pair.dead) to.write(chunk);
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const destroyAll = (): void => {
    for (const { client, upstream } of pairs) {
      client.destroy();
      upstream.destroy();
    }
    pairs.clear();
  };
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    url: `redis://127.0.0.1:${address.port}`,
    freeze() {
      frozen = true;
      for (const pair of pairs) pair.dead = true;
    },
    thaw: () => void (frozen = false),
    pointTo(next, options = {}) {
      port = next;
      if (options.break === true) destroyAll();
    },
    async close() {
      frozen = false;
      destroyAll();
      server.close();
      await once(server, 'close');
    },
  };
}
