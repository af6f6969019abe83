import type { Enqueuing } from '../../../bridge/enqueue.ts';
import { eachOlder, takeOlder } from '../../../bridge/older.ts';
import { eachOpen, readBridge, type BridgeState } from '../../../bridge/read-bridge.ts';
import { toOldTaskPlace } from '../../../bridge/run-bridge.ts';
import { claimListed } from '../../../bridge-v2/claim-listed.ts';
import { UsageError } from '../../../errors.ts';
import { toOneLine } from '../../../text/one-line.ts';
import { countOf } from '../../../text/plural.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { printJson, renderTable } from '../../output/print.ts';

export interface BridgeListOptions {
  limit?: number;
  json?: boolean;
}

const DEFAULT_LIMIT = 50;
/** Longest cell of a table. */
const CELL = 60;

/** Does `fleet bridge status`. */
export async function runBridgeStatusCommand({ json }: { json?: boolean }): Promise<void> {
  await withFleet(async ({ inner: { db, config } }) => {
    const state = await readBridge(db);
    if (json) return printJson({ enabled: config.FLEET_BRIDGE === '1', v2: config.FLEET_BRIDGE_V2 === '1', ...state });
    if (state.since === null && state.up.length === 0) {
      return console.log('The bridge has never run here. FLEET_BRIDGE=1 and `fleet up` start it: docs/old-programs.md');
    }
    for (const line of toLines(state)) console.log(line);
  });
}

function toLines({ up, since, ...counts }: BridgeState): string[] {
  const rows: [string, string][] = [
    ['Bridge', up.length === 0 ? 'not up' : up.join(', ')],
    ['First start', since ?? 'never'],
    ['Known', `${countOf(counts.known, 'task')} taken, or done elsewhere`],
    ['Claimed', `${countOf(counts.claimed, 'task')} by the fleet, ${counts.held} by workers of other programs`],
    ['Memory shards', `${countOf(counts.ofShards, 'task')} not answered`],
    ['Questions', `${counts.questions} of queue:archive_query not answered`],
    ['Help', `${countOf(counts.assists, 'old worker')} waiting`],
    ['Older', `${countOf(counts.older, 'task')}${counts.older === 0 ? '' : ' (fleet bridge ls, fleet bridge take)'}`],
  ];
  return rows.map(([label, text]) => `${`${label}:`.padEnd(16)}${text}`);
}

/** Does `fleet bridge ls`. */
export async function runBridgeListCommand({ limit = DEFAULT_LIMIT, json }: BridgeListOptions): Promise<void> {
  await withFleet(async ({ inner: { db, config } }) => {
    const tasks: { state: string; id: string; jobId: string; by: string; text: string }[] = [];
    const place = await toOldTaskPlace(config);
    for await (const { id, jobId, description, problem } of eachOlder({ ...place, db })) {
      if (tasks.length > limit) break;
      tasks.push({ state: 'older', id, jobId, by: '', text: problem ?? description });
    }
    for await (const open of eachOpen(db)) {
      if (tasks.length > limit) break;
      tasks.push({ ...open, text: '' });
    }
    const shown = tasks.slice(0, limit);
    if (json) return printJson({ tasks: shown, isWhole: tasks.length <= limit });
    if (shown.length === 0) return console.log('No task of other programs is open.');
    const cells = shown.map(({ state, id, jobId, by, text }) =>
      [state, id, jobId, by, text].map((cell) => toCell(cell)),
    );
    console.log(renderTable([['state', 'id', 'job', 'worker', 'task'], ...cells]));
    if (tasks.length > limit) console.log(`… and more: --limit ${limit * 10}`);
    if (shown.some(({ state }) => state === 'older'))
      console.log('The fleet does the older ones after: fleet bridge take ID…');
  });
}

const OUTCOMES: Record<Enqueuing, string> = {
  added: 'taken',
  known: 'taken before',
  elsewhere: 'done by another program',
  older: 'left: it is of a memory shard, and FLEET_BRIDGE_V2 is not 1 here',
  held: 'left: another worker took it',
};

/** Does `fleet bridge take`. */
export async function runBridgeTakeCommand(
  ids: string[],
  { all, json }: { all?: boolean; json?: boolean },
): Promise<void> {
  if (ids.length > 0 && all === true) throw new UsageError('bridge take: expected ids or --all, got both');
  if (ids.length === 0 && all !== true) {
    throw new UsageError('bridge take: expected ids or --all; `fleet bridge ls` lists the tasks');
  }
  await withFleet(async ({ inner: { db, config, queues, currentSession, assertMayAdd } }) => {
    await assertMayAdd();
    const place = await toOldTaskPlace(config);
    const claim =
      config.FLEET_BRIDGE_V2 === '1'
        ? { claim: (task: Parameters<typeof claimListed>[1]) => claimListed(db, task) }
        : {};
    const taken = await takeOlder(
      { ...place, db, queue: queues.tasks, currentSession, ...claim },
      all === true ? 'all' : ids,
    );
    if (json) return printJson(taken);
    for (const { id, jobId, outcome } of taken) console.log(`${toCell(id)}  ${jobId}  ${OUTCOMES[outcome]}`);
    const count = taken.filter(({ outcome }) => outcome === 'added').length;
    console.log(`${countOf(count, 'task')} taken.`);
    const { up } = await readBridge(db);
    if (count > 0 && up.length === 0)
      console.error('No bridge is up: results reach other programs once it is (FLEET_BRIDGE=1, fleet up).');
  });
}

function toCell(text: string): string {
  return toOneLine(text, CELL);
}
