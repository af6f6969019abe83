import { Router } from 'express';
import { z } from 'zod';
import { listAnswersCiting, retractFinding } from '../../src/findings/retract.ts';
import { createFindingStore } from '../../src/findings/store.ts';
import { withOtherSwarms } from '../../src/other-swarms/across.ts';
import type { OtherSwarms } from '../../src/other-swarms/types.ts';
import { currentUser } from '../../src/swarm/current-user.ts';
import { refuse } from '../access/request-checks.ts';
import { createOnChange } from '../input/on-change.ts';
import { readAnswerPage, toAnswerRow } from './answer-page.ts';
import { createAsk, questionSchema } from './ask-archive.ts';
import type { ListRouteParts } from '../input/list-route-parts.ts';

/** Answers of the list. */
const MOST_ANSWERS = 20;

/** Strict: what a page does not send is a mistake. */
const retraction = z.strictObject({
  id: z.string().min(1).max(400),
  why: z.string().max(1_000).regex(/\S/, 'expected what is wrong with it, in words'),
});

/** What the routes need. */
export interface ArchiveRoutesOptions extends ListRouteParts {
  others: OtherSwarms;
}

/** Creates `/api/archive`: the newest answers, one beside its sources, and what a person asks and retracts. */
export function createArchiveRoutes({ log, inTime, searchInTime, ...parts }: ArchiveRoutesOptions): Router {
  const { db, others } = parts;
  const ask = createAsk(parts);
  const own = createFindingStore(db);
  const across = withOtherSwarms(own, others);
  const router = Router();

  router.get('/api/archive/answers', async (_request, response) => {
    const answers = await inTime(own.list({ answers: true, limit: MOST_ANSWERS }));
    response.json({ answers: answers.map(toAnswerRow) });
  });

  router.get('/api/archive/answers/:id', async (request, response) => {
    const answer = await inTime(own.get(request.params.id));
    if (answer === null) return refuse(response, 404, 'answer', 'there is no answer of this id');
    const page = await searchInTime(() => readAnswerPage(across, answer)); // another swarm's Redis may be slow
    if (page === null) return refuse(response, 504, 'answer', 'its sources took longer than 10 s to read');
    response.json(page);
  });

  /** Which answers cited a finding: they may be wrong, too, where it is. */
  router.get('/api/archive/citing/:id', async (request, response) => {
    const citing = await searchInTime(() => listAnswersCiting(db, request.params.id));
    if (citing === null) return refuse(response, 504, 'search', 'the answers took longer than 10 s to read');
    response.json({ count: citing.length, answers: citing.slice(0, MOST_ANSWERS).map(toAnswerRow) });
  });

  const onChange = createOnChange({ router, db, log, about: 'archive', path: '/api/archive' });
  onChange('ask', questionSchema, ask);
  onChange('retract', retraction, async ({ id, why }) => {
    const { restored } = await retractFinding(db, { id, why: why.trim(), by: `${currentUser()}, in the dashboard` });
    return { id, restored };
  });
  return router;
}
