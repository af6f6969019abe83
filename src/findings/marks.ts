import { startOf } from '../text/start-of.ts';
import { countOf, formatCount } from '../text/plural.ts';
import { PARTIAL, type ToolErrors } from './finding.ts';
import type { StoredFinding } from './types.ts';

const PARTIAL_NOTE = 'Partial: its worker ran out of turns, and reported what it had.';
/** Of the errors in a note: tools, and UTF-16 code units of each error. A prompt may hold hundreds of notes. */
const NOTED_TOOLS = 5;
const NOTED_ERROR = 120;

/** What can be wrong with a finding that is stored as done. */
type Marked = Pick<StoredFinding, 'status' | 'original_status' | 'tool_errors'>;

/** Whether the result is only what its worker had when its turns ended. A finding that was condensed or retracted later stays so. */
export function isPartial({ status, original_status: original }: Marked): boolean {
  return (original ?? status) === PARTIAL;
}

/** Count of its tool calls that failed. */
export function countToolErrors({ tool_errors: errors }: Marked): number {
  return errors?.failed ?? 0;
}

/** `2 tool errors`; empty: no tool call failed. */
export function describeToolErrorCount(finding: Marked): string {
  const count = countToolErrors(finding);
  return count === 0 ? '' : countOf(count, 'tool error');
}

/** What a model must know before it reads the result, one line each: that it is partial, and which tools failed. Empty: nothing. */
export function toNotes(finding: Marked): string {
  return [isPartial(finding) ? PARTIAL_NOTE : '', toErrorNote(finding.tool_errors)].filter(Boolean).join('\n');
}

function toErrorNote(errors: ToolErrors | undefined): string {
  if (errors === undefined) return '';
  const shown = errors.last.slice(-NOTED_TOOLS).map(({ tool, error }) => `${tool}: ${startOf(error, NOTED_ERROR)}`);
  const count = `${formatCount(errors.failed)} of its tool calls failed`;
  return shown.length === 0 ? `${count}.` : `${count}, last: ${shown.join('; ')}`;
}

/** Whether a finding belongs to a memory shard. @param shard null: to none; undefined: any finding does */
export function isOfShard(finding: StoredFinding, shard: string | null | undefined): boolean {
  return shard === undefined || (finding.shard ?? null) === shard;
}

/**
 * Whether a reader may be shown a finding. A finding that may not go everywhere is shown only where nothing can send it further
 * than it may go: what the reader writes of it goes to all vendors of the reader.
 * @param reader the vendors that see what the reader writes; null: all
 */
export function mayRead(
  reader: readonly string[] | null,
  { vendors }: { vendors?: readonly string[] | undefined },
): boolean {
  if (vendors === undefined) return true;
  return reader !== null && reader.every((vendor) => vendors.includes(vendor));
}
