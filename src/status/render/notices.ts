import { countOf } from '../../text/plural.ts';
import { formatUsd } from '../../pricing/money.ts';
import type { Halt } from '../../halt/halt-shape.ts';
import { describeCompaction } from '../read/compaction.ts';
import { describeUncertain } from './describe-uncertain.ts';
import { choicesOf } from './halt-choices.ts';
import type { Paint } from './colours.ts';
import { VENDORS, type StatusSnapshot } from '../types.ts';

/** The lines below the block, each only where there is something to say; a halt first. */
export function renderNotices(snapshot: StatusSnapshot, paint: Paint): string[] {
  return [
    ...(snapshot.halt ? renderHalt(snapshot.halt, paint) : []),
    ...renderJobs(snapshot, paint),
    ...renderArchive(snapshot, paint),
    ...renderCounters(snapshot),
    ...renderMoney(snapshot, paint),
  ];
}

function renderHalt(halt: Halt, paint: Paint): string[] {
  const since = halt.at === '' ? '' : ` since ${halt.at}`;
  const by = halt.by === '' ? '' : ` by ${oneLine(halt.by)}`;
  return [
    paint.red(paint.bold(`⛔ HALTED${since}${by}: ${oneLine(halt.reason)}`)),
    ...(halt.step === '' ? [] : [`  At step: ${oneLine(halt.step)}`]),
    ...(halt.detail === '' ? [] : [`  Detail:  ${oneLine(halt.detail)}`]),
    ...choicesOf(halt).map((choice) => `  ➜ ${choice.what}: ${paint.bold(choice.command)}`),
  ];
}

/** What a person set aside stands apart: no budget lets it go on. */
const PARKED_MISSION = 'parked-mission';

function renderJobs(snapshot: StatusSnapshot, paint: Paint): string[] {
  const lines: string[] = [];
  const paused = snapshot.queues.filter((queue) => queue.paused).map((queue) => queue.name);
  if (paused.length > 0 && snapshot.halt === null) {
    lines.push(paint.yellow(label('Paused:') + `${paused.join(', ')} (by a person)`));
  }
  const unattended: [string, number, string][] = [
    ['No worker for:', snapshot.tasksWithoutWorker, 'waiting task'],
    ['No librarian:', snapshot.questionsWithoutLibrarian, 'waiting question'],
    ['No coordinator:', snapshot.missionsWithoutCoordinator, 'waiting mission'],
  ];
  for (const [nobody, count, what] of unattended) {
    if (count > 0) lines.push(paint.yellow(`${label(nobody)}${countOf(count, what)} (fleet up)`));
  }
  const parkedCount = snapshot.queues.reduce((sum, queue) => sum + queue.parked, 0);
  if (snapshot.parked.length > 0) {
    const byBudget = snapshot.parked.filter((group) => group.scope !== PARKED_MISSION);
    const groups = byBudget.map(
      (group) => `${group.count} ${group.scope}${group.name ? ` ${oneLine(group.name)}` : ''}`,
    );
    const [{ scope } = { scope: 'batch' }, ...more] = byBudget;
    const how = `fleet budget USD --${more.some((group) => group.scope !== scope) ? 'batch|--mission|--task' : scope} NAME`;
    if (groups.length > 0) lines.push(`${label('Parked: budget')}${groups.join(' | ')} (${how} lets them go on)`);
    for (const { name, count } of snapshot.parked.filter((group) => group.scope === PARKED_MISSION)) {
      const mission = oneLine(name ?? 'MISSION');
      lines.push(`${label('Parked: person')}${countOf(count, 'job')} of ${mission} (fleet resume ${mission})`);
    }
  } else if (parkedCount > 0) {
    lines.push(`${label('Parked: budget')}${countOf(parkedCount, 'job')}`);
  }
  if (snapshot.failed.length > 0) {
    const byReason = new Map<string, number>();
    for (const { reason, count } of snapshot.failed) byReason.set(reason, (byReason.get(reason) ?? 0) + count);
    const groups = [...byReason].map(([reason, count]) => `${count} ${reason}`).join(' | ');
    const all = snapshot.queues.every((queue) => queue.failed <= snapshot.failedSampled);
    lines.push(`${label('Failed:')}${groups}${all ? '' : ` (of the newest ${snapshot.failedSampled})`}`);
  }
  if (snapshot.cooling.length > 0) {
    const models = snapshot.cooling.map(({ model, forMs }) => `${model} for ${Math.ceil(forMs / 1_000)} s`);
    lines.push(paint.yellow(label('Cooling:') + models.join(' | ')));
  }
  return lines;
}

function renderArchive(snapshot: StatusSnapshot, paint: Paint): string[] {
  const line = describeCompaction(snapshot);
  return line === null ? [] : [paint.yellow(label('Archive:') + oneLine(line))];
}

function renderCounters({ counters }: StatusSnapshot): string[] {
  const { recoveries = 0, ...others } = counters;
  const rest = Object.entries(others)
    .filter(([name]) => !name.startsWith('failed_')) // the failed set says it better: a failure that was mended is gone there
    .map(([name, count]) => `${name.replaceAll('_', ' ')}: ${count}`);
  return [
    ...(recoveries === 0 ? [] : [`${label('Recoveries:')}${recoveries}`]),
    ...(rest.length === 0 ? [] : [`${label('Counted:')}${rest.join(' | ')}`]),
  ];
}

function renderMoney({ uncertain, budget, spend }: StatusSnapshot, paint: Paint): string[] {
  const lines: string[] = [];
  if (uncertain.callCount > 0 || uncertain.todayNanoUsd > 0) {
    lines.push(`${label('Uncertain cost:')}${describeUncertain(uncertain)}`);
  }
  if (budget.limitNanoUsd !== null) {
    const used = budget.settledNanoUsd + budget.reservedNanoUsd + budget.uncertainNanoUsd;
    const share = budget.limitNanoUsd > 0 ? ` (${((used / budget.limitNanoUsd) * 100).toFixed(1)}%)` : '';
    const reserved = budget.reservedNanoUsd > 0 ? `, ${formatUsd(budget.reservedNanoUsd, 4)} of it reserved` : '';
    const line = `${label('Budget Today:')}${formatUsd(used, 4)} of ${formatUsd(budget.limitNanoUsd, 4)}${share}${reserved}`;
    lines.push(used >= budget.limitNanoUsd ? paint.yellow(line) : line);
  }
  const external = VENDORS.filter((vendor) => spend[vendor].externalNanoUsd !== 0).map(
    (vendor) => `${vendor} ${formatUsd(spend[vendor].externalNanoUsd, 4)}`,
  );
  if (external.length > 0) lines.push(`${label('External cost:')}${external.join(' | ')} (added by other programs)`);
  return lines;
}

function label(name: string): string {
  return name.padEnd(18);
}

/** A provider's words can hold line breaks and control characters; a terminal must not act on them. */
export function oneLine(text: string): string {
  return text
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, 500);
}
