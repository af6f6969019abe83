import { z } from 'zod';
import { TaskFailedError } from '../../errors.ts';
import type { ArchiveReply } from '../../models/archive-model.ts';
import { checkCitations } from './citations.ts';
import { NOT_IN_ARCHIVE } from './prompt.ts';

/** A reply that may be stored as an answer. */
export interface ArchiveAnswer {
  text: string;
  /** Ids of the findings it rests on, each of them shown; none only where nothing in the archive bears on the question. */
  citations: string[];
}

const replySchema = z.object({ answer: z.string(), citations: z.array(z.string()) });

/**
 * Turns a model's reply into an answer, or says why it is none.
 * @throws TaskFailedError `malformed` (empty, cut off, no JSON), `refusal` (blocked), `citations` (none, or unknown ids)
 */
export function toAnswer(
  reply: Pick<ArchiveReply, 'text' | 'finish' | 'finishWords'>,
  shown: ReadonlySet<string>,
): ArchiveAnswer {
  assertWhole(reply);
  const { answer, citations } = parseReply(reply.text);
  const check = checkCitations({ text: answer, listed: citations }, shown);
  if (check.kind === 'unknown') {
    throw new TaskFailedError(
      'citations',
      `the answer cites what it was not shown: ${check.ids.slice(0, 5).join(', ')}`,
    );
  }
  if (check.kind === 'cited') return { text: answer, citations: check.ids };
  if (isNotInArchive(answer)) return { text: answer, citations: [] };
  throw new TaskFailedError('citations', 'the answer cites no finding');
}

function assertWhole({ finish, finishWords }: Pick<ArchiveReply, 'finish' | 'finishWords'>): void {
  switch (finish) {
    case 'stop':
      return;
    case 'blocked':
    case 'safety':
    case 'recitation':
      throw new TaskFailedError('refusal', `the provider blocked the answer (${finishWords})`);
    case 'empty':
      throw new TaskFailedError('malformed', 'the reply is empty');
    case 'max-tokens':
    case 'other':
      throw new TaskFailedError('malformed', `the reply was cut off (${finishWords})`);
  }
}

function parseReply(text: string): z.output<typeof replySchema> {
  if (text.trim() === '') throw new TaskFailedError('malformed', 'the reply is empty');
  const parsed = replySchema.safeParse(toJson(text));
  if (!parsed.success) {
    throw new TaskFailedError('malformed', 'the reply is not the JSON that was asked for, {"answer", "citations"}');
  }
  if (parsed.data.answer.trim() === '') throw new TaskFailedError('malformed', 'the answer is empty');
  return { ...parsed.data, answer: parsed.data.answer.trim() };
}

function isNotInArchive(answer: string): boolean {
  return answer.replaceAll(/^[\s"'`*[(]+/g, '').startsWith(NOT_IN_ARCHIVE);
}

function toJson(text: string): unknown {
  const plain = text
    .trim()
    .replace(/^```(?:json)?\s*\n/, '')
    .replace(/\n```$/, '');
  try {
    return JSON.parse(plain);
  } catch {
    return undefined;
  }
}
