import type { ChainableCommander, Command, Redis, RedisOptions } from 'ioredis';
import { RedisUnusableError } from '../../errors.ts';
import { FleetRedis, type ConnectionSettings } from './fleet-redis.ts';

/**
 * Commands that change no data, by the names that Redis gives them. Whatever is not in the list is refused, also what a later version
 * of Redis adds: scripts too, of which nobody knows what they do.
 */
const READS = new Set(
  [
    'get mget strlen exists type ttl pttl hget hmget hgetall hexists hlen hkeys hscan scan',
    'zrange zrevrange zrangebyscore zrevrangebyscore zscore zmscore zcard zcount zscan',
    'xrange xrevrange xread xlen xinfo smembers sismember scard sscan lrange llen',
    'hello auth select client ping info time quit multi exec discard',
    'subscribe psubscribe unsubscribe punsubscribe',
  ].flatMap((line) => line.split(' ')),
);

/**
 * A connection to data that this fleet may read and never change: another swarm's. It refuses every other command unsent; a pipeline
 * or transaction throws as soon as such a command is added to it.
 */
export class ReadOnlyRedis extends FleetRedis {
  override sendCommand(command: Command, stream?: Parameters<Redis['sendCommand']>[1]): unknown {
    if (isRead(command)) return super.sendCommand(command, stream);
    command.reject(toRefusal(command));
    return command.promise;
  }

  protected override prepareChain(commander: ChainableCommander): ChainableCommander {
    const chain = commander as ChainableCommander & { sendCommand(command: Command): unknown };
    const add = chain.sendCommand.bind(chain);
    chain.sendCommand = (command) => {
      if (!isRead(command)) throw toRefusal(command);
      return add(command);
    };
    return chain;
  }

  override duplicate: Redis['duplicate'] = ((override?: Partial<RedisOptions>) =>
    new ReadOnlyRedis(null, { ...this.options, ...override } as ConnectionSettings, {
      redact: this.redact,
      silenceMs: this.silenceMs,
    })) as Redis['duplicate'];
}

function isRead({ name }: Command): boolean {
  return READS.has(name.toLowerCase());
}

function toRefusal({ name }: Command): RedisUnusableError {
  return new RedisUnusableError(`${name.toUpperCase()}: this connection only reads`);
}
