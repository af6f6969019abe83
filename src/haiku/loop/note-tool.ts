import type { ToolUseBlock } from '../../models/format.ts';
import type { RunRecord } from '../../run-record/run-record.ts';
import { startOf } from '../../text/start-of.ts';
import type { ToolOutcome } from '../tools/tool.ts';

/** Longest arguments of a tool, in the record of its task. */
const LONGEST_ARGUMENTS = 80;
/** So much of them is read: a secret that begins within `LONGEST_ARGUMENTS` is whole. */
const READ_ARGUMENTS = 600;
const LONGEST_NAME = 60;

/** Notes a tool that ran, with the time since `begunAt` (`performance.now()`). */
export function noteTool(
  record: RunRecord | undefined,
  use: ToolUseBlock,
  outcome: ToolOutcome,
  begunAt: number,
): void {
  record?.note({
    kind: 'tool',
    name: startOf(use.name, LONGEST_NAME), // a model may ask for a tool that does not exist, under any name
    args: record.toText(describeArguments(use.input), LONGEST_ARGUMENTS),
    ms: Math.round(performance.now() - begunAt),
    size: outcome.content.length,
    error: outcome.isError ? outcome.content : null,
  });
}

/** The arguments of a tool in a few words: `path=src/a.ts limit=20`. Not cut yet, and with its secrets. */
function describeArguments(input: unknown): string {
  if (typeof input !== 'object' || input === null) return startOf(JSON.stringify(input) ?? '', READ_ARGUMENTS);
  let text = '';
  for (const [name, value] of Object.entries(input)) {
    if (text.length > READ_ARGUMENTS) break;
    const shown = typeof value === 'string' ? value : describeValue(value);
    text += `${text === '' ? '' : ' '}${startOf(name, LONGEST_NAME)}=${startOf(shown, READ_ARGUMENTS)}`;
  }
  return text;
}

/** A long list or object is told by its size: its text may be megabytes. */
function describeValue(value: unknown): string {
  if (Array.isArray(value) && value.length > 20) return `[${value.length} items]`;
  return JSON.stringify(value) ?? '';
}
