import { countOf } from '../../text/plural.ts';
import { formatUsd } from '../../pricing/money.ts';
import { toVendorName } from '../../pricing/vendor-name.ts';
import { renderBatchLines } from './batches.ts';
import { listOpenMissions, renderMissionLines } from './missions.ts';
import { toOneLine } from '../../text/one-line.ts';
import { describePacing } from './pacing.ts';
import { listAsking, renderNeedsPerson } from './needs-person.ts';
import { renderNotices } from './notices.ts';
import { createColours, type RenderOptions } from './colours.ts';
import type { LiveWorker } from '../../swarm/types.ts';
import type { MissionLine, QueueStatus, ShardStatus, StatusSnapshot } from '../types.ts';
import { delegationOf, totalNanoUsd, type Delegation } from '../read/delegation.ts';
import { formatSpent } from '../../pricing/free-local.ts';

/** Of the names of vendors, with their colon. */
const LEAST_WIDTH = 8;
const RULE = '━'.repeat(50);
/** The counts where the snapshot has no queue of tasks. */
const NO_TASKS: Pick<QueueStatus, 'waiting' | 'active' | 'delayed' | 'failed' | 'cancelled'> = {
  waiting: 0,
  active: 0,
  delayed: 0,
  failed: 0,
  cancelled: 0,
};
/** Worker ids on the line; further workers are only counted. */
const NAMED_WORKERS = 3;

/** The text of `fleet status`: first what waits for a person, then the figures, then failures and waits, where there are any. */
export function renderStatus(snapshot: StatusSnapshot, options: RenderOptions = {}): string {
  const colours = createColours(options);
  const { findings, spend } = snapshot;
  const tasks = tasksOf(snapshot);
  const share = delegationOf(snapshot);
  const [total = '', ...costs] = renderCosts(spend, totalNanoUsd(snapshot));
  const lines = [
    colours.bold(`📊 SWARM STATUS${snapshot.kind === 'simulated' ? ' (simulated models)' : ''}`),
    colours.dim(RULE),
    `Redis Context:    ${findings.live} findings (${renderNew(findings)}), ~${findings.contextTokens} tokens`,
    `Active Workers:   ${renderWorkers(snapshot.workers)}`,
    `Librarians:       ${renderShards(snapshot.shards)}`,
    `Tasks:            ${tasks.waiting} waiting | ${tasks.active} active | ${tasks.delayed} delayed | ${tasks.failed} failed${tasks.cancelled === 0 ? '' : ` | ${tasks.cancelled} cancelled`}`,
    ...renderPacing(snapshot),
    colours.dim(RULE),
    'Cost This Session:',
    ...costs,
    colours.bold(total),
    colours.dim(RULE),
    `Token Efficiency: ${toMark(share)}`,
    ...renderDelegation(share, snapshot.lead),
  ];
  const notices = [
    ...renderNotices(snapshot, colours),
    ...renderBatchLines(snapshot),
    ...renderMissionLines(snapshot, colours),
  ];
  const first = renderNeedsPerson(snapshot, colours);
  return [
    ...first,
    ...(first.length > 0 ? [''] : []),
    ...lines,
    ...(notices.length > 0 ? [colours.dim(RULE), ...notices] : []),
  ].join('\n');
}

/** The total first, then Sonnet, Haiku and Gemini always, and another vendor once it was paid or has done a task. */
function renderCosts({ other, ...vendors }: StatusSnapshot['spend'], total: number): string[] {
  const rows: [name: string, cost: string][] = [
    ['Total', formatUsd(total, 4)],
    ...Object.entries(vendors).map(([vendor, { nanoUsd, freeLocal }]): [string, string] => {
      return [toVendorName(vendor), formatSpent(nanoUsd, 4, freeLocal)];
    }),
    ...(other.nanoUsd === 0 ? [] : [['Other', formatUsd(other.nanoUsd, 4)] as [string, string]]),
  ];
  const width = Math.max(LEAST_WIDTH, ...rows.map(([name]) => name.length + 1));
  return rows.map(([name, cost]) => `  ${`${name}:`.padEnd(width)} ${cost}`);
}

/** One line: for a shell prompt or a chat message. */
export function renderCompactStatus(snapshot: StatusSnapshot): string {
  const tasks = tasksOf(snapshot);
  const share = delegationOf(snapshot);
  const asks = listAsking(snapshot);
  const parts = [
    ...(snapshot.halt ? [`⛔ halted: ${toOneLine(snapshot.halt.reason)} (fleet status)`] : []),
    ...asks.slice(0, 1).map((mission) => `❓ ${toShortQuestion(mission)}`),
    `📊 ${snapshot.findings.live} findings (${renderNew(snapshot.findings)})`,
    countOf(snapshot.workers.length, 'worker'),
    `tasks ${tasks.waiting} waiting ${tasks.active} active ${tasks.delayed} delayed ${tasks.failed} failed${tasks.cancelled === 0 ? '' : ` ${tasks.cancelled} cancelled`}`,
    formatUsd(totalNanoUsd(snapshot), 4),
    share.delegatedTasks === null ? 'no tasks done' : `${toMark(share)} ${toShortShare(share)}`,
  ];
  const missions = listOpenMissions(snapshot);
  if (missions.length > 0) {
    const planned = asks.filter(({ state }) => state === 'planned').length;
    const asking = asks.length - planned;
    const waits = [...(asking === 0 ? [] : [`${asking} asks`]), ...(planned === 0 ? [] : [`${planned} to approve`])];
    parts.push(countOf(missions.length, 'mission') + (waits.length === 0 ? '' : ` (${waits.join(', ')})`));
  }
  return parts.join(' | ');
}

function toShortQuestion({ id, state }: MissionLine): string {
  return state === 'planned' ? `${id} waits for approval (fleet mission ${id})` : `${id} asks (fleet mission ${id})`;
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

/** Haiku and Sonnet where only they work, and the coordinator is on Sonnet; else each vendor, and what counts for the target. */
function renderDelegation(share: Delegation, lead: StatusSnapshot['lead']): string[] {
  const column = (value: number | null): string => percent(value).padStart(6);
  const isUsual =
    share.hasTarget &&
    (lead === null || lead.name === 'Sonnet') &&
    share.vendors.every(({ vendor }) => vendor === 'haiku' || vendor === 'sonnet');
  if (isUsual) {
    return [
      `  Haiku:  ${column(share.haikuTasks)} of tasks (target: 90%+) | ${percent(share.haikuTokens)} of tokens | ${percent(share.haikuCost)} of cost`,
      `  Sonnet: ${column(share.sonnetTasks)} of tasks`,
    ];
  }
  const name = lead?.name ?? 'Sonnet';
  const rows = share.vendors.map((of): [string, string] => [
    `${of.name}:`,
    `${column(of.tasks)} of tasks | ${percent(of.tokens)} of tokens | ${percent(of.cost)} of cost`,
  ]);
  const target = share.hasTarget
    ? `${column(share.delegatedTasks)} of tasks (target: 90%+): all that are not on the class of ${name}`
    : `no target: workers use the coordinator’s class of model, ${name}`;
  const lines: [string, string][] = [...rows, ['Delegated:', target]];
  const width = Math.max(...lines.map(([label]) => label.length));
  return lines.map(([label, text]) => `  ${label.padEnd(width)} ${text}`);
}

/** Before the first task there is nothing to judge. */
function toMark({ delegatedTasks, hasTarget, onTarget }: Delegation): string {
  return delegatedTasks === null || !hasTarget ? '–' : onTarget ? '✅' : '⚠️';
}

/** `95.0% Haiku`, where Haiku did all that was delegated. */
function toShortShare({ delegatedTasks, haikuTasks, vendors }: Delegation): string {
  const isHaiku = haikuTasks === delegatedTasks || vendors.length === 0;
  return `${percent(delegatedTasks)} ${isHaiku ? 'Haiku' : 'delegated'}`;
}

function percent(share: number | null): string {
  return share === null ? '–' : `${(share * 100).toFixed(1)}%`;
}
