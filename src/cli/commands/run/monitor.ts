import { tasksQueue } from '../../../../queues/tasks.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { toFindingId } from '../../../findings/finding.ts';
import { toSummary } from '../../../findings/stored.ts';
import type { StoredFinding } from '../../../findings/types.ts';
import { connectRedis } from '../../../redis/connect.ts';
import { lineWidth, fitLine, toMarks } from '../../output/print.ts';
import { withFleet } from '../../input/with-fleet.ts';

export interface MonitorOptions {
  batch?: string;
  json?: boolean;
}

/** Does `fleet monitor`. */
export async function runMonitorCommand(options: MonitorOptions): Promise<void> {
  await withFleet((fleet) => follow(fleet, options));
}

async function follow(fleet: OpenFleet, options: MonitorOptions): Promise<never> {
  const { config } = fleet.inner;
  const { keys } = fleet.inner.db;
  const subscriber = await connectRedis(config.REDIS_URL, {
    role: 'worker',
    name: 'fleet-monitor',
    log: {
      warn: () => console.error('Redis is not reachable; what is announced meanwhile is not shown'),
      info: () => console.error('Redis is back'),
    },
  });
  let last = Promise.resolve(); // one after the other, so that the lines have the order of the messages
  subscriber.on('pmessage', (_pattern, channel: string, id: string) => {
    const receivedAt = new Date();
    last = last
      .then(() =>
        show(fleet, { receivedAt, channel: channel.slice(keys.publicPrefix.length + 'channel:'.length), id }, options),
      )
      .catch(() => console.log(`${toClock(receivedAt)}  ${id}`)); // Redis went away after the message
  });
  await subscriber.psubscribe(keys.channelPattern);
  return new Promise(() => undefined); // until Ctrl-C
}

async function show(
  fleet: OpenFleet,
  message: { receivedAt: Date; channel: string; id: string },
  { batch, json }: MonitorOptions,
): Promise<void> {
  const { receivedAt, channel, id } = message;
  const finding = await findFinding(fleet, channel, id);
  if (batch !== undefined && finding?.batch !== batch) return;
  const text = finding === null ? '' : toSummary(finding);
  if (json) return console.log(JSON.stringify({ at: receivedAt.toISOString(), channel, id, summary: text }));
  const head = `${toClock(receivedAt)}  ${channel.padEnd(11)}  ${fitLine(id, 40).padEnd(28)}  `;
  const marks = finding === null ? '' : toMarks(finding);
  console.log((head + fitLine(marks + text, Math.max(30, lineWidth() - head.length))).trimEnd());
}

/** The finding of a message. A message of `completions` has a task's id, one of `responses` a query's. */
async function findFinding(fleet: OpenFleet, channel: string, id: string): Promise<StoredFinding | null> {
  if (channel === 'findings') return fleet.findings.get(id);
  if (channel === 'responses') return fleet.findings.get(`archive_${id}`);
  if (channel !== 'completions') return null;
  const { redis, keys } = fleet.inner.db;
  const data = await redis.hget(keys.queueKey(tasksQueue.name, id), 'data');
  const wanted = data === null ? undefined : (JSON.parse(data) as { finding_id?: string }).finding_id;
  return fleet.findings.get(toFindingId(id, wanted));
}

function toClock(instant: Date): string {
  return instant.toTimeString().slice(0, 8);
}
