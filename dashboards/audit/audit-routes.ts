import { Router } from 'express';
import { z } from 'zod';
import { assertCursor, parseVerbs } from '../../src/audit/check-query.ts';
import { describeAbout, describeChange } from '../../src/audit/describe-entry.ts';
import { readAuditPage } from '../../src/audit/read-audit.ts';
import { AUDIT_VERBS, type AuditEntry, type AuditQuery } from '../../src/audit/types.ts';
import type { Db } from '../../src/redis/db.ts';
import { refuseRule } from '../access/refuse-rule.ts';
import { limitField, parseQuery } from '../input/parse-query.ts';
import { parseSinceField } from '../input/since-field.ts';
import { toVisible } from '../access/visible-text.ts';

const text = z.string().max(400).optional();

/** The filters are named like the options of `fleet audit`. A field that is empty filters nothing. */
const fields = {
  since: text,
  /** Several: `halt,budget`. */
  what: text,
  who: text,
  limit: limitField(50),
  cursor: text,
};

export interface AuditRoutesOptions {
  db: Db;
  /** Rejects if Redis takes too long: no page waits for a frozen one. */
  inTime: <T>(work: Promise<T>) => Promise<T>;
}

/** Creates `/api/audit`: what people and clients have changed, the newest first. */
export function createAuditRoutes({ db, inTime }: AuditRoutesOptions): Router {
  const router = Router();
  router.get('/api/audit', async (request, response) => {
    try {
      const { query, page } = toAuditQuery(request.query, db.clock.now());
      const { entries, cursor } = await inTime(readAuditPage(db, query, page));
      response.json({ entries: entries.map(toRow), cursor, verbs: AUDIT_VERBS });
    } catch (error) {
      refuseRule(response, error, { db, about: 'audit' });
    }
  });
  return router;
}

/** @param now ms since 1970, by Redis' clock. @throws UsageError naming the field and the rule that it breaks */
function toAuditQuery(
  given: unknown,
  now: number,
): { query: AuditQuery; page: { limit: number; cursor: string | null } } {
  const { limit, ...texts } = parseQuery(fields, given);
  const [since = '', what = '', who = '', cursor = ''] = [
    texts.since?.trim(),
    texts.what?.trim(),
    texts.who?.trim(),
    texts.cursor?.trim(),
  ];
  if (cursor !== '') assertCursor(cursor);
  const query = {
    what: parseVerbs(what),
    ...(since === '' ? {} : { since: parseSinceField(since, now) }),
    ...(who === '' ? {} : { who }),
  };
  return { query, page: { limit, cursor: cursor === '' ? null : cursor } };
}

/** An entry with its words for people. A person, a client or a model may have written them. */
function toRow(entry: AuditEntry) {
  const { who, client, what } = entry;
  const shown = { who: toVisible(who), client: client === null ? null : toVisible(client), what: toVisible(what) };
  return {
    ...entry,
    shown: { ...shown, about: toVisible(describeAbout(entry)), change: toVisible(describeChange(entry)) },
  };
}
