import { z } from 'zod';
import { TaskFailedError } from '../../errors.ts';
import type { ArchiveReply } from '../../models/archive-model.ts';
import { checkCitations } from './citations.ts';
import { NOT_IN_ARCHIVE } from './prompt.ts';
import { startOf } from '../../text/start-of.ts';

const replySchema = z.object({ answer: z.string(), citations: z.array(z.string()) });

/** An answer that may be stored. */
export interface ArchiveAnswer {
  text: string;
  /** Ids of the findings that it relies on, all of them shown; none only if no finding bears on the question. */
  citations: string[];
}

/** So much of a rejected reply is in the failed reason, UTF-16 code units; the query's log holds more. */
const SHOWN_REPLY = 300;

/**
 * Judges a model's reply: an answer, or an error that ends with the beginning of the reply.
 * @param blamed number of the shard that the error must name; null: none
 * @throws TaskFailedError like `toAnswer`
 */
export function judge(reply: ArchiveReply, citable: ReadonlySet<string>, blamed: number | null): ArchiveAnswer {
  try {
    return toAnswer(reply, citable);
  } catch (error) {
    if (!(error instanceof TaskFailedError)) throw error;
    const message = blamed === null ? error.message : `shard ${blamed}: ${error.message}`;
    const text = reply.text.replaceAll(/\s+/g, ' ').trim();
    const shown = text.length <= SHOWN_REPLY ? text : `${startOf(text, SHOWN_REPLY)}…`;
    const reason = text === '' ? message : `${message}; the reply: ${shown}`;
    throw new TaskFailedError(error.reason, reason, { cause: error });
  }
}

/**
 * Turns a model's reply into an answer.
 * @throws TaskFailedError `malformed` (empty, cut off, not JSON), `refusal` (blocked), `citations` (none, or unknown
 *   ids)
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
