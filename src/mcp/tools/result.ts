import { z } from 'zod';
import { NotFoundError, UsageError } from '../../errors.ts';
import { countToolErrors, isPartial } from '../../findings/marks.ts';
import { toSummary } from '../../findings/stored.ts';
import type { StoredFinding } from '../../findings/types.ts';
import { toNanoUsd } from '../../pricing/money.ts';
import { toMaterial } from '../../text/quoting/material.ts';
import { cutPages, PAGE_TOKENS } from '../answer/pages.ts';
import { countTokens } from '../answer/size.ts';
import { defineTool, READS, type ToolCall } from '../tool/types.ts';
import { findFinding } from '../work/find-finding.ts';
import { readBatchPage } from '../work/batch-page.ts';
import { toResultText } from '../work/result-text.ts';
import { formatCost } from '../../pricing/free-local.ts';

/** A result of at most so many tokens comes with the summary. */
const SHORT_TOKENS = 600;
/** Of long lists, so many entries. */
const NAMED = 20;

/** Reads what was found, in pieces that fit a client's context. */
export const result = defineTool({
  name: 'result',
  title: 'Read results',
  description:
    'What a task, question or mission found: with id first a summary, and the text itself if it is short; then page 1, 2 … With batch: the summaries of its tasks from line `from`; ask again with `next_from`.',
  needs: 'read',
  hints: READS,
  input: z.strictObject({
    id: z.string().min(1).max(200).optional().describe('of a task, question, mission or finding'),
    page: z.int().min(1).optional().describe('with id'),
    batch: z.string().min(1).max(200).optional(),
    from: z.int().min(1).optional().describe('with batch; default 1'),
  }),
  output: z.object({
    id: z.string().optional(),
    batch: z.string().optional(),
    kind: z.string().optional(),
    model: z.string().optional(),
    cost_usd: z.string().optional(),
    partial: z.boolean().optional(),
    tool_errors: z.int().optional(),
    files_changed: z.array(z.string()).optional(),
    citations: z.array(z.string()).optional(),
    patch: z.string().optional(),
    pages: z.int().optional(),
    page: z.int().optional(),
    lines: z.string().optional(),
    next_from: z.int().optional(),
    material: z.string(),
  }),
  async run(call, { id, page, batch, from }) {
    if ((id === undefined) === (batch === undefined)) {
      throw new UsageError(`result: expected id or batch, ${id === undefined ? 'got neither' : 'not both'}`);
    }
    if (batch !== undefined) return readBatchPage(call, batch, from ?? 1);
    return readOne(call, id ?? '', page);
  },
});

async function readOne(call: ToolCall, id: string, page: number | undefined) {
  const finding = await findFinding(call.fleet, id);
  const pages = cutPages(call.redact(toResultText(finding)));
  const { finding_id: findingId } = finding;
  if (page !== undefined) {
    const text = pages[page - 1];
    if (text === undefined) throw new NotFoundError(`result: ${findingId} has ${pages.length} pages, got page ${page}`);
    return { id: findingId, page, pages: pages.length, material: toMaterial(`finding ${findingId}`, text) };
  }
  const [first = ''] = pages;
  const isShort = pages.length === 1 && countTokens(first) <= Math.min(SHORT_TOKENS, PAGE_TOKENS);
  const text = isShort
    ? first
    : `${call.redact(toSummary(finding))}\n(the summary alone; page 1 to ${pages.length} hold the text)`;
  return {
    id: findingId,
    ...toFacts(finding),
    pages: pages.length,
    ...(isShort ? { page: 1 } : {}),
    material: toMaterial(`finding ${findingId}`, text),
  };
}

/** What is known of a finding beside its text. */
function toFacts(finding: StoredFinding) {
  const { kind, model, cost, unmetered, files_changed: files, citations, patch } = finding;
  const errors = countToolErrors(finding);
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(model === undefined ? {} : { model }),
    ...(cost === undefined ? {} : { cost_usd: describeCost(cost, unmetered, finding.free_local === true) }),
    ...(isPartial(finding) ? { partial: true } : {}),
    ...(errors === 0 ? {} : { tool_errors: errors }),
    ...(files.length === 0 ? {} : { files_changed: shorten(files) }),
    ...(citations.length === 0 ? {} : { citations: shorten(citations) }),
    ...(typeof patch?.state === 'string' ? { patch: patch.state } : {}),
  };
}

/** What an outside worker did was not measured: it is no work for nothing. */
function describeCost(cost: number, unmetered: unknown, isLocal: boolean): string {
  return unmetered === undefined || cost > 0 ? formatCost(toNanoUsd(cost), 6, isLocal) : 'unmetered';
}

/** File names and ids are others' text, too: short ones, so that none of them is a message. */
function shorten(names: readonly string[]): string[] {
  const shown = names.slice(0, NAMED).map((name) => (name.length > 120 ? `${name.slice(0, 119)}…` : name));
  return names.length > NAMED ? [...shown, `… ${names.length - NAMED} more`] : shown;
}
