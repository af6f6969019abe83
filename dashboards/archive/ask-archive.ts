import type { Queue } from 'bullmq';
import { z } from 'zod';
import type { QueueName } from '../../queues/registry.ts';
import { assertReadable } from '../../src/api/ask.ts';
import type { Config } from '../../src/config/environment.ts';
import { assertSameWords } from '../../src/jobs/same-words.ts';
import { addQuery } from '../../src/librarian/queries/enqueue.ts';
import type { OtherSwarms } from '../../src/other-swarms/types.ts';
import type { Db } from '../../src/redis/db.ts';
import { createEvictionCheck } from '../../src/redis/preflight.ts';
import { createKindCheck } from '../../src/swarm/same-kind.ts';
import { createSessionReader } from '../../src/swarm/session.ts';
import { parseSinceField } from '../input/since-field.ts';

const text = z.string().max(200).optional();

/** A question of a person in a page, with the names of the options of `fleet ask`. A field that is empty filters nothing. */
export const questionSchema = z.strictObject({
  question: z.string().max(20_000),
  /** Made by the page, so that a question that is sent twice is asked once. */
  queryId: z.string().max(100),
  session: text,
  mission: text,
  batch: text,
  topic: text,
  since: text,
  swarm: text,
  context: text,
  /** False: only a shard may answer, no other vendor. */
  fallback: z.boolean().default(true),
});
export type PageQuestion = z.infer<typeof questionSchema>;

interface AskParts {
  db: Db;
  queues: Record<QueueName, Queue>;
  config: Config;
  others: OtherSwarms;
}

/** Creates the asking of the page: that of `fleet ask`, with its guards. */
export function createAsk({ db, queues, config, others }: AskParts) {
  const checks = [createKindCheck(db, config), createEvictionCheck(db.redis)];
  const currentSession = createSessionReader(db);

  /** @throws FleetError for a question that breaks a rule, and where nothing may be added */
  return async (asked: PageQuestion): Promise<{ id: string; findingId: string; added: boolean }> => {
    const { question, queryId, fallback, context, ...fields } = asked;
    const filter = toFilter(fields, db.clock.now());
    await assertReadable(others, filter.swarm);
    await Promise.all(checks.map((check) => check()));
    const input = {
      question,
      requester: 'dashboard',
      ...(Object.keys(filter).length === 0 ? {} : { filter }),
      ...(context === undefined || context === '' ? {} : { context }),
      ...(fallback ? {} : { allow_fallback: false }),
    };
    const parts = { db, queue: queues.archive };
    const { jobId: id, findingId, added } = await addQuery(parts, input, { queryId, session: await currentSession() });
    if (!added) await assertSameWords(db, 'archive', { id, findingId, words: question });
    return { id, findingId, added };
  };
}

/** @param now ms since 1970. @throws UsageError for a time that cannot be parsed */
function toFilter(fields: Omit<PageQuestion, 'question' | 'queryId' | 'fallback' | 'context'>, now: number) {
  const given = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined || value.trim() === '' ? [] : [[name, value.trim()] as const],
  );
  const { mission, since, ...names } = Object.fromEntries(given) as typeof fields;
  return {
    ...names,
    ...(mission === undefined ? {} : { mission_id: mission }),
    ...(since === undefined ? {} : { since: new Date(parseSinceField(since, now)).toISOString() }),
  } as { swarm?: string };
}
