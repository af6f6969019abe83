import { isOffline, type Config } from '../../../config/environment.ts';
import { ConfigError, UsageError } from '../../../errors.ts';
import { readUncertain, type UncertainCall } from '../../../ledger/uncertain/list.ts';
import { reconcile, type Conclusion, type Reconciliation } from '../../../ledger/uncertain/reconcile.ts';
import { readSettlements, type Settlement } from '../../../ledger/uncertain/settle.ts';
import { makeRoom } from '../../../coordinator/control/settle-calls.ts';
import { isLoopbackUrl } from '../../../models/create/loopback.ts';
import { readUsageReport } from '../../../models/anthropic/usage-report.ts';
import { formatUsd } from '../../../pricing/money.ts';
import { toPromptTokens } from '../../../pricing/tokens.ts';
import { countOf, formatCount } from '../../../text/plural.ts';
import { currentUser } from '../../../swarm/current-user.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { printJson, renderTable } from '../../output/print.ts';
import { catalogOf } from '../../../pricing/catalog.ts';

/** Settlements shown below the list. */
const MOST_SETTLEMENTS = 10;
/** The report holds a call some minutes after it ended. */
const REPORT_DELAY_MS = 3600_000;
const REPORT_TIMEOUT_MS = 60_000;

/** Does `fleet costs --uncertain`. */
export async function runCostsUncertain(options: { json?: boolean }): Promise<void> {
  await withFleet(async ({ inner: { db } }) => {
    const [calls, settlements] = await Promise.all([readUncertain(db), readSettlements(db, MOST_SETTLEMENTS)]);
    if (options.json) return printJson({ calls: calls.map(toPublic), settlements });
    if (calls.length === 0) console.log('No call is of uncertain cost.');
    else console.log(describeCalls(calls));
    if (settlements.length > 0) console.log(['', 'Settled last:', ...settlements.map(describeSettlement)].join('\n'));
  });
}

/** Does `fleet costs --reconcile`. */
export async function runCostsReconcile(day: string, options: { json?: boolean }): Promise<void> {
  await withFleet(async (fleet) => {
    const { db, config } = fleet.inner;
    assertOver(day, db.clock.date());
    const report = await readUsageReport(day, {
      adminKey: requireAdminKey(config),
      baseUrl: config.ANTHROPIC_BASE_URL,
      signal: AbortSignal.timeout(REPORT_TIMEOUT_MS),
    });
    const rows = await reconcile(db, { day, report, by: currentUser(), catalog: catalogOf(config) });
    const released = await makeRoom(
      fleet.inner,
      rows.flatMap(({ settled }) => settled),
    );
    if (options.json) {
      return printJson({
        day,
        models: rows.map((row) => ({ ...row, settled: row.settled.map(({ id }) => id) })),
        released,
      });
    }
    if (rows.length === 0) return console.log(`On ${day} the ledger has no call of a Claude model.`);
    console.log(describeReconciliation(rows));
    if (released > 0) console.log(`Released: ${countOf(released, 'parked job')}, waiting for a worker again`);
  });
}

/** @throws UsageError for a day that is not over: calls would be missing on one side */
function assertOver(day: string, now: Date): void {
  const start = Date.parse(`${day}T00:00:00Z`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(start)) {
    throw new UsageError(`costs --reconcile: expected a UTC day such as 2026-11-21, got ${JSON.stringify(day)}`);
  }
  if (start + 86_400_000 + REPORT_DELAY_MS <= now.getTime()) return;
  throw new UsageError(`costs --reconcile: ${day} is not over for an hour (UTC), so that the report may lack calls`);
}

/** @throws ConfigError without the key, or where it would go to another server than the provider's */
function requireAdminKey(config: Config): string {
  if (isOffline(config)) throw new UsageError('costs --reconcile: the models are simulated, and nobody bills them');
  const baseUrl = config.ANTHROPIC_BASE_URL;
  if (baseUrl !== undefined && !isLoopbackUrl(baseUrl) && !/(^|\.)anthropic\.com$/.test(new URL(baseUrl).hostname)) {
    throw new ConfigError(
      'the environment is wrong:\n  ANTHROPIC_BASE_URL: expected the address of Anthropic for costs --reconcile; another server does not get the admin key',
    );
  }
  if (config.ANTHROPIC_ADMIN_KEY !== undefined) return config.ANTHROPIC_ADMIN_KEY;
  throw new ConfigError(
    'the environment is wrong:\n  ANTHROPIC_ADMIN_KEY: expected a key of the Admin API, got nothing (an admin of the organisation makes it in the console)',
  );
}

function describeCalls(calls: readonly UncertainCall[]): string {
  const rows = calls.map((call) => [
    call.name,
    new Date(call.reservedAt).toISOString().slice(0, 19).replace('T', ' '),
    call.model ?? '(unknown)',
    call.jobId,
    call.turn,
    call.workerId,
    formatUsd(call.nanoUsd, 6),
    formatUsd(call.reported?.nanoUsd ?? 0, 6),
  ]);
  const head = ['call', 'begun (UTC)', 'model', 'job', 'turn', 'worker', 'uncertain', 'booked'];
  const total = calls.reduce((sum, call) => sum + call.nanoUsd, 0);
  return [
    renderTable([head, ...rows], [6, 7]),
    `${countOf(calls.length, 'call')}, at most ${formatUsd(total, 4)}. Each counts against the budget of its day until it is settled:`,
    '  fleet budget --settle-uncertain CALL paid|unpaid --why "how you know", or --all for all of them',
    '  fleet costs --reconcile DAY, which asks Anthropic',
  ].join('\n');
}

function describeSettlement({ at, job, nano, uncertain_nano: worst, by, why }: Settlement): string {
  const verdict = nano === 0 ? 'unpaid' : `paid, ${formatUsd(nano, 6)}`;
  return `  ${at.slice(0, 19)}  ${job}  ${formatUsd(worst, 6)}: ${verdict} (${by}: ${why})`;
}

const CONCLUSIONS: Record<Conclusion, string> = {
  none: 'no uncertain call',
  unpaid: 'settled as not billed: the ledger holds all that was counted',
  explained: 'settled at what was counted more',
  unexplained: 'left uncertain: more was counted than these calls can have used; another program uses the account',
};

function describeReconciliation(rows: readonly Reconciliation[]): string {
  const head = ['model', 'counted prompt', 'output', 'booked prompt', 'output', 'counted more', 'uncertain', ''];
  const lines = rows.map((row) => [
    row.model,
    formatCount(toPromptTokens(row.provider)),
    formatCount(row.provider.output),
    formatCount(toPromptTokens(row.ledger)),
    formatCount(row.ledger.output),
    formatUsd(row.gapNanoUsd, 6),
    row.uncertainCalls === 0 ? '–' : `${countOf(row.uncertainCalls, 'call')}, ${formatUsd(row.uncertainNanoUsd, 6)}`,
    CONCLUSIONS[row.conclusion],
  ]);
  return renderTable([head, ...lines], [1, 2, 3, 4, 5, 6]);
}

/** A call for programs, without what only the ledger reads. */
function toPublic({ packed: _packed, row: _row, scopes: _scopes, apart: _apart, ...call }: UncertainCall): object {
  return call;
}
