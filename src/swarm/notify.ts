import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { toMessage } from '../errors.ts';
import type { Logger } from '../process/logger.ts';
import { withoutSecrets } from '../config/own-environment.ts';
import type { Db } from '../redis/db.ts';
import { claim } from '../redis/claim.ts';
import { toCommand, type Notice } from './notices/notice.ts';
import { countEvent } from './count-event.ts';

export interface Notifier {
  /**
   * Sends the notice of an event, unless a process of the swarm sent one with the same mark. Returns at once and never
   * throws: a notice that cannot be delivered is counted (`notices_failed`) and not sent again.
   * @param mark names the event: the same event has the same mark in every process
   */
  notify(mark: string, notice: Notice): void;
  /** Waits for the notices that are being sent: 10 s at most. */
  flush(): Promise<void>;
}

const DELIVERY_MS = 10_000;
/** How long a mark is kept. */
const REMEMBER_SECONDS = 30 * 24 * 3600;

/** @param options.target a command for `sh -c`, which gets the line on its standard input, or an http(s) address; undefined: no notice is sent */
export function createNotifier(options: { target: string | undefined; db: Db; log?: Pick<Logger, 'warn'> }): Notifier {
  const { target, log } = options;
  const { keys, redact, clock } = options.db;
  const underWay = new Set<Promise<void>>();

  async function send(to: string, mark: string, notice: Notice): Promise<void> {
    try {
      if (!(await claim(options.db, keys.noticed(mark), randomUUID(), REMEMBER_SECONDS))) return;
      const line = redact(
        JSON.stringify({ at: clock.date().toISOString(), swarm: keys.swarm, ...notice, ...toWayOut(notice) }),
      );
      await (/^https?:/i.test(to) ? post(to, line) : run(to, line));
    } catch (error) {
      log?.warn({ event: notice.event, reason: toMessage(error) }, 'FLEET_NOTIFY: notice not delivered');
      await countEvent(options.db, 'notices_failed').catch(() => undefined); // Redis is away; the log line above is all that is left
    }
  }

  return {
    notify(mark, notice) {
      if (target === undefined) return;
      const sending = send(target, mark, notice).finally(() => underWay.delete(sending));
      underWay.add(sending);
    },
    flush: async () => void (await Promise.all(underWay)),
  };
}

async function post(url: string, line: string): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `${line}\n`,
    redirect: 'error', // a notice goes to the operator's address only
    signal: AbortSignal.timeout(DELIVERY_MS),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the address answers ${response.status}`);
}

function run(command: string, line: string): Promise<void> {
  // The command has a process group of its own, so that the deadline ends its children too.
  const child = spawn('sh', ['-c', command], {
    env: withoutSecrets(process.env),
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, DELIVERY_MS);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(deadline);
      if (code === 0) resolve();
      else reject(new Error(`the command ended with ${signal ?? `exit code ${code}`}`));
    });
    child.stdin.on('error', () => undefined); // a command that does not read its input
    child.stdin.end(`${line}\n`);
  });
}

/** Each notice says what a person can do next. */
function toWayOut(notice: Notice): { command?: string } {
  const command = toCommand(notice);
  return command === null ? {} : { command };
}
