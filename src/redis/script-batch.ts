import type { Redis } from 'ioredis';

/** Longest a batch may be. Longer ones make client and server wait for each other in turns: 4 used least of both in a run of 1, 4, 8 and 32. */
const MAX_CALLS = 4;

interface Waiting {
  keys: string[];
  args: (string | number)[];
  resolve: (answer: unknown) => void;
  reject: (error: Error) => void;
}

/**
 * Sends the calls of one script that are made in the same turn of the event loop as one command. A busy worker makes
 * dozens at once, and the command around a call costs both sides more than the call itself; a lone call goes out alone.
 * Each call stays one atomic step, and fails for itself.
 */
export function batchCalls(
  redis: Redis,
  name: string,
  script: { body: string; includes: string },
): (keys: string[], args: (string | number)[]) => Promise<unknown> {
  const single = define(redis, name, `${script.includes}\n${script.body}`);
  const many = define(redis, `${name}:many`, toBatchScript(script));
  let waiting: Waiting[] = [];

  function flush(): void {
    const calls = waiting;
    waiting = [];
    for (let from = 0; from < calls.length; from += MAX_CALLS) send(calls.slice(from, from + MAX_CALLS));
  }

  function send(calls: Waiting[]): void {
    const [first] = calls;
    if (first !== undefined && calls.length === 1) {
      single(first.keys.length, ...first.keys, ...first.args).then(first.resolve, first.reject);
      return;
    }
    const keys = calls.flatMap((call) => call.keys);
    const args = calls.flatMap((call) => [call.keys.length, call.args.length, ...call.args]);
    many(keys.length, ...keys, calls.length, ...args).then(
      (answers) => settle(calls, answers as [number, unknown][]),
      (error: Error) => calls.forEach((call) => call.reject(error)),
    );
  }

  return (keys, args) =>
    new Promise((resolve, reject) => {
      // After every reply that came in with the same packet has been acted on.
      if (waiting.length === 0) process.nextTick(flush);
      waiting.push({ keys, args, resolve, reject });
    });
}

function settle(calls: Waiting[], answers: [number, unknown][]): void {
  for (const [at, call] of calls.entries()) {
    const [ok, answer] = answers[at] ?? [0, 'no answer'];
    if (ok === 1) call.resolve(answer ?? null);
    else call.reject(new Error(String(answer)));
  }
}

function define(redis: Redis, name: string, lua: string): (...args: (string | number)[]) => Promise<unknown> {
  const command = `fleet:${name}`;
  redis.defineCommand(command, { lua });
  const run = Reflect.get(redis, command) as (...args: (string | number)[]) => Promise<unknown>;
  return (...args) => run.apply(redis, args);
}

/** The script as a function of its own KEYS and ARGV, called once for each call. */
function toBatchScript({ body, includes }: { body: string; includes: string }): string {
  return `${includes}
local function run(KEYS, ARGV)
${body}
end
local answers, key, arg = {}, 1, 2
for call = 1, tonumber(ARGV[1]) do
  local key_count, arg_count = tonumber(ARGV[arg]), tonumber(ARGV[arg + 1])
  local ok, answer = pcall(run, { unpack(KEYS, key, key + key_count - 1) }, { unpack(ARGV, arg + 2, arg + 1 + arg_count) })
  if ok then
    answers[call] = { 1, answer }
  else
    answers[call] = { 0, type(answer) == 'table' and answer.err or tostring(answer) }
  end
  key, arg = key + key_count, arg + 2 + arg_count
end
return answers
`;
}
