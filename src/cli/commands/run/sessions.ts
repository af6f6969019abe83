import { formatUsd } from '../../../pricing/money.ts';
import { listSessions } from '../../../ledger/report/sessions.ts';
import type { SessionSummary } from '../../../ledger/report/types.ts';
import { fitLine, printJson, renderTable } from '../../output/print.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { formatCount } from '../../../text/plural.ts';

/** Does `fleet sessions`. */
export async function runSessionsCommand({ json }: { json?: boolean }): Promise<void> {
  await withFleet(async ({ inner: { db } }) => {
    const sessions = await listSessions(db);
    if (json) return printJson(sessions);
    console.log(renderSessions(sessions));
  });
}

/** The text of `fleet sessions`. */
function renderSessions(sessions: readonly SessionSummary[]): string {
  if (sessions.length === 0) return 'There is no session yet: the first task or process begins one.';
  const rows = sessions.map(({ name, isCurrent, firstDay, lastDay, days, tasks, findings, costNanoUsd }) => [
    `${fitLine(name, 60)}${isCurrent ? ' (in force)' : ''}`,
    firstDay ?? '–',
    lastDay ?? '–',
    String(days),
    formatCount(tasks),
    formatCount(findings),
    formatUsd(costNanoUsd, 4),
  ]);
  return renderTable(
    [['SESSION', 'FIRST DAY', 'LAST DAY', 'DAYS', 'TASKS', 'FINDINGS', 'COST'], ...rows],
    [3, 4, 5, 6],
  );
}
