import { createHash } from 'node:crypto';
import { enqueueExternalQuery, type ExternalQueriesParts } from '../librarian/queries/external-queries.ts';
import { parseRecord } from '../redis/stored-record.ts';
import { toWellFormedJson } from '../text/well-formed.ts';
import { emptyInbox } from './inbox.ts';
import type { V2Parts } from './types.ts';

const LIST = 'archive_query';
/** A query whose failure nobody repaired is forgotten with its failed job. */
const KEEP_MS = 30 * 24 * 3600 * 1000;

/** Takes the questions of `queue:archive_query`, and stores each as `query:archive:<id>`, so that it is answered as any other program's. */
export async function takeArchiveQueries(parts: V2Parts): Promise<number> {
  const { db, log } = parts;
  const lists = { from: db.keys.oldQueue(LIST), inbox: db.keys.bridgeInbox(LIST) };
  const external: ExternalQueriesParts = { ...parts, queue: parts.queues.archive };
  return emptyInbox(db, lists, async (entry) => {
    const id = toQueryId(entry);
    if (id === null)
      return log.warn(
        { entry: entry.slice(0, 200) },
        `${LIST}: an entry without query_id cannot be answered; it was dropped`,
      );
    await db.redis.hset(db.keys.bridge('asked'), id, db.clock.now()); // first: a query that is taken is told its answer
    await db.redis.set(db.keys.query(id), entry, 'NX');
    await enqueueExternalQuery(external, id);
  });
}

/** Tells the programs that asked so the answers that are there by now. @returns how many */
export async function tellArchiveAnswers({ db }: V2Parts): Promise<number> {
  const { redis, keys, clock } = db;
  const asked = Object.entries(await redis.hgetall(keys.bridge('asked')));
  if (asked.length === 0) return 0;
  const responses = await redis.mget(asked.map(([id]) => keys.response(id)));
  let told = 0;
  for (const [i, [id, at]] of asked.entries()) {
    const response = parseRecord(responses[i]);
    if (response !== null) told += (await tell(db, id, response)) ? 1 : 0;
    else if (clock.now() - Number(at) > KEEP_MS) await redis.hdel(keys.bridge('asked'), id);
  }
  return told;
}

async function tell({ keys, scripts, redis }: V2Parts['db'], id: string, response: object): Promise<boolean> {
  const alias = toAnswerAlias(id);
  const { finding_id: of, error } = response as { finding_id?: unknown; error?: unknown };
  const hasFailed = error !== undefined;
  if (hasFailed && (await redis.hexists(keys.aliases, alias)) === 1) return false; // the failure is told
  const answer = await scripts['answer-old-query'](
    {
      finding: keys.finding(alias),
      aliases: keys.aliases,
      findings: keys.queryFindings(id),
      asked: keys.bridge('asked'),
    },
    [
      toWellFormedJson([
        alias,
        typeof of === 'string' ? of : '',
        id,
        JSON.stringify({ ...response, finding_id: alias }),
        hasFailed ? '1' : '0', // a retry may still answer it
      ]),
    ],
  );
  return answer !== 'known';
}

/** The id under which the asking program reads the answer: the fields `answer` and `sources`, which a finding does not have. */
function toAnswerAlias(queryId: string): string {
  return `archive_old_${createHash('sha256').update(queryId).digest('hex').slice(0, 16)}`;
}

function toQueryId(entry: string): string | null {
  const { query_id: id } = { query_id: undefined, ...parseRecord(entry) } as Record<string, unknown>;
  return typeof id === 'string' && id !== '' && id.length <= 200 ? id : null;
}
