import type { ToolUseBlock } from '../../models/format.ts';
import type { ToolErrors } from '../../findings/finding.ts';
import { endOf, startOf } from '../../text/start-of.ts';
import { toOneLine } from '../../text/one-line.ts';
import type { ToolOutcome } from '../tools/tool.ts';

/** Limits of `Finding.tool_errors`. */
const MOST_TOOLS = 20;
const MOST_NAME = 60; // a model may ask for a tool that does not exist, under any name
const MOST_ERROR = 300;
/** Of a longer error both ends are kept: the first line tells what went wrong, the last one often how it ended. */
const KEPT_END = 100;

/**
 * The failed tool calls of one task. They follow from the replies and the stored outcomes alone, so that a run that replays
 * them counts the same.
 */
export class ToolErrorCount {
  #failed = 0;
  readonly #last = new Map<string, string>();

  /** Adds the calls of one turn. Call it once a turn, in the order of the turns. */
  add(uses: readonly ToolUseBlock[], outcomes: readonly ToolOutcome[]): void {
    for (const { tool, error } of listErrors(uses, outcomes)) {
      this.#failed += 1;
      this.#last.delete(tool); // the newest is last
      this.#last.set(tool, error);
      const [oldest = tool] = this.#last.keys();
      if (this.#last.size > MOST_TOOLS) this.#last.delete(oldest);
    }
  }

  /** Null: no call failed. */
  toToolErrors(): ToolErrors | null {
    if (this.#failed === 0) return null;
    return { failed: this.#failed, last: [...this.#last].map(([tool, error]) => ({ tool, error })) };
  }
}

/** Which tools of a turn failed, and how: `git (failed), read; git: nothing to commit`. Null: none failed. */
export function describeToolErrors(uses: readonly ToolUseBlock[], outcomes: readonly ToolOutcome[]): string | null {
  const errors = listErrors(uses, outcomes);
  if (errors.length === 0) return null;
  const called = uses.map(({ name }, i) => toName(name) + (outcomes[i]?.isError === true ? ' (failed)' : ''));
  const last = new Map(errors.map(({ tool, error }) => [tool, error]));
  return [called.join(', '), ...[...last].map(([tool, error]) => `${tool}: ${error}`)].join('; ');
}

function listErrors(
  uses: readonly ToolUseBlock[],
  outcomes: readonly ToolOutcome[],
): { tool: string; error: string }[] {
  return uses.flatMap(({ name }, i) => {
    const outcome = outcomes[i];
    return outcome?.isError === true ? [{ tool: toName(name), error: toError(outcome.content) }] : [];
  });
}

function toName(name: string): string {
  return toOneLine(name, MOST_NAME);
}

function toError(content: string): string {
  const line = toOneLine(content, Infinity);
  if (line.length <= MOST_ERROR) return line;
  return `${startOf(line, MOST_ERROR - KEPT_END - 3)} … ${endOf(line, KEPT_END)}`;
}
