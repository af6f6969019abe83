import { toMessage } from '../errors.ts';
import type { Db } from '../redis/db.ts';
import type { Transcripts } from '../run-record/transcripts/transcripts.ts';
import type { Model, ModelReply, ModelRequest } from './model.ts';

/**
 * A model whose calls are written to the transcript of the job that the request names. A slow disk delays no call, because its reply is
 * paid for and not stored yet; a full one ends none.
 * @param options.note takes a line for the job's log where one cannot be written
 */
export function withTranscript(
  model: Model,
  {
    transcripts,
    db: { clock },
    note,
  }: {
    transcripts: Transcripts | null;
    db: Pick<Db, 'clock'>;
    note?: ((line: string) => Promise<unknown>) | undefined;
  },
): Model {
  if (transcripts === null) return model;
  const write = (request: ModelRequest, reply: ModelReply | null, error?: string): void => {
    const call = { model: request.model, prompt: toNews(request), reply, ...(error === undefined ? {} : { error }) };
    transcripts
      .write(request.user ?? 'unknown', clock.date(), call)
      .catch((failure: unknown) =>
        note?.(`${clock.date().toISOString()} its transcript cannot be written: ${toMessage(failure)}`),
      )
      .catch(() => undefined); // the log is for people, too, and the call does not depend on it
  };
  return {
    ...model,
    async call(request, options) {
      try {
        const reply = await model.call(request, options);
        write(request, reply);
        return reply;
      } catch (error) {
        write(request, null, toMessage(error));
        throw error;
      }
    },
  };
}

/** What the model is told beyond its last reply: the outcomes of its tools. At first, all of it. */
function toNews({ system, messages, tools }: ModelRequest): object {
  const last = messages.findLastIndex(({ role }) => role === 'assistant');
  if (last >= 0) return { messages: messages.slice(last + 1) };
  return { system, messages, tools: tools.map(({ name }) => name) };
}
