import type { ArchiveQuery } from '../../../queues/archive.ts';
import { TaskFailedError } from '../../errors.ts';
import type { ArchiveContext, ShownContext } from '../archive/context.ts';
import type { TokenEstimate } from '../archive/token-estimate.ts';
import { describeFilter, REPLY_SCHEMA, SYSTEM, toPrompt } from './prompt.ts';
import type { ArchivePrompt } from './types.ts';

const SYSTEM_BYTES = Buffer.byteLength(SYSTEM);

type Question = Pick<ArchiveQuery, 'question' | 'filter'>;

/** Makes prompts that show the archive as it is at the moment of the call. */
export interface ArchivePrompts {
  /** Whether the archive holds no finding at all. */
  isEmpty(): Promise<boolean>;
  /**
   * Shows the findings that fit the filter and the prompt.
   * @param maxTokens of the whole prompt
   * @throws TaskFailedError `no-evidence` where no finding fits
   */
  show(query: Question, maxTokens: number): Promise<ArchivePrompt>;
  /** The ids that an answer may cite now: of all live findings that fit the filter. */
  readCitable(query: Question): Promise<ReadonlySet<string>>;
}

export function createArchivePrompts(parts: { context: ArchiveContext; estimate: TokenEstimate }): ArchivePrompts {
  const { context, estimate } = parts;

  function toNoEvidence(filter: ArchiveQuery['filter'], shown: ShownContext, maxTokens: number): TaskFailedError {
    if (shown.leftOut !== null) {
      return new TaskFailedError('no-evidence', `no finding fits into a prompt of ${maxTokens} tokens`);
    }
    const held = context.stats().findings.toLocaleString('en-US');
    const message = `no finding fits the filter ${describeFilter(filter)}; the archive holds ${held}`;
    return new TaskFailedError('no-evidence', message);
  }

  return {
    async isEmpty() {
      await context.refresh();
      return context.stats().findings === 0;
    },
    async show({ question, filter }, maxTokens) {
      await context.refresh();
      const bytesAround = SYSTEM_BYTES + Buffer.byteLength(toPrompt('', question));
      const shown = await context.show({ question, filter, maxBytes: estimate.toBytes(maxTokens) - bytesAround });
      if (shown.ids.size === 0) throw toNoEvidence(filter, shown, maxTokens);
      return {
        request: {
          system: SYSTEM,
          prompt: toPrompt(shown.text, question),
          responseSchema: REPLY_SCHEMA,
        },
        bytes: shown.bytes + bytesAround,
        shown,
      };
    },
    async readCitable({ question, filter }) {
      await context.refresh();
      const { citable } = await context.show({ question, filter, maxBytes: Number.MAX_SAFE_INTEGER });
      return citable;
    },
  };
}
