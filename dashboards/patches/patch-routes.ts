import { json, Router, type Response } from 'express';
import { z } from 'zod';
import { createFleetPatches } from '../../src/api/patches.ts';
import type { Config } from '../../src/config/environment.ts';
import { FleetError, NotFoundError } from '../../src/errors.ts';
import { toRules } from '../../src/jobs/contract.ts';
import type { PatchReport } from '../../src/patches/apply/types.ts';
import { findPatch } from '../../src/patches/select.ts';
import type { PatchRecord } from '../../src/patches/types.ts';
import type { Logger } from '../../src/process/logger.ts';
import type { Db } from '../../src/redis/db.ts';
import { refuse } from '../access/request-checks.ts';
import { actionsOf, findObstacle, readBranch, type PatchAction } from './change-place.ts';
import { readPatchDiff, toPatchPage } from './describe-patch.ts';
import type { Turns } from './turns.ts';
import { toVisible } from '../access/visible-text.ts';

const ACTIONS = ['apply', 'discard', 'undo'] as const satisfies readonly PatchAction[];

const changeSchema = z.strictObject({
  /** The `head` that the page showed: nobody applies what they have not seen. */
  head: z.string().max(64),
  /** Only tells what would happen. */
  dryRun: z.boolean().default(false),
});

export interface PatchRoutesOptions {
  db: Db;
  /** Its workspaces and data folder are those of this process. */
  config: Config;
  log: Logger;
  /** Takes each change of a workspace. */
  changes: Turns;
  /** Rejects if Redis takes too long: no page waits for a frozen one. */
  inTime: <T>(work: Promise<T>) => Promise<T>;
}

/** Creates `/api/patches/<id>`: a patch as its page shows it, and the changes that a person can make with it. */
export function createPatchRoutes({ db, config, log, changes, inTime }: PatchRoutesOptions): Router {
  const patches = createFleetPatches(db, config);
  const find = (id: string) => inTime(findPatch(db, id));
  const router = Router();

  router.get('/api/patches/:id', async (request, response) => {
    const record = await find(request.params.id);
    if (record === null) return refuseUnknown(response);
    const [diff, obstacle] = await Promise.all([inTime(readPatchDiff(db, record)), findObstacle(config, record)]);
    response.json({ patch: toPatchPage(record), diff, actions: actionsOf(record), obstacle });
  });

  for (const action of ACTIONS) {
    router.post(`/api/patches/:id/${action}`, json({ limit: '10kb' }), async (request, response) => {
      const change = changeSchema.safeParse(request.body);
      if (!change.success) return refuse(response, 400, 'body', toRules(change.error));
      const { head, dryRun } = change.data;
      try {
        await changes.take(async () => {
          const record = await find(request.params.id);
          if (record === null) return refuseUnknown(response);
          const problem = await findProblem(record, action, head);
          if (problem !== null) return refuse(response, 409, 'patch', problem);
          const onto = action === 'discard' ? null : await readBranch(config, record.workspace);
          const report = await work(record.findingId, action, dryRun);
          if (!dryRun)
            log.info({ id: record.findingId, action, outcome: report?.patches[0]?.outcome }, 'patch changed');
          response.json({ onto, report: report && toShown(report) });
        });
      } catch (error) {
        if (!(error instanceof FleetError) || db.redis.status !== 'ready') throw error;
        refuse(response, error instanceof NotFoundError ? 404 : 409, 'patch', toVisible(error.message));
      }
    });
  }

  async function findProblem(record: PatchRecord, action: PatchAction, head: string): Promise<string | null> {
    if (record.head !== head) return 'the patch has changed since the page was read; load it again and look';
    if (!actionsOf(record).includes(action)) return `a patch that is ${record.state} cannot be changed this way`;
    return await findObstacle(config, record);
  }

  /** @returns null: a dry run of what always does the same */
  async function work(id: string, action: PatchAction, dryRun: boolean): Promise<PatchReport | null> {
    if (action === 'apply') return await patches.apply({ ids: [id], dryRun });
    if (dryRun) return null;
    return action === 'undo' ? await patches.undo([id]) : await patches.discard({ ids: [id] });
  }
  return router;
}

function refuseUnknown(response: Response): void {
  refuse(response, 404, 'patch', 'there is no patch of this id; fleet diff lists those that wait');
}

function toShown({ patches, notes }: PatchReport) {
  return {
    patches: patches.map(({ outcome, commit, paths, why }) => ({
      outcome,
      commit,
      paths: paths.slice(0, 100).map(toVisible),
      why: toVisible(why),
    })),
    notes: notes.map(toVisible),
  };
}
