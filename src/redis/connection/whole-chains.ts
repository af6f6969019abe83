import { setTimeout as sleep } from 'node:timers/promises';
import type { ChainableCommander, Command, Redis } from 'ioredis';
import { isFull } from './refusals.ts';
import { nameWrongKey } from './name-key.ts';

/** How often a full server is asked again. */
export const ASK_AGAIN_MS = 500;

type Connection = Pick<Redis, 'options' | 'status' | 'once' | 'off'>;
type Chain = ChainableCommander & { sendCommand(command: Command): unknown };

/**
 * A pipeline that is completed if the connection breaks in the middle of its answers: the rest is sent again. ioredis sends
 * a pipeline again of which no answer came, and gives one up of which some came: a worker would take that for a failure of its
 * job. A command may run twice, so each must be safe to run twice.
 * @param create makes an empty chain
 */
export function completePipeline(connection: Connection, create: () => ChainableCommander): ChainableCommander {
  return withExec(create(), async (exec, commands) => {
    const answers = (await exec()) ?? [];
    for (;;) {
      const rest = [...answers.keys()].filter((i) => isCutShort(answers[i]?.[0]));
      if (rest.length === 0) return answers;
      await waitForConnection(connection);
      const again =
        (await repeat(
          create(),
          rest.flatMap((i) => commands[i] ?? []),
        ).exec()) ?? [];
      for (const [n, i] of rest.entries()) answers[i] = again[n] ?? [null, null];
    }
  });
}

/**
 * The same for a transaction, which is sent again as a whole: Redis has executed all of it or nothing. A connection that waits also
 * sends it again while the server is full.
 */
export function completeTransaction(connection: Connection, create: () => ChainableCommander): ChainableCommander {
  return withExec(create(), async (first, commands) => {
    for (let exec = first; ;) {
      try {
        const replies = await exec();
        replies?.forEach(([error], i) => {
          const command = commands[i];
          if (error !== null && command !== undefined) nameWrongKey(error, command);
        });
        return replies;
      } catch (error) {
        if (connection.options.maxRetriesPerRequest === null && isAbortedByFull(error)) await sleep(ASK_AGAIN_MS);
        else if (!isCutShort(error)) throw error;
      }
      await waitForConnection(connection);
      const chain = repeat(create(), commands);
      exec = () => chain.exec();
    }
  });
}

/** Replaces how a chain is executed. `commands` are those that were added to it. */
function withExec(
  commander: ChainableCommander,
  execute: (exec: ChainableCommander['exec'], commands: readonly Command[]) => ReturnType<ChainableCommander['exec']>,
): ChainableCommander {
  const chain = commander as Chain; // ioredis adds each command by `sendCommand`, also those of scripts
  const commands: Command[] = [];
  const add = chain.sendCommand.bind(chain);
  const exec = chain.exec.bind(chain);
  chain.sendCommand = (command) => {
    if (command.name !== 'exec') commands.push(command);
    return add(command);
  };
  chain.exec = () => execute(exec, commands);
  return chain;
}

/** Adds copies of the commands: one that was given up cannot be sent again. */
function repeat(commander: ChainableCommander, commands: readonly Command[]): ChainableCommander {
  for (const { constructor, name, args } of commands) {
    (commander as Chain).sendCommand(
      Reflect.construct(constructor, [name, args, { replyEncoding: 'utf8' }]) as Command,
    );
  }
  return commander;
}

/** Whether a full server refused a command of the transaction, and so the whole. */
function isAbortedByFull(thrown: unknown): boolean {
  const causes: unknown = thrown instanceof Error ? Reflect.get(thrown, 'previousErrors') : undefined;
  return isFull(thrown) || (Array.isArray(causes) && causes.some(isFull));
}

/** Whether ioredis gave the command up because the connection broke. Its text: https://github.com/redis/ioredis/blob/main/lib/redis/event_handler.ts */
function isCutShort(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message === 'Command aborted due to connection close';
}

/** A connection without a queue for its time away refuses commands until it is back. @throws Error if it is not back at once */
async function waitForConnection(connection: Connection): Promise<void> {
  if (connection.options.enableOfflineQueue !== false) return;
  if (connection.status === 'end') throw new Error('Connection is closed.'); // for good: neither event would come
  await new Promise<void>((resolve, reject) => {
    const onReady = (): void => end(resolve);
    const onClose = (): void => end(() => reject(new Error('Connection is closed.')));
    const end = (settle: () => void): void => {
      connection.off('ready', onReady).off('close', onClose).off('end', onClose);
      settle();
    };
    connection.once('ready', onReady).once('close', onClose).once('end', onClose);
  });
}
