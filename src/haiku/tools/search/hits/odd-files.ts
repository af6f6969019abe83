import pMap from 'p-map';
import { openInside } from '../../files/open-inside.ts';
import { errorCode } from '../../tool-refusal.ts';
import { isOutOfMemory, runEngine } from '../engine/engine.ts';
import { requireEnd } from '../engine/engine-words.ts';
import { readNames } from '../engine/rows.ts';
import { withScope, type Scope, type SearchContext } from '../engine/scope.ts';
import { showPath, toName } from '../engine/show-path.ts';
import { isMostlyBinary, MOST_CONVERTED, readAt, toUtf16Label } from './content.ts';

/** Files that ripgrep would not read as the text that they are. */
export interface OddFiles {
  /** Text in an encoding of one byte, taken for Windows-1252. Sorted. */
  legacy: string[];
  /** Text that is not searched, with the reason. */
  unread: string[];
  isTimedOut: boolean;
}

/** Files that are searched a second time: their names must fit into one command line. */
const MOST_LEGACY = 500;
const HEAD_BYTES = 8 * 1024;
const AT_ONCE = 16;

/**
 * Finds them among files with a line that holds a NUL or is no UTF-8. Most of those are binary, which is searched as it is. In
 * Latin-1 a pattern with other letters than English ones, or with `.`, would miss lines; in UTF-16 without a byte order mark, all.
 */
export async function findOddFiles(
  request: { scope: Scope; globs: readonly string[]; isWanted(path: string): boolean; timeoutMs: number },
  context: SearchContext,
): Promise<OddFiles> {
  const { root } = context.workspace;
  const whole = await findCandidates(request, [], context);
  // The search itself then lacks the memory too, and names what it leaves out.
  const { paths, isTimedOut } = whole ?? (await findCandidates(request, ['--max-filesize=64M'], context)) ?? NOTHING;
  const sorted = paths.sort();
  const kinds = await pMap(sorted, (path) => classify(root, path), { concurrency: AT_ONCE, signal: context.signal });
  const unread = sorted.flatMap((path, at) => {
    const kind = kinds[at];
    return kind === 'utf-16' || kind === 'large' ? [`${showPath(path)} (${REASONS[kind]})`] : [];
  });
  const legacy = sorted.filter((_, at) => kinds[at] === 'legacy');
  const beyond = legacy.slice(MOST_LEGACY).map((path) => `${showPath(path)} (not UTF-8, among too many)`);
  return { legacy: legacy.slice(0, MOST_LEGACY), unread: [...unread, ...beyond], isTimedOut };
}

const NOTHING: Readonly<Candidates> = { paths: [], isTimedOut: false };

interface Candidates {
  paths: string[];
  isTimedOut: boolean;
}

/** @returns null: the memory did not suffice */
async function findCandidates(
  request: Parameters<typeof findOddFiles>[0],
  limits: readonly string[],
  context: SearchContext,
): Promise<Candidates | null> {
  const { root } = context.workspace;
  const paths: string[] = [];
  const read = async (stdout: AsyncIterable<Buffer>): Promise<void> => {
    for await (const names of readNames(stdout)) {
      paths.push(...names.flatMap((name) => toName(name) ?? []).filter(request.isWanted));
    }
  };
  const options = ['--files-with-matches', '--null', '--text', '--encoding=none', '--invert-match', ...limits];
  const end = await withScope(request.scope, context, async (scope) => {
    const args = [...options, String.raw`--regexp=^[^\x00]*$`, ...request.globs, ...scope.options, ...scope.at];
    return await runEngine(args, { root, signal: context.signal, timeoutMs: request.timeoutMs, read });
  });
  if (isOutOfMemory(end)) return null;
  requireEnd(end);
  return { paths, isTimedOut: end.isTimedOut };
}

const REASONS = {
  'utf-16': 'UTF-16 without a byte order mark',
  large: 'not UTF-8, and too large to convert',
};

type Kind = 'legacy' | 'utf-16' | 'large' | 'other';

async function classify(root: string, path: string): Promise<Kind> {
  try {
    const file = await openInside(root, path);
    try {
      const stats = await file.stat();
      return stats.isFile() ? toKind(await readAt(file, 0, HEAD_BYTES), stats.size) : 'other';
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return 'other'; // gone meanwhile
  }
}

function toKind(head: Buffer, size: number): Kind {
  if (toUtf16Label(head) !== null) return 'other'; // ripgrep decodes it
  if (head.includes(0)) return isLikeUtf16(head) ? 'utf-16' : 'other';
  if (isMostlyBinary(head)) return 'other';
  return size > MOST_CONVERTED ? 'large' : 'legacy';
}

/** Whether nearly every other byte is NUL, as in English text. */
function isLikeUtf16(head: Buffer): boolean {
  const counts = [0, 0];
  for (const [at, byte] of head.entries()) if (byte === 0) counts[at % 2] = (counts[at % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = counts;
  const half = Math.floor(head.length / 2);
  return Math.max(even, odd) >= half * 0.7 && Math.min(even, odd) <= half * 0.05;
}
