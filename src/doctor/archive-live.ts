import { isOffline, type Config } from '../config/environment.ts';
import { toMessage } from '../errors.ts';
import { testFallback, type ShardTest } from '../librarian/shard-test.ts';
import { testShards } from '../librarian/test-shards.ts';
import type { ArchiveReply } from '../models/archive-model.ts';
import { createArchiveModels } from '../models/create/archive-models.ts';
import { findModel } from '../pricing/catalog.ts';
import { formatUsd } from '../pricing/money.ts';
import { toOneLine } from '../text/one-line.ts';
import type { Db } from '../redis/db.ts';
import { unwell, well, type CheckResult } from './check.ts';
import type { LiveResults } from './anthropic-live.ts';
import { withDoctorCalls } from './doctor-calls.ts';

/** Asks each Gemini key, and the fallback's key where one is set, a small question about a made-up finding. */
export async function checkArchive(parts: { db: Db; config: Config; session: string }): Promise<LiveResults> {
  const { config, session } = parts;
  if (config.shards.length === 0 && config.DEEPSEEK_API_KEY === undefined) return { results: [], nanoUsd: 0 };
  const models = await createArchiveModels(config);
  try {
    const { shards, home } = config;
    const fix = (name: string): string =>
      `correct ${name} in ${home}/.env, or mend its account; fleet shards says more`;
    const tests = shards.length === 0 ? [] : await testShards(config, { session, forShard: models.forShard });
    const results = tests.map((test) => {
      const name = toName(config, test.shard);
      return toResult(name, test, fix(name));
    });
    const fallback = models.fallback;
    if (fallback === null) return { results, nanoUsd: sum(tests) };
    const entry = findModel(config.FLEET_FALLBACK_MODEL, new Date());
    const test = await withDoctorCalls<ArchiveReply, Omit<ShardTest, 'shard'>>(parts, (calls, signal) =>
      testFallback({ model: fallback, payer: { entry, free: false }, calls }, signal),
    );
    results.push(toResult('DEEPSEEK_API_KEY', test, fix('DEEPSEEK_API_KEY')));
    return { results, nanoUsd: sum([...tests, test]) };
  } catch (error) {
    return {
      results: [unwell('archive', toOneLine(toMessage(error)), 'mend what it says, then run it again')],
      nanoUsd: 0,
    };
  } finally {
    await models.close();
  }
}

function toResult(name: string, test: Omit<ShardTest, 'shard'>, fix: string): CheckResult {
  const { problem, ms, costNanoUsd } = test;
  if (problem !== null) return unwell(name, problem, fix);
  const cost = costNanoUsd === 0 ? 'free' : `for ${formatUsd(costNanoUsd, 6)}, booked`;
  return well(name, `answers: ${Math.round(ms ?? 0).toLocaleString('en-US')} ms, ${cost}`);
}

/** The variable that holds the key of a shard; never the key. */
function toName(config: Config, number: number): string {
  const shard = config.shards.find((one) => one.number === number);
  if (isOffline(config)) return `shard ${number}`;
  return shard?.apiKey === config.GEMINI_API_KEY ? 'GEMINI_API_KEY' : `GEMINI_API_KEY_SHARD${number}`;
}

function sum(tests: readonly { costNanoUsd: number }[]): number {
  return tests.reduce((total, { costNanoUsd }) => total + costNanoUsd, 0);
}
