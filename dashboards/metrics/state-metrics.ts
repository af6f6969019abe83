import { Counter, Gauge, Registry } from 'prom-client';
import { readVersion } from '../../src/config/package-folder.ts';
import { tightestLimits } from '../../src/pacing/paced-model.ts';
import { NANO_PER_USD } from '../../src/pricing/money.ts';
import { delegationOf } from '../../src/status/read/delegation.ts';
import type { StatusSnapshot, VendorSpend } from '../../src/status/types.ts';

/** Creates the metrics of what is so now, each with the label `swarm`. @param oldest ms that the oldest waiting job of a queue has waited, by queue */
export function createStateRegistry(snapshot: StatusSnapshot, oldest: Record<string, number>): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ swarm: snapshot.swarm });
  const gauge = (name: string, help: string, rows: [Record<string, string>, number][]): void => {
    if (rows.length === 0) return; // the library would report 0 for a metric without samples
    const labelNames = Object.keys(rows[0]?.[0] ?? {});
    const metric = new Gauge({ name: `fleet_${name}`, help, labelNames, registers: [registry] });
    for (const [labels, value] of rows) metric.set(labels, value);
  };
  const { findings, workers, spend, archive, budget } = snapshot;
  const usd = (nano: number): number => nano / NANO_PER_USD;
  const perVendor = (toValue: (of: VendorSpend) => number): [Record<string, string>, number][] =>
    Object.entries(spend).map(([vendor, of]) => [{ vendor }, toValue(of)]);

  gauge('findings', 'Live findings', [[{}, findings.live]]);
  gauge('context_tokens', 'Tokens of all live findings', [[{}, findings.contextTokens]]);
  gauge('workers', 'Live Haiku workers', [[{}, workers.length]]);
  gauge('worker_slots', 'Tasks the live workers can hold', [[{}, workers.reduce((sum, w) => sum + w.slots, 0)]]);
  gauge('worker_active', 'Tasks the live workers hold', [[{}, workers.reduce((sum, w) => sum + w.active.length, 0)]]);
  gauge('build_info', 'The version of the dashboard that answers; always 1', [
    [{ version: readVersion(), node: process.version }, 1],
  ]);
  const { halt } = snapshot;
  gauge('halted', '1 while the fleet is halted', [[{}, halt === null ? 0 : 1]]);
  gauge(
    'halt_reason',
    'Why the fleet is halted; 1 while it is',
    halt === null ? [] : [[{ reason: toWord(halt.reason) }, 1]],
  );
  gauge(
    'oldest_waiting_seconds',
    'Time since the oldest job that waits in a queue was added; 0: none waits',
    Object.entries(oldest).map(([queue, ms]) => [{ queue }, ms / 1_000]),
  );
  gauge(
    'queue_jobs',
    'Jobs in a queue by state',
    snapshot.queues.flatMap((queue): [Record<string, string>, number][] =>
      (['waiting', 'active', 'delayed', 'parked', 'completed', 'cancelled', 'failed'] as const).map((state) => [
        { queue: queue.name, state },
        queue[state],
      ]),
    ),
  );
  gauge(
    'failed_jobs',
    'Failed jobs by reason, of the newest thousand of a queue',
    snapshot.failed.map(({ queue, reason, count }) => [{ queue, reason }, count]),
  );
  gauge(
    'session_cost_usd',
    'Cost of this session',
    perVendor(({ nanoUsd }) => usd(nanoUsd)),
  );
  gauge(
    'session_external_cost_usd',
    'The part of it that other programs added',
    perVendor(({ externalNanoUsd }) => usd(externalNanoUsd)),
  );
  gauge(
    'session_tasks',
    'Tasks of this session',
    perVendor(({ tasks }) => tasks),
  );
  gauge(
    'session_tokens',
    'Tokens of this session',
    perVendor(({ tokens }) => tokens),
  );
  const { delegatedTasks } = delegationOf(snapshot);
  gauge(
    'session_delegated_ratio',
    "Share of this session's tasks that are not on the coordinator's class of model",
    delegatedTasks === null ? [] : [[{}, delegatedTasks]],
  );
  gauge('archive_cost_usd', "The librarians' part of this session's cost", [[{}, usd(archive.nanoUsd)]]);
  gauge('archive_tokens', "The librarians' part of this session's tokens", [[{}, archive.tokens]]);
  gauge('archive_calls', "The librarians' calls of this session", [[{}, archive.calls]]);
  gauge('budget_usd', "The UTC day's budget", [
    ...(budget.limitNanoUsd === null ? [] : [budgetRow('limit', usd(budget.limitNanoUsd))]),
    budgetRow('settled', usd(budget.settledNanoUsd)),
    budgetRow('reserved', usd(budget.reservedNanoUsd)),
    budgetRow('uncertain', usd(budget.uncertainNanoUsd)),
  ]);
  gauge(
    'limit_used_ratio',
    "What was used in the last minute, as a share of the provider's limit",
    snapshot.pacing.flatMap(({ model, limits }): [Record<string, string>, number][] =>
      tightestLimits(limits).map(({ kind, perMinute, used }) => [{ model, kind }, used / perMinute]),
    ),
  );
  gauge('cooling_models', 'Models that wait for their provider', [[{}, snapshot.cooling.length]]);
  gauge(
    'shard_calls_left',
    'Calls a shard has left today',
    snapshot.shards.map((s) => [{ shard: String(s.shard) }, s.left]),
  );
  const counter = new Counter({
    name: 'fleet_events_total',
    help: 'Recoveries, waits, halts and the like since the swarm began',
    labelNames: ['event'],
    registers: [registry],
  });
  for (const [event, count] of Object.entries(snapshot.counters)) if (count > 0) counter.inc({ event }, count);
  return registry;
}

function budgetRow(part: string, value: number): [Record<string, string>, number] {
  return [{ part }, value];
}

/** Other programs may halt, too, with any text: a label takes only a word. */
function toWord(reason: string): string {
  return /^[a-z][a-z0-9-]{0,39}$/.test(reason) ? reason : 'unknown';
}
