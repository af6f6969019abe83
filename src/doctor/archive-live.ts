import { isShardsModel, readArchiveRoute } from '../config/model-rows/archive-route.ts';
import { isOffline, type Config } from '../config/environment.ts';
import { toMessage } from '../errors.ts';
import { testFallback, type ShardTest } from '../librarian/shard-test.ts';
import { testShards } from '../librarian/test-shards.ts';
import type { ArchiveReply } from '../models/archive-model.ts';
import { createArchiveModels, type OpenArchiveModels } from '../models/create/archive-models.ts';
import { catalogOf } from '../pricing/catalog.ts';
import { formatUsd } from '../pricing/money.ts';
import { toOneLine } from '../text/one-line.ts';
import type { Db } from '../redis/db.ts';
import { unwell, well, type CheckResult } from './check.ts';
import type { LiveResults } from './anthropic-live.ts';
import { withDoctorCalls } from './doctor-calls.ts';
import { formatCount } from '../text/plural.ts';

/** Asks each Gemini key, and each other model that may answer and has a key, a small question about a made-up finding. */
export async function checkArchive(parts: { db: Db; config: Config; session: string }): Promise<LiveResults> {
  const { config, session } = parts;
  const models = await createArchiveModels(config);
  try {
    const { shards, home } = config;
    const fix = (name: string): string =>
      `correct ${name} in ${home}/.env, or mend its account; fleet limits says more`;
    const tests = shards.length === 0 ? [] : await testShards(config, { session, forShard: models.forShard });
    const results = tests.map((test) => {
      const name = toName(config, test.shard);
      return toResult(name, test, fix(name));
    });
    const others: ShardTestOfModel[] = [];
    for (const { id, name, model } of toOthers(config, models)) {
      const entry = catalogOf(config).find(id, new Date());
      const test = await withDoctorCalls<ArchiveReply, ShardTestOfModel>(parts, (calls, signal) =>
        testFallback({ model, payer: { entry, free: false }, calls }, signal),
      );
      others.push(test);
      results.push(toResult(name, test, fix(name)));
    }
    return { results, nanoUsd: sum([...tests, ...others]) };
  } catch (error) {
    return {
      results: [unwell('archive', toOneLine(toMessage(error)), 'mend what it says, then run it again')],
      nanoUsd: 0,
    };
  } finally {
    await models.close();
  }
}

type ShardTestOfModel = Omit<ShardTest, 'shard'>;

/** The models besides the shards that this machine can ask, each under the name by which a person mends it. */
function toOthers(config: Config, { find, fallback }: OpenArchiveModels) {
  const { FLEET_FALLBACK_MODEL, DEEPSEEK_API_KEY } = config;
  const route = readArchiveRoute(config);
  if (route === null) {
    const name = DEEPSEEK_API_KEY === undefined ? FLEET_FALLBACK_MODEL : 'DEEPSEEK_API_KEY';
    return fallback === null ? [] : [{ id: FLEET_FALLBACK_MODEL, name, model: fallback }];
  }
  const asked = route.filter((id) => id !== config.FLEET_GEMINI_MODEL || !isShardsModel(config));
  return asked.flatMap((id) => {
    const model = find(id);
    return model === null ? [] : [{ id, name: `archive model ${id}`, model }];
  });
}

function toResult(name: string, test: ShardTestOfModel, fix: string): CheckResult {
  const { problem, ms, costNanoUsd } = test;
  if (problem !== null) return unwell(name, problem, fix);
  const cost = costNanoUsd === 0 ? 'free' : `for ${formatUsd(costNanoUsd, 6)}, booked`;
  return well(name, `answers: ${formatCount(Math.round(ms ?? 0))} ms, ${cost}`);
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
