import { Command, type ChainableCommander, type Redis } from 'ioredis';
import { toMessage } from '../../errors.ts';

type Word = string | Buffer | number;

/** Answers that a full Redis gives to a command that needs memory. */
const FULL = /\bOOM command not allowed/;

const DO_AFTER_DEL = "redis.call('DEL', KEYS[1]); return redis.call(unpack(ARGV))";
/** The commands of a transaction, each after the number of its words. */
const DO_ALL_AFTER_DEL = `
redis.call('DEL', KEYS[1])
local replies, at = {}, 1
while at <= #ARGV do
  local last = at + tonumber(ARGV[at])
  replies[#replies + 1] = redis.call(unpack(ARGV, at + 1, last))
  at = last + 1
end
return replies`;

/**
 * Sends a command that a full Redis has refused once more, so that Redis carries it out: a script may write on when its first
 * write, here a DEL, needs no memory (https://redis.io/docs/latest/develop/interact/programmability/eval-intro/). For the few small
 * writes of a person who stops or cancels what fills it.
 * @param scratch a key that holds nothing of value; the DEL is of it
 * @throws the error of the first try, where it has another cause, or the command is no single one
 */
export async function insist(redis: Redis, command: Command, error: unknown, scratch: string): Promise<unknown> {
  if (!FULL.test(toMessage(error))) throw error;
  const { name, args } = command;
  const plain = args as Word[];
  if (!/^eval(?:sha)?$/i.test(name)) {
    return evaluate(redis, [DO_AFTER_DEL, 1, scratch, name, ...plain]);
  }
  const [code, count, ...rest] = plain;
  const lua = name === 'eval' ? String(code) : findScript(redis, String(code));
  if (lua === null) throw error;
  const keyCount = Number(count);
  // The script finds its keys in their places: the scratch key is the last.
  const values = [...rest.slice(0, keyCount), scratch, ...rest.slice(keyCount)];
  return evaluate(redis, [`redis.call('DEL', KEYS[${keyCount + 1}]);\n${lua}`, keyCount + 1, ...values]);
}

/** Makes a transaction that does the same: where a full Redis refuses it, it becomes one script. */
export function insistOnTransaction(redis: Redis, chain: ChainableCommander, scratch: string): ChainableCommander {
  const exec = chain.exec.bind(chain);
  chain.exec = async () => {
    try {
      return await exec();
    } catch (error) {
      const reasons = error instanceof Error && 'previousErrors' in error ? String(error.previousErrors) : '';
      if (!FULL.test(reasons)) throw error;
      const commands = (Reflect.get(chain, '_queue') as Command[]).filter(
        ({ name }) => !/^(?:multi|exec)$/i.test(name),
      );
      const words = commands.flatMap(({ name, args }) => [args.length + 1, name, ...(args as Word[])]);
      const replies = (await evaluate(redis, [DO_ALL_AFTER_DEL, 1, scratch, ...words])) as unknown[];
      return replies.map((reply): [null, unknown] => [null, reply]);
    }
  };
  return chain;
}

async function evaluate(redis: Redis, words: Word[]): Promise<unknown> {
  const sent = new Command('eval', words, { replyEncoding: 'utf8' });
  redis.sendCommand(sent);
  return sent.promise;
}

/** The text of a script that was defined on the connection, as BullMQ's are. */
function findScript(redis: Redis, sha: string): string | null {
  const defined = (Reflect.get(redis, 'scriptsSet') ?? {}) as Record<string, { lua: string; sha: string }>;
  return Object.values(defined).find((script) => script.sha === sha)?.lua ?? null;
}
