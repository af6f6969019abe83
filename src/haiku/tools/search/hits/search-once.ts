import type { HitCollector, HitRequest } from './collect-hits.ts';
import { runEngine, type EngineEnd } from '../engine/engine.ts';
import { requireEnd } from '../engine/engine-words.ts';
import { readRows, ROW_OPTIONS } from '../engine/rows.ts';
import type { SearchContext } from '../engine/scope.ts';
import type { ReadAs } from './source.ts';

/** What is looked for. */
export interface Query {
  pattern: string;
  ignoreCase: boolean;
  hits: HitRequest;
}

/**
 * Runs ripgrep once, and collects what it finds.
 * @param args options and paths, besides those for the query
 * @throws ToolRefusal for a bad pattern or glob; the signal's reason
 */
export async function searchOnce(
  args: readonly string[],
  query: Query,
  run: { collector: HitCollector; source: ReadAs; timeoutMs: number },
  context: SearchContext,
): Promise<EngineEnd> {
  const { collector, source, timeoutMs } = run;
  const { root } = context.workspace;
  const read = async (stdout: AsyncIterable<Buffer>): Promise<void> => {
    for await (const rows of readRows(stdout)) if (!(await collector.take(rows, source))) return;
  };
  const options = [...ROW_OPTIONS, ...toOptions(query), ...args];
  const end = await runEngine(options, { root, signal: context.signal, timeoutMs, read });
  requireEnd(end);
  return end;
}

/** A pattern that names the carriage return means the one at the end of a line, too; otherwise `$` is before it. */
const NAMES_RETURN = /\r|\\r|\\x0d|\\x\{0*d\}/i;

function toOptions({ pattern, ignoreCase, hits }: Query): string[] {
  return [
    ...(NAMES_RETURN.test(pattern.replaceAll('\\\\', '')) ? [] : ['--crlf']),
    '--sort=path',
    '--regex-size-limit=16M',
    '--dfa-size-limit=64M',
    ...(ignoreCase ? ['--ignore-case'] : []),
    ...(hits.output === 'files' ? ['--max-count=1'] : []),
    ...(hits.output === 'count' ? [] : ['--line-buffered']), // so that a search that is stopped has given what it found
    `--regexp=${pattern}`,
  ];
}
