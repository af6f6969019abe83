import { Redis, type RedisOptions } from 'ioredis';
import type { RedisHost, RedisServers } from '../../config/redis-servers.ts';
import { toMessage } from '../../errors.ts';

const ANSWERS_MS = 1_000;

type SlotRange = [first: number, last: number, ...nodes: [host: string | null, port: number, ...rest: unknown[]][]];

/**
 * Asks the nodes of a cluster, one after the other, which master owns the slot of the swarm. All keys of a swarm share one hash
 * tag, so that one node has them all, and one connection to it serves like one to a single server.
 * @param known nodes to ask; those that an answer names are added
 * @throws Error with what the last node answered, when no node names an owner
 */
export async function findOwner(
  servers: RedisServers,
  known: RedisHost[],
  tls: RedisOptions['tls'],
): Promise<RedisHost> {
  let problem = 'no node answers';
  for (const node of known.slice()) {
    try {
      const { owner, nodes } = await ask(node, servers, tls);
      for (const other of nodes) if (!known.some((one) => isSame(one, other))) known.push(other);
      if (owner !== null) return owner;
      problem = `${node.host}:${node.port} knows no owner of the slot of swarm ${servers.swarm}`;
    } catch (error) {
      problem = `${node.host}:${node.port}: ${toMessage(error)}`;
    }
  }
  throw new Error(`Redis Cluster: ${problem}`);
}

async function ask(
  node: RedisHost,
  servers: RedisServers,
  tls: RedisOptions['tls'],
): Promise<{ owner: RedisHost | null; nodes: RedisHost[] }> {
  const redis = new Redis({
    ...node,
    username: servers.username ?? undefined,
    password: servers.password ?? undefined,
    ...(tls === undefined ? {} : { tls }),
    lazyConnect: true,
    retryStrategy: () => null,
    enableReadyCheck: false,
    connectTimeout: ANSWERS_MS,
    commandTimeout: ANSWERS_MS,
    disconnectTimeout: 0,
    connectionName: 'fleet-locate',
  });
  let refused: Error | null = null;
  redis.on('error', (error) => (refused = error));
  try {
    const [slot, ranges] = (await Promise.all([
      redis.cluster('KEYSLOT', `{${servers.swarm}}`),
      redis.cluster('SLOTS'),
    ])) as unknown as [number, SlotRange[]];
    const masters = ranges.map(([first, last, master]) => ({ first, last, ...toHost(master, node) }));
    const owner = masters.find(({ first, last }) => first <= slot && slot <= last);
    const nodes = ranges.flatMap(([, , ...all]) => all.map((one) => toHost(one, node)));
    return { owner: owner === undefined ? null : { host: owner.host, port: owner.port }, nodes };
  } catch (error) {
    throw refused ?? error;
  } finally {
    redis.disconnect();
  }
}

/** A node that knows no address of its own sends none: then it is the one that was asked. */
function toHost(node: SlotRange[2] | undefined, asked: RedisHost): RedisHost {
  const [host, port] = node ?? [];
  return host ? { host, port: port ?? asked.port } : asked;
}

function isSame(one: RedisHost, other: RedisHost): boolean {
  return one.host === other.host && one.port === other.port;
}
