import { UsageError } from '../../../errors.ts';
import type { FoundFinding, FoundFindings, FindingStore } from '../../../findings/types.ts';
import { countOf } from '../../../text/plural.ts';
import { FINDINGS_SHOWN } from '../../input/options.ts';
import { fitLine, lineWidth, printJson } from '../../output/print.ts';

interface FindCommandOptions {
  session?: string;
  batch?: string;
  shard?: string;
  swarm?: string;
  limit?: number;
  json?: boolean;
}

/** Does `fleet findings --find WORDS`. */
export async function findFindings(findings: FindingStore, words: string, options: FindCommandOptions): Promise<void> {
  const { session, batch, shard, swarm, limit = FINDINGS_SHOWN, json } = options;
  const only = {
    ...(session === undefined ? {} : { session }),
    ...(batch === undefined ? {} : { batch }),
    ...(shard === undefined ? {} : { shard }),
    ...(swarm === undefined ? {} : { swarm }),
  };
  const result = await findings.find(words, { limit, ...only });
  if (json) return printJson(result);
  if (result.termCount === 0) {
    throw new UsageError(`--find: expected words, got ${JSON.stringify(words)}; marks are found in double quotes`);
  }
  if (result.found.length === 0) console.log('No finding fits.');
  for (const one of result.found) console.log(renderFound(one, result));
  if (result.olderCount > 0)
    console.log(`Not searched, the time was over: the ${countOf(result.olderCount, 'oldest finding')}`);
  if (result.tooLargeCount > 0) console.log(`Not searched, too large: ${countOf(result.tooLargeCount, 'finding')}`);
}

function renderFound(
  { id, at, summary, isPartial, toolErrors, matches, simulated }: FoundFinding,
  { termCount }: FoundFindings,
): string {
  const marks = [
    ...(matches < termCount ? [`${matches} of ${termCount} words`] : []),
    ...(simulated === true ? ['SIMULATED'] : []),
    ...(isPartial ? ['PARTIAL'] : []),
    ...(toolErrors === 0 ? [] : [countOf(toolErrors, 'tool error')]),
  ].map((mark) => `${mark}  `);
  const head = `${id.padEnd(26)}  ${at.slice(0, 19)}Z  ${marks.join('')}`;
  return (head + fitLine(summary, Math.max(30, lineWidth() - head.length))).trimEnd();
}
