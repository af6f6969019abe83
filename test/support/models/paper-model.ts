import type { ModelRequest } from '../../../src/models/model.ts';
import { idsGiven, promptOf, titleOf } from './mission-model.ts';
import { createScriptedModel, type Step } from './scripted-model.ts';

export const STORES = {
  finding_tea: {
    task: 'Look at the store',
    result: 'The store holds 40 crates of tea.',
    session: 's1',
    at: '2026-11-01T10:00:00Z',
  },
  finding_rum: {
    task: 'Look at the cellar',
    result: 'The cellar holds 3 barrels of rum.',
    session: 's2',
    at: '2026-11-02T10:00:00Z',
  },
  finding_gin: {
    task: 'Look at the attic',
    result: 'The attic holds 7 bottles of gin.',
    session: 's2',
    at: '2026-11-03T10:00:00Z',
  },
};

const toSection = (id: string, question: string) => ({
  id,
  title: `On ${id}`,
  brief: `Say how much ${id} there is`,
  question,
});

/** Three sections, each answered by one finding of `STORES`. */
export const OUTLINE = {
  title: 'What the house holds',
  sections: [
    toSection('tea', 'How many crates of tea does the store hold?'),
    toSection('rum', 'How many barrels of rum does the cellar hold?'),
    toSection('gin', 'How many bottles of gin does the attic hold?'),
  ],
};

/** The subject of a section, from its block. */
export function topicOf(request: ModelRequest): string {
  return /<section>(?:\\n|\n)On (\w+)/.exec(promptOf(request))?.[1] ?? '';
}

/** A section that cites the findings that it was given. */
export function toSectionReply(request: ModelRequest): string {
  const ids = idsGiven(request);
  return JSON.stringify({ text: `There is ${topicOf(request)} [${ids.join(', ')}].`, citations: ids });
}

export interface PaperReplies {
  /** Default: `OUTLINE`. */
  outline?: object;
  /** @param call number of the outline's calls so far, from 1 */
  outlineReply?: (request: ModelRequest, call: number) => Step;
  /** @param call number of the sections' calls so far, from 1 */
  section?: (request: ModelRequest, call: number) => Step | Promise<Step>;
}

/** A model that writes a paper: an outline, then its sections. */
export function createPaperModel(replies: PaperReplies = {}): ReturnType<typeof createScriptedModel> {
  let [outlines, sections] = [0, 0];
  return createScriptedModel(async (request) => {
    if (titleOf(request) === 'outline') {
      outlines += 1;
      return replies.outlineReply?.(request, outlines) ?? JSON.stringify(replies.outline ?? OUTLINE);
    }
    sections += 1;
    return (await replies.section?.(request, sections)) ?? toSectionReply(request);
  });
}
