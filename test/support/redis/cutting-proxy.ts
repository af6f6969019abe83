import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createRandom, takeSeed } from '../random.ts';
import { isPush, RespSplitter, toCommandName } from './resp.ts';
import type { TestRedis } from './use-redis.ts';

const SCRIPT_COMMANDS = new Set(['EVALSHA', 'EVAL']);
/** Without effect: what a client sends to begin a connection. */
const OF_CONNECTION = new Set(['HELLO', 'AUTH', 'CLIENT', 'INFO', 'SELECT', 'READONLY', 'QUIT']);
/** They change nothing, and the fleet sends thousands of them at once. */
const READS =
  /^(GET|MGET|STRLEN|EXISTS|TYPE|P?TTL|H(GET|MGET|GETALL|EXISTS|KEYS|LEN)|Z(RANGE|SCORE|CARD)|S?SCAN|SMEMBERS)$/;
const READS_RARER = 20;
/** Then messages come unasked. */
const SUBSCRIBE = new Set(['SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE', 'MONITOR']);

export interface CuttingProxyOptions {
  /** One command of so many loses its answer, one read of twenty times as many; 0: only those of `cutNext`. Default 20. */
  oneIn?: number;
  /** Only runs of scripts lose their answers. Default false. */
  scriptsOnly?: boolean;
}

export interface CuttingProxy {
  url: string;
  /** How many connections it has broken. */
  cuts(): number;
  /** The next command that holds all of these texts loses its answer, too. */
  cutNext(...texts: string[]): void;
  /** From now on it cuts nothing. */
  rest(): void;
}

/**
 * A proxy to Redis that delivers every command. Of some, by a seed that it prints, it cuts the answer: Redis has executed the
 * command, and the client's connection breaks. Answers to earlier commands of the same packet arrive, later ones do not.
 */
export async function startCuttingProxy(
  redis: TestRedis,
  { oneIn = 20, scriptsOnly = false }: CuttingProxyOptions = {},
): Promise<CuttingProxy> {
  const random = oneIn === 0 ? () => 0 : createRandom(takeSeed(`one of ${oneIn} answers of Redis is lost`));
  const sockets = new Set<Socket>();
  let isCutting = true;
  let next: string[] = [];
  let cuts = 0;

  function isNext(message: Buffer): boolean {
    if (next.length === 0 || !next.every((text) => message.includes(text))) return false;
    next = [];
    return true;
  }

  function isChosen(command: string): boolean {
    if (!isCutting || OF_CONNECTION.has(command) || (scriptsOnly && !SCRIPT_COMMANDS.has(command))) return false;
    return random(1, READS.test(command) ? oneIn * READS_RARER : oneIn) === 1;
  }

  function join(client: Socket, upstream: Socket): void {
    const requests = new RespSplitter();
    const answers = new RespSplitter();
    const underWay: boolean[] = []; // of each command, whether its answer is cut
    let subscribes = false;
    client.on('data', (chunk) => {
      for (const message of requests.push(chunk)) {
        const command = toCommandName(message);
        subscribes ||= SUBSCRIBE.has(command);
        underWay.push(!subscribes && (isNext(message) || isChosen(command)));
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (subscribes) {
        client.write(chunk);
        return;
      }
      for (const message of answers.push(chunk)) {
        if (!isPush(message) && underWay.shift() === true) {
          cuts += 1;
          client.end();
          upstream.destroy();
          return;
        }
        client.write(message);
      }
    });
  }

  const server = createServer((client) => {
    const upstream = connect(redis.port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.end());
    join(client, upstream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  redis.cleanup(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: () => cuts,
    cutNext(...texts) {
      next = texts;
    },
    rest() {
      isCutting = false;
    },
  };
}
