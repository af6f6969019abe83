import type { Queue } from 'bullmq';
import { Counter, Gauge, Registry } from 'prom-client';
import { NANO_PER_USD } from '../src/pricing/money.ts';
import { VENDORS, type StatusSnapshot } from '../src/status/types.ts';

/** Renders the fleet's state in the Prometheus text format, followed by BullMQ's own metrics. */
export async function renderMetrics(snapshot: StatusSnapshot, queues: readonly Queue[]): Promise<string> {
  const own = await fleetRegistry(snapshot).metrics();
  const theirs = await Promise.all(queues.map((queue) => queue.exportPrometheusMetrics()));
  return `${own.trimEnd()}\n\n${mergeFamilies(theirs)}\n`;
}

function fleetRegistry(snapshot: StatusSnapshot): Registry {
  const registry = new Registry();
  const gauge = (name: string, help: string, rows: [Record<string, string>, number][]): void => {
    if (rows.length === 0) return; // the library would report 0 for a metric without samples
    const labelNames = Object.keys(rows[0]?.[0] ?? {});
    const metric = new Gauge({ name: `fleet_${name}`, help, labelNames, registers: [registry] });
    for (const [labels, value] of rows) metric.set(labels, value);
  };
  const { findings, workers, spend, budget } = snapshot;
  const usd = (nano: number): number => nano / NANO_PER_USD;

  gauge('findings', 'Live findings', [[{}, findings.live]]);
  gauge('context_tokens', 'Tokens of all live findings', [[{}, findings.contextTokens]]);
  gauge('workers', 'Live Haiku workers', [[{}, workers.length]]);
  gauge('worker_slots', 'Tasks the live workers can hold', [[{}, workers.reduce((sum, w) => sum + w.slots, 0)]]);
  gauge('worker_active', 'Tasks the live workers hold', [[{}, workers.reduce((sum, w) => sum + w.active.length, 0)]]);
  gauge('halted', '1 while the fleet is halted', [[{}, snapshot.halt === null ? 0 : 1]]);
  gauge(
    'queue_jobs',
    'Jobs in a queue by state',
    snapshot.queues.flatMap((queue): [Record<string, string>, number][] =>
      (['waiting', 'active', 'delayed', 'parked', 'completed', 'failed'] as const).map((state) => [
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
    perVendor((vendor) => usd(spend[vendor].nanoUsd)),
  );
  gauge(
    'session_external_cost_usd',
    'The part of it that other programs added',
    perVendor((vendor) => usd(spend[vendor].externalNanoUsd)),
  );
  gauge(
    'session_tasks',
    'Tasks of this session',
    perVendor((vendor) => spend[vendor].tasks),
  );
  gauge(
    'session_tokens',
    'Tokens of this session',
    perVendor((vendor) => spend[vendor].tokens),
  );
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
      limits.map(({ kind, perMinute, used }) => [{ model, kind }, used / perMinute]),
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

function perVendor(value: (vendor: (typeof VENDORS)[number]) => number): [Record<string, string>, number][] {
  return VENDORS.map((vendor) => [{ vendor }, value(vendor)]);
}

function budgetRow(part: string, value: number): [Record<string, string>, number] {
  return [{ part }, value];
}

/** Merges the exports of the queues. Each repeats the HELP and TYPE lines; the format allows each once, before its samples. */
function mergeFamilies(exports: string[]): string {
  const families = new Map<string, { head: string[]; samples: string[] }>();
  for (const line of exports.join('\n').split('\n').filter(Boolean)) {
    const name = /^(?:# (?:HELP|TYPE) )?([a-zA-Z_:][\w:]*)/.exec(line)?.[1] ?? '';
    const family = families.get(name) ?? { head: [], samples: [] };
    families.set(name, family);
    if (!line.startsWith('#')) family.samples.push(line);
    else if (!family.head.includes(line)) family.head.push(line);
  }
  return [...families.values()].flatMap(({ head, samples }) => [...head, ...samples]).join('\n');
}
