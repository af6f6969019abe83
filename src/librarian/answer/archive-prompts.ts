import type { ArchiveQuery } from '../../../queues/archive.ts';
import { readContext } from '../../contexts/memory-contexts.ts';
import { TaskFailedError } from '../../errors.ts';
import { parseForeignId } from '../../other-swarms/foreign-id.ts';
import type { Db } from '../../redis/db.ts';
import type { ArchiveContext, ShownContext } from '../archive/context.ts';
import type { TokenEstimate } from '../archive/token-estimate.ts';
import { Citable, showDocument, type ShownDocument } from '../archive/document.ts';
import { DOCUMENT_SYSTEM, describeFilter, REPLY_SCHEMA, SWARMS_SYSTEM, SYSTEM, toPrompt } from './prompt.ts';
import type { ArchivePrompt } from './types.ts';
import { formatCount } from '../../text/plural.ts';

const DOCUMENT_SYSTEM_BYTES = Buffer.byteLength(DOCUMENT_SYSTEM);

type Question = Pick<ArchiveQuery, 'question' | 'filter' | 'shard' | 'context' | 'vendors'>;

/** Share of a prompt that a document gets at least, where document and findings do not fit together. */
const DOCUMENT_SHARE = 0.6;

/** Makes prompts that show the archive as it is at the moment of the call. */
export interface ArchivePrompts {
  /** Whether the memory shard of the question, or for a question without one the archive, holds no finding at all. */
  isEmpty(query: Pick<Question, 'filter' | 'shard' | 'context'>): Promise<boolean>;
  /**
   * Shows the findings that fit the filter and the prompt.
   * @param maxTokens of the whole prompt
   * @throws TaskFailedError `no-evidence` where no finding fits; `context` where the document is gone
   */
  show(query: Question, maxTokens: number): Promise<ArchivePrompt>;
  /**
   * The ids that an answer may cite now: of all live findings that fit the filter, and of the lines that were shown.
   * @param foreign ids of other swarms that the answer cites and was shown: where their swarm is gone they still count
   */
  readCitable(
    query: Question,
    document: ShownDocument | null,
    foreign?: readonly string[],
  ): Promise<ReadonlySet<string>>;
}

export function createArchivePrompts(parts: {
  db: Db;
  context: ArchiveContext;
  estimate: TokenEstimate;
}): ArchivePrompts {
  const { db, context, estimate } = parts;

  function toNoEvidence(
    { filter, shard }: Omit<Question, 'question'>,
    shown: ShownContext,
    maxTokens: number,
  ): TaskFailedError {
    const notRead = shown.swarms?.notRead ?? [];
    if (notRead.length > 0 && shown.leftOut === null) {
      return new TaskFailedError(
        'no-evidence',
        `no finding to answer from: ${notRead.map(({ why }) => why).join('; ')}`,
      );
    }
    if (shown.leftOut !== null) {
      return new TaskFailedError('no-evidence', `no finding fits into a prompt of ${maxTokens} tokens`);
    }
    if (shard !== undefined) {
      return new TaskFailedError('no-evidence', `no finding of memory shard ${shard} fits the filter`);
    }
    const held = formatCount(context.stats().findings);
    const message = `no finding fits the filter ${describeFilter(filter)}; the archive holds ${held}`;
    return new TaskFailedError('no-evidence', message);
  }

  /** The document as it is now, with numbered lines, and as many findings of its memory shard as fit beside it. */
  async function showWithDocument(query: Question, name: string, maxTokens: number): Promise<ArchivePrompt> {
    const { question, filter, shard = null, vendors: reader } = query;
    const stored = await readContext(db, name);
    if (stored === null) {
      throw new TaskFailedError('context', `no memory context named ${name}; fleet context load NAME FILE`);
    }
    const bytesAround = DOCUMENT_SYSTEM_BYTES + Buffer.byteLength(toPrompt('', question));
    const room = estimate.toBytes(maxTokens) - bytesAround;
    const least = await context.show({
      question,
      filter,
      shard,
      reader,
      maxBytes: Math.floor(room * (1 - DOCUMENT_SHARE)),
    });
    const { text, bytes, document } = showDocument(stored, { question, maxBytes: room - least.bytes });
    const shown = await context.show({ question, filter, shard, reader, maxBytes: room - bytes });
    return {
      request: {
        system: DOCUMENT_SYSTEM,
        prompt: toPrompt(text + shown.text, question),
        responseSchema: REPLY_SCHEMA,
      },
      bytes: bytes + shown.bytes + bytesAround,
      shown: { ...shown, citable: new Citable(shown.citable, document) },
      document,
    };
  }

  return {
    async isEmpty({ filter, shard, context: document }) {
      if (document !== undefined || filter?.swarm !== undefined) return false;
      await context.refresh();
      return context.count(shard ?? null) === 0;
    },
    async show(query, maxTokens) {
      await context.refresh();
      const { question, filter, shard, vendors: reader } = query;
      if (query.context !== undefined) return showWithDocument(query, query.context, maxTokens);
      const system = filter?.swarm === undefined ? SYSTEM : SWARMS_SYSTEM;
      const bytesAround = Buffer.byteLength(system) + Buffer.byteLength(toPrompt('', question));
      const shown = await context.show({
        question,
        filter,
        shard: shard ?? null,
        reader,
        maxBytes: estimate.toBytes(maxTokens) - bytesAround,
      });
      if (shown.ids.size === 0) throw toNoEvidence({ filter, shard }, shown, maxTokens);
      return {
        request: {
          system,
          prompt: toPrompt(shown.text, question),
          responseSchema: REPLY_SCHEMA,
        },
        bytes: shown.bytes + bytesAround,
        shown,
        document: null,
      };
    },
    async readCitable({ question, filter, shard, vendors: reader }, document, foreign = []) {
      await context.refresh();
      const { citable, swarms } = await context.show({
        question,
        filter,
        shard: shard ?? null,
        reader,
        maxBytes: Number.MAX_SAFE_INTEGER,
      });
      const gone = new Set(swarms?.notRead.map(({ name }) => name));
      const kept = foreign.filter((id) => gone.has(parseForeignId(id)?.swarm ?? ''));
      return new Citable([...citable, ...kept], document);
    },
  };
}
