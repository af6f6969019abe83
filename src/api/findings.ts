import { followFindings } from '../findings/follow.ts';
import { createFindingStore } from '../findings/store.ts';
import type { FindingQuery, FindOptions, FleetFindings, FollowOptions, StoredFinding } from '../findings/types.ts';
import { fromOther, withOtherSwarms } from '../other-swarms/across.ts';
import type { OtherSwarms } from '../other-swarms/types.ts';
import { SwarmRefusedError } from '../errors.ts';
import type { Db } from '../redis/db.ts';
import { withRedisErrors } from '../redis/errors/redis-errors.ts';
import { assertOptions, assertText, namesOf } from './given/options.ts';

const QUERY = namesOf<FindingQuery>({
  limit: true,
  session: true,
  batch: true,
  shard: true,
  answers: true,
  text: true,
  swarm: true,
  signal: true,
});
const FIND = namesOf<FindOptions>({
  limit: true,
  session: true,
  batch: true,
  shard: true,
  swarm: true,
  deadlineMs: true,
  signal: true,
});
const FOLLOW = namesOf<FollowOptions>({ session: true, batch: true, shard: true, swarm: true, signal: true });

/** Creates the `findings` of a connected fleet. @param closing ends the reading of new findings */
export function createFleetFindings(
  { db, redisUrl, others }: { db: Db; redisUrl: string; others: OtherSwarms },
  closing: AbortSignal,
): FleetFindings {
  const store = withOtherSwarms(createFindingStore(db), others);
  return {
    async get(id) {
      assertText('findings.get: id', id);
      return withRedisErrors(redisUrl, () => store.get(id));
    },
    async list(query) {
      assertOptions('findings.list', query, QUERY);
      return withRedisErrors(redisUrl, () => store.list(query));
    },
    async find(words, options) {
      assertText('findings.find: words', words);
      assertOptions('findings.find', options, FIND);
      return withRedisErrors(redisUrl, () => store.find(words, options));
    },
    async search(text, options) {
      assertText('findings.search: text', text);
      assertOptions('findings.search', options, ['limit']);
      return withRedisErrors(redisUrl, () => store.search(text, options));
    },
    count: () => withRedisErrors(redisUrl, () => store.count()),
    each(query) {
      assertOptions('findings.each', query, QUERY);
      return store.each(query);
    },
    follow(options = {}) {
      assertOptions('findings.follow', options, FOLLOW);
      const { signal, swarm, ...only } = options;
      const until = signal === undefined ? closing : AbortSignal.any([closing, signal]);
      if (swarm !== undefined) return followOther(others, swarm, { only, until });
      return followFindings({ db, url: redisUrl }, only, until);
    },
  };
}

/** How often a swarm is asked whether it still shares, also while it finds nothing. */
const LOOK_EVERY_MS = 5_000;

/** Follows another swarm's findings. @throws SwarmRefusedError: it may not be read, or no longer */
async function* followOther(
  others: OtherSwarms,
  swarm: string,
  { only, until }: { only: FollowOptions; until: AbortSignal },
): AsyncGenerator<StoredFinding> {
  const one = await others.open(swarm);
  const ending = new AbortController();
  const look = setInterval(() => {
    others.open(swarm).catch((error: unknown) => {
      if (!(error instanceof SwarmRefusedError) || error.reason !== 'not-shared-there') return; // it may come back
      ending.abort(error);
    });
  }, LOOK_EVERY_MS);
  try {
    const signal = AbortSignal.any([until, ending.signal]);
    for await (const finding of followFindings({ db: one.db, url: one.url }, only, signal)) {
      await others.open(swarm);
      yield fromOther(one, finding);
    }
    if (!until.aborted) ending.signal.throwIfAborted();
  } finally {
    clearInterval(look);
  }
}
