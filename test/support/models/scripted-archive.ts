import type { runLibrarian } from '../../../src/librarian/run-librarian.ts';
import type { ArchiveModel, ArchiveReply, ArchiveRequest } from '../../../src/models/archive-model.ts';

export interface ArchiveCall extends ArchiveRequest {
  /** `fallback`, the shard's number, or the id of another model. */
  by: number | string;
}

type CountedPrompt = Parameters<ArchiveModel['countTokens']>[0];
type Answer = Partial<ArchiveReply> | { answer: string; citations?: string[] };

export interface ScriptedArchive {
  calls: ArchiveCall[];
  /** The prompts whose tokens were counted. */
  counted: CountedPrompt[];
  models: Parameters<typeof runLibrarian>[0]['models'];
  /** The same, with another vendor that answers where no shard can. */
  withFallback(): ScriptedArchive;
  /** The same, with keys of all other models. */
  withModels(): ScriptedArchive;
}

/**
 * Providers in this process whose calls a test counts, delays and refuses, for tests of what happens around a call. What
 * happens inside a call is tested over HTTP. An error that `answer` throws is the provider's refusal.
 * @param countTokens null: the provider does not count; the default
 */
export function createScriptedArchive(
  answer: (call: ArchiveCall, count: number) => Answer | Promise<Answer>,
  countTokens: (prompt: CountedPrompt) => number | null = () => null,
): ScriptedArchive {
  const calls: ArchiveCall[] = [];
  const counted: CountedPrompt[] = [];
  const toModel = (by: ArchiveCall['by']): ArchiveModel => ({
    async ask(request, { signal }) {
      signal.throwIfAborted();
      const call = { ...request, by };
      calls.push(call);
      return toReply(await answer(call, calls.length), request);
    },
    async countTokens(prompt) {
      counted.push(prompt);
      return countTokens(prompt);
    },
  });
  const archive: ScriptedArchive = {
    calls,
    counted,
    models: { forShard: ({ number }) => toModel(number), fallback: null },
    withFallback: () => ({ ...archive, models: { ...archive.models, fallback: toModel('fallback') } }),
    withModels: () => ({ ...archive, models: { ...archive.models, find: toModel } }),
  };
  return archive;
}

function toReply(answer: Answer, request: ArchiveRequest): ArchiveReply {
  const given =
    'answer' in answer
      ? { text: JSON.stringify({ answer: answer.answer, citations: answer.citations ?? [] }) }
      : answer;
  const input = Math.ceil(Buffer.byteLength(request.system + request.prompt) / 4);
  const usage = { input, cache_write: 0, cache_read: 0, output: 50 };
  return { text: '', finish: 'stop', finishWords: 'STOP', model: request.model, usage, ...given };
}

/** Ids in the order a prompt shows them. */
export function idsShown(request: Pick<ArchiveRequest, 'prompt'>): string[] {
  return [...request.prompt.matchAll(/<finding id="([^"]+)"/g)].map((match) => match[1] ?? '');
}
