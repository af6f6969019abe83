import { countOf } from '../../../text/plural.ts';
import type { Config } from '../../../config/environment.ts';
import { formatUsd } from '../../../pricing/money.ts';
import type { ShardState } from '../../../librarian/gate/shard-states.ts';
import { readModelLimits } from '../../../pacing/read-limits.ts';
import { readShardStates } from '../../../librarian/gate/shard-states.ts';
import { EXIT } from '../../output/report-failure.ts';
import { renderModelLimits } from '../../output/limits.ts';
import { lineWidth, printJson, fitLine, renderTable } from '../../output/print.ts';
import { withFleet } from '../../input/with-fleet.ts';

/** Does `fleet limits`. */
export async function runLimitsCommand(options: { test?: boolean; json?: boolean }): Promise<void> {
  await withFleet(async ({ inner: { db, config, currentSession } }) => {
    if (options.test) return runShardTest(config, await currentSession(), options.json ?? false);
    const [shards, models] = await Promise.all([
      readShardStates(db, config.shards),
      readModelLimits(db, config.models),
    ]);
    const pacing = config.GEMINI_PACING === '1';
    if (options.json) return printJson({ shards, pacing, models });
    console.log(renderModelLimits(models, db.clock.date().getTime()));
    console.log(`\n${renderShards(shards, { pacing, width: lineWidth() })}`);
  });
}

async function runShardTest(config: Config, session: string, json: boolean): Promise<void> {
  const { testShards } = await import('../../../librarian/test-shards.ts');
  const { createArchiveModels } = await import('../../../models/create/archive-models.ts');
  const models = await createArchiveModels(config);
  try {
    const tests = await testShards(config, { session, forShard: models.forShard });
    if (tests.some(({ ok }) => !ok)) process.exitCode = EXIT.failed;
    if (json) return printJson(tests);
    for (const { shard, ok, ms, costNanoUsd, problem } of tests) {
      const took = ms === null ? '' : ` ${Math.round(ms)} ms`;
      const cost = costNanoUsd === 0 ? '' : ` ${formatUsd(costNanoUsd, 6)}`;
      console.log(
        fitLine(`S${shard} ${ok ? '✅' : '❌'}${took}${cost}${problem === null ? '' : ` ${problem}`}`, lineWidth()),
      );
    }
    console.log(`${tests.filter(({ ok }) => ok).length} of ${countOf(tests.length, 'shard')} answer.`);
  } finally {
    await models.close();
  }
}

/** One line a shard, then the day of all shards. */
export function renderShards(
  shards: readonly ShardState[],
  { pacing, width }: { pacing: boolean; width: number },
): string {
  const [first] = shards;
  if (first === undefined)
    return 'No shard is configured: set GEMINI_API_KEY_SHARD1 and GEMINI_TIER, then fleet reload.';
  const rows = shards.map((shard) => [
    `S${shard.shard}`,
    `${shard.left}/${shard.perDay}`,
    `${shard.starts}/${shard.perWindow}`,
    `${shard.tokens}/${shard.tokensPerWindow}`,
    shard.project ?? '–',
    describeState(shard), // the last column: the terminal shows its symbol wider than its length
  ]);
  const head = ['SHARD', 'LEFT TODAY', 'THIS MINUTE', 'TOKENS', 'PROJECT', 'STATUS'];
  // Shards of one project share its quota.
  const projects = new Map(shards.map((shard) => [shard.project ?? shard.shard, shard]));
  const left = [...projects.values()].reduce((sum, shard) => sum + shard.left, 0);
  const resetsAt = new Date(first.resetsAt).toISOString().slice(0, 16).replace('T', ' ');
  return [
    renderTable([head, ...rows], [1, 2, 3]),
    ...shards.flatMap((shard) => notesOf(shard)).map((line) => fitLine(line, width)),
    `${countOf(left, 'call')} left today; the day ends at midnight Pacific, ${resetsAt} UTC${pacing ? '; spread over the day' : ''}`,
  ].join('\n');
}

function describeState({ state, closedForMs }: ShardState): string {
  const wait = closedForMs > 0 ? ` ${Math.ceil(closedForMs / 1_000)} s` : '';
  switch (state) {
    case 'ok':
      return '✅ ok';
    case 'exhausted':
      return '❌ day used up';
    case 'cooling':
      return `✅ cooling${wait}`;
    case 'failing':
      return `⚠️ failing${wait}`;
    case 'refused':
      return `⚠️ key refused${wait}`;
  }
}

function notesOf({ shard, stated, lastError }: ShardState): string[] {
  const what = { day: 'requests a day', minute: 'requests a minute', tokens: 'tokens a minute' };
  return [
    ...stated.map(({ scope, limit, day }) => `S${shard}: the provider allows ${limit} ${what[scope]} (said on ${day})`),
    ...(lastError === null ? [] : [`S${shard}: ${lastError.at} ${lastError.message}`]),
  ];
}
