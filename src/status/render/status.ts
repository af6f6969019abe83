import { countOf } from '../../text/plural.ts';
import { formatUsd } from '../../pricing/money.ts';
import { listOpenMissions, renderMissionLines } from './missions.ts';
import { toOneLine } from '../../text/one-line.ts';
import { describePacing } from './pacing.ts';
import { renderNotices } from './notices.ts';
import { createColours, type RenderOptions } from './colours.ts';
import type { LiveWorker } from '../../swarm/types.ts';
import type { QueueStatus, ShardStatus, StatusSnapshot } from '../types.ts';
import { delegationOf, totalNanoUsd, type Delegation } from '../read/delegation.ts';

const RULE = '━'.repeat(50);
/** The counts where the snapshot has no queue of tasks. */
const NO_TASKS: Pick<QueueStatus, 'waiting' | 'active' | 'delayed' | 'failed'> = {
  waiting: 0,
  active: 0,
  delayed: 0,
  failed: 0,
};
/** Worker ids on the line; further workers are only counted. */
const NAMED_WORKERS = 3;

/** The text of `fleet status`. It has lines about halts, failures and waits only where there are any. */
export function renderStatus(snapshot: StatusSnapshot, options: RenderOptions = {}): string {
  const colours = createColours(options);
  const { findings, spend } = snapshot;
  const tasks = tasksOf(snapshot);
  const share = delegationOf(snapshot);
  const lines = [
    colours.bold(`📊 SWARM STATUS${snapshot.kind === 'simulated' ? ' (simulated models)' : ''}`),
    colours.dim(RULE),
    `Redis Context:    ${findings.live} findings (${renderNew(findings)}), ~${findings.contextTokens} tokens`,
    `Active Workers:   ${renderWorkers(snapshot.workers)}`,
    `Librarians:       ${renderShards(snapshot.shards)}`,
    `Tasks:            ${tasks.waiting} waiting | ${tasks.active} active | ${tasks.delayed} delayed | ${tasks.failed} failed`,
    ...renderPacing(snapshot),
    colours.dim(RULE),
    'Cost This Session:',
    `  Sonnet:  ${formatUsd(spend.sonnet.nanoUsd, 4)}`,
    `  Haiku:   ${formatUsd(spend.haiku.nanoUsd, 4)}`,
    `  Gemini:  ${formatUsd(spend.gemini.nanoUsd, 4)}`,
    ...(spend.other.nanoUsd === 0 ? [] : [`  Other:   ${formatUsd(spend.other.nanoUsd, 4)}`]),
    colours.bold(`  Total:   ${formatUsd(totalNanoUsd(snapshot), 4)}`),
    colours.dim(RULE),
    `Token Efficiency: ${share.onTarget ? '✅' : '⚠️'}`,
    ...renderDelegation(share),
  ];
  const notices = [...renderNotices(snapshot, colours), ...renderMissionLines(snapshot, colours)];
  return [...lines, ...(notices.length > 0 ? [colours.dim(RULE), ...notices] : [])].join('\n');
}

/** One line: for a shell prompt or a chat message. */
export function renderCompactStatus(snapshot: StatusSnapshot): string {
  const tasks = tasksOf(snapshot);
  const share = delegationOf(snapshot);
  const parts = [
    `📊 ${snapshot.findings.live} findings (${renderNew(snapshot.findings)})`,
    countOf(snapshot.workers.length, 'worker'),
    `tasks ${tasks.waiting} waiting ${tasks.active} active ${tasks.delayed} delayed ${tasks.failed} failed`,
    formatUsd(totalNanoUsd(snapshot), 4),
    `${share.onTarget ? '✅' : '⚠️'} ${percent(share.haikuTasks)} Haiku`,
  ];
  const missions = listOpenMissions(snapshot);
  if (missions.length > 0) {
    const asks = missions.filter(({ state }) => state === 'asks').length;
    parts.push(countOf(missions.length, 'mission') + (asks === 0 ? '' : ` (${asks} asks)`));
  }
  if (snapshot.halt) parts.push(`⛔ halted: ${toOneLine(snapshot.halt.reason)}`);
  return parts.join(' | ');
}

function renderNew(findings: StatusSnapshot['findings']): string {
  const { sinceSession, partialSinceSession: partial, toolErrorsSinceSession: toolErrors } = findings;
  return [
    `+${sinceSession}`,
    ...(partial === 0 ? [] : [`${partial} partial`]),
    ...(toolErrors === 0 ? [] : [`${toolErrors} with tool errors`]),
  ].join(', ');
}

function tasksOf(snapshot: StatusSnapshot) {
  return snapshot.queues.find((queue) => queue.name === 'tasks') ?? NO_TASKS;
}

/** The providers' limits, where one states any. */
function renderPacing({ pacing }: StatusSnapshot): string[] {
  const models = describePacing(pacing);
  return models.length === 0 ? [] : [`Limits:           ${models.join(' | ')}`];
}

function renderWorkers(workers: LiveWorker[]): string {
  if (workers.length === 0) return '0 Haiku';
  const named = workers.slice(0, NAMED_WORKERS).map((worker) => worker.id);
  const rest = workers.length - named.length;
  const slots = workers.reduce((sum, worker) => sum + worker.slots, 0);
  return `${workers.length} Haiku (${named.join(', ')}${rest > 0 ? `, ${rest} more` : ''}), ${slots} slots`;
}

function renderShards(shards: ShardStatus[]): string {
  if (shards.length === 0) return 'none configured';
  return shards.map((shard) => `S${shard.shard}:${renderShard(shard)}`).join(' | ');
}

function renderShard({ state, left }: ShardStatus): string {
  switch (state) {
    case 'ok':
      return `${left}✅`;
    case 'failing':
      return `${left}⚠️`;
    case 'exhausted':
      return `${Math.max(left, 0)}❌`;
    case 'no-key':
      return '–';
  }
}

function renderDelegation(share: Delegation): string[] {
  const column = (value: number | null): string => percent(value).padStart(6);
  return [
    `  Haiku:  ${column(share.haikuTasks)} of tasks (target: 90%+) | ${percent(share.haikuTokens)} of tokens | ${percent(share.haikuCost)} of cost`,
    `  Sonnet: ${column(share.sonnetTasks)} of tasks`,
  ];
}

function percent(share: number | null): string {
  return `${((share ?? 0) * 100).toFixed(1)}%`;
}
