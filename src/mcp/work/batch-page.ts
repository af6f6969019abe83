import { toSummary } from '../../findings/stored.ts';
import { isPartial } from '../../findings/marks.ts';
import { assertBatch } from '../../tasks/batch/progress.ts';
import { toOneLine } from '../../text/one-line.ts';
import { toTaskId } from '../../../queues/ids.ts';
import { fitLines, PAGE_TOKENS } from '../answer/pages.ts';
import { toMaterial } from '../../text/quoting/material.ts';
import type { ToolCall } from '../tool/types.ts';
import { readWork, toLineIds } from './read-work.ts';
import { countLines } from './view-work.ts';

/** Most lines of one page; fewer fit if their summaries are long. */
const MOST_LINES = 200;
const SUMMARY_LENGTH = 200;

/** The summaries of a batch's tasks, as many as fit, one a line. @throws NotFoundError if there is no such batch */
export async function readBatchPage({ fleet, redact }: ToolCall, batch: string, from: number) {
  const { db } = fleet.inner;
  await assertBatch(db, batch);
  const lines = await countLines(fleet, batch);
  const works = await readWork(db, 'tasks', toLineIds(batch, from, Math.min(MOST_LINES, lines - from + 1)));
  const texts: string[] = [];
  for (const [i, { findingId, state, reason }] of works.entries()) {
    const finding = state === 'done' ? await fleet.findings.get(findingId) : null;
    const note =
      finding === null
        ? reason === ''
          ? state
          : state === 'cancelled'
            ? state
            : `failed: ${reason}`
        : `${findingId}${isPartial(finding) ? ' partial' : ''}`;
    const summary = finding === null ? '' : ` | ${toOneLine(redact(toSummary(finding)), SUMMARY_LENGTH)}`;
    texts.push(`${from + i} ${note}${summary}`);
    if (i % 20 === 19 && fitLines(texts, PAGE_TOKENS).length < texts.length) break;
  }
  const shown = fitLines(texts, PAGE_TOKENS);
  const to = from + shown.length - 1;
  return {
    batch,
    lines: shown.length === 0 ? `none of ${lines}` : `${from}-${to} of ${lines}`,
    ...(to < lines && shown.length > 0 ? { next_from: to + 1 } : {}),
    material: toMaterial(`findings of batch ${batch} (task ids: ${toTaskId(batch, 1)} …)`, shown.join('\n')),
  };
}
